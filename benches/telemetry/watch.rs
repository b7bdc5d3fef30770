//! A run that is watched, without the run.

use std::{
    path::PathBuf,
    sync::{Arc, Weak, atomic::Ordering::Relaxed},
    thread,
    time::Duration,
};

use parshall::{
    telemetry::{
        Telemetry,
        health::{Healths, Signal},
        metrics::Metrics,
        otlp::Environment,
        traces::{Recording, Settings},
    },
    words::{
        observe::{Observer as _, Probe, RunFacts, RunObserver, StageFacts, StageLevel, Unobserved},
        stage::Kind,
    },
};

/// Long enough for every background to have looked and caught up.
pub const PAUSE: Duration = Duration::from_millis(70);

/// Who watches.
#[derive(Clone, Copy, Default)]
pub struct Layers<'a> {
    pub spans: Option<Spans<'a>>,
    pub metrics: bool,
}

/// Whose spans are recorded, and where they go.
#[derive(Clone, Copy, Default)]
pub struct Spans<'a> {
    /// Of the environment.
    pub variables: [(&'a str, &'a str); 3],
    /// To a file.
    pub file: Option<&'a str>,
    /// The slowest batches that are remembered.
    pub slowest: usize,
}

/// Layers that have been started.
pub struct Watch {
    pub observer: Arc<dyn RunObserver>,
    recording: Option<Recording>,
    healths: Healths,
    /// Whether there is a background that takes what is recorded.
    behind: bool,
    _probe: Arc<dyn Probe>,
}

struct Still;

impl Probe for Still {
    fn stage(&self, _: usize) -> StageLevel {
        StageLevel::default()
    }
}

fn facts() -> RunFacts {
    let stage = StageFacts {
        name: "by_carrier".into(),
        kind: Kind::Transform,
        component: "std:aggregate".into(),
        version: "0.1.0".into(),
        digest: "3de1251d7a5e3de1251d7a5e3de1251d7a5e3de1251d7a5e3de1251d7a5e3de1".into(),
        instances: 1,
        sources: vec!["flights".into()],
        columns: vec![(0..16).map(|n| format!("column_{n}")).collect()],
        datasets: Vec::new(),
        queue_bound: Some(64 << 20),
        memory_limit: 256 << 20,
    };
    RunFacts { pipeline: "flights".into(), stages: vec![stage], settings: Default::default() }
}

// === impl Spans ===

impl<'a> Spans<'a> {
    /// All of them, to a collector.
    pub fn to(endpoint: &'a str) -> Self {
        // What is left at the end may take longer than anybody would wait for a run.
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("PARSHALL_TELEMETRY_FLUSH", "60000"), ("", "")];
        Spans { variables, file: None, slowest: 5 }
    }

    /// None: whatever is recorded is for the slowest batches.
    pub fn unsampled(slowest: usize) -> Self {
        Spans { variables: [("OTEL_TRACES_SAMPLER", "always_off"), ("", ""), ("", "")], file: Some("/dev/null"), slowest }
    }
}

// === impl Watch ===

impl Watch {
    /// Starts what is asked for.
    pub fn start(layers: &Layers<'_>) -> Self {
        let healths = Healths::default();
        let probe: Arc<dyn Probe> = Arc::new(Still);
        let settings = layers.spans.map(|spans| Settings {
            file: spans.file.map(PathBuf::from),
            slowest: spans.slowest,
            ..Settings::read(&Environment::of(spans.variables)).expect("sound")
        });
        let never = |spans: Spans<'_>| spans.slowest == 0 && spans.variables[0].1 == "always_off";
        let recording = settings.map(|settings| Recording::start(settings, &healths).expect("it starts"));
        let telemetry =
            Telemetry { traces: recording.as_ref().map(Recording::traces), metrics: layers.metrics.then(|| Metrics::new(&healths)) };
        let behind = layers.spans.is_some_and(|spans| !never(spans));
        Watch { observer: telemetry.run(&facts(), Arc::downgrade(&probe)), recording, healths, behind, _probe: probe }
    }

    /// Nobody watches.
    pub fn nothing() -> Self {
        let observer = Unobserved.run(&facts(), Weak::<Still>::new());
        Watch { observer, recording: None, healths: Healths::default(), behind: false, _probe: Arc::new(Still) }
    }

    /// Lets the background catch up, and a collector to where nothing is dropped for want of room. Where nothing is recorded
    /// there is nobody to wait for.
    pub fn settle(&self) {
        if !self.behind {
            return;
        }
        thread::sleep(PAUSE);
        while self.waiting() * 4 > self.healths.of(Signal::Spans).queue_limit.load(Relaxed) {
            thread::sleep(PAUSE);
        }
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
        let health = self.healths.of(Signal::Spans);
        [&health.exported, &health.dropped_full, &health.dropped_failed].map(|number| number.load(Relaxed)).into_iter().sum()
    }

    /// Ends, and says what became of the spans: drops are cheap, and a row that drops proves nothing.
    pub fn finish(self, name: &str) {
        drop(self.observer);
        if let Some(recording) = self.recording {
            recording.finish();
            let health = self.healths.of(Signal::Spans);
            let [exported, full, failed] = [&health.exported, &health.dropped_full, &health.dropped_failed].map(|n| n.load(Relaxed));
            println!("{name}: {exported} spans exported, {full} found no room, {failed} could not be delivered");
        }
    }

    fn waiting(&self) -> u64 {
        self.healths.of(Signal::Spans).queue.load(Relaxed)
    }
}
