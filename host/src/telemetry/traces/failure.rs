//! A failed call as a log record, which is where the conventions want exceptions now; it carries the call's trace and span.

use super::record::Failure;
use crate::{
    telemetry::names::attribute as a,
    words::{
        observe::{CallFacts, RunFacts},
        trace,
    },
};

/// Logs it, in the call's span.
#[cold]
pub fn log(run: &RunFacts, stage: usize, call: &CallFacts<'_>, failure: &Failure) {
    let _within = trace::within(call.context);
    let stage = run.stages.get(stage).map_or("", |stage| stage.name.as_str());
    tracing::error!(
        target: "parshall::call",
        {
            { a::PIPELINE } = run.pipeline.as_str(),
            { a::STAGE } = stage,
            { a::EXPORT } = call.export.as_str(),
            { a::BATCH_SEQUENCE } = call.batch.map(|batch| batch.sequence),
            { a::BLAME } = failure.blame.to_string().as_str(),
            { a::ERROR_TYPE } = failure.reason,
            { a::EXCEPTION_TYPE } = failure.reason,
            { a::EXCEPTION_MESSAGE } = failure.message.as_str()
        },
        "`{stage}` failed in `{}`",
        call.export.as_str(),
    );
}
