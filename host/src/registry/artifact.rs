//! The manifest of a component in a registry: the layout that the CNCF's working group on WebAssembly has published, and other tools
//! (`wkg`, `wash`, `wasm-to-oci`) write and read.
//!
//! Source: <https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/>

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::RegistryError;
use crate::words::oci::{OciName, is_digest};

/// The most bytes of a manifest: registries themselves take no more than 4 MiB.
pub const MAX_MANIFEST: u64 = 4 << 20;
/// The media type of a manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of the configuration, which says what imports and exports there are.
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// The media type of a component, and what older tools called it.
const COMPONENT: [&str; 2] = ["application/wasm", "application/vnd.wasm.content.layer.v1+wasm"];

/// A blob, as a manifest speaks of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blob {
    /// What it is.
    pub media_type: String,
    /// Its digest.
    pub digest: String,
    /// Bytes.
    pub size: u64,
    /// What else is said of it.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub annotations: serde_json::Map<String, serde_json::Value>,
}

/// A manifest, as far as it matters here.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    /// What the component is.
    pub config: Blob,
    /// Its parts.
    pub layers: Vec<Blob>,
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    annotations: serde_json::Map<String, serde_json::Value>,
}

/// A component in a registry.
#[derive(Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its bytes.
    pub component: Blob,
}

/// What a component is, for other tools.
pub struct Described<'a> {
    /// Interfaces that it imports.
    pub imports: &'a [String],
    /// Interfaces that it exports.
    pub exports: &'a [String],
}

// === impl Manifest ===

impl Manifest {
    /// Of these parts.
    pub fn new(config: Blob, layers: Vec<Blob>) -> Self {
        Manifest { schema_version: 2, media_type: Some(MANIFEST.to_owned()), config, layers, annotations: Default::default() }
    }

    /// Reads a manifest.
    pub fn read(name: &OciName, bytes: &[u8]) -> Result<Self, RegistryError> {
        let wrong = |why: String| RegistryError::NoComponent { name: name.clone(), why };
        let manifest: Manifest =
            serde_json::from_slice(bytes).map_err(|error| wrong(format!("its manifest is not one of an image: {error}")))?;
        match manifest.layers.iter().find(|layer| !is_digest(&layer.digest)) {
            Some(layer) => Err(wrong(format!("its manifest has the digest `{}`", layer.digest))),
            None => Ok(manifest),
        }
    }

    /// As it is sent and digested.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings and numbers: nothing here can fail to be written.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

// === impl Artifact ===

impl Artifact {
    /// Reads the manifest of a component.
    pub fn read(name: &OciName, bytes: &[u8]) -> Result<Self, RegistryError> {
        let manifest = Manifest::read(name, bytes)?;
        let mut components: Vec<Blob> =
            manifest.layers.into_iter().filter(|layer| COMPONENT.contains(&layer.media_type.as_str())).collect();
        match (components.pop(), components.len()) {
            (Some(component), 0) => Ok(Artifact { component }),
            (None, _) => Err(RegistryError::NoComponent { name: name.clone(), why: format!("it has no layer of type {}", COMPONENT[0]) }),
            (_, more) => Err(RegistryError::NoComponent { name: name.clone(), why: format!("it has {} components", more + 1) }),
        }
    }

    /// The manifest and the configuration of a component that is to be put into a registry. The same component gives the same bytes,
    /// and so the same digest: no time is written.
    pub fn write(component: &[u8], described: &Described) -> (Manifest, Vec<u8>) {
        let layer = Blob::of(COMPONENT[0], component);
        let config = json!({
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [layer.digest],
            "component": { "exports": described.exports, "imports": described.imports, "target": null },
        });
        let config = config.to_string().into_bytes();
        (Manifest::new(Blob::of(CONFIG, &config), vec![layer]), config)
    }
}

// === impl Blob ===

impl Blob {
    /// Of these bytes.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Blob { media_type: media_type.to_owned(), digest: digest(bytes), size: bytes.len() as u64, annotations: Default::default() }
    }
}

/// The digest of bytes, as registries write it.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", crate::words::digest::Digest::of(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> OciName {
        OciName::parse("localhost:5000/a:1").unwrap()
    }

    /// Protects components from changing their digest with the time at which they are pushed.
    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let described = Described { imports: &["a:b/c".into()], exports: &[] };
        let (manifest, config) = Artifact::write(b"component", &described);
        assert_eq!((manifest.to_bytes(), config), {
            let (again, config) = Artifact::write(b"component", &described);
            (again.to_bytes(), config)
        });
        let artifact = Artifact::read(&name(), &manifest.to_bytes()).unwrap();
        assert_eq!((artifact.component.size, &artifact.component.digest), (9, &digest(b"component")));
    }

    /// Protects the host from what a registry may answer.
    #[test]
    fn what_is_no_component_is_refused() {
        let wrong = |manifest: &str| Artifact::read(&name(), manifest.as_bytes()).unwrap_err().to_string();
        assert!(wrong("<html>").contains("is no WebAssembly component: its manifest is not one of an image"), "{}", wrong("<html>"));
        let blob = |kind: &str, digest: &str| json!({"mediaType": kind, "digest": digest, "size": 3});
        let (good, tar) = (digest(b"x"), "application/vnd.oci.image.layer.v1.tar+gzip");
        let manifest = |layers: serde_json::Value| json!({"schemaVersion": 2, "config": blob("c", &good), "layers": layers}).to_string();
        assert!(wrong(&manifest(json!([blob(tar, &good)]))).ends_with("it has no layer of type application/wasm"));
        let wasm = "application/wasm";
        assert!(wrong(&manifest(json!([blob(wasm, &good), blob(wasm, &good)]))).ends_with("it has 2 components"));
        assert!(wrong(&manifest(json!([blob(wasm, "sha256:../../etc")]))).ends_with("its manifest has the digest `sha256:../../etc`"));
    }
}
