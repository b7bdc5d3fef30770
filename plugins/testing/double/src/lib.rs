//! Doubles an int64 column: the stage that the SDK's README shows.

use arrow_array::Int64Array;
use parshall_sdk::prelude::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    column: String,
}

struct Double {
    column: usize,
    columns: usize,
}

impl Transform for Double {
    type Config = Config;
    const DESCRIPTION: Description = describe!("Doubles an int64 column");

    fn open(config: Config, inputs: &[Input], _: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        let schema = same_schema(inputs)?;
        let column = column_index(&schema, &config.column, "/column")?;
        if schema.field(column).data_type() != &DataType::Int64 {
            return Err(StageError::schema(config.column, "expected int64"));
        }
        Ok((Self { column, columns: schema.fields().len() }, Port::out(schema)))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        let doubled = frame.typed::<Int64Array>(self.column)?.unary::<_, arrow_array::types::Int64Type>(|value| value.wrapping_mul(2));
        let columns = (0..self.columns).map(|index| if index == self.column { Column::made(&doubled) } else { Column::input(index) });
        Ok(Output::of(Rows::All).columns(columns).into())
    }
}

export_transform!(Double);
