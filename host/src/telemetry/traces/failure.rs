//! A failure as a log record, which is where the conventions want exceptions now; it carries the trace and span that it belongs to.

use super::{record::Failure, run::RunTraces};
use crate::{
    telemetry::{logs::CALL, names::attribute as a},
    words::{
        call::CallError,
        observe::{CallFacts, RunFacts, SetAside},
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

/// Logs what became of rows of a batch, in the call that failed on the first of them.
#[cold]
pub fn log_aside(run: &RunTraces, aside: &SetAside<'_>) {
    let _within = trace::within(aside.call);
    let stage = run.constants.stage(aside.stage);
    let stage = stage.as_ref().map_or("", |stage| stage.stage.as_str());
    let failure = Failure::of(aside.error);
    let done = if aside.how == "skip" { "are skipped" } else { "are dead letters" };
    tracing::warn!(
        target: CALL,
        {
            { a::PIPELINE } = run.facts.pipeline.as_str(),
            { a::STAGE } = stage,
            { a::BATCH_SEQUENCE } = aside.batch.sequence,
            { a::ROWS_SET_ASIDE } = aside.rows,
            { a::BLAME } = failure.blame.to_string().as_str(),
            { a::ERROR_TYPE } = failure.reason,
            { a::EXCEPTION_TYPE } = failure.reason,
            { a::EXCEPTION_MESSAGE } = failure.message.as_str()
        },
        "{} of {} rows that `{stage}` cannot take {done}, found by {} more calls", aside.rows, aside.of, aside.calls,
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
        "{} failed in `{during}`", if stage.is_empty() { "the run".to_owned() } else { format!("`{stage}`") },
    );
}
