//! `parshall sign`: a signature beside a component's file.

use std::path::PathBuf;

use clap::ValueHint;

use super::{Exit, exit};
use crate::registry::{self, SigningKey};

/// Arguments of `parshall sign`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The component's file.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// A private key: PKCS #8 in PEM form, ECDSA on P-256 or Ed25519.
    #[arg(long, value_name = "KEY", value_hint = ValueHint::FilePath)]
    key: PathBuf,
}

/// Signs it: `scale.wasm` gets `scale.wasm.sig`, as `cosign sign-blob` would write it.
pub fn sign(arguments: &Arguments) -> Result<(), Exit> {
    let wrong = |error: registry::RegistryError| Exit::Wrong(error.to_string());
    let key = SigningKey::read(&arguments.key).map_err(wrong)?;
    let bytes = std::fs::read(&arguments.file).map_err(|error| Exit::Wrong(format!("`{}`: {error}", arguments.file.display())))?;
    let place = registry::signature_beside(&arguments.file);
    let signature = key.sign_bytes(&bytes).map_err(wrong)?;
    std::fs::write(&place, signature).map_err(|error| Exit::Broken(anyhow::anyhow!("`{}`: {error}", place.display())))?;
    exit::print(&format!("{}\n", place.display()))
}
