//! Log records of a command by OTLP.

use super::undelivered::Undelivered;
use crate::{
    cli::{Exit, amount},
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
    collector: String,
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
    let collector = settings.collector();
    let exporter = Exporter::start(settings, resource, limits, deadline, healths).map_err(anyhow::Error::from)?;
    Ok(Running(Some(Exporting { exporter, collector })))
}

impl Running {
    /// Flushes for so long at most. Answers what was lost.
    pub fn finish(self, within: std::time::Duration) -> Option<Undelivered> {
        let Exporting { exporter, collector } = self.0?;
        let lost = exporter.finish(within);
        let records = if lost.all == 1 { "log record" } else { "log records" };
        (lost.records > 0).then(|| Undelivered {
            what: format!("{} of {} {records}", amount::count(lost.records), amount::count(lost.all)),
            to: collector,
            why: lost.why.unwrap_or_else(|| "they found no room (a larger OTEL_BLRP_MAX_QUEUE_SIZE helps)".to_owned()),
        })
    }
}
