//! Of one run: its stages, its sources, the batches that have gone all their way.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime},
};

use super::{
    calls::{CallMetrics, Shard},
    exemplars::{Exemplars, Kept, Of},
    levels::Levels,
    lifetime::Lifetime,
    samples::Samples,
    scale::Scales,
    stage::{StageMetrics, Swap},
    tally::{Observed, SharedHistogram},
};
use crate::{
    telemetry::{growing::Growing, names::metric},
    words::{
        observe::{BatchTrace, CheckpointFacts, Probe, RunFacts, RunOutcome, StageFacts, WorkerFacts},
        stage::Kind,
        trace::{SpanContext, SpanId},
    },
};

/// Every kind of stages, in the order of their numbers.
const KINDS: [Kind; 3] = [Kind::Extract, Kind::Transform, Kind::Load];
/// Characters of the label `source`: the names of several extracts, joined, are cut here.
const MAX_SOURCE: usize = 200;
/// Sources of a run; batches of more are counted together, under [`OTHERS`].
const MAX_SOURCES: usize = 256;
const OTHERS: &str = "(others)";

/// Counts and observes one run.
pub struct RunMetrics {
    /// The pipeline's name.
    pub pipeline: String,
    pub(super) started: Instant,
    /// All that it ever had.
    stages: Growing<StageMetrics>,
    sources: Growing<Source>,
    pub(super) scales: Scales,
    levels: Levels,
    kept: Kept,
    ended: AtomicBool,
    lifetime: Arc<Lifetime>,
}

/// Where batches come from: a value of the label `source`, and how long they took from end to end.
struct Source {
    name: String,
    batches: SharedHistogram,
}

impl RunMetrics {
    pub(super) fn new(run: &RunFacts, probe: Weak<dyn Probe>, lifetime: Arc<Lifetime>) -> Self {
        let scales = Scales::new(&run.settings.buckets);
        let made = RunMetrics {
            pipeline: run.pipeline.clone(),
            started: Instant::now(),
            stages: Growing::default(),
            sources: Growing::default(),
            kept: Kept::new(&scales.seconds),
            levels: Levels::new(probe),
            scales,
            ended: AtomicBool::new(false),
            lifetime,
        };
        run.stages.iter().enumerate().for_each(|(stage, facts)| made.version(stage, 1, facts));
        made
    }

    /// A stage joins; another version of one that is known says nothing new yet. A run has no more stages than there is room for: it
    /// refuses those beyond.
    pub fn version(&self, stage: usize, generation: u32, facts: &StageFacts) {
        if self.stages.get(stage).is_none() {
            let source = self.source(facts);
            self.stages.push(StageMetrics::new(facts.clone(), generation, source));
        }
    }

    /// A stage runs this generation now, and is this.
    pub fn changed(&self, stage: usize, generation: u32, facts: &StageFacts) {
        if let Some(stage) = self.stages.get(stage) {
            stage.changed(generation, facts, self.source(facts));
        }
    }

    /// A stage is no part of the pipeline any more. What it has counted stays.
    pub fn removed(&self, stage: usize) {
        self.stages.get(stage).into_iter().for_each(StageMetrics::remove);
    }

    /// The number of the source of a stage's batches.
    fn source(&self, facts: &StageFacts) -> usize {
        let joined: String = facts.sources.join("+").chars().take(MAX_SOURCE).collect();
        let known = |name: &str| self.sources.iter().position(|source| source.name == name);
        let name = if known(&joined).is_none() && self.sources() >= MAX_SOURCES { OTHERS.to_owned() } else { joined };
        known(&name).or_else(|| self.sources.push(Source { name, batches: SharedHistogram::new(&self.scales.seconds) })).unwrap_or(0)
    }

    /// A thread begins to call an instance.
    pub fn worker(self: &Arc<Self>, worker: &WorkerFacts) -> CallMetrics {
        let stage = self.stages.get(worker.stage);
        // Of a stage that there is not nothing is counted.
        let shard = stage.map_or_else(|| Arc::new(Shard::new()), StageMetrics::worker);
        CallMetrics::new(Arc::clone(self), worker, stage.is_some_and(|stage| stage.facts().kind == Kind::Extract), shard)
    }

    /// A batch has gone all its way, or as far as the run did: what was thrown away took no time that says anything.
    pub fn batch(&self, batch: &BatchTrace, ended: Instant) {
        if batch.is_void() || batch.dropped() {
            return;
        }
        if let Some(source) = self.sources.get(self.source_of(batch.origin)) {
            source.batches.observe(ended.saturating_duration_since(batch.started).as_nanos() as u64);
        }
    }

    /// The run has ended.
    pub fn ended(&self, outcome: &RunOutcome<'_>) {
        self.levels.end(self.stages.iter().count());
        // What failed outside of a call, such as a thread that could not be started, has not been counted by one.
        if let Some((name, error)) = outcome.failure
            && let Some(stage) = self.stages.iter().filter(|stage| stage.facts().name == name).last()
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
        let mut kept = self.kept.write(at);
        if let Some((origin, duration)) = batch.filter(|(origin, _)| self.stages.get(*origin).is_some()) {
            kept.observed(Of::Source(self.source_of(origin)), duration, root);
        }
        for (number, duration, span) in calls {
            let Some(stage) = self.stages.get(number) else { continue };
            let context = SpanContext { span, ..root };
            kept.observed(Of::Calls(number), duration, context);
            kept.counted(Of::Busy(number), duration, context);
            kept.observed(Of::Kind(stage.facts().kind as usize), duration, context);
        }
    }

    /// Adds its exemplars to those of other runs.
    pub(super) fn exemplars(&self, into: &mut Exemplars) {
        let of_stage = |metric: &'static str, stage| Some((metric, self.stages.get(stage)?.facts().name.clone()));
        let name = |of| match of {
            Of::Calls(stage) => of_stage(metric::CALL_SECONDS, stage),
            Of::Busy(stage) => of_stage(metric::BUSY, stage),
            Of::Kind(kind) => Some((metric::PROCESSING, KINDS.get(kind)?.to_string())),
            Of::Source(source) => Some((metric::BATCH_SECONDS, self.sources.get(source)?.name.clone())),
        };
        self.kept.read(|of| name(of).map(|(metric, label)| (metric.to_owned(), vec![label])), into);
    }

    /// An instance of a stage was opened in place of another.
    pub fn restarted(&self, stage: usize, reason: &'static str) {
        if let Some(stage) = self.stages.get(stage) {
            stage.restarted(reason);
        }
    }

    /// Rows of a stage were set aside.
    pub fn set_aside(&self, stage: usize, how: &'static str, rows: u64) {
        if let Some(stage) = self.stages.get(stage) {
            stage.set_aside(how, rows);
        }
    }

    /// A change of a stage has ended.
    pub fn swapped(&self, stage: usize, how: Swap) {
        self.stages.get(stage).into_iter().for_each(|stage| stage.swapped(how));
    }

    /// A checkpoint has been taken, or was not.
    pub fn checkpointed(&self, checkpoint: &CheckpointFacts<'_>) {
        self.lifetime.checkpoints.took(checkpoint);
    }

    pub(super) fn stage(&self, stage: usize) -> Option<&StageMetrics> {
        self.stages.get(stage)
    }

    /// Where the rows of a batch come from: a number of a source.
    #[inline]
    pub(super) fn source_of(&self, origin: usize) -> usize {
        self.stages.get(origin).map_or(0, |stage| stage.source.load(Relaxed))
    }

    /// How many sources there are.
    pub(super) fn sources(&self) -> usize {
        self.sources.iter().count()
    }

    /// Whether it goes on.
    pub(super) fn running(&self) -> bool {
        !self.ended.load(Relaxed)
    }

    /// Everything that it has counted and everything that it stands at.
    pub(super) fn sample(&self, samples: &mut Samples) {
        let now = self.started.elapsed().as_nanos() as u64;
        let (sources, mut facts) = (self.sources(), Vec::new());
        for stage in self.stages.iter() {
            let (reading, is) = (stage.read(sources, &self.scales), stage.facts());
            stage.sample(&reading, self.sources.iter().map(|source| source.name.as_str()), &self.scales, samples);
            if is.kind == Kind::Extract && stage.present() {
                let lag = reading.yielded.filter(|_| self.running()).map_or(0, |at| now.saturating_sub(at));
                samples.number(metric::SOURCE_LAG, &[&is.name], lag as f64 / super::scale::NANOS);
            }
            facts.push((is, stage.present()));
        }
        self.levels.read(&facts).sample(&facts, samples);
        // Only extracts, and stages that put out batches of their own, bring any into being.
        for source in self.sources.iter() {
            let mut observed = Observed::default();
            source.batches.read(&mut observed);
            let extract = facts.iter().any(|(stage, _)| stage.kind == Kind::Extract && stage.name == source.name);
            if extract || observed.count() > 0 {
                samples.histogram(metric::BATCH_SECONDS, &[&source.name], &self.scales.seconds, &observed);
            }
        }
        samples.number(metric::PIPELINE_INFO, &[&self.pipeline], 1.0);
    }
}
