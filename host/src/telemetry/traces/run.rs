//! What the threads of a run do: name spans before calls, write records after them. Nothing here waits for anybody.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Instant, SystemTime},
};

use opentelemetry::trace::TraceState;
use tokio::sync::Notify;

use super::{
    buffer::{Buffer, Pushed},
    constant::Constants,
    failure,
    record::{Brief, CallRecord, CheckpointRecord, Failure, Happened, RootRecord, RunRecord, SwapRecord},
    sampler::{Sampler, Share},
    settings::Settings,
};
use crate::{
    telemetry::{
        health::{Bound, Healths, Signal},
        metrics::RunMetrics,
    },
    words::{
        call::CallError,
        observe::{
            BatchTrace, CallFacts, CheckpointFacts, Export, Refused, RunFacts, RunOutcome, SetAside, StageFacts, Swapped, WorkerFacts,
        },
        trace::{SpanContext, SpanId, TraceId},
    },
};

/// The calls of one thread, as the background sees them.
pub struct CallBuffers {
    /// Those that are sampled.
    pub sampled: Buffer<CallRecord>,
    /// Those that are not, for the slowest batches.
    pub brief: Buffer<Brief>,
}

/// Of one run.
pub struct RunTraces {
    /// What is known of it.
    pub(super) facts: RunFacts,
    /// The same, as bytes of spans.
    pub(super) constants: Constants,
    /// Tail rule: the share of ordinary batches that is kept.
    pub(super) share: Share,
    /// Its span, and the span that this one is part of.
    pub(super) context: SpanContext,
    pub(super) parent: Option<SpanContext>,
    pub(super) started: (Instant, SystemTime),
    /// Who is told what is kept.
    pub(super) metrics: Option<Arc<RunMetrics>>,
    /// Batches that have gone all their way.
    pub(super) roots: Buffer<RootRecord>,
    /// Those of every thread.
    pub(super) calls: Mutex<Vec<Arc<CallBuffers>>>,
    /// Changes of what it runs.
    pub(super) happened: Buffer<Happened>,
    /// How it ended.
    pub(super) ended: Mutex<Option<RunRecord>>,
    sampler: Sampler,
    /// Whether spans go anywhere: if not, none is sampled.
    exports: bool,
    /// Whether calls are recorded that are not sampled: the slowest batches are wanted.
    always: bool,
    /// Records that a buffer takes.
    limit: usize,
    healths: Healths,
    /// Wakes the background.
    wake: Arc<Notify>,
}

/// Of one thread's calls.
pub struct CallTraces {
    run: Arc<RunTraces>,
    worker: WorkerFacts,
    written: Arc<CallBuffers>,
}

// === impl RunTraces ===

impl RunTraces {
    /// A run that begins now.
    pub(super) fn new(
        facts: &RunFacts,
        settings: &Settings,
        metrics: Option<Arc<RunMetrics>>,
        healths: Healths,
        wake: Arc<Notify>,
    ) -> Self {
        let (sampler, parent, exports) = (settings.sampler, settings.parent, settings.exports());
        let trace = parent.map_or_else(TraceId::fresh, |parent| parent.trace);
        let sampled = exports && sampler.run(trace, parent);
        // It has been read to the letter of its specification; one that OpenTelemetry does not take is left out.
        let state = settings.trace_state.parse().unwrap_or(TraceState::NONE);
        RunTraces {
            constants: Constants::of(facts, trace, &state),
            share: Share::of(facts.settings.keep.ratio),
            context: SpanContext { trace, span: SpanId::fresh(), sampled },
            parent,
            started: (Instant::now(), SystemTime::now()),
            metrics,
            roots: Buffer::new(settings.bounds.buffer),
            happened: Buffer::new(settings.bounds.buffer),
            calls: Mutex::default(),
            ended: Mutex::default(),
            sampler,
            exports,
            always: settings.slowest > 0,
            limit: settings.bounds.buffer,
            healths,
            wake,
            facts: facts.clone(),
        }
    }

    /// The run's own span.
    pub fn context(&self) -> SpanContext {
        self.context
    }

    /// Names a batch's root span, and decides whether the batch is recorded.
    #[inline]
    pub fn root(&self) -> SpanContext {
        let trace = TraceId::fresh();
        SpanContext { trace, span: SpanId::fresh(), sampled: self.exports && self.sampler.batch(trace, self.parent) }
    }

    /// A thread begins to call an instance.
    pub fn worker(self: &Arc<Self>, worker: &WorkerFacts) -> CallTraces {
        let written = Arc::new(CallBuffers { sampled: Buffer::new(self.limit), brief: Buffer::new(self.limit) });
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&written));
        CallTraces { run: Arc::clone(self), worker: worker.clone(), written }
    }

    /// A batch has gone all its way.
    pub fn batch(&self, batch: &BatchTrace, ended: Instant) {
        if !(batch.root.sampled || self.always) {
            return;
        }
        let pushed = self.roots.push(RootRecord::of(batch, ended));
        self.after(pushed, || u64::from(batch.root.sampled && !batch.is_void()));
    }

    /// A stage joins, or another version of one is about to be called.
    pub fn version(&self, stage: usize, generation: u32, facts: &StageFacts) {
        self.constants.version(stage, generation, facts);
    }

    /// A stage failed outside of any call.
    pub fn failed(&self, stage: &str, during: &'static str, error: &CallError) {
        failure::log_outside(&self.facts, self.context, stage, during, error);
    }

    /// A stage has been changed, or was not.
    pub fn swapped(&self, swap: &Swapped<'_>) {
        self.happened(|| Happened::Swap(SwapRecord::of(swap)));
    }

    /// A change was refused before any stage was touched.
    pub fn refused(&self, change: &Refused<'_>) {
        self.happened(|| Happened::Swap(SwapRecord::refused(change)));
    }

    /// A checkpoint has been taken, or was not.
    pub fn checkpointed(&self, checkpoint: &CheckpointFacts<'_>) {
        self.happened(|| Happened::Checkpoint(CheckpointRecord::of(checkpoint)));
    }

    /// Kept as the run's own span is: there are few of them, and each is worth being seen.
    fn happened(&self, record: impl FnOnce() -> Happened) {
        if self.context.sampled {
            let record = record();
            let spans = record.spans() as u64;
            let pushed = self.happened.push(record);
            self.after(pushed, || spans);
        }
    }

    /// Rows of a batch were set aside.
    pub fn set_aside(&self, aside: &SetAside<'_>) {
        failure::log_aside(self, aside);
    }

    /// The run has ended.
    pub fn ended(&self, outcome: &RunOutcome<'_>) {
        let failure = outcome.failure.map(|(stage, error)| (stage.to_owned(), Failure::of(error)));
        let record = RunRecord { ended: Instant::now(), outcome: outcome.outcome, rows: outcome.rows, failure };
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(record);
        self.wake.notify_one();
    }

    /// What a push asks for: waking the background, or counting the spans that are lost.
    #[inline]
    fn after(&self, pushed: Pushed, spans: impl FnOnce() -> u64) {
        match pushed {
            Pushed::Kept => {}
            Pushed::HalfFull => self.wake.notify_one(),
            Pushed::Dropped => self.lost(spans()),
        }
    }

    #[cold]
    fn lost(&self, spans: u64) {
        self.healths.of(Signal::Spans).found_no_room(spans, Bound::Buffer);
    }
}

// === impl CallTraces ===

impl CallTraces {
    /// Names the span of a call that is about to be made.
    #[inline]
    pub fn begin(&mut self, _export: Export, batch: Option<&Arc<BatchTrace>>) -> SpanContext {
        batch.map_or(&self.run.context, |batch| &batch.root).child()
    }

    /// It has ended.
    #[inline]
    pub fn end(&mut self, call: &CallFacts<'_>) {
        // What becomes of a failure that is handled is told when it is known.
        if let Some(error) = call.error.filter(|_| !call.handled) {
            failure::log(&self.run, self.worker.stage, call, error);
        }
        if call.context.sampled {
            let pushed = self.written.sampled.push(CallRecord::of(&self.worker, call));
            self.run.after(pushed, || 1 + call.usage.said.spans.len() as u64);
        } else if let (true, Some(batch)) = (self.run.always, call.batch) {
            // A call that is about the run is part of no batch, slow or not.
            let pushed = self.written.brief.push(Brief::of(self.worker.stage, batch.sequence, call));
            self.run.after(pushed, || 0);
        }
    }
}
