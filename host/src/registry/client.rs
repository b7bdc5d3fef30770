//! Asking a registry: one question at a time, from a thread that waits.

use std::{
    error::Error as _,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use oci_client::{
    Client as Oci, Reference,
    client::{ClientConfig, ClientProtocol},
    errors::{OciDistributionError as OciError, OciErrorCode},
    secrets::RegistryAuth,
};
use tokio::{io::AsyncWrite, runtime::Runtime};

use super::{
    RegistryError,
    artifact::{Blob, MANIFEST, MAX_MANIFEST, Manifest, digest},
    credentials,
    signature::{self, Signed},
};
use crate::words::oci::{OciName, OciVersion};

/// How long a registry may say nothing.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of a component.
const MAX_COMPONENT: u64 = 256 << 20;

/// A conversation with one registry.
pub struct Client {
    oci: Oci,
    auth: RegistryAuth,
    registry: String,
    runtime: Runtime,
    silence: Duration,
    most: u64,
}

// === impl Client ===

impl Client {
    /// With the registry of this name.
    pub fn of(name: &OciName) -> Result<Self, RegistryError> {
        // The TLS library wants to be told once who does its arithmetic; a second answer changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let registry = name.registry.clone();
        let silence = Duration::from_secs(setting("PARSHALL_REGISTRY_TIMEOUT", TIMEOUT.as_secs())?);
        let config = ClientConfig {
            protocol: ClientProtocol::HttpsExcept(if is_plain(&registry) { vec![registry.clone()] } else { Vec::new() }),
            // A component is for no platform: an index of several is none.
            platform_resolver: None,
            read_timeout: Some(silence),
            connect_timeout: Some(silence),
            user_agent: concat!("parshall/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let unusable = |error: OciError| RegistryError::Unreachable { registry: registry.clone(), why: cause(&error) };
        let oci = Oci::try_from(config).map_err(unusable)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(RegistryError::io("no event loop could be made for the registry"))?;
        let most = setting("PARSHALL_REGISTRY_BYTES", MAX_COMPONENT)?;
        let auth = credentials::of(&registry)?;
        Ok(Client { oci, auth, registry, runtime, silence, most })
    }

    /// The digest that a tag means now.
    pub fn resolve(&self, name: &OciName) -> Result<String, RegistryError> {
        self.wait(name, self.oci.fetch_manifest_digest(&reference(name), &self.auth))
    }

    /// The manifest of a name, as it is.
    pub fn manifest(&self, name: &OciName) -> Result<Vec<u8>, RegistryError> {
        let (bytes, _) = self.wait(name, self.oci.pull_manifest_raw(&reference(name), &self.auth, &[MANIFEST]))?;
        if let OciVersion::Digest(wanted) = &name.version {
            self.is(wanted, &bytes)?;
        }
        if bytes.len() as u64 > MAX_MANIFEST {
            return Err(RegistryError::TooLarge { name: name.clone(), size: bytes.len() as u64, limit: MAX_MANIFEST });
        }
        Ok(bytes.to_vec())
    }

    /// The bytes of a blob.
    pub fn blob(&self, name: &OciName, blob: &Blob) -> Result<Vec<u8>, RegistryError> {
        if blob.size > self.most {
            return Err(RegistryError::TooLarge { name: name.clone(), size: blob.size, limit: self.most });
        }
        let mut bytes = Bounded { bytes: Vec::with_capacity(blob.size as usize), most: blob.size as usize };
        self.wait(name, async {
            self.oci.store_auth_if_needed(&self.registry, &self.auth).await;
            self.oci.pull_blob(&reference(name), blob.digest.as_str(), &mut bytes).await
        })?;
        self.is(&blob.digest, &bytes.bytes)?;
        Ok(bytes.bytes)
    }

    /// The signatures of the manifest with this digest, where cosign puts them.
    pub fn signatures(&self, name: &OciName, of: &str) -> Result<Vec<Signed>, RegistryError> {
        let name = signature::place(name, of);
        let manifest = match self.manifest(&name) {
            Ok(manifest) => Manifest::read(&name, &manifest)?,
            Err(RegistryError::NotFound(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let signed = manifest.layers.iter().filter(|layer| layer.size <= signature::MAX_BYTES).take(signature::MAX_SIGNATURES);
        let signed = signed.filter_map(|layer| {
            let signature = signature::of_layer(layer)?;
            Some(self.blob(&name, layer).map(|payload| Signed { payload, signature }))
        });
        signed.collect()
    }

    /// Puts a blob there, unless it is there.
    pub fn push_blob(&self, name: &OciName, bytes: Vec<u8>) -> Result<(), RegistryError> {
        let (reference, digest) = (reference(name), digest(&bytes));
        self.wait(name, async {
            self.oci.auth(&reference, &self.auth, oci_client::RegistryOperation::Push).await?;
            if self.oci.blob_exists(&reference, &digest).await? {
                return Ok(());
            }
            self.oci.push_blob(&reference, bytes, &digest).await.map(|_| ())
        })
    }

    /// Puts a manifest there, whose blobs are there.
    pub fn push_manifest(&self, name: &OciName, manifest: &Manifest) -> Result<(), RegistryError> {
        let kind = http::HeaderValue::from_static(MANIFEST);
        self.wait(name, self.oci.push_manifest_raw(&reference(name), manifest.to_bytes(), kind)).map(|_| ())
    }

    fn is(&self, wanted: &str, bytes: &[u8]) -> Result<(), RegistryError> {
        let found = digest(bytes);
        if found == wanted {
            return Ok(());
        }
        Err(RegistryError::WrongDigest { registry: self.registry.clone(), expected: wanted.to_owned(), found })
    }

    fn wait<T>(&self, name: &OciName, question: impl Future<Output = Result<T, OciError>>) -> Result<T, RegistryError> {
        self.runtime.block_on(question).map_err(|error| self.failed(name, &error))
    }

    fn failed(&self, name: &OciName, error: &OciError) -> RegistryError {
        let registry = self.registry.clone();
        let denied = |why: String| RegistryError::Denied { registry: registry.clone(), why };
        match error {
            OciError::ImageManifestNotFoundError(_) | OciError::ServerError { code: 404, .. } => RegistryError::NotFound(name.clone()),
            OciError::RegistryError { envelope, .. } => {
                let says = |code: OciErrorCode| envelope.errors.iter().any(|error| error.code == code);
                let why = envelope.errors.first().map(|error| error.message.clone()).unwrap_or_default();
                if says(OciErrorCode::ManifestUnknown) || says(OciErrorCode::NameUnknown) || says(OciErrorCode::BlobUnknown) {
                    RegistryError::NotFound(name.clone())
                } else if says(OciErrorCode::Denied) || says(OciErrorCode::Unauthorized) {
                    denied(why)
                } else {
                    RegistryError::Unreachable { registry, why: envelope.to_string() }
                }
            }
            OciError::UnauthorizedError { .. } => denied("not authorized".to_owned()),
            OciError::AuthenticationFailure(why) => denied(why.clone()),
            OciError::ServerError { code, message, .. } => RegistryError::Unreachable { registry, why: format!("{code} {message}") },
            OciError::RequestError(error) if error.status().is_some_and(|status| matches!(status.as_u16(), 401 | 403)) => {
                denied("not authorized".to_owned())
            }
            OciError::RequestError(error) if error.is_timeout() => RegistryError::TooSlow { registry, seconds: self.silence.as_secs() },
            error => RegistryError::Unreachable { registry, why: cause(error) },
        }
    }
}

fn reference(name: &OciName) -> Reference {
    let (registry, repository) = (name.registry.clone(), name.repository.clone());
    match &name.version {
        OciVersion::Tag(tag) => Reference::with_tag(registry, repository, tag.clone()),
        OciVersion::Digest(digest) => Reference::with_digest(registry, repository, digest.clone()),
    }
}

/// Whether a registry is spoken to without TLS: one on this machine, as with other tools, and those that
/// `$PARSHALL_INSECURE_REGISTRIES` names, separated by commas.
fn is_plain(registry: &str) -> bool {
    let host = registry.split(':').next().unwrap_or_default();
    let named = std::env::var("PARSHALL_INSECURE_REGISTRIES").unwrap_or_default();
    matches!(host, "localhost" | "127.0.0.1") || named.split(',').any(|name| name.trim() == registry)
}

/// A setting from the environment: a number above 0.
fn setting(name: &str, default: u64) -> Result<u64, RegistryError> {
    let Some(text) = std::env::var_os(name).filter(|text| !text.is_empty()) else { return Ok(default) };
    let number = text.to_str().and_then(|text| text.parse().ok()).filter(|number| *number > 0);
    number.ok_or_else(|| {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "expected a whole number above 0");
        RegistryError::io(format!("{name}={}", text.to_string_lossy()))(error)
    })
}

/// The innermost cause: what lies around it only says that a request failed.
fn cause(error: &OciError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if std::ptr::addr_eq(cause, error as &dyn std::error::Error) {
        error.source().map_or_else(|| error.to_string(), ToString::to_string)
    } else {
        cause.to_string()
    }
}

/// Bytes of which there are no more than announced.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.bytes.len() + bytes.len() > self.most {
            return Poll::Ready(Err(io::Error::other("more bytes came than the manifest announces")));
        }
        self.bytes.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
