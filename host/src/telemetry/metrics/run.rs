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
    exemplars::{Exemplars, Kept, Series},
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
        trace::{SpanContext, SpanId},
    },
};

/// Every kind of stages, in the order of their numbers.
const KINDS: [Kind; 3] = [Kind::Extract, Kind::Transform, Kind::Load];
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
            kept: Kept::new(&scales.seconds, Self::series(&run.stages, &sources)),
            sources,
            levels: Levels::new(probe, run.stages.len()),
            scales,
            ended: AtomicBool::new(false),
            lifetime,
        }
    }

    /// A thread begins to call an instance.
    pub fn worker(self: &Arc<Self>, worker: &WorkerFacts) -> CallMetrics {
        let stage = &self.stages[worker.stage];
        let shard = stage.worker(self.sources.len());
        CallMetrics::new(Arc::clone(self), worker, stage.facts.kind == Kind::Extract, shard)
    }

    /// A batch has gone all its way, or as far as the run did: what was thrown away took no time that says anything.
    pub fn batch(&self, batch: &BatchTrace, ended: Instant) {
        if !(batch.is_void() || batch.dropped()) {
            self.batches[self.source_of(batch.origin)].observe(ended.saturating_duration_since(batch.started).as_nanos() as u64);
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

    /// The spans of a batch are kept: exemplars for the latency histograms of its calls' stages, and for its own, unless nothing is
    /// observed of it. Of a batch the stage that it began in and how long it took, of a call its stage, how long it took and its span.
    pub fn kept(
        &self,
        root: SpanContext,
        at: SystemTime,
        batch: Option<(usize, Duration)>,
        calls: impl Iterator<Item = (usize, Duration, SpanId)>,
    ) {
        let (mut kept, stages) = (self.kept.write(at), self.facts.len());
        if let Some((origin, duration)) = batch.filter(|(origin, _)| *origin < stages) {
            kept.observed(Self::BY_STAGE * stages + KINDS.len() + self.source_of(origin), duration, root);
        }
        for (stage, duration, span) in calls.filter(|(stage, ..)| *stage < stages) {
            let context = SpanContext { span, ..root };
            kept.observed(stage * Self::BY_STAGE, duration, context);
            kept.counted(stage * Self::BY_STAGE + 1, duration, context);
            kept.observed(Self::BY_STAGE * stages + self.facts[stage].kind as usize, duration, context);
        }
    }

    /// Series that have exemplars: of each stage, of each kind of stages, of each source, in this order.
    const BY_STAGE: usize = 2;

    fn series(stages: &[StageFacts], sources: &[String]) -> Vec<Series> {
        let series = |metric: &str, label: &str| (metric.to_owned(), vec![label.to_owned()]);
        let by_stage = stages.iter().flat_map(|stage| [metric::CALL_SECONDS, metric::BUSY].map(|metric| series(metric, &stage.name)));
        let by_kind = KINDS.iter().map(|kind| series(metric::PROCESSING, &kind.to_string()));
        by_stage.chain(by_kind).chain(sources.iter().map(|source| series(metric::BATCH_SECONDS, source))).collect()
    }

    /// An instance of a stage was opened in place of a poisoned one.
    pub fn restarted(&self, stage: usize) {
        self.stages[stage].restarted();
    }

    /// A swap of a stage has ended; it runs this generation now.
    pub fn swapped(&self, stage: usize, how: Swap, generation: u32) {
        if let Some(stage) = self.stages.get(stage) {
            stage.swapped(how, generation);
        }
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
