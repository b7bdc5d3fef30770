//! The lock file: which digest a tag meant, so that a pipeline runs tomorrow what it runs today.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{RegistryError, store::write_beside};
use crate::words::oci::{OciName, is_digest};

const HEADING: &str = "# Which components the tags of the pipeline file beside this one mean. Written by Parshall; belongs under version control.\n\
                       # `parshall pull FILE --update` asks the registries again.\n\n";

/// The pins of a pipeline.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    #[serde(default)]
    component: Vec<Pin>,
}

/// What a tag means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The component, by its tag.
    pub name: String,
    /// The digest of its manifest.
    pub digest: String,
}

// === impl Lock ===

impl Lock {
    /// Reads a lock file; one that is not there pins nothing.
    pub fn read(path: &Path) -> Result<Self, RegistryError> {
        let wrong = |why: String| RegistryError::Lock { path: path.to_owned(), why };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Lock::default()),
            Err(error) => return Err(wrong(format!("it cannot be read: {error}"))),
        };
        let lock: Lock = toml::from_str(&text).map_err(|error| wrong(one_line(&error.to_string())))?;
        match lock.component.iter().find(|pin| !is_digest(&pin.digest)) {
            Some(pin) => {
                Err(wrong(format!("the digest of {} is `{}`: expected `sha256:` and 64 hexadecimal digits", pin.name, pin.digest)))
            }
            None => Ok(lock),
        }
    }

    /// Writes the lock file, in one step.
    pub fn write(&self, path: &Path) -> Result<(), RegistryError> {
        let text = toml::to_string(self).map_err(|error| RegistryError::Lock { path: path.to_owned(), why: error.to_string() })?;
        write_beside(path, format!("{HEADING}{text}").as_bytes()).map_err(|error| {
            let path: PathBuf = path.to_owned();
            RegistryError::Lock { path, why: format!("it cannot be written: {error}") }
        })
    }

    /// What a name is pinned to.
    pub fn digest(&self, name: &OciName) -> Option<&str> {
        let name = name.to_string();
        self.component.iter().find(|pin| pin.name == name).map(|pin| pin.digest.as_str())
    }

    /// Pins a name.
    pub fn pin(&mut self, name: &OciName, digest: &str) {
        let name = name.to_string();
        self.component.retain(|pin| pin.name != name);
        self.component.push(Pin { name, digest: digest.to_owned() });
        // One change is one line of difference, wherever the stage stands.
        self.component.sort();
    }

    /// Forgets what none of these names asks for. Answers whether there was any.
    pub fn forget_others(&mut self, names: &[OciName]) -> bool {
        let (names, before) = (names.iter().map(ToString::to_string).collect::<Vec<_>>(), self.component.len());
        self.component.retain(|pin| names.contains(&pin.name));
        self.component.len() < before
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects what runs from a lock file that is read otherwise than it was written, or is none.
    #[test]
    fn pins_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flights.lock");
        let (a, b) = (OciName::parse("localhost/a:1").unwrap(), OciName::parse("localhost/b:1").unwrap());
        let digest = |digit: char| format!("sha256:{}", digit.to_string().repeat(64));
        let mut lock = Lock::read(&path).unwrap();
        lock.pin(&b, &digest('1'));
        lock.pin(&a, &digest('2'));
        lock.pin(&b, &digest('3'));
        lock.write(&path).unwrap();
        let read = Lock::read(&path).unwrap();
        assert_eq!((read.digest(&a), read.digest(&b)), (Some(digest('2').as_str()), Some(digest('3').as_str())));
        assert!(lock.forget_others(std::slice::from_ref(&a)) && lock.digest(&b).is_none());

        fs::write(&path, "[[component]]\nname = \"oci://localhost/a:1\"\ndigest = \"sha256:12\"\n").unwrap();
        assert!(Lock::read(&path).unwrap_err().to_string().contains("the digest of oci://localhost/a:1 is `sha256:12`: expected"));
        fs::write(&path, "[[component]]\nnam = 1\n").unwrap();
        assert!(Lock::read(&path).unwrap_err().to_string().contains("flights.lock: TOML parse error at line 2"));
    }

    /// Protects a team from a lock file that only one of them can read.
    #[test]
    fn a_lock_file_has_the_rights_that_any_file_would_have() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mode = |name: &str| folder.path().join(name).metadata().unwrap().permissions().mode();
        Lock::default().write(&folder.path().join("flights.lock")).unwrap();
        fs::write(folder.path().join("flights.toml"), "").unwrap();
        assert_eq!(mode("flights.lock"), mode("flights.toml"));
    }
}
