//! A folder that is held open: what is done in it is done there, wherever its path leads by then. It is reached from the root, folder by
//! folder, and no link is followed: whoever puts one where there was none when the path was checked gets an error and nothing else.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::{fd::AsRawFd, unix::ffi::OsStrExt},
    path::{Component, Path, PathBuf},
};

use rustix::{
    fd::{AsFd, OwnedFd},
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, linkat, mkdirat, openat, renameat, statat, unlinkat},
    io::Errno,
};

/// Folders on the way need only be passed through.
#[cfg(target_os = "linux")]
const PASS: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const PASS: OFlags = HOLD;
/// To list it, and to make it durable.
const HOLD: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// A pipe that nobody writes to must not be waited for.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const NEW: OFlags = OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// As any program would create it; the umask takes away what it must.
const FILE_MODE: u32 = 0o666;
const FOLDER_MODE: u32 = 0o777;

/// A folder, to create, find, rename and remove what is directly in it.
pub struct Held(OwnedFd);

/// Which folder it is, by the system's count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Identity(u64, u64);

/// What a name stands for.
pub struct Found {
    pub is_file: bool,
    pub is_folder: bool,
    pub bytes: u64,
}

/// Folders that were created on the way, each in the one that holds it; those that stay empty are removed when dropped.
#[derive(Default)]
pub struct Created(Vec<(Held, OsString)>);

/// What is at a path, links not followed; nothing if there is nothing.
pub fn look(path: &Path) -> io::Result<Option<Found>> {
    let Some(name) = path.file_name() else { return Held::open(path)?.look(OsStr::new(".")) };
    match passing(parent(path)) {
        Ok(folder) => look_in(&folder, name, AtFlags::SYMLINK_NOFOLLOW),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens a file to read, by the path that `access` answered.
pub fn read(path: &Path) -> io::Result<File> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let file = File::from(openat(passing(parent(path))?, name, READ, Mode::empty())?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file")),
    }
}

/// The folder that a path is in.
pub fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

fn names(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    })
}

/// A folder that is only passed through.
fn passing(path: &Path) -> io::Result<OwnedFd> {
    let mut folder = openat(CWD, "/", PASS, Mode::empty())?;
    for name in names(path) {
        folder = openat(&folder, name, PASS, Mode::empty())?;
    }
    Ok(folder)
}

fn look_in(folder: impl AsFd, name: &OsStr, how: AtFlags) -> io::Result<Option<Found>> {
    match statat(folder, name, how) {
        Ok(stat) => {
            let kind = FileType::from_raw_mode(stat.st_mode);
            Ok(Some(Found { is_file: kind.is_file(), is_folder: kind.is_dir(), bytes: stat.st_size as u64 }))
        }
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

// === impl Identity ===

impl Identity {
    #[allow(clippy::unnecessary_cast, reason = "other systems count in other types")]
    fn of(stat: &rustix::fs::Stat) -> Self {
        Identity(stat.st_dev as u64, stat.st_ino as u64)
    }
}

// === impl Held ===

impl Held {
    /// A folder that is there.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::hold(&passing(path)?)
    }

    /// A folder, created if it is not there, and those above it.
    pub fn create(path: &Path) -> io::Result<(Self, Created)> {
        let mut folder = passing(Path::new("/"))?;
        let mut created = Created::default();
        for name in names(path) {
            folder = match openat(&folder, name, PASS, Mode::empty()) {
                Err(Errno::NOENT) => {
                    let above = Self::hold(&folder)?;
                    match mkdirat(&folder, name, Mode::from_raw_mode(FOLDER_MODE)) {
                        Ok(()) => created.0.push((above, name.to_owned())),
                        // Somebody else was faster, who may count on it.
                        Err(Errno::EXIST) => {}
                        Err(error) => return Err(error.into()),
                    }
                    openat(&folder, name, PASS, Mode::empty())?
                }
                other => other?,
            };
        }
        Ok((Self::hold(&folder)?, created))
    }

    fn hold(folder: &OwnedFd) -> io::Result<Self> {
        Ok(Held(openat(folder, ".", HOLD, Mode::empty())?))
    }

    /// Which folder it is.
    pub fn identity(&self) -> io::Result<Identity> {
        Ok(Identity::of(&rustix::fs::fstat(&self.0)?))
    }

    /// A path that leads to it as long as it is held, wherever it is by then; none where the system has no such paths.
    pub fn path(&self) -> Option<PathBuf> {
        let path = PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()));
        let found = Identity::of(&rustix::fs::stat(&path).ok()?);
        self.identity().is_ok_and(|own| own == found).then_some(path)
    }

    /// The names in it. One that is not UTF-8 cannot be written as a location, and is none of ours.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes()).to_str();
            names.extend(name.filter(|name| ![".", ".."].contains(name)).map(str::to_owned));
        }
        Ok(names)
    }

    /// What a name stands for, links not followed.
    pub fn look(&self, name: &OsStr) -> io::Result<Option<Found>> {
        look_in(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)
    }

    /// What a name stands for, or what its link leads to: to say what there is, not to open it.
    pub fn look_through(&self, name: &OsStr) -> io::Result<Option<Found>> {
        look_in(&self.0, name, AtFlags::empty())
    }

    /// A file that is not there yet.
    pub fn create_file(&self, name: &OsStr) -> io::Result<File> {
        Ok(File::from(openat(&self.0, name, NEW, Mode::from_raw_mode(FILE_MODE))?))
    }

    /// Renames, in place of what has the new name.
    pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(renameat(&self.0, from, &self.0, to)?)
    }

    /// Renames, if nothing has the new name.
    pub fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_vendor = "apple"))]
        match rustix::fs::renameat_with(&self.0, from, &self.0, to, rustix::fs::RenameFlags::NOREPLACE) {
            // Some file systems cannot, and have hard links instead.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            other => return Ok(other?),
        }
        linkat(&self.0, from, &self.0, to, AtFlags::empty())?;
        self.remove(from)
    }

    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Makes the names in it durable.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }
}

// === impl Created ===

impl Created {
    /// What is in them is there to stay: makes their names durable.
    pub fn keep(mut self) -> io::Result<()> {
        std::mem::take(&mut self.0).iter().try_for_each(|(above, _)| above.sync())
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        for (above, name) in self.0.drain(..).rev() {
            // Not empty: somebody else uses it by now.
            let _ = unlinkat(&above.0, &name, AtFlags::REMOVEDIR);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;
    use crate::{
        tables::access::{self, Access},
        words::grants::{Grants, Place},
    };

    /// Protects what is not granted against whoever can change the folder between the check and the use.
    #[test]
    fn a_link_that_comes_after_the_check_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("data/deep")).unwrap();
        fs::create_dir_all(at("outside/deep")).unwrap();
        for name in ["data/a.csv", "data/deep/b.csv", "outside/deep/b.csv", "outside/secret.csv"] {
            fs::write(at(name), "a\n1\n").unwrap();
        }
        let grants = Grants { read: vec![Place::Path(at("data"))], base: folder.path().into(), ..Grants::default() };
        let checked = |name: &str| access::path(&grants, Access::Read, &at(name)).unwrap();
        let (file, deep) = (checked("data/a.csv"), checked("data/deep/b.csv"));
        assert!(read(&file).is_ok() && read(&deep).is_ok() && Held::open(parent(&deep)).is_ok());
        fs::remove_file(at("data/a.csv")).unwrap();
        symlink(at("outside/secret.csv"), at("data/a.csv")).unwrap();
        fs::remove_dir_all(at("data/deep")).unwrap();
        symlink(at("outside/deep"), at("data/deep")).unwrap();
        assert!(fs::read(&file).is_ok() && fs::read(&deep).is_ok(), "by the path alone the link is followed");
        assert!(read(&file).is_err() && read(&deep).is_err());
        assert!(Held::open(parent(&deep)).is_err() && Held::create(&parent(&deep).join("er")).is_err());
        assert!(look(&deep).is_err() && !look(&file).unwrap().unwrap().is_file, "a link is no file");
        assert!(!at("outside/deep/er").exists());
    }

    /// Protects against a name that means another folder by the time that something is done by it.
    #[test]
    fn what_is_done_in_a_folder_is_done_there() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        let at = |name: &str| real.join(name);
        fs::create_dir(at("outside")).unwrap();
        let (held, created) = Held::create(&at("data/deep")).unwrap();
        let (name, other) = (OsStr::new("a"), OsStr::new("b"));
        fs::rename(at("data"), at("moved")).unwrap();
        symlink(at("outside"), at("data")).unwrap();
        fs::create_dir(at("outside/deep")).unwrap();
        held.create_file(name).unwrap();
        held.create_file(other).unwrap();
        assert_eq!(held.rename_new(name, other).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        held.rename(name, other).unwrap();
        held.rename_new(other, name).unwrap();
        assert!(held.create_file(name).is_err(), "it is there");
        held.sync().unwrap();
        assert_eq!(held.names().unwrap(), ["a"]);
        held.remove(name).unwrap();
        created.keep().unwrap();
        assert!(at("moved/deep").is_dir());
        assert_eq!(fs::read_dir(at("outside/deep")).unwrap().count(), 0);
    }

    /// Protects folders that others use, and the place from folders that nobody wanted.
    #[test]
    fn folders_that_stay_empty_go_again() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        drop(Held::create(&real.join("a/b/c")).unwrap());
        assert_eq!(fs::read_dir(&real).unwrap().count(), 0);
        let made = Held::create(&real.join("a/b/c")).unwrap();
        fs::write(real.join("a/theirs"), "").unwrap();
        drop(made);
        assert!(real.join("a/theirs").exists() && !real.join("a/b").exists());
    }

    #[test]
    fn a_folder_and_a_pipe_are_no_files() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        assert!(read(&real).is_err() && read(Path::new("/")).is_err());
        assert!(read(Path::new("/dev/zero")).is_err());
        assert_eq!(read(&real.join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(look(&real.join("none/at/all")).unwrap().is_none());
    }
}
