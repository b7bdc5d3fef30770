//! JSON Lines, read: one object per line, types told from the first rows or stated.

use std::sync::Arc;

use arrow::{
    datatypes::{Schema, SchemaRef},
    error::ArrowError,
    json::{Reader as ArrowJson, ReaderBuilder, reader::infer_json_schema},
};

use super::{
    failure::{arrow_error, contained, format_error},
    input::{self, Text},
    options::ReadOptions,
    projection::Projection,
    reader::{FileReader, TextSchema, with_stated_types},
    skip::Rest,
    store::Address,
    text_types,
};
use crate::words::{batch::RecordBatch, tables::TableError};

pub const STATE_THE_TYPE: &str = "; correct the row, or state the column's type with the option \"schema\"";

/// A JSON Lines file being read.
pub struct JsonFile {
    address: Address,
    told: Arc<TextSchema>,
    schema: SchemaRef,
    /// A field that no row at the beginning had is an error rather than silently lost, unless columns were chosen.
    strict: bool,
    rest: Rest,
    rows: u64,
    reader: ArrowJson<Text>,
}

impl JsonFile {
    pub fn open(address: &Address, options: &ReadOptions, told: Arc<TextSchema>) -> Result<Self, TableError> {
        // The decoder finds fields by name, so it takes the answered order as it is.
        let schema = Projection::new(&address.name, &told.schema, options.columns.as_deref())?.schema;
        let strict = options.columns.is_none();
        let reader = reader(address, &schema, strict, options.batch_rows)?;
        Ok(JsonFile { address: address.clone(), told, schema, strict, rest: Rest::default(), rows: 0, reader })
    }

    /// The columns and their types, from the first rows. Stated columns need not occur in them.
    pub fn tell_schema(address: &Address, options: &ReadOptions) -> Result<SchemaRef, TableError> {
        let inferred = infer_json_schema(input::text(address)?, Some(options.infer_rows)).map_err(|error| {
            let error = arrow_error(&address.name, "reading", &error);
            located(&error, address, &Arc::new(Schema::empty()), false, 0)
        })?;
        Ok(Arc::new(with_stated_types(&inferred.0, &options.schema, true)?))
    }

    fn decode(&mut self) -> Result<Option<RecordBatch>, TableError> {
        match self.reader.next() {
            None => Ok(None),
            Some(Ok(batch)) => {
                let settled = text_types::settle(&batch, &self.schema).map_err(|(row, why)| {
                    let row = self.rows + row as u64 + 1;
                    format_error(&self.address.name, "reading", format_args!("row {row}, {why}{STATE_THE_TYPE}"))
                })?;
                self.rows += batch.num_rows() as u64;
                Ok(Some(settled))
            }
            Some(Err(error)) => {
                let error = explained(&self.address.name, &error);
                Err(located(&error, &self.address, &self.schema, self.strict, self.rows))
            }
        }
    }
}

// === impl FileReader for JsonFile ===

impl FileReader for JsonFile {
    fn file_schema(&self) -> SchemaRef {
        self.told.schema.clone()
    }

    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, TableError> {
        if let Some(rest) = self.rest.take() {
            return Ok(Some(rest));
        }
        let name = self.address.name.clone();
        contained(&name, "reading", || self.decode())
    }

    fn skip(&mut self, rows: u64) -> Result<u64, TableError> {
        let name = self.address.name.clone();
        contained(&name, "reading", || {
            let mut rest = Rest::default();
            let skipped = rest.skip(rows, || self.decode());
            self.rest = rest;
            skipped
        })
    }
}

fn reader(address: &Address, schema: &SchemaRef, strict: bool, rows: usize) -> Result<ArrowJson<Text>, TableError> {
    ReaderBuilder::new(text_types::decoded(schema, true))
        .with_strict_mode(strict)
        .with_batch_size(rows)
        .build(input::text(address)?)
        .map_err(|error| arrow_error(&address.name, "opening", &error))
}

/// The error with advice.
pub fn explained(name: &str, error: &ArrowError) -> TableError {
    let advice = if error.to_string().contains("missing from schema") {
        "; a field that the first \"infer_rows\" rows did not have: raise it, state the field's type with the option \
         \"schema\", or choose \"columns\""
    } else {
        STATE_THE_TYPE
    };
    match arrow_error(name, "reading", error) {
        TableError::Format(text) => TableError::Format(text + advice),
        other => other,
    }
}

/// Names the row of an error. The decoder does not know it, so the file is decoded once more, a row at a time: slow,
/// but only on the way to a failure.
fn located(error: &TableError, address: &Address, schema: &SchemaRef, strict: bool, from: u64) -> TableError {
    let TableError::Format(text) = error else { return error.clone() };
    let Ok(rows) = reader(address, schema, strict, 1) else {
        return error.clone();
    };
    let good = rows.take_while(Result::is_ok).count() as u64;
    let row = good.max(from) + 1;
    TableError::Format(format!("row {row}: {text}"))
}
