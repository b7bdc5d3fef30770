//! A failure as a log record, which is where the conventions want exceptions now; it carries the trace and span that it belongs to.

use super::{record::Failure, run::RunTraces};
use crate::{
    telemetry::{logs::CALL, names::attribute as a},
    words::{
        call::CallError,
        observe::{CallFacts, RunFacts},
        trace::{self, SpanContext},
    },
};

/// Logs a failed call, in the call's span.
#[cold]
pub fn log(run: &RunTraces, stage: usize, call: &CallFacts<'_>, error: &CallError) {
    let _within = trace::within(call.context);
    let stage = run.constants.stage(stage);
    say(
        &run.facts.pipeline,
        stage.as_ref().map_or("", |stage| stage.stage.as_str()),
        call.export.as_str(),
        call.batch.map(|batch| batch.sequence),
        error,
    );
}

/// Logs what failed outside of any call, in the run's span.
#[cold]
pub fn log_outside(run: &RunFacts, context: SpanContext, stage: &str, during: &'static str, error: &CallError) {
    let _within = trace::within(context);
    say(&run.pipeline, stage, during, None, error);
}

fn say(pipeline: &str, stage: &str, during: &'static str, batch: Option<u64>, error: &CallError) {
    let failure = Failure::of(error);
    tracing::error!(
        target: CALL,
        {
            { a::PIPELINE } = pipeline,
            { a::STAGE } = stage,
            { a::EXPORT } = during,
            { a::BATCH_SEQUENCE } = batch,
            { a::BLAME } = failure.blame.to_string().as_str(),
            { a::ERROR_TYPE } = failure.reason,
            { a::EXCEPTION_TYPE } = failure.reason,
            { a::EXCEPTION_MESSAGE } = failure.message.as_str()
        },
        "`{stage}` failed in `{during}`",
    );
}
