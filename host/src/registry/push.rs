//! Putting a component into a registry.

use serde::Serialize;

use super::{
    RegistryError,
    artifact::{Artifact, Described, Manifest, digest},
    client::Client,
    signature::{self, SigningKey},
};
use crate::words::oci::OciName;

/// A component that was put into a registry.
#[derive(Debug, Serialize)]
pub struct Pushed {
    /// By its digest.
    pub name: String,
    /// The digest of its manifest.
    pub digest: String,
    /// Bytes of the component.
    pub bytes: u64,
    /// Whether a signature was put beside it.
    pub signed: bool,
}

/// Puts a component into a registry, and a signature beside it if there is a key.
pub fn push(
    name: &OciName,
    component: Vec<u8>,
    (imports, exports): (&[String], &[String]),
    key: Option<&SigningKey>,
) -> Result<Pushed, RegistryError> {
    let client = Client::of(name)?;
    let (manifest, config) = Artifact::write(&component, &Described { imports, exports });
    let bytes = component.len() as u64;
    client.push_blob(name, component)?;
    client.push_blob(name, config)?;
    client.push_manifest(name, &manifest)?;
    let digest = digest(&manifest.to_bytes());
    if let Some(key) = key {
        sign(&client, name, &digest, key)?;
    }
    Ok(Pushed { name: name.at(&digest).to_string(), digest, bytes, signed: key.is_some() })
}

/// Puts a signature beside those that are there.
fn sign(client: &Client, name: &OciName, digest: &str, key: &SigningKey) -> Result<(), RegistryError> {
    let place = signature::place(name, digest);
    let before = match client.manifest(&place) {
        Ok(manifest) => Manifest::read(&place, &manifest)?.layers,
        Err(RegistryError::NotFound(_)) => Vec::new(),
        Err(error) => return Err(error),
    };
    let signed = key.sign(name, digest)?;
    let (config, config_blob, layers) = signed.among(before);
    client.push_blob(&place, signed.payload)?;
    client.push_blob(&place, config)?;
    client.push_manifest(&place, &Manifest::new(config_blob, layers))
}
