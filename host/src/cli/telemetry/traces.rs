//! Spans of a command.

use crate::{
    cli::Exit,
    telemetry::{health::Healths, traces::Traces},
};

/// Arguments about spans.
#[derive(clap::Args)]
pub struct Arguments {}

/// Spans being recorded.
pub struct Running;

/// Starts recording, if anybody wants spans.
pub fn start(_arguments: &Arguments, _healths: &Healths) -> Result<Running, Exit> {
    Ok(Running)
}

impl Running {
    /// The layer for the observer.
    pub fn layer(&self) -> Option<Traces> {
        None
    }

    /// Flushes. Answers the slowest batches, as text.
    pub fn finish(self) -> String {
        String::new()
    }
}
