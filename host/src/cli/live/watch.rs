//! `--watch`: looks at the pipeline file and its components' files several times a second, and takes those that have changed and lie still.
//!
//! Looking costs a `stat` a file, works on every file system, and knows no difference between the ways in which editors and compilers
//! write: in place and in pieces, by another file that is renamed, by a file that goes and comes back.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    changes::{self, Changes},
    still::{STILL, Stamp},
};
use crate::pipeline::swap::Trigger;

/// How often files are looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// A file that we see for the first time and that is younger than this may have changed since it was loaded.
const YOUNG: Duration = Duration::from_secs(60);

/// A watch that goes on until it is stopped.
pub struct Watch(Arc<AtomicBool>);

impl Watch {
    /// Watches the files of a run.
    pub fn start(changes: &Arc<Changes>) -> io::Result<Self> {
        let (stopped, changes) = (Arc::new(AtomicBool::new(false)), Arc::downgrade(changes));
        let told = Arc::clone(&stopped);
        thread::Builder::new().name("watch".into()).spawn(move || watch(&changes, &told))?;
        Ok(Watch(stopped))
    }

    /// Watches no more. A change that is under way is not waited for.
    pub fn stop(&self) {
        self.0.store(true, Relaxed);
    }
}

fn watch(changes: &Weak<Changes>, stopped: &AtomicBool) {
    let mut files = Files::default();
    while !stopped.load(Relaxed) {
        let Some(changes) = changes.upgrade() else { return };
        let mut wanted = changes.components();
        wanted.push(changes.file.clone());
        let due = files.look(&wanted);
        if !due.is_empty() && !stopped.load(Relaxed) && !changes.over() {
            take(&changes, &due);
        }
        drop(changes);
        thread::sleep(GLANCE);
    }
}

fn take(changes: &Changes, due: &[PathBuf]) {
    let changed = if due.contains(&changes.file) { changes.reload(Trigger::Watch) } else { changes.refresh(Trigger::Watch) };
    if let Err(refusal) = changed {
        changes::complain(&refusal);
    }
}

/// The files that are watched, and how they were.
#[derive(Default)]
struct Files(HashMap<PathBuf, Watched>);

struct Watched {
    /// As it was when it was taken last.
    taken: Option<Stamp>,
    /// As it is.
    seen: Option<Stamp>,
    /// Since when it is so.
    since: Instant,
}

impl Files {
    /// Looks at these, and answers those that have changed since they were taken and lie still: they count as taken.
    fn look(&mut self, wanted: &[PathBuf]) -> Vec<PathBuf> {
        self.0.retain(|path, _| wanted.contains(path));
        wanted.iter().filter(|path| self.due(path)).cloned().collect()
    }

    fn due(&mut self, path: &Path) -> bool {
        let (now, stamp) = (Instant::now(), Stamp::of(path));
        let file = self.0.entry(path.to_owned()).or_insert_with(|| {
            let taken = stamp.clone().filter(|stamp| stamp.age() >= YOUNG);
            Watched { taken, seen: stamp.clone(), since: now }
        });
        if file.seen != stamp {
            (file.seen, file.since) = (stamp, now);
        }
        let due = file.seen.is_some() && file.seen != file.taken && file.since.elapsed() >= STILL;
        if due {
            file.taken = file.seen.clone();
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Looks until something is due, or for a while.
    fn due(files: &mut Files, wanted: &[PathBuf], most: Duration) -> usize {
        let until = Instant::now() + most;
        loop {
            let due = files.look(wanted).len();
            if due > 0 || Instant::now() > until {
                return due;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Protects each way of writing a file: every one is noticed, once, when it is done.
    #[test]
    fn every_way_of_writing_is_noticed_once() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&path, "1").unwrap();
        let (wanted, mut files) = ([path.clone()], Files::default());
        let (long, short) = (STILL * 10, STILL * 2);
        assert_eq!(due(&mut files, &wanted, long), 1, "it is young: it may have changed before we looked");
        assert_eq!(due(&mut files, &wanted, short), 0);
        fs::write(&path, "2").unwrap();
        assert_eq!(due(&mut files, &wanted, STILL / 2), 0, "it does not lie still yet");
        assert_eq!(due(&mut files, &wanted, long), 1, "in place");
        fs::write(&other, "3").unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!(due(&mut files, &wanted, long), 1, "by a rename");
        fs::remove_file(&path).unwrap();
        assert_eq!(due(&mut files, &wanted, short), 0, "what is gone is not taken");
        fs::write(&path, "4").unwrap();
        assert_eq!(due(&mut files, &wanted, long), 1, "by one that comes back");
        assert_eq!(due(&mut files, &wanted, short), 0);
    }
}
