//! The observer that a run is given: hands what it is told to the layers that are there.

use std::{
    sync::{Arc, Weak},
    time::Instant,
};

use super::{
    metrics::{CallMetrics, Metrics, RunMetrics, Swap},
    traces::{CallTraces, RunTraces, Traces},
};
use crate::words::{
    call::CallError,
    observe::{
        BatchTrace, CallFacts, CallObserver, CheckpointFacts, Export, Observer, Probe, Refused, RunFacts, RunObserver, RunOutcome,
        SetAside, StageFacts, Swapped, WorkerFacts,
    },
    trace::SpanContext,
};

/// Watches runs with the layers that it was given.
#[derive(Default)]
pub struct Telemetry {
    /// Spans.
    pub traces: Option<Traces>,
    /// Metrics.
    pub metrics: Option<Metrics>,
}

struct RunWatch {
    /// The run's span when nobody records it.
    unrecorded: SpanContext,
    traces: Option<Arc<RunTraces>>,
    metrics: Option<Arc<RunMetrics>>,
}

struct CallWatch {
    unrecorded: SpanContext,
    traces: Option<CallTraces>,
    metrics: Option<CallMetrics>,
}

impl Observer for Telemetry {
    fn run(&self, run: &RunFacts, probe: Weak<dyn Probe>) -> Arc<dyn RunObserver> {
        let metrics = self.metrics.as_ref().map(|metrics| metrics.run(run, probe));
        let traces = self.traces.as_ref().map(|traces| traces.run(run, metrics.clone()));
        Arc::new(RunWatch { unrecorded: SpanContext::root(false), traces, metrics })
    }
}

impl RunObserver for RunWatch {
    fn context(&self) -> SpanContext {
        self.traces.as_ref().map_or(self.unrecorded, |traces| traces.context())
    }

    fn root(&self) -> SpanContext {
        self.traces.as_ref().map_or_else(|| SpanContext::root(false), |traces| traces.root())
    }

    fn worker(&self, worker: &WorkerFacts) -> Box<dyn CallObserver> {
        Box::new(CallWatch {
            unrecorded: self.context(),
            traces: self.traces.as_ref().map(|traces| traces.worker(worker)),
            metrics: self.metrics.as_ref().map(|metrics| metrics.worker(worker)),
        })
    }

    fn batch(&self, batch: &BatchTrace) {
        // One look at the clock for all.
        let ended = Instant::now();
        if let Some(metrics) = &self.metrics {
            metrics.batch(batch, ended);
        }
        if let Some(traces) = &self.traces {
            traces.batch(batch, ended);
        }
    }

    fn failed(&self, stage: &str, during: &'static str, error: &CallError) {
        // Metrics count it when the run has ended.
        if let Some(traces) = &self.traces {
            traces.failed(stage, during, error);
        }
    }

    fn version(&self, stage: usize, generation: u32, facts: &StageFacts) {
        if let Some(metrics) = &self.metrics {
            metrics.version(stage, generation, facts);
        }
        if let Some(traces) = &self.traces {
            traces.version(stage, generation, facts);
        }
    }

    fn changed(&self, stage: usize, generation: u32, facts: &StageFacts) {
        if let Some(metrics) = &self.metrics {
            metrics.changed(stage, generation, facts);
        }
    }

    fn removed(&self, stage: usize) {
        if let Some(metrics) = &self.metrics {
            metrics.removed(stage);
        }
    }

    fn restarted(&self, stage: usize, reason: &'static str) {
        if let Some(metrics) = &self.metrics {
            metrics.restarted(stage, reason);
        }
    }

    fn set_aside(&self, aside: &SetAside<'_>) {
        if let Some(metrics) = &self.metrics {
            metrics.set_aside(aside.stage, aside.how, aside.rows);
        }
        if let Some(traces) = &self.traces {
            traces.set_aside(aside);
        }
    }

    fn swapped(&self, swap: &Swapped<'_>) {
        if let Some(metrics) = &self.metrics {
            metrics.changed(swap.stage, swap.generation, swap.facts);
            metrics.swapped(swap.stage, Swap::of(swap.outcome));
        }
        if let Some(traces) = &self.traces {
            traces.swapped(swap);
        }
    }

    fn refused(&self, change: &Refused<'_>) {
        if let (Some(metrics), Some((stage, _))) = (&self.metrics, change.stage) {
            metrics.swapped(stage, Swap::Failed);
        }
        if let Some(traces) = &self.traces {
            traces.refused(change);
        }
    }

    fn checkpointed(&self, checkpoint: &CheckpointFacts<'_>) {
        if let Some(metrics) = &self.metrics {
            metrics.checkpointed(checkpoint);
        }
        if let Some(traces) = &self.traces {
            traces.checkpointed(checkpoint);
        }
    }

    fn ended(&self, outcome: &RunOutcome<'_>) {
        if let Some(metrics) = &self.metrics {
            metrics.ended(outcome);
        }
        if let Some(traces) = &self.traces {
            traces.ended(outcome);
        }
    }
}

impl CallObserver for CallWatch {
    fn begin(&mut self, export: Export, batch: Option<&Arc<BatchTrace>>) -> SpanContext {
        match &mut self.traces {
            Some(traces) => traces.begin(export, batch),
            None => batch.map_or(self.unrecorded, |batch| batch.root),
        }
    }

    fn end(&mut self, call: &CallFacts<'_>) {
        if let Some(metrics) = &mut self.metrics {
            metrics.end(call);
        }
        if let Some(traces) = &mut self.traces {
            traces.end(call);
        }
    }
}
