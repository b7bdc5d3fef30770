//! Opening what was checked: a real path, walked folder by folder from the root, and no link followed. Whoever puts a link where there was none
//! when the path was resolved gets an error and nothing else.

use std::{
    fs::File,
    io,
    path::{Component, Path},
};

use rustix::{
    fd::OwnedFd,
    fs::{CWD, Mode, OFlags, openat},
};

/// Folders on the way need only be passed through.
#[cfg(target_os = "linux")]
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// A pipe that nobody writes to must not be waited for.
const FILE: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// Opens a file to read, by the path that `access` answered.
pub fn open(path: &Path) -> io::Result<File> {
    let mut folder: OwnedFd = openat(CWD, "/", FOLDER, Mode::empty())?;
    let mut names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    });
    let Some(mut name) = names.next() else { return Err(io::ErrorKind::IsADirectory.into()) };
    for below in names {
        folder = openat(&folder, name, FOLDER, Mode::empty())?;
        name = below;
    }
    let file = File::from(openat(&folder, name, FILE, Mode::empty())?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file")),
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
        assert!(open(&file).is_ok() && open(&deep).is_ok());
        fs::remove_file(at("data/a.csv")).unwrap();
        symlink(at("outside/secret.csv"), at("data/a.csv")).unwrap();
        fs::remove_dir_all(at("data/deep")).unwrap();
        symlink(at("outside/deep"), at("data/deep")).unwrap();
        assert!(fs::read(&file).is_ok() && fs::read(&deep).is_ok(), "by the path alone the link is followed");
        assert!(open(&file).is_err() && open(&deep).is_err());
    }

    #[test]
    fn a_folder_and_a_pipe_are_no_files() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        assert!(open(&real).is_err() && open(Path::new("/")).is_err());
        assert!(open(Path::new("/dev/zero")).is_err());
        assert_eq!(open(&real.join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
