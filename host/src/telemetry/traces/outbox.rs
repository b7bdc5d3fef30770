//! What waits for the collector, and one request at a time on its way there. Whatever cannot be sent is counted.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};

use super::{assemble::Kept, settings::Bounds};
use crate::telemetry::health::{Bound, Health, Healths, Signal};

/// After an export that failed, the next one waits this long, twice as long after another, and so on.
const PAUSE: Duration = Duration::from_millis(500);
/// And never longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

type Sending = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Bounded, in spans.
pub struct Outbox {
    exporter: Arc<SpanExporter>,
    /// Where they go, as messages may name it.
    endpoint: String,
    bounds: Bounds,
    exception_events: bool,
    healths: Healths,
    queue: VecDeque<Kept>,
    /// Expanded already: the rest of a batch that did not fit into a request.
    rest: VecDeque<SpanData>,
    /// Spans in both.
    waiting: usize,
    /// When the first of them came.
    since: Option<Instant>,
    sending: Option<(Sending, usize, Instant)>,
    /// No export before this.
    paused: Option<Instant>,
    failed_in_a_row: u32,
}

// === impl Outbox ===

impl Outbox {
    /// An empty one.
    pub fn new(exporter: SpanExporter, endpoint: String, bounds: Bounds, exception_events: bool, healths: Healths) -> Self {
        healths.of(Signal::Spans).queue_limit.store(bounds.queue as u64, std::sync::atomic::Ordering::Relaxed);
        Outbox {
            exporter: Arc::new(exporter),
            endpoint,
            bounds,
            exception_events,
            healths,
            queue: VecDeque::new(),
            rest: VecDeque::new(),
            waiting: 0,
            since: None,
            sending: None,
            paused: None,
            failed_in_a_row: 0,
        }
    }

    /// Takes a batch whole, or drops it whole: half a trace misleads.
    pub fn push(&mut self, kept: Kept) {
        let spans = kept.spans();
        if self.waiting + spans > self.bounds.queue {
            self.health().found_no_room(spans as u64, Bound::Queue);
            return;
        }
        self.waiting += spans;
        self.since.get_or_insert_with(Instant::now);
        self.queue.push_back(kept);
        self.tell();
    }

    /// Begins an export if there is reason to: enough spans, one that has waited long, or the end.
    pub fn send(&mut self, closing: bool) {
        let now = Instant::now();
        let due = self.waiting >= self.bounds.request || self.since.is_some_and(|since| now - since >= self.bounds.delay) || closing;
        let paused = !closing && self.paused.is_some_and(|until| now < until);
        if self.sending.is_some() || self.waiting == 0 || !due || paused {
            return;
        }
        let spans = self.request();
        let (count, exporter, limit) = (spans.len(), Arc::clone(&self.exporter), self.bounds.timeout);
        let sending = async move {
            match tokio::time::timeout(limit, exporter.export(spans)).await {
                Ok(sent) => sent.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer within {limit:?}")),
            }
        };
        self.sending = Some((Box::pin(sending), count, now));
    }

    /// Waits for the export that is under way; for ever, if there is none.
    pub async fn sent(&mut self) -> Result<(), String> {
        match &mut self.sending {
            Some((sending, ..)) => sending.await,
            None => std::future::pending().await,
        }
    }

    /// Takes note of how an export ended.
    pub fn note(&mut self, outcome: Result<(), String>) {
        let Some((_, spans, began)) = self.sending.take() else { return };
        let health = self.healths.of(Signal::Spans);
        health.export_took(began.elapsed());
        match outcome {
            Ok(()) => {
                Health::add(&health.exported, spans as u64);
                (self.paused, self.failed_in_a_row) = (None, 0);
            }
            Err(error) => {
                Health::add(&health.dropped_failed, spans as u64);
                Health::add(&health.failures, 1);
                let error = format!("{error}{}", hint(&error));
                health.failed_because(&error);
                // Once, not with every request: a collector that is down is down for a while.
                if self.failed_in_a_row == 0 {
                    tracing::warn!(target: "parshall::telemetry", "{} could not be exported to {}: {error}", counted(spans), self.endpoint);
                }
                let pause = PAUSE.saturating_mul(1 << self.failed_in_a_row.min(16)).min(LONGEST_PAUSE);
                self.failed_in_a_row += 1;
                self.paused = Some(Instant::now() + pause);
            }
        }
        self.tell();
    }

    /// Whether nothing waits and nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.waiting == 0 && self.sending.is_none()
    }

    /// Gives up what is left.
    pub fn abandon(&mut self) {
        let under_way = self.sending.take().map_or(0, |(_, spans, _)| spans);
        Health::add(&self.health().dropped_failed, (self.waiting + under_way) as u64);
        self.queue.clear();
        self.rest.clear();
        self.waiting = 0;
        self.tell();
    }

    /// The spans of the next request.
    fn request(&mut self) -> Vec<SpanData> {
        let limit = self.bounds.request;
        let mut spans: Vec<_> = self.rest.drain(..self.rest.len().min(limit)).collect();
        while spans.len() < limit {
            let Some(kept) = self.queue.pop_front() else { break };
            kept.expand(self.exception_events, &mut spans);
        }
        self.rest.extend(spans.drain(limit.min(spans.len())..));
        self.waiting = self.waiting.saturating_sub(spans.len());
        self.since = (self.waiting > 0).then(Instant::now);
        self.tell();
        spans
    }

    fn tell(&self) {
        self.health().queue.store(self.waiting as u64, std::sync::atomic::Ordering::Relaxed);
    }

    fn health(&self) -> &Health {
        self.healths.of(Signal::Spans)
    }
}

fn counted(spans: usize) -> String {
    format!("{spans} {}", if spans == 1 { "span" } else { "spans" })
}

/// What helps, where two protocols have met.
fn hint(error: &str) -> &'static str {
    // The first is what gRPC says of an answer in HTTP/1.1, the second what comes of HTTP/1.1 at a port of gRPC.
    if error.contains("frame with invalid size") {
        " (a port for OTLP over HTTP? OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf speaks it)"
    } else if error.contains("invalid HTTP version parsed") {
        " (a port for OTLP over gRPC? OTEL_EXPORTER_OTLP_PROTOCOL=grpc speaks it)"
    } else {
        ""
    }
}
