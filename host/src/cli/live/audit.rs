//! The audit: a log record for each change of a run, and for each that was refused. ADMIN.md lists its attributes.

use crate::{
    pipeline::swap::{Outcome, Record, Refusal, Trigger},
    telemetry::names::attribute,
};

/// Who speaks.
const AUDIT: &str = "parshall::audit";

/// Writes what came of a change.
pub fn write(pipeline: &str, record: &Record) {
    // Tells at which level; the attributes are the same.
    macro_rules! say {
        ($level:ident, $how:literal) => {
            tracing::$level!(
                target: AUDIT,
                {
                { attribute::PIPELINE } = pipeline,
                stage = %record.stage,
                trigger = record.trigger.as_str(),
                outcome = record.outcome.as_str(),
                reason = record.reason,
                why = record.message.as_deref(),
                old.generation = record.old.generation,
                old.component = %record.old.component,
                old.digest = %record.old.digest,
                old.batches = record.old.span.batches,
                old.first_batch = record.old.span.first_batch,
                old.last_batch = record.old.span.last_batch,
                new.generation = record.new.generation,
                new.component = %record.new.component,
                new.digest = %record.new.digest,
                new.batches = record.new.span.batches,
                new.first_batch = record.new.span.first_batch,
                new.last_batch = record.new.span.last_batch,
                instances = record.instances as u64,
                load_seconds = record.load_seconds,
                trial_seconds = record.trial_seconds,
                pause_seconds = record.pause_seconds,
                diverged = record.diverged
                },
                $how,
                record.old.generation,
                record.new.generation,
            )
        };
    }
    match record.outcome {
        Outcome::Swapped if record.old.generation == record.new.generation => say!(info, "settings changed ({} stays {})"),
        Outcome::Swapped => say!(info, "swapped: generation {} gave way to {}"),
        Outcome::RolledBack => say!(warn, "rolled back: generation {} is back after {}"),
        Outcome::Refused => say!(warn, "refused: generation {} stays, {} was not taken"),
    }
}

/// Writes that a change was not begun.
pub fn refused(pipeline: &str, trigger: Trigger, refusal: &Refusal) {
    let why = refusal.message();
    tracing::warn!(
        target: AUDIT,
        { { attribute::PIPELINE } = pipeline, trigger = trigger.as_str(), outcome = "refused", why },
        "refused: nothing was changed"
    );
}
