//! The audit: a log record for each change of a run, and for each that was refused. ADMIN.md lists its attributes.

use crate::{
    pipeline::swap::{Outcome, Record, Refusal, Trigger},
    telemetry::names::attribute,
};

/// Who speaks.
const AUDIT: &str = "parshall::audit";

/// Writes what came of a change.
pub fn write(pipeline: &str, record: &Record) {
    let (old, new) = (record.old.as_ref(), record.new.as_ref());
    // Tells at which level; the attributes are the same.
    macro_rules! say {
        ($level:ident, $($how:tt)+) => {
            tracing::$level!(
                target: AUDIT,
                {
                { attribute::PIPELINE } = pipeline,
                stage = %record.stage,
                trigger = record.trigger.as_str(),
                outcome = record.outcome.as_str(),
                reason = record.reason,
                why = record.message.as_deref(),
                old.generation = old.map(|old| old.generation),
                old.component = old.map(|old| old.component.as_str()),
                old.digest = old.map(|old| old.digest.as_str()),
                old.batches = old.map(|old| old.span.batches),
                old.first_batch = old.and_then(|old| old.span.first_batch),
                old.last_batch = old.and_then(|old| old.span.last_batch),
                new.generation = new.map(|new| new.generation),
                new.component = new.map(|new| new.component.as_str()),
                new.digest = new.map(|new| new.digest.as_str()),
                new.batches = new.map(|new| new.span.batches),
                new.first_batch = new.and_then(|new| new.span.first_batch),
                new.last_batch = new.and_then(|new| new.span.last_batch),
                instances = record.instances as u64,
                load_seconds = record.load_seconds,
                trial_seconds = record.trial_seconds,
                pause_seconds = record.pause_seconds,
                diverged = record.diverged
                },
                $($how)+
            )
        };
    }
    let (was, is) = (old.map_or(0, |old| old.generation), new.map_or(0, |new| new.generation));
    match record.outcome {
        Outcome::Swapped => say!(info, "swapped: generation {was} gave way to {is}"),
        Outcome::Resized => say!(info, "resized: {} instances", record.instances),
        Outcome::Added => say!(info, "added: it takes part from now on"),
        Outcome::Removed => say!(info, "removed: it has ended with all that it had taken"),
        Outcome::Replaced => say!(info, "replaced: generation {was} has ended, {is} has its place"),
        Outcome::Rewired => say!(info, "rewired: other stages feed it"),
        Outcome::RolledBack => say!(warn, "rolled back: generation {was} is back after {is}"),
        Outcome::Refused if new.is_none() => say!(warn, "refused: the graph stays as it is"),
        Outcome::Refused => say!(warn, "refused: generation {was} stays, {is} was not taken"),
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
