//! `std:filter`: keeps the rows for which a condition is true. Only the columns that the condition mentions are read.

use expressions::{Batch, Expression, Scope};
use parshall_sdk::prelude::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// A boolean expression.
    r#where: String,
}

struct Filter {
    condition: Expression,
}

impl Transform for Filter {
    type Config = Config;
    const DESCRIPTION: Description = Description {
        documentation: concat!(include_str!("../README.md"), "\n", include_str!("../../expressions/README.md")),
        ..describe!("Keeps the rows for which an SQL condition is true")
    };

    fn open(config: Config, inputs: &[Input], _: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        let schema = same_schema(inputs)?;
        let condition = Expression::condition(&config.r#where, &Scope::of(&schema)).map_err(|mistake| mistake.at("/where"))?;
        Ok((Self { condition }, Port::out(schema)))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        let batch = Batch::read(frame, self.condition.mentions())?;
        Ok(Output::of(Rows::Keep(self.condition.truths(&batch)?)).into())
    }
}

export_transform!(Filter);
