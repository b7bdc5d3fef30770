//! Spans: records written beside the calls, expanded and exported behind them.

use std::sync::Arc;

use super::metrics::RunMetrics;
use crate::words::{
    observe::{BatchTrace, CallFacts, Export, RunFacts, RunOutcome, WorkerFacts},
    trace::SpanContext,
};

/// Records and exports the spans of runs.
pub struct Traces;

/// Of one run.
pub struct RunTraces;

/// Of one thread's calls.
pub struct CallTraces;

impl Traces {
    /// A run begins. What is kept of it is told to the metrics, for exemplars.
    pub fn run(&self, _run: &RunFacts, _metrics: Option<Arc<RunMetrics>>) -> Arc<RunTraces> {
        Arc::new(RunTraces)
    }
}

impl RunTraces {
    /// The run's own span.
    pub fn context(&self) -> SpanContext {
        SpanContext::root(false)
    }

    /// Names a batch's root span, and decides whether the batch is recorded.
    pub fn root(&self) -> SpanContext {
        SpanContext::root(false)
    }

    /// A thread begins to call an instance.
    pub fn worker(&self, _worker: &WorkerFacts) -> CallTraces {
        CallTraces
    }

    /// A batch has gone all its way.
    pub fn batch(&self, _batch: &BatchTrace) {}

    /// The run has ended.
    pub fn ended(&self, _outcome: &RunOutcome<'_>) {}
}

impl CallTraces {
    /// Names the span of a call that is about to be made.
    pub fn begin(&mut self, _export: Export, batch: Option<&Arc<BatchTrace>>) -> SpanContext {
        batch.map_or_else(|| SpanContext::root(false), |batch| batch.root)
    }

    /// It has ended.
    pub fn end(&mut self, _call: &CallFacts<'_>) {}
}
