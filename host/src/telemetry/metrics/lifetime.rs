//! What outlasts a run: runs by outcome, when one last went well, when a pipeline was loaded. Plain metrics of the `prometheus`
//! crate: they are touched twice a run.

use std::time::SystemTime;

use prometheus::{Gauge, IntCounterVec, Opts, Registry, core::Collector};

use super::{checkpoints::Checkpoints, schema::Family};
use crate::telemetry::names::metric;

/// How runs end.
const OUTCOMES: [&str; 4] = ["completed", "stopped", "failed", "aborted"];

/// The metrics that are registered here.
pub const NAMES: [&str; 3] = [metric::RUNS, metric::LAST_SUCCESS, metric::PIPELINE_LOADED];

/// Of the process.
pub struct Lifetime {
    runs: IntCounterVec,
    last_success: Gauge,
    loaded: Gauge,
    /// Of all its runs.
    pub checkpoints: Checkpoints,
    registry: Registry,
}

impl Lifetime {
    /// Nothing has happened yet. `registry` will have the metrics as soon as they mean something.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let opts = |name: &str| Opts::new(name, Family::of(name).help);
        let runs = IntCounterVec::new(opts(metric::RUNS), Family::of(metric::RUNS).labels)?;
        OUTCOMES.iter().for_each(|outcome| drop(runs.with_label_values(&[outcome])));
        registry.register(Box::new(runs.clone()))?;
        let last_success = Gauge::with_opts(opts(metric::LAST_SUCCESS))?;
        let loaded = Gauge::with_opts(opts(metric::PIPELINE_LOADED))?;
        let checkpoints = Checkpoints::new(registry)?;
        Ok(Lifetime { checkpoints, runs, last_success, loaded, registry: registry.clone() })
    }

    /// A pipeline file has been loaded and its stages are open.
    pub fn loaded(&self) {
        self.stamp(&self.loaded);
    }

    /// A run has ended.
    pub fn ended(&self, outcome: &str) {
        if OUTCOMES.contains(&outcome) {
            self.runs.with_label_values(&[outcome]).inc();
        }
        if outcome == OUTCOMES[0] {
            self.stamp(&self.last_success);
        }
    }

    fn stamp(&self, gauge: &Gauge) {
        stamp(gauge);
        register(&self.registry, gauge);
    }
}

/// Sets a gauge to the time that it is now. A time of 0 would look like 1970 to whoever subtracts it from now: register it only then.
pub(super) fn stamp(gauge: &Gauge) {
    gauge.set(SystemTime::UNIX_EPOCH.elapsed().map_or(0.0, |elapsed| elapsed.as_secs_f64()));
}

/// Exposes a metric from now on, if it is not yet.
pub(super) fn register(registry: &Registry, metric: &(impl Collector + Clone + 'static)) {
    // It is registered already, the second time.
    let _ = registry.register(Box::new(metric.clone()));
}
