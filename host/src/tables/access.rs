//! Whether a location is granted: denied unless it lies, symbolic links followed, inside a granted place.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::location::{Location, ObjectUrl, normalise, shown};
use crate::words::{
    grants::{Grants, Place},
    tables::{GENERATOR, TableError},
};

/// What is to be done at a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading, and listing of folders.
    Read,
    /// Writing; covers looking at what is already there.
    Write,
}

impl Access {
    fn places(self, grants: &Grants) -> &[Place] {
        match self {
            Access::Read => &grants.read,
            Access::Write => &grants.write,
        }
    }

    fn key(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::Write => "write",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Access::Read => "reading",
            Access::Write => "writing",
        }
    }
}

/// Checks an absolute path and answers the real one, free of symbolic links. Only the answer may be opened, so that
/// what was checked is what is used.
pub fn path(grants: &Grants, access: Access, path: &Path) -> Result<PathBuf, TableError> {
    let path = normalise(path);
    let name = shown(&grants.base, &path);
    let real = match resolve(&path) {
        Ok(real) => real,
        Err(Unresolved::Dangling) => {
            let why = format!("{} {name:?} is refused: a symbolic link on the way leads nowhere", access.verb());
            return Err(TableError::Denied(why));
        }
        Err(Unresolved::Io(error)) => {
            let why = format!("{} {name:?} is refused by the system: {error}", access.verb());
            return Err(TableError::Denied(why));
        }
    };
    let roots = access.places(grants).iter().filter_map(root);
    let mut roots = roots.collect::<Vec<_>>();
    if roots.iter().any(|root| resolve(root).is_ok_and(|root| real.starts_with(root))) {
        return Ok(real);
    }
    // Where the written path is granted, only a link can have led outside. Its target is not told to the stage.
    roots.retain(|root| path.starts_with(root));
    let through_link = !roots.is_empty();
    Err(denied(grants, access, &name, through_link))
}

/// Checks a URL against the granted URL prefixes.
pub fn url(grants: &Grants, access: Access, url: &ObjectUrl) -> Result<(), TableError> {
    let wanted = url.to_string();
    let granted = access.places(grants).iter().any(|place| match place {
        Place::Url(prefix) if prefix.ends_with('/') => wanted.starts_with(prefix.as_str()),
        Place::Url(object) => *object == wanted,
        Place::Path(_) => false,
    });
    if granted { Ok(()) } else { Err(denied(grants, access, &wanted, false)) }
}

/// Checks that rows may be made: a stage that may not read anything shall not fill the host's memory either.
pub fn generator(grants: &Grants) -> Result<(), TableError> {
    let granted = grants.read.iter().any(|place| matches!(place, Place::Url(url) if url == GENERATOR));
    if granted { Ok(()) } else { Err(denied(grants, Access::Read, GENERATOR, false)) }
}

/// The local path that a place stands for, if it is local.
fn root(place: &Place) -> Option<PathBuf> {
    match place {
        Place::Path(path) => Some(normalise(path)),
        Place::Url(url) if url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file://")) => {
            match Location::parse(Path::new("/"), url) {
                Ok(Location::Path(path)) => Some(path),
                _ => None,
            }
        }
        Place::Url(_) => None,
    }
}

enum Unresolved {
    /// A symbolic link without a target. Creating a file there would create it wherever the link points.
    Dangling,
    Io(io::Error),
}

/// The path without symbolic links; what does not exist yet is appended to its deepest existing ancestor.
fn resolve(path: &Path) -> Result<PathBuf, Unresolved> {
    let mut existing = path;
    loop {
        match fs::canonicalize(existing) {
            Ok(real) => {
                let missing = path.strip_prefix(existing).unwrap_or(Path::new(""));
                return Ok(if missing.as_os_str().is_empty() { real } else { real.join(missing) });
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                if fs::symlink_metadata(existing).is_ok_and(|meta| meta.is_symlink()) {
                    return Err(Unresolved::Dangling);
                }
                existing = existing.parent().ok_or(Unresolved::Io(error))?;
            }
            Err(error) => return Err(Unresolved::Io(error)),
        }
    }
}

fn denied(grants: &Grants, access: Access, name: &str, through_link: bool) -> TableError {
    let (verb, key) = (access.verb(), access.key());
    let places = access.places(grants).iter().map(|place| match place {
        Place::Path(path) => shown(&grants.base, path),
        Place::Url(url) => url.clone(),
    });
    let mut places = places.map(|place| format!("{place:?}")).collect::<Vec<_>>();
    let granted = if places.is_empty() { "nothing is".into() } else { format!("granted are {}", places.join(", ")) };
    if through_link {
        return TableError::Denied(format!(
            "{verb} {name:?} is not granted: a symbolic link leads out of what is granted ({granted}); \
             add the link's target to `{key}` of the stage's `grants` in the pipeline file"
        ));
    }
    places.push(format!("{name:?}"));
    TableError::Denied(format!(
        "{verb} {name:?} is not granted to this stage; {granted} for {verb}; \
         to allow it, write grants = {{ {key} = [{}] }} in the pipeline file",
        places.join(", ")
    ))
}
