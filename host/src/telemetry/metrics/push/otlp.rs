//! Metrics by OTLP, over HTTP or gRPC. The SDK's exporter takes only what the SDK's own instruments have measured (its
//! `ResourceMetrics` cannot be built by others), so the request is made here, from what was gathered.
//!
//! Values are cumulative: what a failed export did not tell, the next one does, so nothing is kept and repeated.

use std::{io::Write as _, time::Duration};

use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse, metrics_service_client::MetricsServiceClient,
};
use opentelemetry_sdk::Resource;
use prost::Message as _;
use tonic::{
    codec::CompressionEncoding,
    metadata::{Ascii, MetadataKey, MetadataValue},
    transport::{Channel, Endpoint},
};

use super::{PushError, convert, said, unreachable};
use crate::telemetry::{
    metrics::Gathered,
    otlp::{Environment, Protocol, Settings, WrongVariable, shown},
};

/// How often metrics are exported, in milliseconds: `OTEL_METRIC_EXPORT_INTERVAL`, 60 s as the specification says.
const INTERVAL: u64 = 60_000;
/// A day, in milliseconds.
const DAY: u64 = 86_400_000;

/// An OTLP receiver.
pub struct Otlp {
    settings: Settings,
    resource: Resource,
    transport: Transport,
    /// How often.
    pub every: Duration,
}

enum Transport {
    Http(reqwest::Client),
    /// Connects when it is used, in the runtime that uses it.
    Grpc(Box<Endpoint>),
}

/// Certificates, keys or the endpoint are not what they should be.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be exported to {endpoint}: {error}")]
pub struct WrongSettings {
    endpoint: String,
    error: String,
}

/// How often metrics are exported: `OTEL_METRIC_EXPORT_INTERVAL`. Warns where the environment wishes for what there is not.
pub fn interval(environment: &Environment) -> Result<Duration, WrongVariable> {
    let temporality = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
    if let Some(other) = environment.get(temporality).filter(|wish| !wish.eq_ignore_ascii_case("cumulative")) {
        tracing::warn!("{temporality} is `{other}`: metrics are exported as cumulative, and no other way");
    }
    environment.number("OTEL_METRIC_EXPORT_INTERVAL", INTERVAL, 1..=DAY).map(Duration::from_millis)
}

impl Otlp {
    /// As the settings say.
    pub fn new(settings: Settings, resource: Resource, every: Duration) -> Result<Self, WrongSettings> {
        let wrong = |error: String| WrongSettings { endpoint: shown(&settings.endpoint), error };
        let transport = match settings.protocol {
            Protocol::Http => Transport::Http(settings.http_client().map_err(|error| wrong(error.without_url().to_string()))?),
            Protocol::Grpc => Transport::Grpc(Box::new(grpc(&settings).map_err(|error| wrong(error.to_string()))?)),
        };
        Ok(Otlp { settings, resource, transport, every })
    }

    /// As it is called in messages: without credentials.
    pub fn name(&self) -> String {
        shown(&self.settings.endpoint)
    }

    pub(super) async fn export(&self, gathered: &Gathered) -> Result<(), PushError> {
        let request = convert::request(gathered, &self.resource);
        let answer = match &self.transport {
            Transport::Http(client) => self.post(client, &request).await?,
            Transport::Grpc(endpoint) => self.call(endpoint.connect_lazy(), request).await?,
        };
        let refused = answer.partial_success.filter(|partial| partial.rejected_data_points > 0);
        match refused {
            Some(partial) => {
                let status = format!("that it rejects {} data points", partial.rejected_data_points);
                Err(PushError::Refused { status, said: said(&partial.error_message) })
            }
            None => Ok(()),
        }
    }

    async fn post(
        &self,
        client: &reqwest::Client,
        request: &ExportMetricsServiceRequest,
    ) -> Result<ExportMetricsServiceResponse, PushError> {
        let mut post = client.post(&self.settings.endpoint).header("content-type", "application/x-protobuf");
        for (name, value) in &self.settings.headers {
            post = post.header(name, value);
        }
        let body = request.encode_to_vec();
        let post = match self.settings.gzip {
            true => post.header("content-encoding", "gzip").body(gzip(&body)?),
            false => post.body(body),
        };
        let answer = post.send().await.map_err(unreachable)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(PushError::Refused { status: status.to_string(), said: said(&answer.text().await.unwrap_or_default()) });
        }
        let body = answer.bytes().await.map_err(unreachable)?;
        // Some receivers answer a success with nothing, or with what is no protobuf: it is a success nevertheless.
        Ok(ExportMetricsServiceResponse::decode(body).unwrap_or_default())
    }

    async fn call(&self, channel: Channel, request: ExportMetricsServiceRequest) -> Result<ExportMetricsServiceResponse, PushError> {
        let mut client = MetricsServiceClient::new(channel);
        if self.settings.gzip {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        let mut request = tonic::Request::new(request);
        request.set_timeout(self.settings.timeout);
        for (name, value) in &self.settings.headers {
            // The settings have been checked for what headers may be.
            if let (Ok(name), Ok(value)) = (name.parse::<MetadataKey<Ascii>>(), value.parse::<MetadataValue<Ascii>>()) {
                request.metadata_mut().insert(name, value);
            }
        }
        let answer = client.export(request).await;
        let refused = |status: tonic::Status| match status.code() {
            tonic::Code::Unavailable => PushError::Unreachable(said(status.message())),
            code => PushError::Refused { status: format!("{code:?}"), said: said(status.message()) },
        };
        answer.map(tonic::Response::into_inner).map_err(refused)
    }
}

fn grpc(settings: &Settings) -> Result<Endpoint, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(settings.endpoint.clone())?.timeout(settings.timeout).connect_timeout(settings.timeout);
    if settings.endpoint.starts_with("https:") { endpoint.tls_config(settings.grpc_tls()) } else { Ok(endpoint) }
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}
