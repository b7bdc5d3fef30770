//! Why a version was not taken over, or was taken back: every cause has a name from a bounded set and a sentence.

use crate::words::call::CallError;

/// Why a version did not stay.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Cause {
    /// It could not be opened with the state of the old one.
    #[error("it cannot take over: {0}")]
    Restore(CallError),
    /// The old version could not say what it remembers.
    #[error("the old version cannot say what it remembers: {0}")]
    Snapshot(CallError),
    /// The old version does not say where its source goes on.
    #[error("the old version does not say where to go on: its batches have no position")]
    NoPosition,
    /// A call of it failed.
    #[error("`{export}` failed: {error}")]
    Failed {
        /// Which export.
        export: &'static str,
        /// How.
        error: CallError,
    },
    /// It answered otherwise than the old version.
    #[error("it answers otherwise than the old version for batch {batch}: {what}")]
    Diverged {
        /// The batch's number in the run.
        batch: u64,
        /// What is different.
        what: String,
    },
    /// It takes too long.
    #[error("it takes {factor:.2} times as long a row; at most {allowed} is allowed")]
    Slower {
        /// Relative to the old version.
        factor: f64,
        /// The setting.
        allowed: f64,
    },
    /// It uses too much fuel.
    #[error("it uses {factor:.2} times as much fuel a row; at most {allowed} is allowed")]
    Fuel {
        /// Relative to the old version.
        factor: f64,
        /// The setting.
        allowed: f64,
    },
    /// It uses too much memory.
    #[error("it uses {factor:.2} times as much memory; at most {allowed} is allowed")]
    Memory {
        /// Relative to the old version.
        factor: f64,
        /// The setting.
        allowed: f64,
    },
    /// It rejects too much.
    #[error("it rejects {:.1} % of rows, the old version {:.1} %; at most {:.1} % more is allowed", share * 100.0, before * 100.0, allowed * 100.0)]
    Rejects {
        /// Share of rows.
        share: f64,
        /// The old version's.
        before: f64,
        /// The setting.
        allowed: f64,
    },
    /// Too few batches came by.
    #[error("the {phase} phase saw {seen} of {wanted} batches within the patience of {patience:?}")]
    Patience {
        /// Which phase.
        phase: &'static str,
        /// Batches.
        seen: u64,
        /// Batches.
        wanted: u64,
        /// The setting.
        patience: std::time::Duration,
    },
    /// No batch boundary came by.
    #[error("the stage did not come to the end of a batch within the patience of {0:?}")]
    NoBoundary(std::time::Duration),
    /// The version that runs failed meanwhile, and its instance was replaced.
    #[error("the version that runs failed meanwhile, and its policy had to act")]
    Disturbed,
    /// The run ended before the new version had taken over.
    #[error("the run ended before it had taken over")]
    Ended,
}

impl Cause {
    /// Machine-readable, from a bounded set.
    pub fn reason(&self) -> &'static str {
        match self {
            Cause::Restore(_) => "restore",
            Cause::Snapshot(_) => "snapshot",
            Cause::NoPosition => "no-position",
            Cause::Failed { error: CallError::Trap { .. }, .. } => "trap",
            Cause::Failed { .. } => "error",
            Cause::Diverged { .. } => "diverged",
            Cause::Slower { .. } => "slower",
            Cause::Fuel { .. } => "fuel",
            Cause::Memory { .. } => "memory",
            Cause::Rejects { .. } => "rejects",
            Cause::Patience { .. } | Cause::NoBoundary(_) => "patience",
            Cause::Disturbed => "disturbed",
            Cause::Ended => "ended",
        }
    }
}
