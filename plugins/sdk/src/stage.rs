//! The three kinds of stage, as a stage's author sees them.

use serde::de::DeserializeOwned;

use crate::{
    answer::{Answer, Rejection},
    describe::Description,
    error::StageError,
    frame::Frame,
    ports::{Input, Port},
    tables::OwnedFrame,
};
use arrow_data::ArrayData;

/// A stage that brings data in. Make it a component with [`export_extract!`](crate::export_extract).
pub trait Extract: Sized {
    /// Read from the stage's JSON; mistakes are reported where they are.
    type Config: DeserializeOwned;
    /// What the component says of itself.
    const DESCRIPTION: Description;

    /// Configures an instance, which goes on after `position` if there is one.
    fn open(config: Self::Config, position: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError>;

    /// The next batch, or nothing at the end. A source that does not end answers a batch of no rows while it has nothing now,
    /// rather than wait: the host asks again soon.
    fn next(&mut self) -> Result<Option<Extracted>, StageError>;
}

/// One batch from outside.
pub struct Extracted {
    /// Index of the port that it leaves by.
    pub port: usize,
    /// Its values.
    pub values: Values,
    /// Where to go on after it, in the stage's own words.
    pub position: Vec<u8>,
}

/// Where a batch's values are.
pub enum Values {
    /// In a frame that the host made: no byte crosses.
    Frame(OwnedFrame),
    /// Made by the stage: number of rows, one array for each field.
    Made(usize, Vec<ArrayData>),
}

/// A stage that turns batches into others. Make it a component with [`export_transform!`](crate::export_transform).
pub trait Transform: Sized {
    /// Read from the stage's JSON; mistakes are reported where they are.
    type Config: DeserializeOwned;
    /// What the component says of itself.
    const DESCRIPTION: Description;

    /// Configures an instance; `restore` is an earlier one's `snapshot`. Answers the ports that batches leave by.
    fn open(config: Self::Config, inputs: &[Input], restore: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError>;

    /// Takes one batch.
    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError>;

    /// What the stage still holds when the inputs have ended; called until it answers nothing.
    fn finish(&mut self) -> Result<Option<Answer>, StageError> {
        Ok(None)
    }

    /// Everything the instance remembers.
    fn snapshot(&mut self) -> Result<Vec<u8>, StageError> {
        Ok(Vec::new())
    }
}

/// A stage that takes data out. Make it a component with [`export_load!`](crate::export_load).
pub trait Load: Sized {
    /// Read from the stage's JSON; mistakes are reported where they are.
    type Config: DeserializeOwned;
    /// What the component says of itself.
    const DESCRIPTION: Description;

    /// Configures an instance; `restore` is an earlier one's `snapshot`.
    fn open(config: Self::Config, inputs: &[Input], restore: Option<Vec<u8>>) -> Result<Self, StageError>;

    /// Takes one batch. Answers the rows that it refuses.
    fn write(&mut self, frame: &Frame) -> Result<Vec<Rejection>, StageError>;

    /// Makes durable what was written since the last commit.
    fn commit(&mut self, last: bool) -> Result<Receipt, StageError>;

    /// Everything the instance remembers.
    fn snapshot(&mut self) -> Result<Vec<u8>, StageError> {
        Ok(Vec::new())
    }
}

/// What a load has made durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Rows.
    pub rows: u64,
    /// Where they went, for a person.
    pub location: String,
}

/// The configuration of a stage that has none: an empty object.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}
