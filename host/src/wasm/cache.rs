//! Compiled components on disk, so that a warm start maps machine code instead of compiling it.

use std::{
    fs,
    hash::{Hash, Hasher},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;

use super::engine::Engine;
use crate::words::digest::Digest;

/// Ends every file, after the checksum: another layout has another one.
const MAGIC: &[u8; 8] = b"prshl-c1";
/// Bytes of the checksum and the magic.
const TRAILER: usize = 32 + MAGIC.len();

/// A folder of compiled components, named by the digest of the component and a hash of the compiler's settings and
/// version. Whoever can write to the folder can run code as this user, so it is created for this user only, and not used
/// when others may write to it; nor is a file in it that is somebody else's, or that is not, byte for byte, what was written.
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

    /// A component that was kept. One that cannot be used is as good as none, and said to be so.
    pub fn get(&self, engine: &Engine, digest: Digest) -> Option<Component> {
        let (folder, name) = (self.folder.as_ref()?, file_name(engine, digest));
        let path = folder.join(&name);
        let unusable = |why: String| {
            tracing::warn!(path = %path.display(), "a cached component is unusable and compiled anew: {why}");
        };
        let file = match fs::File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            opened => opened.map_err(|error| unusable(error.to_string())).ok()?,
        };
        let code = sound(file, folder, &name).map_err(unusable).ok()?;
        // SAFETY: these very bytes are what `keep` wrote, by their checksum, in a folder and a file that only this user can write
        // to; wasmtime checks version and settings itself.
        let component = unsafe { Component::deserialize(&engine.inner, &code) };
        component.map_err(|error| unusable(format!("{error:#}"))).ok()
    }

    /// Keeps a compiled component, if it can be kept.
    pub fn keep(&self, engine: &Engine, digest: Digest, component: &Component) {
        let Some(folder) = &self.folder else { return };
        let name = file_name(engine, digest);
        if let Err(error) = write(component, folder, &name) {
            tracing::warn!(path = %folder.join(name).display(), "a compiled component could not be kept: {error:#}");
        }
    }
}

fn file_name(engine: &Engine, digest: Digest) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    engine.inner.precompile_compatibility_hash().hash(&mut hasher);
    format!("{digest}-{:016x}.code", hasher.finish())
}

/// Writes aside and renames: another process sees the whole file or none.
fn write(component: &Component, folder: &Path, name: &str) -> wasmtime::Result<()> {
    let code = component.serialize()?;
    // For this user only.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&code)?;
    file.write_all(&checksum(name, &code))?;
    file.write_all(MAGIC)?;
    file.persist(folder.join(name)).map_err(|error| error.error)?;
    Ok(())
}

/// Of machine code under its name: that of another component is not this one's.
fn checksum(name: &str, code: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(name).chain_update([0]).chain_update(code).finalize().into()
}

/// The machine code in a file, if it is what was written there.
fn sound(mut file: fs::File, folder: &Path, name: &str) -> Result<Vec<u8>, String> {
    let said = |error: std::io::Error| error.to_string();
    private(&file.metadata().map_err(said)?, &fs::metadata(folder).map_err(said)?)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(said)?;
    let code = bytes.len().checked_sub(TRAILER).ok_or("it is cut short")?;
    let (checksum_kept, magic) = bytes[code..].split_at(32);
    if magic != MAGIC {
        return Err("it is cut short, or of another version".into());
    }
    if checksum(name, &bytes[..code]) != checksum_kept {
        return Err("it is damaged: its checksum is not that of its content".into());
    }
    bytes.truncate(code);
    Ok(bytes)
}

/// Whether only the owner of the folder may write to a file in it.
#[cfg(unix)]
fn private(file: &fs::Metadata, folder: &fs::Metadata) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;
    if !file.is_file() {
        return Err("it is no file".into());
    }
    if file.uid() != folder.uid() {
        return Err("it is somebody else's".into());
    }
    if file.mode() & 0o022 != 0 {
        return Err("others may write to it".into());
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(_: &fs::Metadata, _: &fs::Metadata) -> Result<(), String> {
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
    // Who we are is whose file it is that we make.
    let ours = tempfile::tempfile_in(folder).and_then(|file| file.metadata()).map_err(|error| error.to_string())?;
    if ours.uid() != metadata.uid() {
        return Err("that folder is somebody else's".into());
    }
    Ok(())
}

#[cfg(not(unix))]
fn prepare(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::wasm::Accounting;

    /// The smallest component.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn kept() -> (tempfile::TempDir, Cache, Engine, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (cache, engine) = (Cache::at(folder.path()), Engine::new(Accounting::default()).unwrap());
        let component = Component::from_binary(&engine.inner, EMPTY).unwrap();
        cache.keep(&engine, Digest::of(EMPTY), &component);
        let path = folder.path().join(file_name(&engine, Digest::of(EMPTY)));
        (folder, cache, engine, path)
    }

    /// Protects the process: machine code that is not what was written is not run, wherever the damage is.
    #[test]
    fn a_damaged_entry_is_compiled_anew() {
        let (_folder, cache, engine, path) = kept();
        assert!(cache.get(&engine, Digest::of(EMPTY)).is_some());
        let sound = fs::read(&path).unwrap();
        for at in (0..sound.len()).step_by(sound.len() / 97).chain([sound.len() - 1]) {
            let mut damaged = sound.clone();
            damaged[at] ^= 0x20;
            fs::write(&path, &damaged).unwrap();
            assert!(cache.get(&engine, Digest::of(EMPTY)).is_none(), "byte {at} of {}", sound.len());
        }
        for length in [0, 1, TRAILER, sound.len() - 1] {
            fs::write(&path, &sound[..length]).unwrap();
            assert!(cache.get(&engine, Digest::of(EMPTY)).is_none(), "{length} bytes of {}", sound.len());
        }
        fs::write(&path, &sound).unwrap();
        assert!(cache.get(&engine, Digest::of(EMPTY)).is_some());
    }

    /// Protects against one component's code under another's name.
    #[test]
    fn an_entry_under_another_name_is_none() {
        let (folder, cache, engine, path) = kept();
        let other = Digest::of(b"another");
        fs::copy(&path, folder.path().join(file_name(&engine, other))).unwrap();
        assert!(cache.get(&engine, other).is_none());
    }

    /// Protects against code of other users.
    #[test]
    fn what_others_may_write_to_is_not_used() {
        let (folder, cache, engine, path) = kept();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
        assert!(cache.get(&engine, Digest::of(EMPTY)).is_none());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(cache.get(&engine, Digest::of(EMPTY)).is_some());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(Cache::at(folder.path()).folder.is_none());
    }
}
