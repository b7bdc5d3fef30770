//! Text files, read: one column `line` of type utf8, without the line ends.

use std::{
    io::{BufRead, Read},
    sync::Arc,
};

use arrow::{
    array::StringBuilder,
    datatypes::{DataType, Field, Schema, SchemaRef},
};

use super::{
    failure::io_error,
    input::{self, Text},
    options::ReadOptions,
    projection::Projection,
    reader::FileReader,
    store::Address,
};
use crate::words::{batch::RecordBatch, tables::TableError};

/// Longer lines are an error: such a file is no text, and a batch must fit into memory.
pub const LINE_LIMIT: usize = 16 * 1024 * 1024;
/// A batch is closed early once it holds this much text.
const BATCH_BYTES: usize = 64 * 1024 * 1024;

/// A text file being read.
pub struct LinesFile {
    name: String,
    schema: SchemaRef,
    text: Text,
    batch_rows: usize,
    /// Lines read so far.
    line: u64,
    buffer: Vec<u8>,
}

impl LinesFile {
    pub fn open(address: &Address, options: &ReadOptions) -> Result<Self, TableError> {
        let schema = Arc::new(Schema::new(vec![Field::new("line", DataType::Utf8, false)]));
        let schema = Projection::new(&address.name, &schema, options.columns.as_deref())?.schema;
        let (name, text) = (address.name.clone(), input::text(address)?);
        Ok(LinesFile { name, schema, text, batch_rows: options.batch_rows, line: 0, buffer: Vec::new() })
    }

    /// Reads a line into the buffer; false at the end.
    fn read(&mut self) -> Result<bool, TableError> {
        self.buffer.clear();
        let mut limited = (&mut self.text).take(LINE_LIMIT as u64 + 2);
        let read = limited.read_until(b'\n', &mut self.buffer).map_err(|error| io_error(&self.name, "reading", &error))?;
        if read == 0 {
            return Ok(false);
        }
        self.line += 1;
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
            if self.buffer.last() == Some(&b'\r') {
                self.buffer.pop();
            }
        }
        if self.buffer.len() > LINE_LIMIT {
            return Err(TableError::Format(format!(
                "reading {:?}, line {}: it is longer than {LINE_LIMIT} bytes; is this a text file?",
                self.name, self.line
            )));
        }
        Ok(true)
    }

    fn text(&self) -> Result<&str, TableError> {
        std::str::from_utf8(&self.buffer).map_err(|error| {
            TableError::Format(format!(
                "reading {:?}, line {}: byte {} is not UTF-8; convert the file, for example with iconv",
                self.name,
                self.line,
                error.valid_up_to() + 1
            ))
        })
    }
}

// === impl FileReader for LinesFile ===

impl FileReader for LinesFile {
    fn file_schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, TableError> {
        let (mut lines, mut count) = (StringBuilder::new(), 0);
        while count < self.batch_rows && lines.values_slice().len() < BATCH_BYTES && self.read()? {
            lines.append_value(self.text()?);
            count += 1;
        }
        if count == 0 {
            return Ok(None);
        }
        RecordBatch::try_new(self.schema.clone(), vec![Arc::new(lines.finish())])
            .map(Some)
            .map_err(|error| super::failure::arrow_error(&self.name, "reading", &error))
    }

    fn skip(&mut self, rows: u64) -> Result<u64, TableError> {
        while self.line < rows && self.read()? {}
        Ok(self.line)
    }
}
