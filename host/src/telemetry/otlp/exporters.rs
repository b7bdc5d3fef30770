//! Clients of both transports, built from settings. Use them within a tokio runtime that drives I/O and time.

use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig, Identity};
use tonic::transport::Endpoint;

use super::{Settings, client};

/// A client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Certificates or keys are not what they should be.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] reqwest::Error),
    /// Settings that were read have one.
    #[error("the endpoint is no URL")]
    Endpoint,
    /// The same, or the endpoint, over gRPC.
    #[error("gRPC cannot be set up: {}", super::cause(.0))]
    Grpc(#[from] tonic::transport::Error),
}

impl Settings {
    /// Whether certificates and keys can be used at all, without a runtime and before a run.
    pub fn check(&self) -> Result<(), BuildError> {
        self.http_client()?;
        Ok(())
    }

    /// A gRPC client's end, which connects when it is used.
    pub fn grpc_endpoint(&self) -> Result<Endpoint, BuildError> {
        let endpoint = Endpoint::from_shared(self.endpoint.clone())?.connect_timeout(self.timeout);
        Ok(if self.endpoint.starts_with("https:") { endpoint.tls_config(self.grpc_tls())? } else { endpoint })
    }

    /// What a gRPC client of an `https:` endpoint trusts, and who it says it is.
    pub fn grpc_tls(&self) -> ClientTlsConfig {
        let tls = match &self.certificate {
            Some(certificate) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(certificate)),
            None => ClientTlsConfig::new().with_webpki_roots(),
        };
        match &self.client {
            Some(client) => tls.identity(Identity::from_pem(&client.certificate, &client.key)),
            None => tls,
        }
    }

    /// A client that trusts what the settings say, and says who it is.
    pub fn http_client(&self) -> Result<reqwest::Client, reqwest::Error> {
        let mut client = client(self.timeout, self.certificate.is_some() || self.endpoint.starts_with("https:"));
        if let Some(certificate) = &self.certificate {
            client = client.tls_certs_only(reqwest::Certificate::from_pem_bundle(certificate)?);
        }
        if let Some(told) = &self.client {
            client = client.identity(reqwest::Identity::from_pem(&[told.certificate.as_slice(), b"\n", &told.key].concat())?);
        }
        client.build()
    }
}
