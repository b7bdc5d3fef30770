//! Failed calls as log records: the form in which OpenTelemetry wants exceptions.

use super::CALL;
use crate::{
    telemetry::names::attribute,
    words::{call::CallError, observe::CallFacts, trace},
};

/// Logs a call that failed, in its span; any other says nothing. Once a call.
pub fn call_failed(call: &CallFacts<'_>) {
    let Some(error) = call.error else { return };
    let _within = trace::within(call.context);
    let message = error.to_string();
    let export = call.export.as_str();
    // The fields in braces of their own: after a target, a macro takes a name in braces for them.
    tracing::event!(
        target: CALL,
        tracing::Level::ERROR,
        {
            { attribute::EXCEPTION_TYPE } = exception_type(error),
            { attribute::EXCEPTION_MESSAGE } = message,
            { attribute::ERROR_TYPE } = error.reason(),
            { attribute::BLAME } = error.blame().to_string(),
            { attribute::EXPORT } = export,
            { attribute::BATCH_SEQUENCE } = call.batch.map(|batch| batch.sequence),
        },
        "`{export}` failed: {message}"
    );
}

/// What kind of failure it is, for `exception.type`; `error.type` says more.
pub fn exception_type(error: &CallError) -> &'static str {
    match error {
        CallError::Stage(_) => "CallError::Stage",
        CallError::Trap { .. } => "CallError::Trap",
        CallError::Limit { .. } => "CallError::Limit",
        CallError::Ungranted { .. } => "CallError::Ungranted",
        CallError::Malformed(_) => "CallError::Malformed",
        CallError::Poisoned => "CallError::Poisoned",
        CallError::Host(_) => "CallError::Host",
    }
}
