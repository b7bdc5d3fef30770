//! Makes rows itself, without any grant: what an extract costs whose values are born in the sandbox.

use arrow_array::{Float64Array, Int64Array};
use parshall_sdk::prelude::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    rows: u64,
    #[serde(default = "batch_rows")]
    batch_rows: u64,
}

fn batch_rows() -> u64 {
    8192
}

struct Generate {
    config: Config,
    made: u64,
}

impl Extract for Generate {
    type Config = Config;
    const DESCRIPTION: Description = describe!("Makes rows: a number and its square root");

    fn open(config: Config, position: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        if config.batch_rows == 0 {
            return Err(StageError::config("/batch_rows", "a batch has at least one row"));
        }
        // The position is the number of rows made so far.
        let made = position.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes);
        let schema = Schema::new(vec![Field::new("n", DataType::Int64, false), Field::new("root", DataType::Float64, false)]);
        Ok((Self { config, made }, Port::out(schema)))
    }

    fn next(&mut self) -> Result<Option<Extracted>, StageError> {
        let end = self.config.rows.min(self.made + self.config.batch_rows);
        if self.made >= end {
            return Ok(None);
        }
        let numbers = Int64Array::from_iter_values(self.made as i64..end as i64);
        let roots = Float64Array::from_iter_values((self.made..end).map(|number| (number as f64).sqrt()));
        let columns = vec![numbers.into(), roots.into()];
        let values = Values::Made((end - self.made) as usize, columns);
        self.made = end;
        Ok(Some(Extracted { port: 0, values, position: end.to_le_bytes().to_vec() }))
    }
}

export_extract!(Generate);
