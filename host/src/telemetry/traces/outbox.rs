//! What waits for the collector, and one request at a time on its way there. Spans wait as records and are encoded when it is their
//! turn, so what is dropped costs nothing but being counted.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message as _;
use tokio::sync::watch;

use super::{assemble::Kept, record::CallRecord, settings::Bounds};
use crate::telemetry::{
    health::{Bound, Failed, Health, Healths, Signal, counted},
    otlp::{Envelope, Sender, Unsent},
};

/// After an export that failed, the next one waits this long, twice as long after another, and so on.
const PAUSE: Duration = Duration::from_millis(500);
/// And never longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// Unless the collector itself asks for more, up to this.
const LONGEST_LEAVE: Duration = Duration::from_secs(60);

/// What an export came to: how many spans the collector did not want, or why it took none.
pub type Outcome = Result<ExportTracePartialSuccess, Unsent>;

type Sending = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Bounded, in spans.
pub struct Outbox {
    sender: Arc<Sender>,
    envelope: Envelope,
    bounds: Bounds,
    exception_events: bool,
    healths: Healths,
    queue: VecDeque<Kept>,
    /// Spans of the first one that have been sent already: it did not fit into a request.
    begun: usize,
    /// Vectors of batches that have been encoded: no more than a request has spans.
    spent: Vec<Vec<CallRecord>>,
    /// Spans that wait.
    waiting: usize,
    /// When the first of them came.
    since: Option<Instant>,
    sending: Option<(Sending, usize, Instant)>,
    /// Tells what is under way that the end has come.
    closing: watch::Sender<bool>,
    /// No export before this.
    paused: Option<Instant>,
    failed_in_a_row: u32,
}

// === impl Outbox ===

impl Outbox {
    /// An empty one.
    pub fn new(sender: Sender, envelope: Envelope, bounds: Bounds, exception_events: bool, healths: &Healths) -> Self {
        healths.of(Signal::Spans).queue_limit.store(bounds.queue as u64, Ordering::Relaxed);
        Outbox {
            sender: Arc::new(sender),
            envelope,
            bounds,
            exception_events,
            healths: healths.clone(),
            queue: VecDeque::new(),
            begun: 0,
            spent: Vec::new(),
            waiting: 0,
            since: None,
            sending: None,
            closing: watch::Sender::new(false),
            paused: None,
            failed_in_a_row: 0,
        }
    }

    /// Whether there is room for all of a batch.
    pub fn has_room(&self, kept: &Kept) -> bool {
        self.waiting + kept.spans() <= self.bounds.queue
    }

    /// Takes a batch whole, or drops it whole: half a trace misleads. Answers a vector that is not needed any more, if there is one.
    pub fn push(&mut self, kept: Kept) -> Option<Vec<CallRecord>> {
        let spans = kept.spans();
        if !self.has_room(&kept) {
            self.health().found_no_room(spans as u64, Bound::Queue);
            return kept.spent();
        }
        self.waiting += spans;
        self.since.get_or_insert_with(Instant::now);
        self.queue.push_back(kept);
        self.spent.pop()
    }

    /// Begins an export if there is reason to: enough spans, one that has waited long, or the end.
    pub fn send(&mut self, closing: bool) {
        self.tell();
        let now = Instant::now();
        let due = self.waiting >= self.bounds.request || self.since.is_some_and(|since| now - since >= self.bounds.delay) || closing;
        let paused = !closing && self.paused.is_some_and(|until| now < until);
        if self.sending.is_some() || self.waiting == 0 || !due || paused {
            return;
        }
        let (request, count) = self.request();
        let (sender, limit, closing) = (Arc::clone(&self.sender), self.bounds.timeout, self.closing.subscribe());
        let sending = async move {
            let late = |_| Unsent { why: format!("no answer within {limit:?}"), leave: None };
            let answer = tokio::time::timeout(limit, sender.send(request, closing)).await.map_err(late)??;
            // Some answer a success with what is no protobuf: it is one nevertheless.
            Ok(ExportTraceServiceResponse::decode(answer).unwrap_or_default().partial_success.unwrap_or_default())
        };
        self.sending = Some((Box::pin(sending), count, now));
    }

    /// Waits for the export that is under way; for ever, if there is none.
    pub async fn sent(&mut self) -> Outcome {
        match &mut self.sending {
            Some((sending, ..)) => sending.await,
            None => std::future::pending().await,
        }
    }

    /// Takes note of how an export ended.
    pub fn note(&mut self, outcome: Outcome) {
        let Some((_, spans, began)) = self.sending.take() else { return };
        self.health().export_took(began.elapsed());
        match outcome {
            Ok(partial) => {
                let rejected = u64::try_from(partial.rejected_spans).unwrap_or_default().min(spans as u64);
                if rejected > 0 {
                    Health::add(&self.health().exported, spans as u64 - rejected);
                    let why = format!("it rejected {}: {}", counted(Signal::Spans, rejected), partial.error_message);
                    self.lost(rejected, why.trim_end_matches(": "));
                } else {
                    self.healths.delivered(Signal::Spans, &self.sender.name(), spans as u64);
                }
                (self.paused, self.failed_in_a_row) = (None, 0);
            }
            Err(unsent) => {
                self.lost(spans as u64, &unsent.why);
                let pause = PAUSE.saturating_mul(1 << self.failed_in_a_row.min(16)).min(LONGEST_PAUSE);
                let asked = unsent.leave.unwrap_or_default().min(LONGEST_LEAVE);
                self.failed_in_a_row += 1;
                self.paused = Some(Instant::now() + pause.max(asked));
            }
        }
        self.tell();
    }

    fn lost(&self, lost: u64, why: &str) {
        let ending = *self.closing.borrow();
        self.healths.failed(Signal::Spans, Failed { to: &self.sender.name(), lost, why, ending });
    }

    /// The end has come: what is under way does not wait for a collector that is not there.
    pub fn close(&self) {
        self.closing.send_replace(true);
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
        (self.begun, self.waiting) = (0, 0);
        self.tell();
    }

    /// The next request, and the spans in it.
    fn request(&mut self) -> (Bytes, usize) {
        let mut writer = self.envelope.begin();
        let mut count = 0;
        self.spent.clear();
        while count < self.bounds.request {
            let Some(kept) = self.queue.front() else { break };
            let (all, room) = (kept.spans(), self.bounds.request - count);
            let end = all.min(self.begun + room);
            kept.encode(self.begun..end, self.exception_events, &mut writer);
            count += end - self.begun;
            self.begun = end;
            if end == all {
                self.spent.extend(self.queue.pop_front().and_then(Kept::spent));
                self.begun = 0;
            }
        }
        self.waiting -= count;
        self.since = (self.waiting > 0).then(Instant::now);
        self.tell();
        (self.envelope.close(writer), count)
    }

    /// How much waits, for metrics.
    fn tell(&self) {
        self.health().queue.store(self.waiting as u64, Ordering::Relaxed);
    }

    fn health(&self) -> &Health {
        self.healths.of(Signal::Spans)
    }
}
