//! What was fetched, by digest: what is here is never fetched again.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::{RegistryError, artifact::digest, signature::Signed};

/// A folder of blobs and signatures, each named by the digest that it is of.
#[derive(Clone, Debug)]
pub struct Store {
    folder: Option<PathBuf>,
}

// === impl Store ===

impl Store {
    /// Fetches every time.
    pub fn off() -> Self {
        Store { folder: None }
    }

    /// In this folder, which is made when it is needed.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Store { folder: Some(folder.into()) }
    }

    /// Beside the compiled components: `registry/` in `$PARSHALL_CACHE`, or `parshall/registry/` in the user's cache folder
    /// (`$XDG_CACHE_HOME`, `~/.cache`). `off` turns it off.
    pub fn from_env() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        match set("PARSHALL_CACHE") {
            Some(value) if value == "off" => Store::off(),
            Some(value) => Store::at(Path::new(&value).join("registry")),
            None => {
                let base = set("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| set("HOME").map(|home| Path::new(&home).join(".cache")));
                base.map_or_else(Store::off, |base| Store::at(base.join("parshall").join("registry")))
            }
        }
    }

    /// The bytes with this digest: those that are here, or those that `fetch` answers, which then stay here. Whatever is here is
    /// checked again: a file that was damaged is fetched anew.
    pub(super) fn keep(
        &self,
        wanted: &str,
        most: u64,
        fetch: impl FnOnce() -> Result<Vec<u8>, RegistryError>,
    ) -> Result<Vec<u8>, RegistryError> {
        let Some(path) = self.path(wanted) else { return fetch() };
        match read(&path, most) {
            Ok(Some(bytes)) if digest(&bytes) == wanted => return Ok(bytes),
            Ok(None) => {}
            Ok(Some(_)) => tracing::warn!(path = %path.display(), "what was kept of a registry is damaged and is fetched anew"),
            Err(error) => tracing::warn!(path = %path.display(), "what was kept of a registry cannot be read and is fetched anew: {error}"),
        }
        let bytes = fetch()?;
        write(&path, &bytes);
        Ok(bytes)
    }

    /// Signatures of this digest that were good once.
    pub(super) fn signatures(&self, of: &str) -> Vec<Signed> {
        let Some(path) = self.path(of) else { return Vec::new() };
        let kept = read(&path.with_extension("signature"), super::signature::MAX_BYTES).ok().flatten();
        kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()).into_iter().collect()
    }

    /// Keeps a signature of this digest.
    pub(super) fn keep_signature(&self, of: &str, signed: &Signed) {
        if let (Some(path), Ok(bytes)) = (self.path(of), serde_json::to_vec(signed)) {
            write(&path.with_extension("signature"), &bytes);
        }
    }

    fn path(&self, digest: &str) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(digest.strip_prefix("sha256:")?))
    }
}

/// A file of at most so many bytes; none where there is no file.
fn read(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Ok(found) if found.len() <= most => fs::read(path).map(Some),
        Ok(_) => Ok(Some(Vec::new())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keeping is a convenience: where it fails, the next run fetches again.
fn write(path: &Path, bytes: &[u8]) {
    if let Err(error) = write_beside(path, bytes) {
        tracing::warn!(path = %path.display(), "what was fetched from a registry could not be kept: {error}");
    }
}

/// Writes a file in one step: whoever reads it finds all of it or nothing. As any program would create it: a lock file belongs to all who
/// work on the pipeline, and the umask takes away what it must.
pub(super) fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o666)).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects runs from files that were damaged, and registries from being asked again.
    #[test]
    fn what_is_here_is_not_fetched_again_unless_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("registry"));
        let wanted = digest(b"component");
        let keep = |fetch: &dyn Fn() -> Result<Vec<u8>, RegistryError>| store.keep(&wanted, 100, fetch).unwrap();
        assert_eq!(keep(&|| Ok(b"component".to_vec())), b"component");
        assert_eq!(keep(&|| panic!("it is here")), b"component");
        fs::write(store.path(&wanted).unwrap(), "damaged").unwrap();
        assert_eq!(keep(&|| Ok(b"component".to_vec())), b"component");
        assert_eq!(keep(&|| panic!("it is here again")), b"component");
    }
}
