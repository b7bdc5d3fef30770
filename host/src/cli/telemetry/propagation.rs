//! Context that enters and leaves with a command.

use std::sync::Arc;

use crate::{
    cli::Exit,
    telemetry::{
        otlp::Environment,
        propagation::{Outgoing, Propagators, Remote, parent_from_environment},
    },
    words::carry,
};

/// What the environment says of propagation.
pub struct Propagation {
    /// The span that started this process.
    pub parent: Option<Remote>,
    propagators: Propagators,
}

/// Reads it.
pub fn read(environment: &Environment) -> Result<Propagation, Exit> {
    let wrong = |error: crate::telemetry::otlp::WrongVariable| Exit::Wrong(error.to_string());
    let propagators = Propagators::chosen(environment).map_err(wrong)?;
    let parent = parent_from_environment(environment).map_err(wrong)?;
    Ok(Propagation { parent, propagators })
}

impl Propagation {
    /// From now on files that are written say which span wrote them, and those that are read are asked. Only where spans are
    /// recorded: without them, files are what they would be without telemetry.
    pub fn begin(self) {
        if !self.propagators.is_empty() {
            carry::answer_by(Some(Arc::new(Outgoing::new(self.propagators, self.parent))));
        }
    }
}
