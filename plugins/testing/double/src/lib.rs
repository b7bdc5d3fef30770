//! Doubles an int64 column: the stage that the README shows.

use arrow_array::{Int64Array, types::Int64Type};
use parshall_sdk::prelude::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Double {
    column: String,
}

impl Transform for Double {
    type Config = Self;
    const DESCRIPTION: Description = describe!("Doubles an int64 column");

    fn open(config: Self, inputs: &[Input], _: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        let schema = same_schema(inputs)?;
        typed_index(&schema, &config.column, &DataType::Int64, "/column")?;
        Ok((config, Port::out(schema)))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        let column = column_index(frame.schema(), &self.column, "/column")?;
        let doubled = frame.typed::<Int64Array>(column)?.unary::<_, Int64Type>(|value| value.wrapping_mul(2));
        Ok(Output::replacing(frame, column, &doubled).into())
    }
}

export_transform!(Double);
