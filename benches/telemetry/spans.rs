//! The span of one call, as others make it: by the SDK, and through `tracing`. `benches/peers` adds `fastrace`.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use opentelemetry::{
    Array, Context, KeyValue, StringValue, Value,
    trace::{Span as _, TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, SpanData, SpanExporter},
};
use parshall::words::{observe::StageFacts, stage::Kind, usage::Usage};
use tracing_subscriber::layer::SubscriberExt as _;

/// What an ordinary call cost.
pub fn usage() -> Usage {
    Usage {
        started: Some(Instant::now()),
        fuel: 123_456,
        fuel_exact: true,
        memory: 2 << 20,
        guest: Duration::from_micros(120),
        copy: Duration::from_micros(30),
        bytes_read: 65_536,
        bytes_made: 8_192,
        bytes_stayed: 1 << 20,
        rows_in: 8_192,
        rows_out: 8_000,
        rows_kept: 8_000,
        rows_filtered: 192,
        columns_read: vec![0, 3, 7],
        ..Usage::default()
    }
}

/// A stage with everything that attributes are made of.
pub fn facts() -> StageFacts {
    StageFacts {
        name: "by_carrier".into(),
        kind: Kind::Transform,
        component: "std:aggregate".into(),
        version: "0.1.0".into(),
        digest: "3de1251d7a5e3de1251d7a5e3de1251d7a5e3de1251d7a5e3de1251d7a5e3de1".into(),
        instances: 1,
        sources: vec!["flights".into()],
        columns: vec![(0..16).map(|n| format!("column_{n}")).collect()],
        datasets: Vec::new(),
        queue_bound: Some(64 << 20),
        memory_limit: 256 << 20,
    }
}

/// Takes spans and counts them.
#[derive(Debug)]
struct Nowhere(Arc<AtomicU64>);

impl SpanExporter for Nowhere {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.fetch_add(batch.len() as u64, Relaxed);
        black_box(batch);
        Ok(())
    }
}

/// The SDK with its batch processor.
struct Provider {
    sdk: SdkTracerProvider,
    exported: Arc<AtomicU64>,
}

impl Provider {
    fn start() -> Self {
        let exported = Arc::<AtomicU64>::default();
        let processor = BatchSpanProcessor::builder(Nowhere(Arc::clone(&exported))).build();
        Provider { sdk: SdkTracerProvider::builder().with_span_processor(processor).with_sampler(Sampler::AlwaysOn).build(), exported }
    }

    /// Spans that were not dropped.
    fn finish(self) -> u64 {
        self.sdk.shutdown().expect("it takes next to no time");
        self.exported.load(Relaxed)
    }
}

/// Spans of the SDK. The constant attributes are shared strings, as a careful author would have them.
pub struct Sdk {
    provider: Provider,
    tracer: SdkTracer,
    parent: Context,
    /// Pipeline, stage, component, version, digest.
    names: [StringValue; 5],
    columns: Vec<StringValue>,
}

impl Sdk {
    pub fn start() -> Self {
        let provider = Provider::start();
        let tracer = provider.sdk.tracer("bench");
        let parent = tracer.start("batch");
        let parent = Context::new().with_remote_span_context(parent.span_context().clone());
        let shared = |text: &str| StringValue::from(Arc::<str>::from(text));
        let names = ["flights", "by_carrier", "std:aggregate", "0.1.0", "3de1251d7a5e"].map(shared);
        let columns = (0..16).map(|n| shared(&format!("column_{n}"))).collect();
        Sdk { provider, tracer, parent, names, columns }
    }

    pub fn span(&self, usage: &Usage) {
        let [pipeline, stage, component, version, digest] = &self.names;
        let read: Vec<_> = usage.columns_read.iter().map(|column| self.columns[*column as usize].clone()).collect();
        let mut span = self.tracer.build_with_context(
            self.tracer.span_builder("process by_carrier").with_attributes([
                KeyValue::new("etl.pipeline.name", pipeline.clone()),
                KeyValue::new("etl.stage.name", stage.clone()),
                KeyValue::new("etl.stage.kind", "transform"),
                KeyValue::new("etl.component.name", component.clone()),
                KeyValue::new("etl.component.version", version.clone()),
                KeyValue::new("etl.component.digest", digest.clone()),
                KeyValue::new("etl.call.export", "process"),
                KeyValue::new("etl.call.outcome", "ok"),
                KeyValue::new("etl.batch.sequence", 7),
                KeyValue::new("etl.rows.in", usage.rows_in as i64),
                KeyValue::new("etl.rows.out", usage.rows_out as i64),
                KeyValue::new("etl.rows.rejected", usage.rows_rejected as i64),
                KeyValue::new("etl.bytes.read", usage.bytes_read as i64),
                KeyValue::new("etl.bytes.made", usage.bytes_made as i64),
                KeyValue::new("etl.bytes.stayed", usage.bytes_stayed as i64),
                KeyValue::new("etl.columns.read", Value::Array(Array::String(read))),
                KeyValue::new("etl.fuel.used", usage.fuel as i64),
                KeyValue::new("etl.memory.peak", usage.memory as i64),
                KeyValue::new("etl.time.guest", usage.guest.as_secs_f64()),
                KeyValue::new("etl.time.copy", usage.copy.as_secs_f64()),
            ]),
            &self.parent,
        );
        span.end();
    }

    /// Spans that were not dropped.
    pub fn finish(self) -> u64 {
        self.provider.finish()
    }
}

/// `tracing`, and the SDK behind it.
pub struct Tracing {
    provider: Provider,
    /// Who is told of spans.
    pub subscriber: tracing::Dispatch,
}

impl Tracing {
    pub fn start() -> Self {
        let provider = Provider::start();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.sdk.tracer("bench"));
        Tracing { provider, subscriber: tracing::Dispatch::new(tracing_subscriber::registry().with(layer)) }
    }

    /// Spans that were not dropped.
    pub fn finish(self) -> u64 {
        self.provider.finish()
    }
}

/// A span of `tracing`, for the subscriber in whose scope it is.
pub fn traced(usage: &Usage) {
    let span = tracing::info_span!(
        "process by_carrier",
        etl.pipeline.name = "flights",
        etl.stage.name = "by_carrier",
        etl.stage.kind = "transform",
        etl.component.name = "std:aggregate",
        etl.component.version = "0.1.0",
        etl.component.digest = "3de1251d7a5e",
        etl.call.export = "process",
        etl.call.outcome = "ok",
        etl.batch.sequence = 7,
        etl.rows.r#in = usage.rows_in,
        etl.rows.out = usage.rows_out,
        etl.rows.rejected = usage.rows_rejected,
        etl.bytes.read = usage.bytes_read,
        etl.bytes.made = usage.bytes_made,
        etl.bytes.stayed = usage.bytes_stayed,
        etl.columns.read = ?usage.columns_read,
        etl.fuel.used = usage.fuel,
        etl.memory.peak = usage.memory,
        etl.time.guest = usage.guest.as_secs_f64(),
        etl.time.copy = usage.copy.as_secs_f64(),
    );
    span.in_scope(|| black_box(()));
}
