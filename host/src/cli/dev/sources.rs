//! The files of a project, looked at several times a second: whoever builds wants to know when they have changed and lie still.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use crate::cli::live::{STILL, Stamp};

/// The most files of a project that are looked at.
const MOST: usize = 10_000;
/// Folders that compilers and package managers fill.
const OTHERS: [&str; 4] = ["build", "target", "node_modules", "__pycache__"];

/// A project's files, and how they were when they were built last.
pub struct Sources {
    folder: PathBuf,
    built: BTreeMap<PathBuf, Stamp>,
    seen: BTreeMap<PathBuf, Stamp>,
    since: Instant,
}

// === impl Sources ===

impl Sources {
    /// Those in a folder, as they are now.
    pub fn of(folder: &Path) -> Self {
        let built = stamps(folder);
        Sources { folder: folder.to_owned(), seen: built.clone(), built, since: Instant::now() }
    }

    /// The first of those that have changed since they were built, or have come or gone; none while any is being written.
    pub fn changed(&mut self) -> Option<PathBuf> {
        let now = stamps(&self.folder);
        if now != self.seen {
            (self.seen, self.since) = (now, Instant::now());
        }
        if self.seen == self.built || self.since.elapsed() < STILL {
            return None;
        }
        let other = |(path, stamp): &(&PathBuf, &Stamp)| self.built.get(*path) != Some(stamp);
        let changed = self.seen.iter().find(other).map(|(path, _)| path.clone());
        let gone = || self.built.keys().find(|path| !self.seen.contains_key(*path)).cloned();
        let first = changed.or_else(gone)?;
        self.built.clone_from(&self.seen);
        Some(first.strip_prefix(&self.folder).map_or(first.clone(), Path::to_path_buf))
    }
}

/// The first source of a project that has changed since this was built of it. Its cases and its page are none.
pub fn newer(folder: &Path, built: &Path) -> Option<PathBuf> {
    let modified = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let built = modified(built)?;
    let sources = stamps(folder).into_keys().filter_map(|path| path.strip_prefix(folder).map(Path::to_path_buf).ok());
    let mut sources = sources.filter(|path| !path.starts_with("tests") && path.extension() != Some("md".as_ref()));
    sources.find(|path| modified(&folder.join(path)).is_some_and(|at| at > built))
}

fn stamps(folder: &Path) -> BTreeMap<PathBuf, Stamp> {
    let (mut stamps, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            let name = name.to_string_lossy();
            // Editors' own files come and go beside what is edited.
            if name.starts_with('.') || name.ends_with('~') || OTHERS.contains(&name.as_ref()) || stamps.len() >= MOST {
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(_) => stamps.extend(Stamp::of(&path).map(|stamp| (path, stamp))),
                Err(_) => {}
            }
        }
    }
    stamps
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    fn changed(sources: &mut Sources, most: Duration) -> Option<PathBuf> {
        let until = Instant::now() + most;
        loop {
            let changed = sources.changed();
            if changed.is_some() || Instant::now() > until {
                return changed;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Protects builds from being missed, repeated, or begun by what they write themselves.
    #[test]
    fn what_changes_is_built_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("src")).unwrap();
        fs::create_dir_all(path("build")).unwrap();
        fs::write(path("src/stage.c"), "1").unwrap();
        let mut sources = Sources::of(folder.path());
        let (long, short) = (STILL * 20, STILL * 2);
        assert_eq!(changed(&mut sources, short), None);
        for (file, text) in [("src/stage.c", "22"), ("src/new.c", "1"), ("stage.toml", "1")] {
            fs::write(path(file), text).unwrap();
            assert_eq!(changed(&mut sources, long), Some(file.into()));
            assert_eq!(changed(&mut sources, short), None, "once");
        }
        fs::remove_file(path("src/new.c")).unwrap();
        assert_eq!(changed(&mut sources, long), Some("src/new.c".into()), "what has gone has changed");
        for other in ["build/stage.wasm", ".stage.c.swp", "stage.c~"] {
            fs::write(path(other), "1").unwrap();
        }
        assert_eq!(changed(&mut sources, short), None, "a build's own files and an editor's are no sources");
    }
}
