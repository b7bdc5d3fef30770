//! Why a component cannot be had from a registry.

use std::{io, path::PathBuf};

use crate::words::oci::OciName;

/// Why a component cannot be had from a registry, or not be put there.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry has nothing of this name.
    #[error("there is no {0} in this registry")]
    NotFound(OciName),
    /// The registry wants to know who asks.
    #[error("{registry} refuses: {why}; `docker login {registry}` (or an entry for it in ~/.docker/config.json) says who you are")]
    Denied {
        /// Its host.
        registry: String,
        /// As it said.
        why: String,
    },
    /// The registry does not answer, or not as it should.
    #[error("{registry}: {why}")]
    Unreachable {
        /// Its host.
        registry: String,
        /// The cause.
        why: String,
    },
    /// It did not answer in time.
    #[error("{registry} did not answer within {seconds} s (PARSHALL_REGISTRY_TIMEOUT)")]
    TooSlow {
        /// Its host.
        registry: String,
        /// The bound.
        seconds: u64,
    },
    /// What is there is no component.
    #[error("{name} is no WebAssembly component: {why}")]
    NoComponent {
        /// Its name.
        name: OciName,
        /// What was found.
        why: String,
    },
    /// It is larger than a component may be.
    #[error("{name} has {size} bytes; the limit is {limit} (PARSHALL_REGISTRY_BYTES)")]
    TooLarge {
        /// Its name.
        name: OciName,
        /// As its manifest says.
        size: u64,
        /// The bound.
        limit: u64,
    },
    /// What came is not what was asked for.
    #[error("what {registry} sent for {expected} has the digest {found}")]
    WrongDigest {
        /// Its host.
        registry: String,
        /// What was asked for.
        expected: String,
        /// What came.
        found: String,
    },
    /// A name without a digest where only a digest will do.
    #[error("{0} has no digest")]
    NoDigest(OciName),
    /// The lock file names no digest for a tag, and shall stay as it is.
    #[error("{name} is not in {}, and --locked leaves that file as it is", .lock.display())]
    NotPinned {
        /// The component.
        name: OciName,
        /// The lock file.
        lock: PathBuf,
    },
    /// The lock file cannot be used.
    #[error("the lock file {}: {why}", .path.display())]
    Lock {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is no signature, and the pipeline file asks for one.
    #[error("{0} is not signed, and the pipeline file has [signatures]")]
    Unsigned(OciName),
    /// No signature is one of the keys'.
    #[error("none of the {signatures} signatures of {name} was made with a key of [signatures]")]
    Unverified {
        /// The component.
        name: OciName,
        /// How many were found.
        signatures: usize,
    },
    /// A key cannot be used.
    #[error("the key {}: {why}", .path.display())]
    Key {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Something here failed.
    #[error("{what}: {error}")]
    Io {
        /// What was attempted.
        what: String,
        /// How it failed.
        error: io::Error,
    },
}

// === impl RegistryError ===

impl RegistryError {
    /// Of something that failed here.
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        |error| RegistryError::Io { what, error }
    }

    /// What to do about it, where the message does not say.
    pub fn help(&self) -> Option<String> {
        match self {
            RegistryError::NotPinned { .. } => Some("`parshall pull FILE` pins it".to_owned()),
            RegistryError::Unsigned(_) => Some("`parshall push --sign KEY` or `cosign sign --key KEY` signs it".to_owned()),
            _ => None,
        }
    }
}
