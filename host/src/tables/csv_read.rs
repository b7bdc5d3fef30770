//! CSV, read: types told from the first rows or stated, errors by line and column.

use std::sync::Arc;

use arrow::{
    csv::{
        ReaderBuilder,
        reader::{BufReader, Format as CsvFormat},
    },
    datatypes::{Schema, SchemaRef},
    error::ArrowError,
};

use super::{
    failure::{arrow_error, contained, format_error},
    format::Named,
    input::{self, Text},
    options::ReadOptions,
    projection::{Projection, same_columns},
    reader::{FileReader, TextSchema, with_stated_types},
    store::Address,
    text_types,
};
use crate::words::{batch::RecordBatch, tables::TableError};

/// A CSV file being read.
pub struct CsvFile {
    address: Address,
    options: ReadOptions,
    told: Arc<TextSchema>,
    projection: Projection,
    /// Made with the first batch, when it is known what was skipped.
    reader: Option<BufReader<Text>>,
    skip: u64,
}

impl CsvFile {
    pub fn open(address: &Address, options: &ReadOptions, told: Arc<TextSchema>) -> Result<Self, TableError> {
        let header = header(address, options)?;
        // A file without a single byte has no header and no rows, and fits every table.
        if !header.fields().is_empty() {
            check_header(&address.name, options, &told, &header)?;
        }
        let projection = Projection::new(&address.name, &told.schema, options.columns.as_deref())?;
        let (address, options) = (address.clone(), options.clone());
        Ok(CsvFile { address, options, told, projection, reader: None, skip: 0 })
    }

    /// The columns and their types, from the first rows.
    pub fn tell_schema(address: &Address, options: &ReadOptions) -> Result<SchemaRef, TableError> {
        tell_schema(&address.name, input::text(address)?, options)
    }

    fn start(&self) -> Result<BufReader<Text>, TableError> {
        // Far enough for any file, and far enough from overflowing.
        let bounds = (self.skip as usize, usize::MAX / 2);
        ReaderBuilder::new(text_types::decoded(&self.told.schema, false))
            .with_format(format(&self.address.name, &self.options)?)
            .with_batch_size(self.options.batch_rows)
            .with_bounds(bounds.0, bounds.1)
            .with_projection(self.projection.wanted.clone())
            .build_buffered(input::text(&self.address)?)
            .map_err(|error| arrow_error(&self.address.name, "reading", &error))
    }
}

// === impl FileReader for CsvFile ===

impl FileReader for CsvFile {
    fn file_schema(&self) -> SchemaRef {
        self.told.schema.clone()
    }

    fn schema(&self) -> SchemaRef {
        self.projection.schema.clone()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, TableError> {
        let name = self.address.name.clone();
        contained(&name, "reading", || {
            if self.reader.is_none() {
                self.reader = Some(self.start()?);
            }
            let Some(batch) = self.reader.as_mut().and_then(Iterator::next) else {
                return Ok(None);
            };
            let batch = batch.map_err(|error| located(&name, &self.told.schema, &error))?;
            let schema = self.told.schema.project(&self.projection.wanted).map(Arc::new);
            let schema = schema.map_err(|error| arrow_error(&name, "reading", &error))?;
            let batch = text_types::settle(&batch, &schema).map_err(|error| format_error(&name, "reading", error.1))?;
            self.projection.apply(&name, batch).map(Some)
        })
    }

    /// Rows are gone past without being converted. That there are fewer shows only by reading to the end.
    fn skip(&mut self, rows: u64) -> Result<u64, TableError> {
        self.skip = rows;
        Ok(rows)
    }
}

/// The columns and their types, from the first rows of a text.
pub fn tell_schema(name: &str, text: impl std::io::Read, options: &ReadOptions) -> Result<SchemaRef, TableError> {
    let inferred = format(name, options)?.infer_schema(text, Some(options.infer_rows));
    let inferred = inferred.map_err(|error| arrow_error(name, "reading", &error))?.0;
    if inferred.fields().is_empty() || options.csv.header {
        let may_add = inferred.fields().is_empty();
        return Ok(Arc::new(with_stated_types(&inferred, &options.schema, may_add)?));
    }
    Ok(Arc::new(without_header(name, &inferred, options)?))
}

/// How the file of this name is written.
pub fn format(name: &str, options: &ReadOptions) -> Result<CsvFormat, TableError> {
    let tabs = Named::of(name).is_some_and(|named| named.tabs);
    let delimiter = options.csv.delimiter.unwrap_or(if tabs { b'\t' } else { b',' });
    let format = CsvFormat::default().with_header(options.csv.header).with_delimiter(delimiter).with_quote(options.csv.quote);
    if options.csv.null.is_empty() {
        return Ok(format);
    }
    let text = regex::escape(&options.csv.null);
    let null = regex::Regex::new(&format!("^(?:{text})$")).map_err(|error| TableError::Options(format!("option \"csv.null\": {error}")))?;
    Ok(format.with_null_regex(null))
}

/// The names in the first row; numbers where the file has no header.
fn header(address: &Address, options: &ReadOptions) -> Result<Schema, TableError> {
    let header = format(&address.name, options)?.infer_schema(input::text(address)?, Some(0));
    header.map(|told| told.0).map_err(|error| arrow_error(&address.name, "reading", &error))
}

/// Requires that a file has the table's columns, by the names in its first row; without such a row, by their number.
pub fn check_header(name: &str, options: &ReadOptions, told: &TextSchema, header: &Schema) -> Result<(), TableError> {
    let types = told.schema.fields().iter().map(|field| field.data_type().clone());
    let types = types.chain(std::iter::repeat(arrow::datatypes::DataType::Utf8));
    let names = header.fields().iter().zip(types).enumerate();
    let fields = names.map(|(index, (field, data_type))| {
        let column = match told.schema.fields().get(index) {
            Some(told) if !options.csv.header => told.name(),
            _ => field.name(),
        };
        arrow::datatypes::Field::new(column, data_type, true)
    });
    same_columns((&told.file, &told.schema), (name, &Schema::new(fields.collect::<Vec<_>>())))
}

/// Without a header, the stated schema names the columns in order, all of them.
fn without_header(name: &str, inferred: &Schema, options: &ReadOptions) -> Result<Schema, TableError> {
    if options.schema.is_empty() {
        return with_stated_types(inferred, &[], false);
    }
    if options.schema.len() != inferred.fields().len() {
        return Err(TableError::Options(format!(
            "option \"schema\" names {} columns, but {:?} has {} and no header; name all of them, in order",
            options.schema.len(),
            name,
            inferred.fields().len()
        )));
    }
    with_stated_types(&Schema::empty(), &options.schema, true)
}

/// Arrow counts lines and columns from 0 and does not name the column; people do otherwise.
pub fn located(name: &str, schema: &Schema, error: &ArrowError) -> TableError {
    let text = error.to_string();
    let number = |before: &str| -> Option<usize> {
        let rest = &text[text.find(before)? + before.len()..];
        rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
    };
    let column = number("for column ").or_else(|| number("Error parsing column "));
    let (Some(column), Some(line)) = (column.and_then(|at| schema.fields().get(at)), number(" at line ")) else {
        return arrow_error(name, "reading", error);
    };
    let value = text.split("value '").nth(1).and_then(|rest| rest.split("' as type").next()).unwrap_or("a value");
    TableError::Format(format!(
        "reading {name:?}, line {}, column {:?}: {value:?} is no {}; correct it, or state the column's type with \
         the option \"schema\" (types are told from the first \"infer_rows\" rows)",
        line + 1,
        column.name(),
        super::type_names::show(column.data_type())
    ))
}
