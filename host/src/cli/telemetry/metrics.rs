//! Metrics of a command.

use crate::{
    cli::Exit,
    pipeline::run::Report,
    telemetry::{health::Healths, metrics::Metrics},
};

/// Arguments about metrics.
#[derive(clap::Args)]
pub struct Arguments {}

/// Metrics being served.
pub struct Running;

/// Starts serving and pushing.
pub fn start(_arguments: &Arguments, _healths: &Healths) -> Result<Running, Exit> {
    Ok(Running)
}

impl Running {
    /// The layer for the observer.
    pub fn layer(&self) -> Option<Metrics> {
        None
    }

    /// Pushes and writes for the last time.
    pub fn finish(self, _report: &Report) {}
}
