//! How spans are recorded and where they go, with every bound.

use std::{path::PathBuf, time::Duration};

use opentelemetry_sdk::Resource;

use super::sampler::Sampler;
use crate::{
    telemetry::{
        health::Signal,
        otlp::{self, Environment, WrongVariable},
    },
    words::trace::SpanContext,
};

/// Everything there is to say about spans.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which traces are recorded.
    pub sampler: Sampler,
    /// The span that runs are part of, when somebody outside started them in one.
    pub parent: Option<SpanContext>,
    /// What vendors say of its trace: `tracestate`, empty where there is none.
    pub trace_state: String,
    /// The collector that spans are sent to.
    pub collector: Option<otlp::Settings>,
    /// The file that spans are written to.
    pub file: Option<PathBuf>,
    /// How many of the slowest batches are remembered; with 0, nothing is recorded that is not sampled.
    pub slowest: usize,
    /// Whether a failed call's exception is an event of its span, too: `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN=logs/dup`.
    pub exception_events: bool,
    /// Who tells.
    pub resource: Resource,
    /// What may wait where.
    pub bounds: Bounds,
    /// How long the last flush may take.
    pub flush: Duration,
}

/// What may wait where, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Calls that an instance may have recorded before the background takes them: `PARSHALL_TRACE_BUFFER`. The background looks
    /// every [`COLLECT`], and when a buffer is half full.
    pub buffer: usize,
    /// Recorded calls of a run whose batches are still on their way: `PARSHALL_TRACE_PENDING`. Some 220 bytes each; 64 for those that
    /// are not sampled, of which there may be as many.
    pub pending: usize,
    /// Spans that may wait for the collector: `OTEL_BSP_MAX_QUEUE_SIZE`. They wait as records, which are an eighth of a span's
    /// size, so the default is more than the specification's 2,048.
    pub queue: usize,
    /// Spans in one request: `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`.
    pub request: usize,
    /// How long a span may wait for others to share its request: `OTEL_BSP_SCHEDULE_DELAY`, in milliseconds.
    pub delay: Duration,
    /// How long an export may take, on top of the exporter's own limit: `OTEL_BSP_EXPORT_TIMEOUT`, in milliseconds.
    pub timeout: Duration,
}

/// How often the background looks for what was recorded.
pub const COLLECT: Duration = Duration::from_millis(50);

// === impl Bounds ===

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            buffer: 4_096,
            pending: 65_536,
            queue: 32_768,
            request: 512,
            delay: Duration::from_secs(1),
            timeout: Duration::from_secs(30),
        }
    }
}

impl Bounds {
    fn read(environment: &Environment) -> Result<Self, WrongVariable> {
        let all = Bounds::default();
        let count = |name, default: usize| environment.number(name, default as u64, 1..=1 << 24).map(|number| number as usize);
        let time = |name, default: Duration| environment.number(name, default.as_millis() as u64, 1..=3_600_000).map(Duration::from_millis);
        let queue = count("OTEL_BSP_MAX_QUEUE_SIZE", all.queue)?;
        Ok(Bounds {
            buffer: count("PARSHALL_TRACE_BUFFER", all.buffer)?,
            pending: count("PARSHALL_TRACE_PENDING", all.pending)?,
            queue,
            request: count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", all.request)?.min(queue),
            delay: time("OTEL_BSP_SCHEDULE_DELAY", all.delay)?,
            timeout: time("OTEL_BSP_EXPORT_TIMEOUT", all.timeout)?,
        })
    }
}

// === impl Settings ===

impl Settings {
    /// As the environment says; `file` and `slowest` are the command's to say.
    pub fn read(environment: &Environment) -> Result<Self, WrongVariable> {
        let opt_in = |value: &str| match value {
            "logs" => Some(false),
            "logs/dup" => Some(true),
            _ => None,
        };
        let exception_events = environment.read("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "`logs` or `logs/dup`", opt_in)?;
        Ok(Settings {
            sampler: Sampler::read(environment)?,
            parent: None,
            trace_state: String::new(),
            collector: otlp::Settings::read(Signal::Spans, environment)?,
            file: None,
            slowest: 0,
            exception_events: exception_events.unwrap_or(false),
            resource: otlp::resource(environment)?,
            bounds: Bounds::read(environment)?,
            flush: otlp::flush_deadline(environment)?,
        })
    }

    /// Whether spans go anywhere.
    pub fn exports(&self) -> bool {
        self.collector.is_some() || self.file.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_checked() {
        assert!(!Settings::read(&Environment::default()).unwrap().exports());
        for (variable, value) in [
            ("PARSHALL_TRACE_BUFFER", "0"),
            ("PARSHALL_TRACE_PENDING", "many"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "-1"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0"),
            ("OTEL_BSP_SCHEDULE_DELAY", "1s"),
            ("OTEL_BSP_EXPORT_TIMEOUT", "0"),
            ("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "spans"),
            ("PARSHALL_TELEMETRY_FLUSH", "soon"),
            ("OTEL_TRACES_SAMPLER", "xray"),
            ("OTEL_RESOURCE_ATTRIBUTES", "nothing"),
        ] {
            assert_eq!(Settings::read(&Environment::of([(variable, value)])).unwrap_err().variable, variable);
        }
    }
}
