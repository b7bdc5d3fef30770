//! Signatures as cosign makes them with a key: over a small document that names the digest of a manifest, kept in the registry under a
//! tag made of that digest; or over the bytes of a file, kept beside it.
//!
//! Source: <https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>. The arithmetic is ring's.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, UnparsedPublicKey,
        VerificationAlgorithm,
    },
};
use rustls::pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer, pem::PemObject as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{RegistryError, artifact::Blob};
use crate::words::oci::{OciName, OciVersion};

/// The most bytes of what is signed.
pub const MAX_BYTES: u64 = 64 << 10;
/// The most signatures of a component that are looked at.
pub const MAX_SIGNATURES: usize = 16;
/// The media type of what is signed.
const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Where a manifest keeps the signature over it.
const ANNOTATION: &str = "dev.cosignproject.cosign/signature";
const TYPE: &str = "cosign container image signature";

/// What stands in front of a key in its DER form (RFC 5480, RFC 8410): the algorithm.
const P256: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
const ED: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

/// A document and the signature over it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// As it was signed.
    pub payload: Vec<u8>,
    /// The signature, in base64.
    pub signature: String,
}

/// Keys, one of which must have signed what runs.
#[derive(Default)]
pub struct Keys(Vec<Key>);

struct Key {
    algorithm: &'static dyn VerificationAlgorithm,
    point: Vec<u8>,
}

/// A key that signs.
pub enum SigningKey {
    /// ECDSA on P-256 with SHA-256.
    P256(EcdsaKeyPair),
    /// Ed25519.
    Ed(Ed25519KeyPair),
}

// === impl Keys ===

impl Keys {
    /// Reads public keys: PEM, ECDSA on P-256 or Ed25519.
    pub fn read(paths: &[PathBuf]) -> Result<Self, RegistryError> {
        paths.iter().map(|path| Key::read(path)).collect::<Result<_, _>>().map(Keys)
    }

    /// Whether there is none: then nothing has to be signed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them has signed these bytes; the signature is base64.
    pub fn verify(&self, bytes: &[u8], signature: &str) -> bool {
        let Ok(signature) = BASE64.decode(signature.trim()) else { return false };
        self.0.iter().any(|key| UnparsedPublicKey::new(key.algorithm, &key.point).verify(bytes, &signature).is_ok())
    }
}

// === impl Key ===

impl Key {
    fn read(path: &Path) -> Result<Self, RegistryError> {
        let wrong = |why: String| RegistryError::Key { path: path.to_owned(), why };
        let pem = fs::read(path).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
        let der =
            SubjectPublicKeyInfoDer::from_pem_slice(&pem).map_err(|error| wrong(format!("this is no public key in PEM form: {error}")))?;
        for (prefix, algorithm) in [(P256, &ECDSA_P256_SHA256_ASN1 as &dyn VerificationAlgorithm), (ED, &ED25519)] {
            if let Some(point) = der.strip_prefix(prefix) {
                return Ok(Key { algorithm, point: point.to_vec() });
            }
        }
        Err(wrong("expected a key of ECDSA on P-256 or of Ed25519".to_owned()))
    }
}

// === impl SigningKey ===

impl SigningKey {
    /// Reads a private key: PKCS #8 in PEM form, not encrypted.
    pub fn read(path: &Path) -> Result<Self, RegistryError> {
        let wrong = |why: String| RegistryError::Key { path: path.to_owned(), why };
        let pem = fs::read(path).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
        if pem.windows(9).any(|window| window == b"ENCRYPTED") {
            return Err(wrong("it is encrypted; sign with cosign, or name a key that is not".to_owned()));
        }
        let der = PrivatePkcs8KeyDer::from_pem_slice(&pem)
            .map_err(|error| wrong(format!("this is no private key in PKCS #8 PEM form: {error}")))?;
        let der = der.secret_pkcs8_der();
        let p256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der, &SystemRandom::new()).map(SigningKey::P256);
        let key = p256.or_else(|_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(SigningKey::Ed));
        key.map_err(|_| wrong("expected a key of ECDSA on P-256 or of Ed25519".to_owned()))
    }

    /// Signs what a name means.
    pub fn sign(&self, name: &OciName, digest: &str) -> Result<Signed, RegistryError> {
        let OciName { registry, repository, .. } = name;
        let payload = json!({
            "critical": {
                "identity": { "docker-reference": format!("{registry}/{repository}") },
                "image": { "docker-manifest-digest": digest },
                "type": TYPE,
            },
            "optional": null,
        });
        let payload = payload.to_string().into_bytes();
        Ok(Signed { signature: self.sign_bytes(&payload)?, payload })
    }

    /// Signs bytes; the signature is base64.
    pub fn sign_bytes(&self, bytes: &[u8]) -> Result<String, RegistryError> {
        let signature = match self {
            SigningKey::P256(key) => {
                let signature = key.sign(&SystemRandom::new(), bytes);
                signature.map_err(|_| RegistryError::io("signing")(std::io::Error::other("there are no random numbers")))?.as_ref().to_vec()
            }
            SigningKey::Ed(key) => key.sign(bytes).as_ref().to_vec(),
        };
        Ok(BASE64.encode(signature))
    }
}

// === impl Signed ===

impl Signed {
    /// Whether one of the keys has signed the manifest with this digest.
    pub fn verify(&self, of: &str, keys: &Keys) -> bool {
        let Ok(document) = serde_json::from_slice::<Value>(&self.payload) else { return false };
        let critical = &document["critical"];
        let names_it = critical["type"] == TYPE && critical["image"]["docker-manifest-digest"] == of;
        names_it && keys.verify(&self.payload, &self.signature)
    }

    /// Configuration, its blob, and layers of the manifest that has this signature beside those before it.
    pub fn among(&self, mut layers: Vec<Blob>) -> (Vec<u8>, Blob, Vec<Blob>) {
        let mut layer = Blob::of(PAYLOAD, &self.payload);
        layer.annotations.insert(ANNOTATION.to_owned(), json!(self.signature));
        layers.push(layer);
        let digests: Vec<&str> = layers.iter().map(|layer| layer.digest.as_str()).collect();
        let config = json!({"architecture": "", "os": "", "config": {}, "rootfs": {"type": "layers", "diff_ids": digests}});
        let config = config.to_string().into_bytes();
        let blob = Blob::of("application/vnd.oci.image.config.v1+json", &config);
        (config, blob, layers)
    }
}

/// The signature over a layer, if it is one that was signed.
pub fn of_layer(layer: &Blob) -> Option<String> {
    let signature = layer.annotations.get(ANNOTATION)?.as_str()?;
    (layer.media_type == PAYLOAD).then(|| signature.to_owned())
}

/// Where the signatures of a manifest are: `sha256:12…` has the tag `sha256-12….sig`.
pub fn place(name: &OciName, digest: &str) -> OciName {
    OciName { version: OciVersion::Tag(format!("{}.sig", digest.replace(':', "-"))), ..name.clone() }
}

/// Where the signature of a file is: `scale.wasm` has `scale.wasm.sig`.
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::{super::artifact::digest, *};

    fn keys(folder: &Path, name: &str, private: &[u8], public: (&[u8], &[u8])) -> (SigningKey, Keys) {
        let pem = |label: &str, der: &[u8]| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(der));
        let (secret, open) = (folder.join(format!("{name}.key")), folder.join(format!("{name}.pub")));
        fs::write(&secret, pem("PRIVATE KEY", private)).unwrap();
        fs::write(&open, pem("PUBLIC KEY", &[public.0, public.1].concat())).unwrap();
        (SigningKey::read(&secret).unwrap(), Keys::read(&[open]).unwrap())
    }

    fn two(folder: &Path) -> [(SigningKey, Keys); 2] {
        use ring::signature::KeyPair as _;
        let random = SystemRandom::new();
        let p256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let p256_pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, p256.as_ref(), &random).unwrap();
        let ed_pair = Ed25519KeyPair::from_pkcs8(ed.as_ref()).unwrap();
        [
            keys(folder, "p256", p256.as_ref(), (P256, p256_pair.public_key().as_ref())),
            keys(folder, "ed", ed.as_ref(), (ED, ed_pair.public_key().as_ref())),
        ]
    }

    /// Protects runs from components that were signed by somebody else, for something else, or not at all.
    #[test]
    fn only_the_right_key_over_the_right_digest_is_good() {
        let folder = tempfile::tempdir().unwrap();
        let [(p256, p256_keys), (ed, ed_keys)] = two(folder.path());
        let name = OciName::parse("localhost/a:1").unwrap();
        let (digest, other) = (digest(b"a"), digest(b"b"));
        for (key, mine, theirs) in [(&p256, &p256_keys, &ed_keys), (&ed, &ed_keys, &p256_keys)] {
            let signed = key.sign(&name, &digest).unwrap();
            assert!(signed.verify(&digest, mine));
            assert!(!signed.verify(&other, mine), "a signature is of one digest");
            assert!(!signed.verify(&digest, theirs), "and of one key");
            let renamed =
                Signed { payload: String::from_utf8(signed.payload.clone()).unwrap().replace(&digest, &other).into(), ..signed.clone() };
            assert!(!renamed.verify(&other, mine), "the document cannot be changed");
            assert!(!Signed { signature: "?".into(), ..signed }.verify(&digest, mine));
        }
        assert!(p256_keys.verify(b"bytes", &p256.sign_bytes(b"bytes").unwrap()));
    }

    /// Protects whoever names a wrong file as a key from finding out by a component that does not verify.
    #[test]
    fn what_is_no_key_is_said_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let wrong = |content: &str| {
            fs::write(&path, content).unwrap();
            (Keys::read(std::slice::from_ref(&path)).err().unwrap().to_string(), SigningKey::read(&path).err().unwrap().to_string())
        };
        let (public, private) = wrong("hello");
        assert!(public.contains("this is no public key in PEM form") && private.contains("this is no private key in PKCS #8 PEM form"));
        let (public, private) = wrong(
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        );
        assert!(
            public.ends_with("expected a key of ECDSA on P-256 or of Ed25519")
                && private.ends_with("expected a key of ECDSA on P-256 or of Ed25519")
        );
        assert!(wrong("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----").1.contains("it is encrypted"));
    }

    /// Protects the places where other tools look.
    #[test]
    fn signatures_are_where_cosign_puts_them() {
        let name = OciName::parse("localhost/a:1").unwrap();
        assert_eq!(place(&name, "sha256:12").to_string(), "oci://localhost/a:sha256-12.sig");
        assert_eq!(beside(Path::new("a/b.wasm")), Path::new("a/b.wasm.sig"));
    }
}
