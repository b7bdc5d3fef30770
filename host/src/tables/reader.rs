//! A table of one or more files, read one after the other: equal columns, one position.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::{
    arrow_ipc_read::IpcFile,
    csv_read::CsvFile,
    failure::contained,
    format::Format,
    json_read::JsonFile,
    lines::LinesFile,
    listing::Listing,
    options::ReadOptions,
    parquet_read::ParquetFile,
    position::Position,
    projection::{conform, same_columns},
    store::Address,
};
use crate::words::{
    batch::RecordBatch,
    tables::{TableError, TableReader},
    trace::SpanContext,
};

/// One file being decoded.
pub trait FileReader: Send {
    /// Of all columns in the file, chosen or not.
    fn file_schema(&self) -> SchemaRef;
    /// Of every batch.
    fn schema(&self) -> SchemaRef;
    /// The span that wrote it, by the word of the file.
    fn origin(&self) -> Option<SpanContext> {
        None
    }
    /// The next batch.
    fn next(&mut self) -> Result<Option<RecordBatch>, TableError>;
    /// Goes past rows, right after opening. Answers how many there were, if fewer.
    fn skip(&mut self, rows: u64) -> Result<u64, TableError>;
}

/// How every file of a table is opened.
struct Plan {
    format: Format,
    options: ReadOptions,
    /// Of text formats, told from the first file that has any column.
    text_schema: Option<Arc<TextSchema>>,
}

/// Columns of a text file and where they were told from.
pub struct TextSchema {
    /// The file whose rows were looked at.
    pub file: String,
    pub schema: SchemaRef,
}

/// Reads the files of a table in order.
pub struct Reader {
    files: Vec<Address>,
    plan: Plan,
    file_schema: SchemaRef,
    schema: SchemaRef,
    /// The file that the next batch comes from, and the rows of it already read.
    at: usize,
    rows: u64,
    open: Option<Box<dyn FileReader>>,
}

impl Reader {
    pub fn open(listing: Listing, options: ReadOptions) -> Result<Self, TableError> {
        options.check(listing.format)?;
        let mut plan = Plan { format: listing.format, options, text_schema: None };
        plan.text_schema = plan.tell_schema(&listing.files)?;
        let first = plan.open(&listing.files[0])?;
        let reader = Reader {
            file_schema: first.file_schema(),
            schema: first.schema(),
            files: listing.files,
            plan,
            at: 0,
            rows: 0,
            open: Some(first),
        };
        // Better refused now than after hours; remote files are only looked at when their turn comes.
        reader.files.iter().skip(1).filter(|file| file.is_local).try_for_each(|file| reader.check(&*reader.plan.open(file)?, file))?;
        Ok(reader)
    }

    fn check(&self, file: &dyn FileReader, address: &Address) -> Result<(), TableError> {
        same_columns((&self.files[0].name, &self.file_schema), (&address.name, &file.file_schema()))
    }

    fn open_at(&self, at: usize) -> Result<Box<dyn FileReader>, TableError> {
        let file = self.plan.open(&self.files[at])?;
        if at > 0 {
            self.check(&*file, &self.files[at])?;
        }
        Ok(file)
    }
}

// === impl TableReader for Reader ===

impl TableReader for Reader {
    fn format(&self) -> &'static str {
        self.plan.format.name()
    }

    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, TableError> {
        loop {
            let mut file = match self.open.take() {
                Some(file) => file,
                None => self.open_at(self.at)?,
            };
            // A file whose decoding failed is not put back: the next call begins it anew at the same rows.
            match self.files[self.at].fault.instead(file.next())? {
                Some(batch) => {
                    self.open = Some(file);
                    let batch = conform(batch, &self.schema, &self.files[0].name, &self.files[self.at].name)?;
                    self.rows += batch.num_rows() as u64;
                    return Ok(Some(batch));
                }
                None if self.at + 1 == self.files.len() => {
                    self.open = Some(file);
                    return Ok(None);
                }
                None => {
                    self.at += 1;
                    self.rows = 0;
                }
            }
        }
    }

    fn origin(&self) -> Option<SpanContext> {
        self.open.as_ref().and_then(|file| file.origin())
    }

    fn position(&self) -> Vec<u8> {
        let name = self.files[self.at].name.clone();
        Position { file: self.at as u64, name, mark: self.rows }.encode()
    }

    fn seek(&mut self, position: &[u8]) -> Result<(), TableError> {
        let position = Position::decode(position)?;
        let hinted = usize::try_from(position.file).ok();
        let hinted = hinted.filter(|&at| self.files.get(at).is_some_and(|file| file.name == position.name));
        let named = || self.files.iter().position(|file| file.name == position.name);
        let at = hinted.or_else(named).ok_or_else(|| {
            let name = &position.name;
            TableError::NotFound(format!("the position to go on from is in {name:?}, which is no longer part of the table"))
        })?;
        let mut file = self.open_at(at)?;
        let skipped = self.files[at].fault.instead(file.skip(position.mark))?;
        if skipped < position.mark {
            return Err(TableError::Format(format!(
                "the position to go on from is after row {} of {:?}, which has only {skipped}; was it replaced?",
                position.mark, position.name
            )));
        }
        (self.at, self.rows, self.open) = (at, position.mark, Some(file));
        Ok(())
    }
}

// === impl Plan ===

impl Plan {
    fn open(&self, file: &Address) -> Result<Box<dyn FileReader>, TableError> {
        let options = &self.options;
        let opened = contained(&file.name, "opening", || {
            let opened: Box<dyn FileReader> = match (self.format, &self.text_schema) {
                (Format::Parquet, _) => Box::new(ParquetFile::open(file, options)?),
                (Format::ArrowIpc, _) => Box::new(IpcFile::open(file, options)?),
                (Format::Csv, Some(schema)) => Box::new(CsvFile::open(file, options, schema.clone())?),
                (Format::JsonLines, Some(schema)) => Box::new(JsonFile::open(file, options, schema.clone())?),
                (Format::Csv | Format::JsonLines, None) => unreachable!("told when the table was opened"),
                (Format::Lines, _) => Box::new(LinesFile::open(file, options)?),
                (Format::Sqlite, _) => {
                    let path = format!("write it as \"sqlite:{}\"", file.name);
                    return Err(TableError::Options(format!("an SQLite database is not read as a file; {path}")));
                }
            };
            Ok(opened)
        });
        file.fault.instead(opened)
    }

    /// Columns of text formats: of the first file that has any, so that an empty first file does no harm.
    fn tell_schema(&self, files: &[Address]) -> Result<Option<Arc<TextSchema>>, TableError> {
        let tell = match self.format {
            Format::Csv => CsvFile::tell_schema,
            Format::JsonLines => JsonFile::tell_schema,
            _ => return Ok(None),
        };
        let mut told = None;
        for file in files {
            let schema = file.fault.instead(contained(&file.name, "reading", || tell(file, &self.options)))?;
            let is_empty = schema.fields().is_empty();
            told = Some(Arc::new(TextSchema { file: file.name.clone(), schema }));
            if !is_empty {
                break;
            }
        }
        Ok(told)
    }
}

/// What was inferred, overridden and completed by what the options say. A column without any value becomes text.
pub fn with_stated_types(inferred: &Schema, stated: &[(String, DataType)], may_add: bool) -> Result<Schema, TableError> {
    let mut fields = Vec::with_capacity(inferred.fields().len());
    for field in inferred.fields() {
        let stated = stated.iter().find(|column| column.0 == *field.name()).map(|column| column.1.clone());
        let told = if field.data_type().is_null() { DataType::Utf8 } else { field.data_type().clone() };
        fields.push(Field::new(field.name(), stated.unwrap_or(told), true));
    }
    for (name, data_type) in stated {
        if inferred.field_with_name(name).is_ok() {
            continue;
        }
        if !may_add {
            let names = inferred.fields().iter().map(|field| field.name().as_str());
            let hint = super::nearest::hint(name, names);
            return Err(TableError::Options(format!("option \"schema\": there is no column {name:?}{hint}")));
        }
        fields.push(Field::new(name, data_type.clone(), true));
    }
    Ok(Schema::new(fields))
}
