//! A Rust stage without an Arrow library: columns are slices. A stage implements [`Transform`] and is exported with
//! [`transform!`]. Where Arrow's kernels are wanted, the crate `parshall-sdk` has them.
//!
//! `abi` is the contract as it lies in memory; there is no binding generator.

mod abi;
mod answer;
mod config;
pub mod exports;
mod frame;
mod last_words;
mod schema;

pub use answer::{Answer, Made, Output};
pub use config::StageError;
pub use frame::{Column, Frame, Number, Texts, Validity};
pub use schema::{Field, Input, Port, Schema, same_schema, type_name};
pub use serde::Deserialize;

/// What a component says of itself.
pub struct Description {
    /// Short name, kebab-case.
    pub name: &'static str,
    /// Version of the component.
    pub version: &'static str,
    /// One line for a person.
    pub summary: &'static str,
    /// JSON Schema of the configuration.
    pub config_schema: &'static str,
    /// Whether an instance remembers anything between calls.
    pub stateful: bool,
}

impl Description {
    /// Of a stage without settings and without memory.
    pub const EMPTY: Description =
        Description { name: "", version: "0.1.0", summary: "", config_schema: NO_SETTINGS, stateful: false };
}

const NO_SETTINGS: &str = r#"{"type": "object", "additionalProperties": false}"#;

/// The configuration of a stage that has none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

/// A stage that turns batches into others.
pub trait Transform: Sized + 'static {
    /// Read from the stage's JSON; with `#[serde(deny_unknown_fields)]`, mistakes are told where they are.
    type Config: serde::de::DeserializeOwned;
    /// What the component says of itself.
    const DESCRIPTION: Description;

    /// Configures an instance; `restore` is an earlier one's `snapshot`. Answers the ports that batches leave by.
    fn open(config: Self::Config, inputs: &[Input], restore: Option<&[u8]>) -> Result<(Self, Vec<Port>), StageError>;

    /// Takes one batch.
    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError>;

    /// What is still held when the inputs have ended; called until it answers nothing.
    fn finish(&mut self) -> Result<Option<Answer>, StageError> {
        Ok(None)
    }

    /// Everything the instance remembers.
    fn snapshot(&mut self) -> Result<Vec<u8>, StageError> {
        Ok(Vec::new())
    }
}
