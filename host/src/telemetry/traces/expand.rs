//! The oracle of [`super::encode`]: the same records as spans of the SDK, which `opentelemetry_proto` makes messages of.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use opentelemetry::{
    Array, KeyValue, StringValue, Value,
    trace::{Event, Link, SpanId as Id, SpanKind, Status, TraceFlags, TraceState},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::{
    constant::{name, short, without_secrets},
    record::{CallRecord, CheckpointRecord, Failure, PhaseRecord, RootRecord, RunRecord, SwapRecord},
};
use crate::{
    telemetry::{
        names::{attribute as a, span},
        otlp,
    },
    words::{
        guest_span::{GuestSpan, Request, Role, Value as Said},
        observe::{RunFacts, StageFacts},
        stage::Kind,
        tables::Dataset,
        trace::{SpanContext, SpanId, TraceId},
    },
};

/// A run's stages as attributes: what all calls of a stage have in common.
pub struct Stages {
    pipeline: KeyValue,
    stages: Vec<Stage>,
    /// By stage and generation, what came later.
    later: Vec<((u32, u32), Stage)>,
}

struct Stage {
    name: Arc<str>,
    /// Of every call.
    common: Vec<KeyValue>,
    /// Names of the columns of each input.
    columns: Vec<Vec<StringValue>>,
    /// The tables it reads or writes, if that is its trade.
    datasets: Vec<Dataset>,
}

/// Turns the records of one run into spans.
pub struct Expand<'a> {
    /// The run's stages.
    pub stages: &'a Stages,
    /// A moment by both clocks, not long ago: records hold the one, spans want the other.
    pub anchor: (Instant, SystemTime),
    /// Whether exceptions are events, too.
    pub exception_events: bool,
    /// What vendors say of a trace that came from outside: it goes with all its spans.
    pub state: (TraceId, &'a TraceState),
}

// === impl Stages ===

impl Stages {
    /// Of a run.
    pub fn of(run: &RunFacts) -> Self {
        let pipeline = text(a::PIPELINE, run.pipeline.as_str());
        let stages = run.stages.iter().map(|stage| Stage::of(stage, &pipeline)).collect();
        Stages { pipeline, stages, later: Vec::new() }
    }

    /// A version that there was not when the run began.
    pub fn add(&mut self, stage: u32, generation: u32, facts: &StageFacts) {
        let version = Stage::of(facts, &self.pipeline);
        self.later.push(((stage, generation), version));
    }

    fn version(&self, call: &CallRecord) -> Option<&Stage> {
        let of = (call.stage, call.generation);
        let later = self.later.iter().find(|(version, _)| *version == of).map(|(_, stage)| stage);
        later.or_else(|| self.stages.get(call.stage as usize))
    }
}

impl Stage {
    fn of(stage: &StageFacts, pipeline: &KeyValue) -> Self {
        Stage {
            name: stage.name.as_str().into(),
            common: vec![
                pipeline.clone(),
                text(a::STAGE, stage.name.as_str()),
                text(a::KIND, &stage.kind.to_string()),
                text(a::COMPONENT, stage.component.as_str()),
                text(a::VERSION, stage.version.as_str()),
                text(a::DIGEST, short(&stage.digest)),
            ],
            columns: stage.columns.iter().map(|input| input.iter().map(|name| Arc::<str>::from(name.as_str()).into()).collect()).collect(),
            datasets: if stage.kind == Kind::Transform { Vec::new() } else { stage.datasets.clone() },
        }
    }

    fn columns_read(&self, call: &CallRecord) -> Vec<StringValue> {
        let Some(names) = self.columns.get(call.input as usize) else { return Vec::new() };
        call.columns().filter_map(|column| names.get(column as usize).cloned()).collect()
    }

    /// The stage's own and those that the call opened.
    fn datasets<'a>(&'a self, call: &'a CallRecord) -> Vec<&'a Dataset> {
        let mut datasets: Vec<_> = self.datasets.iter().collect();
        for opened in call.rare.iter().flat_map(|rare| &rare.datasets) {
            if !datasets.iter().any(|known| known.location == opened.location) {
                datasets.push(opened);
            }
        }
        datasets
    }
}

// === impl Expand ===

impl Expand<'_> {
    /// The spans of a call, its guest's included.
    pub fn call(&self, call: &CallRecord, parent: SpanContext, into: &mut Vec<SpanData>) {
        let Some(stage) = self.stages.version(call) else { return };
        let context = SpanContext { span: call.span, ..parent };
        let started = self.time(call.started);
        let mut span =
            self.span(context, Some(parent.span), format!("{} {}", call.export.as_str(), stage.name), started, started + call.duration());
        span.attributes = attributes(stage, call);
        if let Some(failure) = call.failure() {
            span.status = Status::error(failure.message.clone());
            span.attributes.extend(blamed(failure));
            if self.exception_events {
                span.events = events(vec![exception(failure, span.end_time)]);
            }
        }
        into.push(span);
        let guests = call.rare.iter().flat_map(|rare| &rare.spans);
        into.extend(guests.map(|guest| self.guest(guest, context)));
    }

    fn guest(&self, guest: &GuestSpan, call: SpanContext) -> SpanData {
        let context = SpanContext { span: guest.id, ..call };
        let mut span = self.span(context, Some(guest.parent), guest.name.clone(), self.time(guest.started), self.time(guest.ended));
        span.attributes = guest.attributes.iter().map(said).collect();
        let event = |event: &crate::words::guest_span::GuestEvent| {
            Event::new(event.name.clone(), self.time(event.at), event.attributes.iter().map(said).collect(), 0)
        };
        span.events = events(guest.events.iter().map(event).collect());
        if let Some(message) = &guest.error {
            span.status = Status::error(message.clone());
        }
        if let Role::Client(request) = &guest.role {
            tell(request, &mut span);
        }
        span
    }

    /// The root span of a batch. `run` is the run's own, to which it is linked; `failure` is that of its first call that failed.
    pub fn root(&self, root: &RootRecord, run: SpanContext, failure: Option<&Failure>) -> SpanData {
        let mut span = self.span(root.context, None, span::BATCH, self.time(root.started), self.time(root.ended));
        let source = self.stages.stages.get(root.origin).map_or_else(|| "".into(), |stage| Arc::clone(&stage.name));
        let outcome = match root {
            RootRecord { failed: true, .. } => "failed",
            RootRecord { dropped: true, .. } => "dropped",
            RootRecord { rejected: true, .. } => "rejected",
            _ => "ok",
        };
        span.attributes = vec![
            self.stages.pipeline.clone(),
            integer(a::BATCH_SEQUENCE, root.sequence),
            KeyValue::new(a::SOURCE, source),
            KeyValue::new(a::BATCH_OUTCOME, outcome),
        ];
        span.links = self.links(std::iter::once(&run).chain(&root.links));
        if root.failed {
            span.status = Status::error(failure.map_or_else(String::new, |failure| failure.message.clone()));
            span.attributes.extend(failure.map(|failure| KeyValue::new(a::ERROR_TYPE, failure.reason)));
        }
        span
    }

    /// The span of a run.
    pub fn run(&self, run: &RunRecord, context: SpanContext, parent: Option<SpanContext>, started: SystemTime) -> SpanData {
        let mut span = self.span(context, parent.map(|parent| parent.span), span::RUN, started, self.time(run.ended));
        span.parent_span_is_remote = parent.is_some();
        span.attributes =
            vec![self.stages.pipeline.clone(), KeyValue::new(a::RUN_OUTCOME, run.outcome), integer(a::ROWS_COMMITTED, run.rows)];
        if let Some((stage, failure)) = &run.failure {
            span.status = Status::error(failure.message.clone());
            span.attributes.push(KeyValue::new(a::STAGE, stage.clone()));
            span.attributes.extend(blamed(failure));
        }
        span
    }

    /// The spans of a change.
    pub fn swap(&self, swap: &SwapRecord, run: SpanContext, into: &mut Vec<SpanData>) {
        let context = SpanContext { span: swap.span, ..run };
        let stage = swap.stage.as_deref().map(|stage| text(a::STAGE, stage));
        let changed: Vec<_> = std::iter::once(self.stages.pipeline.clone()).chain(stage).collect();
        let mut span = self.span(context, Some(run.span), span::SWAP, self.time(swap.began), self.time(swap.ended));
        span.attributes = changed.clone();
        span.attributes.extend([KeyValue::new(a::SWAP_TRIGGER, swap.trigger), KeyValue::new(a::SWAP_OUTCOME, swap.outcome)]);
        let [old, new] = &swap.versions;
        for (version, generation, digest) in [(old, a::OLD_GENERATION, a::OLD_DIGEST), (new, a::NEW_GENERATION, a::NEW_DIGEST)] {
            let told = version.iter().flat_map(|version| [integer(generation, version.0.into()), text(digest, short(&version.1))]);
            span.attributes.extend(told);
        }
        span.attributes.push(KeyValue::new(a::SWAP_PAUSE, swap.pause.as_secs_f64()));
        if let Some((reason, message)) = &swap.failure {
            span.attributes.push(KeyValue::new(a::ERROR_TYPE, *reason));
            span.status = Status::error(message.clone());
        }
        into.push(span);
        self.phases(&swap.phases, span::SWAP, context, &changed, into);
    }

    /// The spans of a checkpoint.
    pub fn checkpoint(&self, checkpoint: &CheckpointRecord, run: SpanContext, into: &mut Vec<SpanData>) {
        let context = SpanContext { span: checkpoint.span, ..run };
        let numbered = vec![self.stages.pipeline.clone(), integer(a::CHECKPOINT_NUMBER, checkpoint.number)];
        let (began, ended) = (self.time(checkpoint.began), self.time(checkpoint.ended));
        let mut span = self.span(context, Some(run.span), span::CHECKPOINT, began, ended);
        span.attributes = numbered.clone();
        span.attributes.push(KeyValue::new(a::CHECKPOINT_OUTCOME, checkpoint.outcome));
        span.attributes.push(integer(a::CHECKPOINT_BYTES, checkpoint.bytes));
        if let Some((stage, failure)) = &checkpoint.failure {
            span.status = Status::error(failure.message.clone());
            span.attributes.extend((!stage.is_empty()).then(|| KeyValue::new(a::STAGE, stage.clone())));
            span.attributes.extend(blamed(failure));
        }
        into.push(span);
        self.phases(&checkpoint.phases, span::CHECKPOINT, context, &numbered, into);
    }

    fn phases(&self, phases: &[PhaseRecord], of: &str, parent: SpanContext, say: &[KeyValue], into: &mut Vec<SpanData>) {
        into.extend(phases.iter().map(|PhaseRecord { span, name, began, ended }| {
            let (context, name) = (SpanContext { span: *span, ..parent }, format!("{of} {name}"));
            let span = self.span(context, Some(parent.span), name, self.time(*began), self.time(*ended));
            SpanData { attributes: say.to_vec(), ..span }
        }));
    }

    fn span(
        &self,
        context: SpanContext,
        parent: Option<SpanId>,
        name: impl Into<Cow<'static, str>>,
        started: SystemTime,
        ended: SystemTime,
    ) -> SpanData {
        SpanData {
            span_context: self.remote(context),
            parent_span_id: parent.map_or(Id::INVALID, |parent| Id::from(parent.0.get())),
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: name.into(),
            start_time: started,
            // A clock that is set back must not make a span end before it began.
            end_time: ended.max(started),
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: otlp::scope(),
        }
    }

    fn remote(&self, context: SpanContext) -> opentelemetry::trace::SpanContext {
        let flags = if context.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
        let state = if context.trace == self.state.0 { self.state.1.clone() } else { TraceState::NONE };
        opentelemetry::trace::SpanContext::new(context.trace.0.get().into(), context.span.0.get().into(), flags, false, state)
    }

    fn links<'b>(&self, to: impl Iterator<Item = &'b SpanContext>) -> SpanLinks {
        let mut links = SpanLinks::default();
        links.links = to.map(|context| Link::with_context(self.remote(*context))).collect();
        links
    }

    fn time(&self, instant: Instant) -> SystemTime {
        let (then, time) = self.anchor;
        match instant.checked_duration_since(then) {
            Some(later) => time + later,
            None => time - then.duration_since(instant),
        }
    }
}

fn attributes(stage: &Stage, call: &CallRecord) -> Vec<KeyValue> {
    // Room for all, so that it is allocated once.
    let mut attributes = Vec::with_capacity(40);
    attributes.extend_from_slice(&stage.common);
    let outcome = if call.failure().is_some() { "error" } else { "ok" };
    attributes.extend([
        integer(a::INSTANCE, call.instance.into()),
        integer(a::GENERATION, call.generation.into()),
        KeyValue::new(a::EXPORT, call.export.as_str()),
        KeyValue::new(a::OUTCOME, outcome),
        integer(a::ROWS_IN, call.rows_in),
        integer(a::ROWS_OUT, call.rows_out),
        integer(a::ROWS_FILTERED, call.rows_filtered),
        integer(a::ROWS_REJECTED, call.rows_rejected),
        integer(a::ROWS_HELD, call.rows_held),
        integer(a::BYTES_READ, call.bytes_read),
        integer(a::BYTES_MADE, call.bytes_made),
        integer(a::BYTES_STAYED, call.bytes_stayed),
        strings(a::COLUMNS_READ, stage.columns_read(call)),
        integer(a::FUEL, call.fuel),
        KeyValue::new(a::FUEL_EXACT, call.fuel_exact),
        integer(a::MEMORY_PEAK, call.memory),
        integer(a::MEMORY_GROWTH, call.memory_growth),
        seconds(a::QUEUE_WAIT, call.waited),
        seconds(a::TIME_GUEST, call.guest),
        seconds(a::TIME_COPY, call.copy),
        seconds(a::TIME_HOST, call.host),
    ]);
    attributes.extend(call.batch.map(|sequence| integer(a::BATCH_SEQUENCE, sequence)));
    attributes.extend(call.again.map(|again| KeyValue::new(a::AGAIN, again.as_str())));
    let datasets = stage.datasets(call);
    if !datasets.is_empty() {
        let told = |what: fn(&Dataset) -> StringValue| datasets.iter().map(|dataset| what(dataset)).collect();
        attributes.push(strings(a::DATASET_NAME, told(|dataset| name(&dataset.location).into())));
        attributes.push(strings(a::DATASET_FORMAT, told(|dataset| dataset.format.into())));
        attributes.push(strings(a::DATASET_LOCATION, told(|dataset| without_secrets(&dataset.location).into())));
    }
    attributes
}

fn blamed(failure: &Failure) -> [KeyValue; 2] {
    [KeyValue::new(a::ERROR_TYPE, failure.reason), KeyValue::new(a::BLAME, failure.blame.to_string())]
}

fn exception(failure: &Failure, at: SystemTime) -> Event {
    let attributes = vec![KeyValue::new(a::EXCEPTION_TYPE, failure.reason), KeyValue::new(a::EXCEPTION_MESSAGE, failure.message.clone())];
    Event::new(span::EXCEPTION, at, attributes, 0)
}

fn events(of: Vec<Event>) -> SpanEvents {
    let mut events = SpanEvents::default();
    events.events = of;
    events
}

fn said((key, value): &(String, Said)) -> KeyValue {
    let value: Value = match value {
        Said::Text(text) => text.clone().into(),
        Said::Integer(integer) => (*integer).into(),
        Said::Number(number) => (*number).into(),
        Said::Flag(flag) => (*flag).into(),
    };
    KeyValue::new(key.clone(), value)
}

fn text(key: &'static str, text: &str) -> KeyValue {
    KeyValue::new(key, Arc::<str>::from(text))
}

fn integer(key: &'static str, number: u64) -> KeyValue {
    KeyValue::new(key, i64::try_from(number).unwrap_or(i64::MAX))
}

fn seconds(key: &'static str, nanoseconds: u64) -> KeyValue {
    KeyValue::new(key, Duration::from_nanos(nanoseconds).as_secs_f64())
}

fn strings(key: &'static str, strings: Vec<StringValue>) -> KeyValue {
    KeyValue::new(key, Value::Array(Array::String(strings)))
}

/// Says of a span what it is to say as the span of a request.
fn tell(request: &Request, span: &mut SpanData) {
    span.span_kind = SpanKind::Client;
    span.attributes.extend([
        KeyValue::new(a::HTTP_METHOD, request.method.clone()),
        KeyValue::new(a::URL_SCHEME, request.scheme.clone()),
        KeyValue::new(a::SERVER_ADDRESS, request.host.clone()),
        KeyValue::new(a::SERVER_PORT, i64::from(request.port)),
        KeyValue::new(a::URL_PATH, request.path.clone()),
    ]);
    match request.status {
        Ok(status) => {
            span.attributes.push(KeyValue::new(a::HTTP_STATUS, i64::from(status)));
            // For a client both the other side's errors and its own are; the status says it all.
            if status >= 400 {
                span.status = Status::error("");
                span.attributes.push(KeyValue::new(a::ERROR_TYPE, status.to_string()));
            }
        }
        Err(why) => {
            span.status = Status::error(why);
            span.attributes.push(KeyValue::new(a::ERROR_TYPE, why));
        }
    }
}
