//! From records to OTLP's bytes, without anything in between: every attribute of TELEMETRY.md, once somebody is going to see it.
//!
//! A span is some 1.3 KB of names that are always the same and fifteen numbers that are not. So it is copied from what is constant
//! ([`Constants`]) and the numbers are written between; the way of the SDK, through `SpanData` and prost's messages, allocates each
//! of its names and costs twenty times as much. It is the oracle of the tests here.

use std::{
    ops::Range,
    time::{Instant, SystemTime},
};

use super::{
    constant::{Constants, StageBytes, field, short},
    record::{CallRecord, CheckpointRecord, Failure, PhaseRecord, RootRecord, RunRecord, SwapRecord, nanoseconds},
    request,
};
use crate::{
    telemetry::{
        names::{attribute as a, span},
        otlp::protobuf::{Key, Of, Open, Writer},
    },
    words::{
        guest_span::{GuestEvent, GuestSpan, Role, Value},
        trace::{SpanContext, SpanId},
    },
};

macro_rules! keys {
    ($($name:ident)*) => { $(static $name: Key = Key::new(a::$name);)* };
}

keys! {
    AGAIN INSTANCE GENERATION BATCH_SEQUENCE BATCH_OUTCOME ROWS_IN ROWS_OUT ROWS_FILTERED ROWS_REJECTED ROWS_HELD ROWS_COMMITTED BYTES_READ
    BYTES_MADE BYTES_STAYED COLUMNS_READ FUEL FUEL_EXACT MEMORY_PEAK MEMORY_GROWTH QUEUE_WAIT TIME_GUEST TIME_COPY TIME_HOST RUN_OUTCOME
    CHECKPOINT_NUMBER CHECKPOINT_OUTCOME CHECKPOINT_BYTES SWAP_OUTCOME SWAP_TRIGGER SWAP_PAUSE OLD_GENERATION OLD_DIGEST NEW_GENERATION NEW_DIGEST STAGE BLAME ERROR_TYPE EXCEPTION_TYPE EXCEPTION_MESSAGE
}

/// `ScopeSpans.spans`
const SPANS: u32 = 2;
/// Fields of a span, of its events, links and status (`opentelemetry/proto/trace/v1/trace.proto`).
const TRACE_ID: u32 = 1;
const SPAN_ID: u32 = 2;
const TRACE_STATE: u32 = 3;
const PARENT: u32 = 4;
const START: u32 = 7;
const END: u32 = 8;
const EVENTS: u32 = 11;
const LINKS: u32 = 13;
const STATUS: u32 = 15;
const FLAGS: u32 = 16;
const EVENT_TIME: u32 = 1;
const EVENT_NAME: u32 = 2;
const LINK_FLAGS: u32 = 6;
const STATUS_MESSAGE: u32 = 2;
const STATUS_CODE: u32 = 3;
const ERROR: u64 = 2;

/// Flags: that it is known whether the parent is another process's, and that it is.
const REMOTE_IS_KNOWN: u32 = 0x100;
const REMOTE: u32 = 0x200;

/// Turns the records of one run into spans.
pub struct Encode<'a> {
    /// The run's.
    pub constants: &'a Constants,
    /// A moment by both clocks, not long ago, the second in nanoseconds since 1970: records hold the one, spans want the other.
    pub anchor: (Instant, u64),
    /// Whether exceptions are events, too.
    pub exception_events: bool,
    /// Takes the spans.
    pub writer: &'a mut Writer,
}

/// When a span began and ended, in nanoseconds since 1970.
#[derive(Clone, Copy)]
struct Times {
    started: u64,
    ended: u64,
}

// === impl Encode ===

impl Encode<'_> {
    /// The span of a call.
    pub fn call(&mut self, call: &CallRecord, parent: SpanContext) {
        let constants = self.constants;
        let Some(stage) = constants.version_of(call.stage as usize, call.generation) else { return };
        let started = self.time(call.started);
        let times = Times { started, ended: started + call.guest + call.copy + call.host };
        let context = SpanContext { span: call.span, ..parent };
        let open = self.begin(context, Some(parent.span), times, |writer| writer.put(stage.name(call.export)));
        attributes(self.writer, constants, &stage, call);
        if let Some(failure) = call.failure() {
            blamed(self.writer, failure);
            if self.exception_events {
                exception(self.writer, failure, times.ended);
            }
        }
        self.end(open, context, REMOTE_IS_KNOWN, call.failure().map(|failure| failure.message.as_str()));
    }

    /// A span of a guest's own, or of a request of its.
    pub fn guest(&mut self, guest: &GuestSpan, trace: SpanContext) {
        let context = SpanContext { span: guest.id, ..trace };
        let started = self.time(guest.started);
        let times = Times { started, ended: self.time(guest.ended).max(started) };
        let kind = if guest.role == Role::Internal { field::INTERNAL } else { field::CLIENT };
        let open = self.begin(context, Some(guest.parent), times, |writer| {
            writer.text(field::NAME, &guest.name);
            writer.number(field::KIND, kind);
        });
        guest.attributes.iter().for_each(|said| say(self.writer, Of::Span, said));
        let asked = match &guest.role {
            Role::Internal => None,
            Role::Client(asked) => request::write(asked, self.writer),
        };
        guest.events.iter().for_each(|event| self.event(event));
        self.end(open, context, REMOTE_IS_KNOWN, asked.or(guest.error.as_deref()));
    }

    /// The root span of a batch. `run` is the run's own, to which it is linked; `failure` is that of its first call that failed.
    pub fn root(&mut self, root: &RootRecord, run: SpanContext, failure: Option<&Failure>) {
        let started = self.time(root.started);
        let times = Times { started, ended: self.time(root.ended).max(started) };
        let open = self.begin(root.context, None, times, |writer| named(writer, span::BATCH));
        self.writer.put(&self.constants.pipeline);
        self.writer.integer(Of::Span, &BATCH_SEQUENCE, root.sequence);
        if let Some(stage) = self.constants.stage(root.origin) {
            self.writer.put(&stage.source);
        }
        let outcome = match root {
            RootRecord { failed: true, .. } => "failed",
            RootRecord { dropped: true, .. } => "dropped",
            RootRecord { rejected: true, .. } => "rejected",
            _ => "ok",
        };
        self.writer.string(Of::Span, &BATCH_OUTCOME, outcome);
        if let Some(failure) = failure.filter(|_| root.failed) {
            self.writer.string(Of::Span, &ERROR_TYPE, failure.reason);
        }
        std::iter::once(&run).chain(&root.links).for_each(|to| self.link(*to));
        let message = root.failed.then(|| failure.map_or("", |failure| &failure.message));
        self.end(open, root.context, REMOTE_IS_KNOWN, message);
    }

    /// The span of a run, which began at a moment that the other clock told.
    pub fn run(&mut self, run: &RunRecord, context: SpanContext, parent: Option<SpanContext>, started: SystemTime) {
        let started = since_epoch(started);
        let times = Times { started, ended: self.time(run.ended).max(started) };
        let open = self.begin(context, parent.map(|parent| parent.span), times, |writer| named(writer, span::RUN));
        self.writer.put(&self.constants.pipeline);
        self.writer.string(Of::Span, &RUN_OUTCOME, run.outcome);
        self.writer.integer(Of::Span, &ROWS_COMMITTED, run.rows);
        if let Some((stage, failure)) = &run.failure {
            self.writer.string(Of::Span, &STAGE, stage);
            blamed(self.writer, failure);
        }
        let flags = REMOTE_IS_KNOWN | parent.map_or(0, |_| REMOTE);
        self.end(open, context, flags, run.failure.as_ref().map(|(_, failure)| failure.message.as_str()));
    }

    /// The spans of a change that have a number within a range: its own, and one for each thing that was done for it.
    pub fn swap(&mut self, swap: &SwapRecord, run: SpanContext, wanted: Range<usize>) {
        let context = SpanContext { span: swap.span, ..run };
        if wanted.contains(&0) {
            let times = self.times(swap.began, swap.ended);
            let open = self.begin(context, Some(run.span), times, |writer| named(writer, span::SWAP));
            self.changed(swap);
            self.writer.string(Of::Span, &SWAP_TRIGGER, swap.trigger);
            self.writer.string(Of::Span, &SWAP_OUTCOME, swap.outcome);
            let keys = [(&OLD_GENERATION, &OLD_DIGEST), (&NEW_GENERATION, &NEW_DIGEST)];
            for ((generation, digest), version) in keys.into_iter().zip(&swap.versions) {
                if let Some(version) = version {
                    self.writer.integer(Of::Span, generation, version.0.into());
                    self.writer.string(Of::Span, digest, short(&version.1));
                }
            }
            self.writer.double(Of::Span, &SWAP_PAUSE, swap.pause.as_secs_f64());
            if let Some((reason, _)) = &swap.failure {
                self.writer.string(Of::Span, &ERROR_TYPE, reason);
            }
            self.end(open, context, REMOTE_IS_KNOWN, swap.failure.as_ref().map(|(_, message)| message.as_str()));
        }
        self.phases(&swap.phases, &wanted, span::SWAP, context, |encode| encode.changed(swap));
    }

    /// The spans of a checkpoint, as above.
    pub fn checkpoint(&mut self, checkpoint: &CheckpointRecord, run: SpanContext, wanted: Range<usize>) {
        let context = SpanContext { span: checkpoint.span, ..run };
        if wanted.contains(&0) {
            let times = self.times(checkpoint.began, checkpoint.ended);
            let open = self.begin(context, Some(run.span), times, |writer| named(writer, span::CHECKPOINT));
            self.numbered(checkpoint);
            self.writer.string(Of::Span, &CHECKPOINT_OUTCOME, checkpoint.outcome);
            self.writer.integer(Of::Span, &CHECKPOINT_BYTES, checkpoint.bytes);
            if let Some((stage, failure)) = &checkpoint.failure {
                if !stage.is_empty() {
                    self.writer.string(Of::Span, &STAGE, stage);
                }
                blamed(self.writer, failure);
            }
            self.end(open, context, REMOTE_IS_KNOWN, checkpoint.failure.as_ref().map(|(_, failure)| failure.message.as_str()));
        }
        self.phases(&checkpoint.phases, &wanted, span::CHECKPOINT, context, |encode| encode.numbered(checkpoint));
    }

    /// What a checkpoint and all its phases say.
    fn numbered(&mut self, checkpoint: &CheckpointRecord) {
        self.writer.put(&self.constants.pipeline);
        self.writer.integer(Of::Span, &CHECKPOINT_NUMBER, checkpoint.number);
    }

    /// Those of the phases of a span that have a number within a range, from 1: the span itself is 0.
    fn phases(&mut self, phases: &[PhaseRecord], wanted: &Range<usize>, of: &str, parent: SpanContext, say: impl Fn(&mut Self)) {
        for (_, phase) in (1..).zip(phases).filter(|(number, _)| wanted.contains(number)) {
            let context = SpanContext { span: phase.span, ..parent };
            let times = self.times(phase.began, phase.ended);
            let open = self.begin(context, Some(parent.span), times, |writer| named(writer, &format!("{of} {}", phase.name)));
            say(self);
            self.end(open, context, REMOTE_IS_KNOWN, None);
        }
    }

    /// What a change and all its phases say of what is changed.
    fn changed(&mut self, swap: &SwapRecord) {
        self.writer.put(&self.constants.pipeline);
        if let Some(stage) = &swap.stage {
            self.writer.string(Of::Span, &STAGE, stage);
        }
    }

    fn times(&self, began: Instant, ended: Instant) -> Times {
        let started = self.time(began);
        Times { started, ended: self.time(ended).max(started) }
    }

    /// Up to the attributes, which come next.
    #[inline]
    fn begin(&mut self, context: SpanContext, parent: Option<SpanId>, times: Times, named: impl FnOnce(&mut Writer)) -> Open {
        let open = self.writer.open(SPANS);
        self.ids(context);
        if let Some(parent) = parent {
            self.writer.bytes(PARENT, &parent.0.get().to_be_bytes());
        }
        named(self.writer);
        self.writer.fixed64(START, times.started);
        self.writer.fixed64(END, times.ended);
        open
    }

    /// What comes after attributes, events and links. A span with a message has failed, even if the message is empty.
    #[inline]
    fn end(&mut self, open: Open, context: SpanContext, flags: u32, failed: Option<&str>) {
        let status = self.writer.open(STATUS);
        if let Some(message) = failed {
            self.writer.text(STATUS_MESSAGE, message);
            self.writer.number(STATUS_CODE, ERROR);
        }
        self.writer.close(status);
        self.writer.fixed32(FLAGS, flags | u32::from(context.sampled));
        self.writer.close(open);
    }

    #[inline]
    fn ids(&mut self, of: SpanContext) {
        self.writer.bytes(TRACE_ID, &of.trace.0.get().to_be_bytes());
        self.writer.bytes(SPAN_ID, &of.span.0.get().to_be_bytes());
        self.writer.text(TRACE_STATE, self.constants.state(of));
    }

    fn link(&mut self, to: SpanContext) {
        let open = self.writer.open(LINKS);
        self.ids(to);
        self.writer.fixed32(LINK_FLAGS, REMOTE_IS_KNOWN | u32::from(to.sampled));
        self.writer.close(open);
    }

    fn event(&mut self, event: &GuestEvent) {
        let open = self.writer.open(EVENTS);
        self.writer.fixed64(EVENT_TIME, self.time(event.at));
        self.writer.text(EVENT_NAME, &event.name);
        event.attributes.iter().for_each(|said| say(self.writer, Of::Event, said));
        self.writer.close(open);
    }

    /// A moment in nanoseconds since 1970.
    #[inline]
    fn time(&self, instant: Instant) -> u64 {
        let (then, time) = self.anchor;
        // Most moments are before that one.
        match then.checked_duration_since(instant) {
            Some(earlier) => time.saturating_sub(nanoseconds(earlier)),
            None => time.saturating_add(nanoseconds(instant.duration_since(then))),
        }
    }
}

/// Attributes of a call.
fn attributes(writer: &mut Writer, constants: &Constants, stage: &StageBytes, call: &CallRecord) {
    writer.put(&stage.common);
    writer.integer(Of::Span, &INSTANCE, call.instance.into());
    writer.integer(Of::Span, &GENERATION, call.generation.into());
    writer.put(constants.export(call.export, call.failure().is_some()));
    for (key, rows) in [
        (&ROWS_IN, call.rows_in),
        (&ROWS_OUT, call.rows_out),
        (&ROWS_FILTERED, call.rows_filtered),
        (&ROWS_REJECTED, call.rows_rejected),
        (&ROWS_HELD, call.rows_held),
        (&BYTES_READ, call.bytes_read),
        (&BYTES_MADE, call.bytes_made),
        (&BYTES_STAYED, call.bytes_stayed),
    ] {
        writer.integer(Of::Span, key, rows);
    }
    writer.strings(Of::Span, &COLUMNS_READ, stage.columns_read(call));
    writer.integer(Of::Span, &FUEL, call.fuel);
    writer.flag(Of::Span, &FUEL_EXACT, call.fuel_exact);
    writer.integer(Of::Span, &MEMORY_PEAK, call.memory);
    writer.integer(Of::Span, &MEMORY_GROWTH, call.memory_growth);
    for (key, time) in [(&QUEUE_WAIT, call.waited), (&TIME_GUEST, call.guest), (&TIME_COPY, call.copy), (&TIME_HOST, call.host)] {
        writer.double(Of::Span, key, std::time::Duration::from_nanos(time).as_secs_f64());
    }
    if let Some(sequence) = call.batch {
        writer.integer(Of::Span, &BATCH_SEQUENCE, sequence);
    }
    if let Some(again) = call.again {
        writer.string(Of::Span, &AGAIN, again.as_str());
    }
    stage.write_datasets(call, writer);
}

fn named(writer: &mut Writer, name: &str) {
    writer.text(field::NAME, name);
    writer.number(field::KIND, field::INTERNAL);
}

fn blamed(writer: &mut Writer, failure: &Failure) {
    writer.string(Of::Span, &ERROR_TYPE, failure.reason);
    writer.string(Of::Span, &BLAME, &failure.blame.to_string());
}

fn exception(writer: &mut Writer, failure: &Failure, at: u64) {
    let open = writer.open(EVENTS);
    writer.fixed64(EVENT_TIME, at);
    writer.text(EVENT_NAME, span::EXCEPTION);
    writer.string(Of::Event, &EXCEPTION_TYPE, failure.reason);
    writer.string(Of::Event, &EXCEPTION_MESSAGE, &failure.message);
    writer.close(open);
}

/// What a guest says.
fn say(writer: &mut Writer, of: Of, (key, value): &(String, Value)) {
    writer.said(of, key, |writer| match value {
        Value::Text(text) => writer.bytes(1, text.as_bytes()),
        Value::Flag(flag) => writer.put(&[0x10, u8::from(*flag)]),
        Value::Integer(integer) => {
            writer.put(&[0x18]);
            // In two's complement, like every `int64`.
            writer.varint(*integer as u64);
        }
        Value::Number(number) => {
            writer.put(&[0x21]);
            writer.put(&number.to_le_bytes());
        }
    });
}

/// Nanoseconds since 1970.
pub fn since_epoch(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, nanoseconds)
}
