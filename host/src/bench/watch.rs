//! A run that is watched, without the run.

use std::{
    path::PathBuf,
    sync::{Arc, Weak, atomic::Ordering::Relaxed},
    thread,
    time::Duration,
};

use crate::{
    telemetry::{
        Telemetry,
        health::{Healths, Signal},
        metrics::Metrics,
        otlp::{Environment, WrongVariable},
        traces::{self, Recording, StartError},
    },
    words::observe::{Observer as _, Probe, RunFacts, RunObserver, StageFacts, StageLevel, Unobserved},
};

/// Long enough for every background to have looked and caught up.
pub const PAUSE: Duration = Duration::from_millis(70);
/// What is left at the end may take longer than anybody would wait for a run.
const FLUSH: (&str, &str) = ("PARSHALL_TELEMETRY_FLUSH", "60000");

/// Who watches.
#[derive(Clone, Default)]
pub struct Layers {
    /// Spans.
    pub spans: Option<Spans>,
    /// Metrics.
    pub metrics: bool,
}

/// Whose spans are recorded, and where they go.
#[derive(Clone)]
pub struct Spans {
    settings: traces::Settings,
    /// Whether nothing of it is ever recorded.
    never: bool,
}

/// Layers that have been started.
pub struct Watch {
    /// Who is told.
    pub observer: Arc<dyn RunObserver>,
    recording: Option<Recording>,
    healths: Healths,
    /// Whether there is a background that takes what is recorded.
    behind: bool,
    _probe: Arc<dyn Probe>,
}

/// What became of spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Fate {
    /// Delivered.
    pub exported: u64,
    /// Found no room.
    pub dropped_full: u64,
    /// Could not be delivered.
    pub dropped_failed: u64,
}

struct Still;

impl Probe for Still {
    fn stage(&self, _: usize) -> StageLevel {
        StageLevel::default()
    }
}

// === impl Spans ===

impl Spans {
    /// A share of all batches, encoded and written to nowhere.
    pub fn sampled(ratio: f64) -> Self {
        let environment =
            Environment::of([("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", &ratio.to_string()), FLUSH]);
        let file = (ratio > 0.0).then(|| PathBuf::from("/dev/null"));
        Spans::of(&environment).map(|spans| spans.into_file(file, ratio == 0.0)).expect("these variables are sound")
    }

    /// All of them, to a collector.
    pub fn to(endpoint: &str) -> Self {
        Spans::of(&Environment::of([("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), FLUSH])).expect("an endpoint of ours is sound")
    }

    /// As the environment says.
    pub fn of(environment: &Environment) -> Result<Self, WrongVariable> {
        Ok(Spans { settings: traces::Settings::read(environment)?, never: false })
    }

    /// And so many of the slowest batches are remembered, for which every batch is recorded.
    pub fn slowest(mut self, slowest: usize) -> Self {
        self.settings.slowest = slowest;
        self.never &= slowest == 0;
        self
    }

    fn into_file(mut self, file: Option<PathBuf>, never: bool) -> Self {
        (self.settings.file, self.never) = (file, never);
        self
    }
}

impl From<Spans> for traces::Settings {
    fn from(spans: Spans) -> Self {
        spans.settings
    }
}

// === impl Watch ===

impl Watch {
    /// Starts what is asked for, over one stage.
    pub fn start(stage: StageFacts, layers: &Layers) -> Result<Self, StartError> {
        let facts = RunFacts { pipeline: "bench".into(), stages: vec![stage], settings: Default::default() };
        let healths = Healths::default();
        let probe: Arc<dyn Probe> = Arc::new(Still);
        let recording = layers.spans.as_ref().map(|spans| Recording::start(spans.settings.clone(), &healths)).transpose()?;
        let telemetry =
            Telemetry { traces: recording.as_ref().map(Recording::traces), metrics: layers.metrics.then(|| Metrics::new(&healths)) };
        let behind = layers.spans.as_ref().is_some_and(|spans| !spans.never);
        Ok(Watch { observer: telemetry.run(&facts, Arc::downgrade(&probe)), recording, healths, behind, _probe: probe })
    }

    /// Nobody watches.
    pub fn nothing() -> Self {
        let facts = RunFacts { pipeline: "bench".into(), stages: Vec::new(), settings: Default::default() };
        let observer = Unobserved.run(&facts, Weak::<Still>::new());
        Watch { observer, recording: None, healths: Healths::default(), behind: false, _probe: Arc::new(Still) }
    }

    /// Whether something is recorded.
    pub fn records(&self) -> bool {
        self.behind
    }

    /// Lets the background catch up, and a collector to where nothing is dropped for want of room. Where nothing is recorded
    /// there is nobody to wait for.
    pub fn settle(&self) {
        if !self.behind {
            return;
        }
        thread::sleep(PAUSE);
        while self.is_full() {
            thread::sleep(PAUSE);
        }
    }

    /// Whether so much waits for a collector that there might soon be no room.
    pub fn is_full(&self) -> bool {
        self.waiting() * 4 > self.healths.of(Signal::Spans).queue_limit.load(Relaxed)
    }

    /// Lets everything leave.
    pub fn drain(&self) {
        thread::sleep(PAUSE);
        while self.waiting() > 0 {
            thread::sleep(PAUSE);
        }
    }

    /// Spans of which the fate is known.
    pub fn recorded(&self) -> u64 {
        let fate = self.fate();
        fate.exported + fate.dropped_full + fate.dropped_failed
    }

    /// What became of the spans so far: drops are cheap, and a figure that drops proves nothing.
    pub fn fate(&self) -> Fate {
        let health = self.healths.of(Signal::Spans);
        let [exported, dropped_full, dropped_failed] =
            [&health.exported, &health.dropped_full, &health.dropped_failed].map(|number| number.load(Relaxed));
        Fate { exported, dropped_full, dropped_failed }
    }

    /// Ends. Answers what became of the spans, and why those that could not be delivered were not.
    pub fn finish(self) -> (Fate, Option<String>) {
        let Watch { observer, recording, healths, behind, _probe } = self;
        drop(observer);
        if let Some(recording) = recording {
            recording.finish();
        }
        let told = Watch { observer: Watch::nothing().observer, recording: None, healths, behind, _probe };
        let why = told.healths.of(Signal::Spans).why();
        (told.fate(), why)
    }

    fn waiting(&self) -> u64 {
        self.healths.of(Signal::Spans).queue.load(Relaxed)
    }
}
