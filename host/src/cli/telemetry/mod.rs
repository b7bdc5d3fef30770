//! Telemetry of a command: which layers there are, started before the run and flushed after it.

mod logs;
mod metrics;
mod propagation;
mod traces;
mod undelivered;

use std::{
    path::Path,
    sync::Weak,
    time::{Duration, Instant},
};

use super::{Exit, outputs::Output};
use crate::{
    telemetry::{
        Telemetry,
        health::Healths,
        logs as records,
        names::attribute,
        otlp::{self, Environment},
    },
    words::observe::{Observer as _, Probe, RunFacts, RunOutcome, Settings, StageLevel},
};

/// What each signal has at least, however long those before it took.
const LEAST: Duration = Duration::from_secs(1);

/// Arguments that say how a run is watched.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    traces: traces::Arguments,
    #[command(flatten)]
    metrics: metrics::Arguments,
}

/// Telemetry that is running.
pub struct Running {
    /// To watch a run with.
    pub observer: Telemetry,
    traces: traces::Running,
    metrics: metrics::Running,
    logs: logs::Running,
    /// How long the end may wait for everything to leave.
    flush: Duration,
}

impl Arguments {
    /// Files that are written.
    pub fn outputs(&self) -> Vec<Output<'_>> {
        self.traces.outputs().into_iter().chain(self.metrics.outputs()).collect()
    }
}

/// Starts what the arguments and the environment ask for.
pub fn start(arguments: &Arguments) -> Result<Running, Exit> {
    let (environment, healths) = (Environment::process(), Healths::default());
    let logs = logs::start(&environment, &healths)?;
    let propagation = propagation::read(&environment)?;
    let metrics = metrics::start(&arguments.metrics, &healths)?;
    let traces = traces::start(&arguments.traces, &environment, propagation.parent.as_ref().map(|parent| parent.context), &healths)?;
    let observer = Telemetry { traces: traces.layer(), metrics: metrics.layer() };
    if observer.traces.is_some() {
        propagation.begin();
    }
    let flush = otlp::flush_deadline(&environment).map_err(|error| Exit::Wrong(error.to_string()))?;
    Ok(Running { observer, traces, metrics, logs, flush })
}

impl Running {
    /// The run cannot begin: that is a failed run, too, and whoever watches from outside must see one.
    pub fn refused(&self, file: &Path, exit: &Exit) {
        let (Exit::Diagnostics(why) | Exit::Wrong(why)) = exit else { return };
        let pipeline = file.file_stem().map_or_else(|| "pipeline".to_owned(), |stem| stem.to_string_lossy().into_owned());
        let first = why.lines().next().unwrap_or_default().trim_start_matches("error: ");
        tracing::error!(target: records::RUN, { { attribute::PIPELINE } = pipeline.as_str() }, "the run cannot begin: {first}");
        let facts = RunFacts { pipeline, stages: Vec::new(), settings: Settings::default() };
        let run = self.observer.run(&facts, Weak::<NoStages>::new());
        run.ended(&RunOutcome { outcome: "failed", failure: None, rows: 0 });
    }

    /// The run is over: everything that was recorded begins to leave. Answers what is to be shown below the report's table.
    pub fn settle(&mut self) -> String {
        self.traces.settle()
    }

    /// Flushes everything after the run, all within one deadline and a second or two.
    pub fn finish(self) {
        let due = Instant::now() + self.flush;
        let left = || due.saturating_duration_since(Instant::now()).max(LEAST);
        // Metrics tell what became of those before.
        let (spans, records) = (self.traces.finish(), self.logs.finish(left()));
        undelivered::tell([spans, records, self.metrics.finish(left())].into_iter().flatten().collect());
    }
}

/// The stages of a run that did not begin.
struct NoStages;

impl Probe for NoStages {
    fn stage(&self, _: usize) -> StageLevel {
        StageLevel::default()
    }
}
