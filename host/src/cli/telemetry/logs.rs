//! Log records of a command by OTLP.

use crate::{
    cli::{Exit, exit},
    telemetry::{
        health::{Healths, Signal},
        logs::{Exporter, Limits},
        otlp::{self, Environment, Settings},
    },
};

/// Log records on their way out, if they go anywhere but to standard error.
pub struct Running(Option<Exporting>);

struct Exporting {
    exporter: Exporter,
    endpoint: String,
}

/// Starts exporting, if the environment says where to.
pub fn start(environment: &Environment, healths: &Healths) -> Result<Running, Exit> {
    let wrong = |error: otlp::WrongVariable| Exit::Wrong(error.to_string());
    let Some(settings) = Settings::read(Signal::Logs, environment).map_err(wrong)? else {
        return Ok(Running(None));
    };
    settings.check().map_err(|error| Exit::Wrong(error.to_string()))?;
    let (resource, limits) = (otlp::resource(environment).map_err(wrong)?, Limits::read(environment).map_err(wrong)?);
    let deadline = otlp::flush_deadline(environment).map_err(wrong)?;
    let endpoint = otlp::shown(&settings.endpoint);
    let exporter = Exporter::start(settings, resource, limits, deadline, healths).map_err(anyhow::Error::from)?;
    Ok(Running(Some(Exporting { exporter, endpoint })))
}

impl Running {
    /// Flushes for so long at most, and says what was lost.
    pub fn finish(self, within: std::time::Duration) {
        let Some(Exporting { exporter, endpoint }) = self.0 else { return };
        let lost = exporter.finish(within);
        if lost.records > 0 {
            let why = lost.why.map_or(String::new(), |why| format!(": {why}"));
            exit::tell(format_args!("warning: {} log records were not delivered to {endpoint}{why}", lost.records));
        }
    }
}
