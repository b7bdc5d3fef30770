//! Telemetry of a command: which layers there are, started before the run and flushed after it.

mod logs;
mod metrics;
mod propagation;
mod traces;

use super::Exit;
use crate::telemetry::{Telemetry, health::Healths, otlp::Environment};

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
    Ok(Running { observer, traces, metrics, logs })
}

impl Running {
    /// Flushes everything, within a deadline, after the run. Answers what is to be shown below the report's table.
    pub fn finish(self) -> String {
        let shown = self.traces.finish();
        // Before the metrics, whose last push then tells how many records were dropped.
        self.logs.finish();
        self.metrics.finish();
        shown
    }
}
