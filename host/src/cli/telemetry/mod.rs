//! Telemetry of a command: which layers there are, started before the run and flushed after it.

mod metrics;
mod traces;

use super::Exit;
use crate::{
    pipeline::run::Report,
    telemetry::{Telemetry, health::Healths},
};

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
}

/// Starts what the arguments and the environment ask for.
pub fn start(arguments: &Arguments) -> Result<Running, Exit> {
    let healths = Healths::default();
    let metrics = metrics::start(&arguments.metrics, &healths)?;
    let traces = traces::start(&arguments.traces, &healths)?;
    let observer = Telemetry { traces: traces.layer(), metrics: metrics.layer() };
    Ok(Running { observer, traces, metrics })
}

impl Running {
    /// Flushes everything, within a deadline, after the run. Answers what is to be shown below the report's table.
    pub fn finish(self, report: &Report) -> String {
        let shown = self.traces.finish();
        self.metrics.finish(report);
        shown
    }
}
