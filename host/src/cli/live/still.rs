//! Files that are being written are not read: whoever loads a component or a pipeline file waits until it lies still, and loads it
//! again if it has changed meanwhile. So no trigger ever loads half of one.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::{
    catalog::Catalog,
    pipeline::{
        diagnostic::Diagnostic,
        plan::{ComponentError, ComponentErrorKind, ComponentRef, Components, Origin},
        spec::Spec,
    },
    words::{limits::Loading, stage::Component},
};

/// How long a file must have lain still.
pub const STILL: Duration = Duration::from_millis(200);
/// How often a file that is being written is looked at.
const GLANCE: Duration = Duration::from_millis(20);
/// How long a file may go on being written until whoever waits for it gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// What changes with every write to a file, and when another takes its place. The time of change is among it: nobody can set that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Of the file that is at a path now; none if there is none.
    pub fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Stamp {
            file: (found.dev(), found.ino()),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }

    /// How long ago the file was changed; nothing where its clock is ahead of ours.
    pub fn age(&self) -> Duration {
        let (seconds, nanos) = self.changed;
        let changed = UNIX_EPOCH + Duration::new(seconds.max(0) as u64, nanos.max(0) as u32);
        SystemTime::now().duration_since(changed).unwrap_or_default()
    }
}

/// Finds components, and waits until their files lie still.
pub struct Still(pub Catalog);

impl Components for Still {
    fn load(&self, reference: &ComponentRef, origin: &Origin, limits: Loading) -> Result<Arc<dyn Component>, ComponentError> {
        let ComponentRef::Path(path) = reference else { return self.0.load(reference, origin, limits) };
        let path = origin.base.join(path);
        whole(&path, || self.0.load(reference, origin, limits)).unwrap_or_else(|| {
            let message = format!("the component `{reference}` is being written; it was not still for {PATIENCE:?}");
            Err(ComponentError { kind: ComponentErrorKind::Io, message, help: None })
        })
    }

    fn std_names(&self) -> Vec<String> {
        self.0.std_names()
    }
}

/// Reads a pipeline file that lies still.
pub fn load(path: &Path) -> Result<Spec, Vec<Diagnostic>> {
    whole(path, || Spec::load(path)).unwrap_or_else(|| {
        let message = format!("the pipeline file is being written; it was not still for {PATIENCE:?}");
        Err(vec![Diagnostic::error("unreadable", path.display().to_string(), message)])
    })
}

/// What reading answers when the file was the same before and after; none if it never is.
fn whole<T>(path: &Path, read: impl Fn() -> T) -> Option<T> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let before = settled(path, until);
        let read = read();
        if Stamp::of(path) == before {
            return Some(read);
        }
    }
    None
}

/// The stamp of a file once it lies still, or is not there.
fn settled(path: &Path, until: Instant) -> Option<Stamp> {
    let (mut stamp, mut since) = (Stamp::of(path), Instant::now());
    while let Some(current) = &stamp {
        if current.age() >= STILL || since.elapsed() >= STILL || Instant::now() >= until {
            break;
        }
        thread::sleep(GLANCE);
        let now = Stamp::of(path);
        if now != stamp {
            (stamp, since) = (now, Instant::now());
        }
    }
    stamp
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, io::Write as _};

    use super::*;

    /// Protects against half a file: one that is being written in pieces is read once all of them are there.
    #[test]
    fn what_is_being_written_is_read_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "1").unwrap();
        let writing = {
            let path = path.clone();
            thread::spawn(move || {
                for piece in ["2", "3", "4"] {
                    thread::sleep(STILL / 4);
                    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(piece.as_bytes()).unwrap();
                }
            })
        };
        let reads = Cell::new(0);
        let read = whole(&path, || {
            reads.set(reads.get() + 1);
            fs::read_to_string(&path).unwrap()
        });
        writing.join().unwrap();
        assert_eq!((read.as_deref(), reads.get()), (Some("1234"), 1));
    }

    /// Protects against a file that changes while it is read: what was read then is thrown away.
    #[test]
    fn what_changes_while_it_is_read_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        let reads = Cell::new(0);
        let read = whole(&path, || {
            let text = fs::read_to_string(&path).unwrap();
            reads.set(reads.get() + 1);
            if reads.get() == 1 {
                fs::write(&path, "new").unwrap();
            }
            text
        });
        assert_eq!((read.as_deref(), reads.get()), (Some("new"), 2));
        assert_eq!(whole(&folder.path().join("none"), || 7), Some(7), "what is not there is not waited for");
    }
}
