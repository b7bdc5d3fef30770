//! `std:write`: tables that the host writes. No row enters the sandbox; this stage says where and how and passes frames on.

mod options;

use parshall_sdk::{
    prelude::*,
    tables::{TableError, Writer},
};

struct Write {
    writer: Writer,
    location: String,
}

impl Load for Write {
    type Config = options::Config;
    const DESCRIPTION: Description = describe!("Writes Parquet, CSV, JSON Lines, Arrow IPC or an SQLite table");

    fn open(config: options::Config, inputs: &[Input], _: Option<Vec<u8>>) -> Result<Self, StageError> {
        // The host's writer touches nothing before the first write, so opening is free to check everything.
        let schema = same_schema(inputs)?;
        let writer = Writer::open(&config.to, &schema, &config.options()?).map_err(at_to)?;
        Ok(Self { writer, location: config.location() })
    }

    fn write(&mut self, frame: &Frame) -> Result<Vec<Rejection>, StageError> {
        self.writer.write(frame).map_err(at_to)?;
        Ok(Vec::new())
    }

    fn commit(&mut self, last: bool) -> Result<Receipt, StageError> {
        let rows = self.writer.commit(last).map_err(at_to)?;
        Ok(Receipt { rows, location: self.location.clone() })
    }
}

fn at_to(error: TableError) -> StageError {
    error.at("/to")
}

export_load!(Write);
