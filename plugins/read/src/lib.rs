//! `std:read`: tables that the host reads. No row enters the sandbox; this stage says what to read and passes frames on.

mod options;

use parshall_sdk::{prelude::*, tables::Reader};

struct Read {
    reader: Reader,
}

impl Extract for Read {
    type Config = options::Config;
    const DESCRIPTION: Description = describe!("Reads Parquet, CSV, JSON Lines, Arrow IPC or plain lines");

    fn open(config: options::Config, position: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        let options = config.options()?;
        let at_path = |error: parshall_sdk::tables::TableError| error.at("/path");
        let mut reader = Reader::open(&config.path, &options).map_err(at_path)?;
        let port = Port::out(reader.schema()?);
        if let Some(position) = position {
            reader.seek(&position).map_err(at_path)?;
        }
        Ok((Self { reader }, port))
    }

    fn next(&mut self) -> Result<Option<Extracted>, StageError> {
        let Some(frame) = self.reader.next().map_err(|error| error.at("/path"))? else {
            return Ok(None);
        };
        Ok(Some(Extracted { port: 0, values: Values::Frame(frame), position: self.reader.position() }))
    }
}

export_extract!(Read);
