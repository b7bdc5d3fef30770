//! Exporters of `opentelemetry_otlp`, and the clients below them, built from settings. Build them within a tokio runtime that drives I/O and time, and use
//! them there.

use std::{collections::HashMap, sync::Arc};

use opentelemetry_otlp::{
    Compression, ExporterBuildError, LogExporter, Protocol as Wire, WithExportConfig, WithHttpConfig, WithTonicConfig,
    tonic_types::transport::{Certificate, ClientTlsConfig, Identity},
};
use opentelemetry_sdk::{Resource, logs::LogExporter as _};
use tonic::transport::Endpoint;

use super::{Protocol, Settings, client};

/// An exporter could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The exporter does not take the settings.
    #[error(transparent)]
    Exporter(#[from] ExporterBuildError),
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

/// Configures a builder of any signal: they share no trait that could be named once.
macro_rules! build {
    ($settings:expr, $exporter:ident) => {{
        let settings = $settings;
        match settings.protocol {
            Protocol::Grpc => {
                let mut builder = $exporter::builder().with_tonic();
                builder = builder.with_endpoint(&settings.endpoint).with_timeout(settings.timeout);
                if settings.gzip {
                    builder = builder.with_compression(Compression::Gzip);
                }
                if settings.endpoint.starts_with("https:") {
                    builder = builder.with_tls_config(settings.grpc_tls());
                }
                // Headers: the exporter takes them from the same variables.
                builder.build()?
            }
            Protocol::Http => {
                let mut builder = $exporter::builder().with_http();
                builder = builder.with_endpoint(&settings.endpoint).with_timeout(settings.timeout).with_protocol(Wire::HttpBinary);
                if settings.gzip {
                    builder = builder.with_compression(Compression::Gzip);
                }
                let headers: HashMap<_, _> = settings.headers.iter().cloned().collect();
                builder.with_headers(headers).with_shared_http_client(Arc::new(settings.http_client()?)).build()?
            }
        }
    }};
}

impl Settings {
    /// Of log records.
    pub fn log_exporter(&self, resource: &Resource) -> Result<LogExporter, BuildError> {
        let mut exporter = build!(self, LogExporter);
        exporter.set_resource(resource);
        Ok(exporter)
    }

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
