//! Checkpoints: how many, how long the pipeline was held up by them, what for, and how far back whoever goes on would begin. Plain
//! metrics of the `prometheus` crate: they are touched once a checkpoint.

use prometheus::{Counter, CounterVec, Gauge, Histogram, HistogramOpts, IntCounterVec, Opts, Registry};

use super::{
    lifetime::{register, stamp},
    scale,
    schema::Family,
};
use crate::{
    telemetry::names::metric,
    words::observe::{CheckpointCame, CheckpointFacts},
};

/// What comes of them.
const OUTCOMES: [&str; 3] = ["taken", "failed", "given_up"];
/// What is done for one.
const PHASES: [&str; 6] = ["hold", "drain", "states", "prepare", "decide", "settle"];

/// The metrics that are registered here.
pub const NAMES: [&str; 6] = [
    metric::CHECKPOINTS,
    metric::CHECKPOINT_SECONDS,
    metric::CHECKPOINT_PHASE_SECONDS,
    metric::CHECKPOINT_BYTES,
    metric::CHECKPOINT_INTERVAL,
    metric::LAST_CHECKPOINT,
];

/// Of the process. A process whose pipelines take none has none of these metrics.
pub struct Checkpoints {
    outcomes: IntCounterVec,
    seconds: Histogram,
    phases: CounterVec,
    bytes: Gauge,
    interval: Gauge,
    last: Gauge,
    registry: Registry,
}

impl Checkpoints {
    /// None yet. `registry` will have the metrics as soon as they mean something.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let opts = |name: &str| Opts::new(name, Family::of(name).help);
        let labels = |name: &str| Family::of(name).labels;
        let outcomes = IntCounterVec::new(opts(metric::CHECKPOINTS), labels(metric::CHECKPOINTS))?;
        OUTCOMES.iter().for_each(|outcome| drop(outcomes.with_label_values(&[outcome])));
        let seconds = HistogramOpts::from(opts(metric::CHECKPOINT_SECONDS)).buckets(scale::SECONDS.to_vec());
        let phases = CounterVec::new(opts(metric::CHECKPOINT_PHASE_SECONDS), labels(metric::CHECKPOINT_PHASE_SECONDS))?;
        PHASES.iter().for_each(|phase| drop(phases.with_label_values(&[phase])));
        Ok(Checkpoints {
            outcomes,
            seconds: Histogram::with_opts(seconds)?,
            phases,
            bytes: Gauge::with_opts(opts(metric::CHECKPOINT_BYTES))?,
            interval: Gauge::with_opts(opts(metric::CHECKPOINT_INTERVAL))?,
            last: Gauge::with_opts(opts(metric::LAST_CHECKPOINT))?,
            registry: registry.clone(),
        })
    }

    /// One has been taken, or was not.
    pub fn took(&self, checkpoint: &CheckpointFacts<'_>) {
        self.outcomes.with_label_values(&[checkpoint.came.as_str()]).inc();
        let mut all = 0.0;
        for (phase, began, ended) in checkpoint.phases.iter().filter(|(phase, ..)| PHASES.contains(phase)) {
            let seconds = ended.saturating_duration_since(*began).as_secs_f64();
            let of: Counter = self.phases.with_label_values(&[phase]);
            of.inc_by(seconds);
            all += seconds;
        }
        self.seconds.observe(all);
        self.interval.set(checkpoint.every.as_secs_f64());
        let registry = &self.registry;
        register(registry, &self.outcomes);
        register(registry, &self.seconds);
        register(registry, &self.phases);
        register(registry, &self.interval);
        if matches!(checkpoint.came, CheckpointCame::Taken) {
            self.bytes.set(checkpoint.bytes as f64);
            stamp(&self.last);
            register(registry, &self.bytes);
            register(registry, &self.last);
        }
    }
}
