//! A call: one invocation of a stage's export, its outcome and what it cost.

use super::{blame::Blame, usage::Usage};

/// The outcome of one call, and its cost whether it went well or not.
#[derive(Debug)]
pub struct Call<T> {
    /// What came back.
    pub outcome: Result<T, CallError>,
    /// What it cost.
    pub usage: Usage,
}

impl<T> Call<T> {
    /// The same call with its value turned into another.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Call<U> {
        Call { outcome: self.outcome.map(f), usage: self.usage }
    }
}

/// Why a call failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// The guest reported an error in its own words.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The guest trapped; the instance is poisoned.
    #[error("the component trapped: {message}")]
    Trap {
        /// Machine-readable reason: `unreachable`, `stack-overflow`, `out-of-bounds` …
        reason: &'static str,
        /// What wasmtime said.
        message: String,
    },
    /// The guest exceeded a limit; the instance is poisoned.
    #[error("limit `{limit}` exceeded: {} ({unit})", amounts(*.current, *.requested, *.allowed))]
    Limit {
        /// The setting's name in the pipeline file.
        limit: &'static str,
        /// What was in use.
        current: u64,
        /// What was requested on top.
        requested: u64,
        /// The limit.
        allowed: u64,
        /// The unit of the three.
        unit: &'static str,
    },
    /// The component imports an interface that it was not granted.
    #[error("the component imports `{import}`, which is not granted; {help}")]
    Ungranted {
        /// The interface.
        import: String,
        /// How to grant it, or that it does not exist here.
        help: String,
    },
    /// The guest answered something that is not allowed; the instance is poisoned.
    #[error("the component's answer is malformed: {0}")]
    Malformed(String),
    /// The instance was poisoned by an earlier call.
    #[error("the instance is poisoned by an earlier failure and cannot be called")]
    Poisoned,
    /// The host could not do its part.
    #[error("{0}")]
    Host(String),
    /// A failure for which more was done than to end the run, and in the end not enough.
    #[error("{last} ({why})")]
    GivenUp {
        /// What had been done, or why no more could be.
        why: String,
        /// The failure.
        last: Box<CallError>,
    },
}

impl CallError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            CallError::Stage(error) => error.blame(),
            CallError::Ungranted { .. } => Blame::Pipeline,
            CallError::Trap { .. } | CallError::Limit { .. } | CallError::Malformed(_) | CallError::Poisoned => Blame::Guest,
            CallError::Host(_) => Blame::Host,
            CallError::GivenUp { last, .. } => last.blame(),
        }
    }

    /// Machine-readable reason, from a bounded set: fit for a metric's label.
    pub fn reason(&self) -> &'static str {
        match self {
            CallError::Stage(error) => error.reason(),
            CallError::Trap { reason, .. } => reason,
            CallError::Limit { limit, .. } => limit,
            CallError::Ungranted { .. } => "ungranted",
            CallError::Malformed(_) => "malformed",
            CallError::Poisoned => "poisoned",
            CallError::Host(_) => "host",
            CallError::GivenUp { last, .. } => last.reason(),
        }
    }

    /// The same with what had been done about it.
    pub fn given_up(self, why: impl Into<String>) -> Self {
        CallError::GivenUp { why: why.into(), last: Box::new(self) }
    }

    /// Whether the same call may go well later: something outside did not answer, or the deadline passed.
    pub fn may_pass(&self) -> bool {
        matches!(self, CallError::Stage(StageError::Unavailable(_)) | CallError::Limit { limit: "timeout", .. })
    }

    /// Whether it may be the fault of some of the rows: then others go well without them.
    pub fn is_of_rows(&self) -> bool {
        match self {
            CallError::Stage(error) => matches!(error, StageError::Data(_) | StageError::Internal(_)),
            CallError::Trap { .. } | CallError::Limit { .. } | CallError::Malformed(_) => true,
            CallError::Ungranted { .. } | CallError::Poisoned | CallError::Host(_) | CallError::GivenUp { .. } => false,
        }
    }

    /// Whether the instance cannot be called again.
    pub fn poisons(&self) -> bool {
        !matches!(self, CallError::Stage(_))
    }
}

impl CallError {
    /// More than a limit allows, all at once.
    pub fn over(limit: &'static str, requested: u64, allowed: u64, unit: &'static str) -> Self {
        CallError::Limit { limit, current: 0, requested, allowed, unit }
    }

    /// The same, unless it is within it.
    pub fn within(limit: &'static str, requested: u64, allowed: u64, unit: &'static str) -> Result<(), Self> {
        if requested <= allowed { Ok(()) } else { Err(CallError::over(limit, requested, allowed, unit)) }
    }
}

fn amounts(current: u64, requested: u64, allowed: u64) -> String {
    match (current, requested) {
        (0, 0) => format!("all {allowed} used up"),
        (0, requested) => format!("{requested} requested, {allowed} allowed"),
        (current, requested) => format!("{current} in use, {requested} more requested, {allowed} allowed"),
    }
}

/// An error that a stage reports: the contract's `stage-error`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StageError {
    /// The configuration is wrong.
    #[error("{message}{}", .help.as_ref().map(|help| format!("; {help}")).unwrap_or_default())]
    Config {
        /// JSON Pointer to the wrong value.
        pointer: String,
        /// Offset in bytes within that string.
        offset: Option<u32>,
        /// What is wrong and what was expected.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// A schema does not fit.
    #[error("{}{message}", .column.as_ref().map(|name| format!("column `{name}`: ")).unwrap_or_default())]
    Schema {
        /// The column.
        column: Option<String>,
        /// What is wrong and what was expected.
        message: String,
    },
    /// The data is wrong.
    #[error("{0}")]
    Data(String),
    /// Something outside did not answer.
    #[error("{0}")]
    Unavailable(String),
    /// A defect of the stage.
    #[error("{0}")]
    Internal(String),
}

impl StageError {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            StageError::Config { .. } | StageError::Schema { .. } => Blame::Pipeline,
            StageError::Data(_) => Blame::Data,
            StageError::Unavailable(_) => Blame::Outside,
            StageError::Internal(_) => Blame::Guest,
        }
    }

    /// Machine-readable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            StageError::Config { .. } => "config",
            StageError::Schema { .. } => "schema",
            StageError::Data(_) => "data",
            StageError::Unavailable(_) => "unavailable",
            StageError::Internal(_) => "internal",
        }
    }
}
