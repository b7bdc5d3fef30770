//! Floor 1: components in OCI registries. Pulled by digest, kept by digest, pinned in a lock file, verified against keys. The only
//! `oci_client`.
//!
//! ```text
//! name ─► lock file: which digest? ──► store: is it here? ──► verify the signature ──► bytes
//!             └ no: ask the registry        └ no: pull, check
//! ```

mod artifact;
mod client;
mod credentials;
mod error;
mod lock;
mod push;
mod signature;
mod store;

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

pub use error::RegistryError;
pub use push::{Pushed, push};
pub use signature::{Keys, SigningKey, beside as signature_beside};
pub use store::Store;

use self::{artifact::Artifact, client::Client, lock::Lock};
use crate::words::oci::{OciName, OciVersion};

/// What a tag means when the lock file does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unpinned {
    /// The registry is asked, and the answer is written into the lock file.
    #[default]
    Pin,
    /// It is refused: the lock file shall stay as it is.
    Refuse,
    /// The registry is asked again for every tag, whatever the lock file says, and the answers are written into it.
    Renew,
}

/// A way to components in registries.
pub struct Registry {
    store: Store,
    unpinned: Unpinned,
    /// Several components are fetched at once; a lock file is read and written by one at a time.
    writing: Mutex<()>,
}

/// A component that was fetched.
#[derive(Debug)]
pub struct Fetched {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The digest of its manifest.
    pub digest: String,
}

// === impl Registry ===

impl Registry {
    /// Keeps what it fetches in this store.
    pub fn new(store: Store) -> Self {
        Registry { store, unpinned: Unpinned::default(), writing: Mutex::default() }
    }

    /// The same, with another rule for tags.
    pub fn with(self, unpinned: Unpinned) -> Self {
        Registry { unpinned, ..self }
    }

    /// The component of this name: the one that the lock file names, where it names one.
    pub fn fetch(&self, name: &OciName, lock: Option<&Path>, keys: &Keys) -> Result<Fetched, RegistryError> {
        let digest = match (&name.version, lock) {
            (OciVersion::Digest(digest), _) => digest.clone(),
            (OciVersion::Tag(_), Some(lock)) => self.pinned(name, lock)?,
            (OciVersion::Tag(_), None) => Client::of(name)?.resolve(name)?,
        };
        let name = name.at(&digest);
        let artifact = self.artifact(&name)?;
        if !keys.is_empty() {
            // Asked anew every time: that a component was once trusted says nothing about the keys of this file.
            self.signed(&name, keys)?;
        }
        let bytes =
            self.store.keep(&artifact.component.digest, artifact.component.size, || Client::of(&name)?.blob(&name, &artifact.component))?;
        Ok(Fetched { bytes, digest })
    }

    fn pinned(&self, name: &OciName, path: &Path) -> Result<String, RegistryError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lock = Lock::read(path)?;
        let known = lock.digest(name).map(str::to_owned);
        match (known, self.unpinned) {
            (Some(digest), Unpinned::Pin | Unpinned::Refuse) => Ok(digest),
            (None, Unpinned::Refuse) => Err(RegistryError::NotPinned { name: name.clone(), lock: path.to_owned() }),
            (known, Unpinned::Pin | Unpinned::Renew) => {
                let digest = Client::of(name)?.resolve(name)?;
                if known.as_ref() != Some(&digest) {
                    lock.pin(name, &digest);
                    lock.write(path)?;
                }
                Ok(digest)
            }
        }
    }

    /// The manifest of a name with a digest, from the store or the registry.
    fn artifact(&self, name: &OciName) -> Result<Artifact, RegistryError> {
        let OciVersion::Digest(digest) = &name.version else { return Err(RegistryError::NoDigest(name.clone())) };
        let manifest = self.store.keep(digest, artifact::MAX_MANIFEST, || Client::of(name)?.manifest(name))?;
        Artifact::read(name, &manifest)
    }

    fn signed(&self, name: &OciName, keys: &Keys) -> Result<(), RegistryError> {
        let OciVersion::Digest(digest) = &name.version else { return Err(RegistryError::NoDigest(name.clone())) };
        // A signature is kept too: what is here can be used without the registry.
        let kept = self.store.signatures(digest);
        if kept.iter().any(|signed| signed.verify(digest, keys)) {
            return Ok(());
        }
        let found = Client::of(name)?.signatures(name, digest)?;
        if found.is_empty() {
            return Err(RegistryError::Unsigned(name.clone()));
        }
        let good = found.iter().find(|signed| signed.verify(digest, keys));
        self.store.keep_signature(digest, good.ok_or_else(|| RegistryError::Unverified { name: name.clone(), signatures: found.len() })?);
        Ok(())
    }
}

/// Takes out of a lock file what none of these names asks for.
pub fn tidy(path: &Path, names: &[OciName]) -> Result<(), RegistryError> {
    let mut lock = Lock::read(path)?;
    if lock.forget_others(names) { lock.write(path) } else { Ok(()) }
}
