//! Metrics: every call counted and observed, gathered when somebody asks.

use std::{
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use crate::words::{
    observe::{BatchTrace, CallFacts, Probe, RunFacts, RunOutcome, WorkerFacts},
    trace::SpanContext,
};

/// Counts and observes runs.
pub struct Metrics;

/// Of one run.
pub struct RunMetrics;

/// Of one thread's calls.
pub struct CallMetrics;

impl Metrics {
    /// A run begins.
    pub fn run(&self, _run: &RunFacts, _probe: Weak<dyn Probe>) -> Arc<RunMetrics> {
        Arc::new(RunMetrics)
    }
}

impl RunMetrics {
    /// A thread begins to call an instance.
    pub fn worker(&self, _worker: &WorkerFacts) -> CallMetrics {
        CallMetrics
    }

    /// A batch has gone all its way.
    pub fn batch(&self, _batch: &BatchTrace) {}

    /// The run has ended.
    pub fn ended(&self, _outcome: &RunOutcome<'_>) {}

    /// The span of a call of a stage is kept: an exemplar for the stage's latency histograms.
    pub fn kept_call(&self, _stage: usize, _duration: Duration, _context: SpanContext, _at: SystemTime) {}

    /// The root span of a batch is kept: an exemplar for end-to-end latency.
    pub fn kept_batch(&self, _origin: usize, _duration: Duration, _context: SpanContext, _at: SystemTime) {}
}

impl CallMetrics {
    /// A call has ended.
    pub fn end(&mut self, _call: &CallFacts<'_>) {}
}
