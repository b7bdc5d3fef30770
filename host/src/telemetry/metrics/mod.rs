//! Metrics: every call counted and observed, gathered when somebody asks.
//!
//! The `prometheus` crate's registry is where everything comes together. Its own counters and histograms are shared by all threads
//! and cost a locked instruction for each number; a call has some twenty. So calls are counted in plain numbers, each thread its
//! own ([`calls`]), and a collector of ours adds them up when somebody gathers.

mod calls;
mod checkpoints;
mod exemplars;
pub mod exposition;
mod guest;
mod itself;
mod levels;
mod lifetime;
pub mod push;
mod run;
mod samples;
mod scale;
mod schema;
mod stage;
mod tally;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::SystemTime,
};

use prometheus::{
    Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};

pub use self::{calls::CallMetrics, exemplars::Exemplar, run::RunMetrics, stage::Swap};
use self::{
    exemplars::Exemplars,
    itself::Itself,
    lifetime::Lifetime,
    samples::Samples,
    schema::{FAMILIES, Family},
};
use super::health::Healths;
use crate::words::observe::{Probe, RunFacts};

/// Counts and observes runs; cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    runs: Arc<Runs>,
    lifetime: Arc<Lifetime>,
    /// When counting began.
    since: SystemTime,
}

/// What was gathered at one moment.
pub struct Gathered {
    families: Vec<MetricFamily>,
    exemplars: Exemplars,
    /// When counting began.
    since: SystemTime,
    at: SystemTime,
}

/// The runs of this process: the collector.
struct Runs {
    itself: Itself,
    descs: Vec<Desc>,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    /// Those that go on, and the last that has ended: its levels stay.
    runs: Vec<Arc<RunMetrics>>,
    /// Counters and histograms of all others.
    past: Samples,
}

// === impl Metrics ===

impl Metrics {
    /// Nothing counted yet. `healths` says how telemetry itself is doing.
    pub fn new(healths: &Healths) -> Self {
        let registry = Registry::new();
        // Those that the lifetime registers itself, when they mean something, are left to it.
        let ours = |family: &&Family| !lifetime::NAMES.contains(&family.name) && !checkpoints::NAMES.contains(&family.name);
        let descs = FAMILIES.iter().filter(ours).map(Family::desc).collect();
        let runs = Arc::new(Runs { itself: Itself::new(healths.clone()), descs, inside: Mutex::default() });
        let registered = registry.register(Box::new(Shared(Arc::clone(&runs)))).and_then(|()| Lifetime::new(&registry));
        let lifetime = registered.unwrap_or_else(|error| unreachable!("the names are constants, and each is there once: {error}"));
        #[cfg(target_os = "linux")]
        if let Err(error) = registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self())) {
            tracing::debug!("no metrics of the process: {error}");
        }
        Metrics { registry, runs, lifetime: Arc::new(lifetime), since: SystemTime::now() }
    }

    /// A run begins.
    pub fn run(&self, run: &RunFacts, probe: Weak<dyn Probe>) -> Arc<RunMetrics> {
        self.lifetime.loaded();
        let run = Arc::new(RunMetrics::new(run, probe, Arc::clone(&self.lifetime)));
        let mut inside = self.runs.lock();
        let (running, ended) = std::mem::take(&mut inside.runs).into_iter().partition(|run: &Arc<RunMetrics>| run.running());
        inside.runs = running;
        inside.runs.push(Arc::clone(&run));
        for run in ended {
            run.sample(&mut inside.past);
        }
        inside.past.retire();
        run
    }

    /// Whether a run goes on: its stages are open and it has not ended.
    pub fn running(&self) -> bool {
        self.runs.lock().runs.iter().any(|run| run.running())
    }

    /// The name of the pipeline that was run last.
    pub fn pipeline(&self) -> Option<String> {
        self.runs.lock().runs.last().map(|run| run.pipeline.clone())
    }

    /// Everything, as it is now.
    pub fn gather(&self) -> Gathered {
        let mut exemplars = Exemplars::new();
        self.runs.lock().runs.iter().for_each(|run| run.exemplars(&mut exemplars));
        Gathered { families: self.registry.gather(), exemplars, since: self.since, at: SystemTime::now() }
    }
}

// === impl Runs ===

impl Runs {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sample(&self) -> Samples {
        let (runs, mut samples) = {
            let inside = self.lock();
            (inside.runs.clone(), inside.past.clone())
        };
        runs.iter().for_each(|run| run.sample(&mut samples));
        self.itself.sample(&mut samples);
        samples
    }
}

/// The registry wants to own its collectors.
struct Shared(Arc<Runs>);

impl Collector for Shared {
    fn desc(&self) -> Vec<&Desc> {
        self.0.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.0.sample().families()
    }
}
