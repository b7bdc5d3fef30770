//! What can be wrong: with an expression when it is compiled, with data when it is evaluated.

use parshall_sdk::{ConfigError, StageError};

/// A mistake in the text of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where, in bytes from the beginning of the text.
    pub offset: u32,
    /// What is wrong and what was expected.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A value that cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The operator or function in the text, in bytes.
    pub offset: u32,
    /// The row of the batch.
    pub row: usize,
    /// What went wrong.
    pub message: String,
}

// === impl Mistake ===

impl Mistake {
    /// A mistake without advice.
    pub fn new(offset: u32, message: impl Into<String>) -> Self {
        Self { offset, message: message.into(), help: None }
    }

    /// The same, with advice.
    pub fn help(mut self, advice: impl Into<String>) -> Self {
        self.help = Some(advice.into());
        self
    }

    /// The stage's error for it, at the value of the configuration that holds the expression.
    pub fn at(self, pointer: &str) -> StageError {
        StageError::Config(ConfigError { pointer: pointer.into(), offset: Some(self.offset), message: self.message, help: self.help })
    }
}

// === impl Failure ===

impl Failure {
    /// The stage's error for it.
    pub fn of(self, text: &str) -> StageError {
        StageError::Data(format!("row {}: {} at byte {} of `{text}`", self.row, self.message, self.offset))
    }
}
