//! Answers every batch with itself, without reading a column: what a call costs when it does nothing.

use parshall_sdk::prelude::*;

struct Noop;

impl Transform for Noop {
    type Config = NoConfig;
    const DESCRIPTION: Description = describe!("Passes every batch on, unread");

    fn open(_: NoConfig, inputs: &[Input], _: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        Ok((Self, Port::out(same_schema(inputs)?)))
    }

    fn process(&mut self, _: &Frame) -> Result<Answer, StageError> {
        Ok(Answer::all())
    }
}

export_transform!(Noop);
