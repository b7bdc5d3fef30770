//! Metrics by OTLP, over HTTP or gRPC. The SDK's exporter takes only what the SDK's own instruments have measured (its
//! `ResourceMetrics` cannot be built by others), so the request is made here, from what was gathered.
//!
//! Values are cumulative: what a failed export did not tell, the next one does, so nothing is kept and repeated.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_sdk::Resource;
use prost::Message as _;
use tokio::sync::watch;

use super::{PushError, convert};
use crate::telemetry::{
    health::Signal,
    metrics::Gathered,
    otlp::{Environment, Sender, Settings, WrongVariable, shown},
};

/// How often metrics are exported, in milliseconds: `OTEL_METRIC_EXPORT_INTERVAL`, 60 s as the specification says.
const INTERVAL: u64 = 60_000;
/// A day, in milliseconds.
const DAY: u64 = 86_400_000;

/// An OTLP receiver.
pub struct Otlp {
    sender: Sender,
    resource: Resource,
    /// How often.
    pub every: Duration,
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
        let endpoint = shown(&settings.endpoint);
        let sender = Sender::new(Signal::Metrics, settings).map_err(|error| WrongSettings { endpoint, error: error.to_string() })?;
        Ok(Otlp { sender, resource, every })
    }

    /// As it is called in messages: without credentials.
    pub fn name(&self) -> String {
        self.sender.name()
    }

    /// Exports; at the end, nobody who is not there is waited for.
    pub(super) async fn export(&self, gathered: &Gathered, last: bool) -> Result<(), PushError> {
        let request = convert::request(gathered, &self.resource).encode_to_vec();
        let closing = watch::Sender::new(last);
        let answer = self.sender.send(request.into(), closing.subscribe()).await.map_err(|unsent| PushError::Unsent(unsent.why))?;
        // Some receivers answer a success with nothing, or with what is no protobuf: it is a success nevertheless.
        let partial = ExportMetricsServiceResponse::decode(answer).unwrap_or_default().partial_success.unwrap_or_default();
        match partial.rejected_data_points {
            ..=0 => Ok(()),
            rejected => Err(PushError::Unsent(format!("it rejected {rejected} data points: {}", partial.error_message))),
        }
    }
}
