//! Of one run: its stages, its sources, the batches that have gone all their way.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use super::{
    calls::CallMetrics,
    exemplars::{Exemplars, Kept},
    levels::Levels,
    lifetime::Lifetime,
    samples::Samples,
    scale::Scales,
    stage::{StageMetrics, Swap},
    tally::{Observed, SharedHistogram},
};
use crate::{
    telemetry::names::metric,
    words::{
        observe::{BatchTrace, Probe, RunFacts, RunOutcome, StageFacts, WorkerFacts},
        stage::Kind,
        trace::SpanContext,
    },
};

/// Characters of the label `source`: the names of several extracts, joined, are cut here.
const MAX_SOURCE: usize = 200;

/// Counts and observes one run.
pub struct RunMetrics {
    /// The pipeline's name.
    pub pipeline: String,
    pub(super) started: Instant,
    facts: Vec<StageFacts>,
    stages: Vec<StageMetrics>,
    /// The values of the label `source`.
    sources: Vec<String>,
    /// For each stage, the source of the batches that it brings into being.
    source_of: Box<[usize]>,
    /// End-to-end latency by source.
    batches: Vec<SharedHistogram>,
    pub(super) scales: Scales,
    levels: Levels,
    kept: Kept,
    ended: AtomicBool,
    lifetime: Arc<Lifetime>,
}

impl RunMetrics {
    pub(super) fn new(run: &RunFacts, probe: Weak<dyn Probe>, lifetime: Arc<Lifetime>) -> Self {
        let scales = Scales::new(&run.settings.buckets);
        let mut sources: Vec<String> = Vec::new();
        let source_of = run.stages.iter().map(|stage| {
            let joined: String = stage.sources.join("+").chars().take(MAX_SOURCE).collect();
            sources.iter().position(|known| *known == joined).unwrap_or_else(|| {
                sources.push(joined);
                sources.len() - 1
            })
        });
        let source_of = source_of.collect();
        RunMetrics {
            pipeline: run.pipeline.clone(),
            started: Instant::now(),
            stages: run.stages.iter().cloned().map(StageMetrics::new).collect(),
            facts: run.stages.clone(),
            source_of,
            batches: sources.iter().map(|_| SharedHistogram::new(&scales.seconds)).collect(),
            sources,
            levels: Levels::new(probe, run.stages.len()),
            kept: Kept::new(&scales.seconds),
            scales,
            ended: AtomicBool::new(false),
            lifetime,
        }
    }

    /// A thread begins to call an instance.
    pub fn worker(self: &Arc<Self>, worker: &WorkerFacts) -> CallMetrics {
        let stage = &self.stages[worker.stage];
        let shard = stage.worker(worker, self.sources.len());
        CallMetrics::new(Arc::clone(self), worker, stage.facts.kind == Kind::Extract, shard)
    }

    /// A batch has gone all its way, or as far as the run did: what was thrown away took no time that says anything.
    pub fn batch(&self, batch: &BatchTrace) {
        if !(batch.is_void() || batch.dropped()) {
            self.batches[self.source_of(batch.origin)].observe(batch.started.elapsed().as_nanos() as u64);
        }
    }

    /// The run has ended.
    pub fn ended(&self, outcome: &RunOutcome<'_>) {
        self.levels.end();
        // What failed outside of a call, such as a thread that could not be started, has not been counted by one.
        if let Some((name, error)) = outcome.failure
            && let Some(stage) = self.stages.iter().find(|stage| stage.facts.name == name)
            && !stage.knows(error)
        {
            stage.failed_outside(error);
        }
        if !self.ended.swap(true, Relaxed) {
            self.lifetime.ended(outcome.outcome);
        }
    }

    /// The span of a call of a stage is kept: an exemplar for the stage's latency histograms.
    pub fn kept_call(&self, stage: usize, duration: Duration, context: SpanContext, at: SystemTime) {
        let Some(facts) = self.facts.get(stage) else { return };
        self.kept.observed(metric::CALL_SECONDS, &[&facts.name], duration, context, at);
        self.kept.observed(metric::PROCESSING, &[&facts.kind.to_string()], duration, context, at);
        self.kept.counted(metric::BUSY, &[&facts.name], duration, context, at);
    }

    /// The root span of a batch is kept: an exemplar for end-to-end latency.
    pub fn kept_batch(&self, origin: usize, duration: Duration, context: SpanContext, at: SystemTime) {
        if origin < self.source_of.len() {
            self.kept.observed(metric::BATCH_SECONDS, &[&self.sources[self.source_of(origin)]], duration, context, at);
        }
    }

    /// An instance of a stage was opened in place of a poisoned one.
    pub fn restarted(&self, stage: usize) {
        self.stages[stage].restarted();
    }

    /// A swap of a stage's component has ended.
    pub fn swapped(&self, stage: usize, how: Swap) {
        self.stages[stage].swapped(how);
    }

    pub(super) fn stage(&self, stage: usize) -> &StageMetrics {
        &self.stages[stage]
    }

    /// Where the rows of a batch come from: an index into the values of the label.
    #[inline]
    pub(super) fn source_of(&self, origin: usize) -> usize {
        self.source_of[origin]
    }

    /// Whether it goes on.
    pub(super) fn running(&self) -> bool {
        !self.ended.load(Relaxed)
    }

    /// Everything that it has counted and everything that it stands at.
    pub(super) fn sample(&self, samples: &mut Samples) {
        let now = self.started.elapsed().as_nanos() as u64;
        for stage in &self.stages {
            let reading = stage.read(&self.scales);
            stage.sample(&reading, &self.sources, &self.scales, samples);
            if stage.facts.kind == Kind::Extract {
                let lag = reading.yielded.filter(|_| self.running()).map_or(0, |at| now.saturating_sub(at));
                samples.number(metric::SOURCE_LAG, &[&stage.facts.name], lag as f64 / super::scale::NANOS);
            }
        }
        self.levels.read(&self.facts).sample(&self.facts, samples);
        // Only extracts, and stages that put out batches of their own, bring any into being.
        for (source, histogram) in self.sources.iter().zip(&self.batches) {
            let mut observed = Observed::default();
            histogram.read(&mut observed);
            let extract = self.facts.iter().any(|stage| stage.kind == Kind::Extract && stage.name == *source);
            if extract || observed.count() > 0 {
                samples.histogram(metric::BATCH_SECONDS, &[source], &self.scales.seconds, &observed);
            }
        }
        samples.number(metric::PIPELINE_INFO, &[&self.pipeline], 1.0);
    }

    /// Adds its exemplars to those of other runs.
    pub(super) fn exemplars(&self, into: &mut Exemplars) {
        self.kept.read(into);
    }
}
