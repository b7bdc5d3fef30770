//! Configuration read with serde, and what can be wrong, in the contract's terms.

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::{
    abi::{self, Maybe},
    schema::text,
};

/// Why a stage could not do as it was asked.
#[derive(Debug)]
pub enum StageError {
    /// The configuration is wrong, at a JSON Pointer.
    Config {
        /// Such as `/column`.
        pointer: String,
        /// What is wrong and what was expected.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// A column does not fit.
    Schema {
        /// Its name.
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

// === impl StageError ===

impl StageError {
    /// A mistake in the value that a JSON Pointer names.
    pub fn config(pointer: &str, message: impl Into<String>) -> Self {
        StageError::Config { pointer: pointer.into(), message: message.into(), help: None }
    }

    /// A column that does not fit.
    pub fn schema(column: &str, message: impl Into<String>) -> Self {
        StageError::Schema { column: Some(column.into()), message: message.into() }
    }

    /// The same, with advice, if it is a mistake in the configuration.
    pub fn help(mut self, advice: impl Into<String>) -> Self {
        if let StageError::Config { help, .. } = &mut self {
            *help = Some(advice.into());
        }
        self
    }

    /// Points into itself.
    pub(crate) fn lower(&self) -> abi::StageError {
        match self {
            StageError::Config { pointer, message, help } => abi::StageError::Config(abi::ConfigError {
                pointer: text(pointer),
                offset: Maybe::None,
                message: text(message),
                help: help.as_deref().map_or(Maybe::None, |help| Maybe::Some(text(help))),
            }),
            StageError::Schema { column, message } => {
                let column = column.as_deref().map_or(Maybe::None, |column| Maybe::Some(text(column)));
                abi::StageError::Schema(abi::SchemaError { column, message: text(message) })
            }
            StageError::Data(message) => abi::StageError::Data(text(message)),
            StageError::Unavailable(message) => abi::StageError::Unavailable(text(message)),
            StageError::Internal(message) => abi::StageError::Internal(text(message)),
        }
    }
}

/// The configuration, or where in it the mistake is.
pub fn read<C: DeserializeOwned>(json: &str) -> Result<C, StageError> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(json)).map_err(|error| {
        let mut pointer = String::new();
        for segment in error.path() {
            match segment {
                Segment::Seq { index } => pointer += &format!("/{index}"),
                Segment::Map { key } => pointer += &format!("/{}", escaped(key)),
                Segment::Enum { .. } | Segment::Unknown => {}
            }
        }
        let message = error.inner().to_string();
        // Line and column are those of JSON that nobody has written.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
        if let Some(name) = unknown.filter(|name| !pointer.ends_with(&format!("/{}", escaped(name)))) {
            pointer += &format!("/{}", escaped(name));
        }
        StageError::config(&pointer, message)
    })
}

/// A name as it stands in a JSON Pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
