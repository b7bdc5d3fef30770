//! Compiled components on disk, so that a warm start maps machine code instead of compiling it.

use std::{
    fs,
    hash::{Hash, Hasher},
    io::Write as _,
    path::{Path, PathBuf},
};

use wasmtime::component::Component;

use super::engine::Engine;
use crate::words::digest::Digest;

/// A folder of compiled components, named by the digest of the component and a hash of the compiler's settings and
/// version. Whoever can write to the folder can run code as this user, so it is created for this user only, and not used
/// when others may write to it.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// Compiles every time.
    pub fn off() -> Self {
        Cache { folder: None }
    }

    /// Keeps compiled components in this folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        match prepare(&folder) {
            Ok(()) => Cache { folder: Some(folder) },
            Err(why) => {
                tracing::warn!(folder = %folder.display(), "components are not cached: {why}");
                Cache::off()
            }
        }
    }

    /// `$PARSHALL_CACHE`, or `parshall/` in the user's cache folder (`$XDG_CACHE_HOME`, `~/.cache`). `off` turns it off.
    pub fn from_env() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        match set("PARSHALL_CACHE") {
            Some(value) if value == "off" => Cache::off(),
            Some(value) => Cache::at(value),
            None => {
                let base = set("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| set("HOME").map(|home| Path::new(&home).join(".cache")));
                base.map_or_else(Cache::off, |base| Cache::at(base.join("parshall").join("components")))
            }
        }
    }

    /// The component, from the cache or freshly compiled and then kept. Says whether it had to be compiled.
    pub fn component(&self, engine: &Engine, digest: Digest, bytes: &[u8]) -> wasmtime::Result<(Component, bool)> {
        let Some(path) = self.folder.as_ref().map(|folder| folder.join(file_name(engine, digest))) else {
            return Ok((Component::from_binary(&engine.inner, bytes)?, true));
        };
        if path.exists() {
            // SAFETY: the file was written by `keep` below, in a folder that only this user can write to; wasmtime
            // checks version and settings itself.
            match unsafe { Component::deserialize_file(&engine.inner, &path) } {
                Ok(component) => return Ok((component, false)),
                Err(error) => tracing::warn!(path = %path.display(), "a cached component is unusable and compiled anew: {error:#}"),
            }
        }
        let component = Component::from_binary(&engine.inner, bytes)?;
        if let Err(error) = keep(&component, &path) {
            tracing::warn!(path = %path.display(), "a compiled component could not be kept: {error:#}");
        }
        Ok((component, true))
    }
}

fn file_name(engine: &Engine, digest: Digest) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    engine.inner.precompile_compatibility_hash().hash(&mut hasher);
    format!("{digest}-{:016x}.cwasm", hasher.finish())
}

/// Writes aside and renames: another process sees the whole file or none.
fn keep(component: &Component, path: &Path) -> wasmtime::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&component.serialize()?)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(unix)]
fn prepare(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| error.to_string())?;
    let metadata = fs::metadata(folder).map_err(|error| error.to_string())?;
    if metadata.mode() & 0o022 != 0 {
        return Err("others may write to that folder".into());
    }
    Ok(())
}

#[cfg(not(unix))]
fn prepare(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())
}
