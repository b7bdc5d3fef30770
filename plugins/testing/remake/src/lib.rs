//! Reads every column and answers each as an array of its own: a round trip of every type through both directions.

use parshall_sdk::prelude::*;

/// Whether the rows are said to be the input's or the stage's own.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Whose {
    #[default]
    All,
    Fresh,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    rows: Whose,
}

struct Remake(Whose);

impl Transform for Remake {
    type Config = Config;
    const DESCRIPTION: Description = describe!("Takes every column in and sends it out again");

    fn open(config: Config, inputs: &[Input], _: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        Ok((Self(config.rows), Port::out(same_schema(inputs)?)))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        let all: Vec<usize> = (0..frame.schema().fields().len()).collect();
        frame.read(&all)?;
        let columns = all.iter().map(|&index| frame.column(index).map(|array| Column::made(&array))).collect::<Result<Vec<_>, _>>()?;
        let rows = match self.0 {
            Whose::All => Rows::All,
            Whose::Fresh => Rows::Fresh(frame.rows()),
        };
        Ok(Output::of(rows).columns(columns).into())
    }
}

export_transform!(Remake);
