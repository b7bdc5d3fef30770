//! Why a stage could not do as it was asked.

use crate::abi::{self, Maybe, Text};

/// The contract's `stage-error`: the case says whose fault it is and whether another try can help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageError {
    /// The configuration is wrong.
    Config(ConfigError),
    /// A schema does not fit.
    Schema {
        /// The column, if it is one.
        column: Option<String>,
        /// What is wrong and what was expected.
        message: String,
    },
    /// The data is wrong, and no single row can be rejected for it.
    Data(String),
    /// Something outside did not answer; the same call may succeed later.
    Unavailable(String),
    /// A defect of the stage itself.
    Internal(String),
}

/// A mistake in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigError {
    /// JSON Pointer to the wrong value; empty for the whole configuration.
    pub pointer: String,
    /// Offset in bytes within that value, when it is a string.
    pub offset: Option<u32>,
    /// What is wrong and what was expected.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

// === impl StageError ===

impl StageError {
    /// A mistake in the value that a JSON Pointer names.
    pub fn config(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Config(ConfigError { pointer: pointer.into(), message: message.into(), ..ConfigError::default() })
    }

    /// A column that does not fit.
    pub fn schema(column: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Schema { column: Some(column.into()), message: message.into() }
    }

    /// The same, with advice, if it is a mistake in the configuration.
    pub fn help(mut self, advice: impl Into<String>) -> Self {
        if let Self::Config(error) = &mut self {
            error.help = Some(advice.into());
        }
        self
    }

    /// What crosses. Points into `self`.
    pub(crate) fn abi(&self) -> abi::StageError {
        let maybe = |text: &Option<String>| text.as_deref().map_or(Maybe::None, |text| Maybe::Some(Text::of(text)));
        match self {
            Self::Config(error) => abi::StageError::Config(abi::ConfigError {
                pointer: Text::of(&error.pointer),
                offset: error.offset.map_or(Maybe::None, Maybe::Some),
                message: Text::of(&error.message),
                help: maybe(&error.help),
            }),
            Self::Schema { column, message } => {
                abi::StageError::Schema(abi::SchemaError { column: maybe(column), message: Text::of(message) })
            }
            Self::Data(message) => abi::StageError::Data(Text::of(message)),
            Self::Unavailable(message) => abi::StageError::Unavailable(Text::of(message)),
            Self::Internal(message) => abi::StageError::Internal(Text::of(message)),
        }
    }
}

/// An Arrow kernel that fails has met data it cannot compute with.
impl From<arrow_schema::ArrowError> for StageError {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Data(error.to_string())
    }
}
