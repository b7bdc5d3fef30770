//! Whole records of a text that grows, decoded: CSV, JSON Lines, plain lines.

use std::sync::Arc;

use arrow::{
    array::StringBuilder,
    compute::concat_batches,
    csv::ReaderBuilder as CsvBuilder,
    datatypes::{DataType, Field, Schema, SchemaRef},
    error::ArrowError,
    json::{ReaderBuilder as JsonBuilder, reader::infer_json_schema},
};

use super::records::Shape;
use crate::{
    tables::{
        csv_read,
        failure::{arrow_error, contained, format_error},
        format::{Format, Named},
        json_read,
        options::ReadOptions,
        projection::Projection,
        reader::{TextSchema, with_stated_types},
        text_types,
    },
    words::{batch::RecordBatch, tables::TableError},
};

/// How the files of a table are decoded.
pub struct Text {
    format: Format,
    options: ReadOptions,
    told: Arc<TextSchema>,
    projection: Projection,
}

/// Some records of a file.
pub struct Records<'a> {
    pub file: &'a str,
    pub bytes: &'a [u8],
    /// At least as many as there are.
    pub count: usize,
    /// How many stand before them in the file.
    pub before: u64,
}

/// How records of this file are told apart.
pub fn shape(format: Format, options: &ReadOptions, file: &str) -> Shape {
    if format != Format::Csv {
        return Shape::Lines;
    }
    let tabs = Named::of(file).is_some_and(|named| named.tabs);
    Shape::Csv { delimiter: options.csv.delimiter.unwrap_or(if tabs { b'\t' } else { b',' }), quote: options.csv.quote }
}

// === impl Text ===

impl Text {
    /// By the first records of a file, if there is one that has any.
    pub fn new(format: Format, options: ReadOptions, sample: Option<(&str, &[u8])>) -> Result<Self, TableError> {
        let told = match (format, sample) {
            (Format::Lines, _) => TextSchema { file: "lines".into(), schema: Arc::new(lines_schema()) },
            (_, Some((file, bytes))) => {
                let schema = contained(file, "reading", || tell(format, &options, file, bytes))?;
                TextSchema { file: file.into(), schema }
            }
            (_, None) => TextSchema { file: "option \"schema\"".into(), schema: super::stated(&options)? },
        };
        let projection = Projection::new(&told.file, &told.schema, options.columns.as_deref())?;
        Ok(Text { format, options, told: Arc::new(told), projection })
    }

    /// Of every batch.
    pub fn schema(&self) -> &SchemaRef {
        &self.projection.schema
    }

    /// Whether a file's first record names the columns.
    pub fn has_header(&self) -> bool {
        self.format == Format::Csv && self.options.csv.header
    }

    pub fn batch_rows(&self) -> usize {
        self.options.batch_rows
    }

    pub fn shape(&self, file: &str) -> Shape {
        shape(self.format, &self.options, file)
    }

    /// Requires that a CSV file has the table's columns, by its first record.
    pub fn check(&self, file: &str, first: &[u8]) -> Result<(), TableError> {
        if self.format != Format::Csv {
            return Ok(());
        }
        contained(file, "reading", || {
            let header = csv_read::format(file, &self.options)?.infer_schema(first, Some(0));
            let header = header.map_err(|error| arrow_error(file, "reading", &error))?.0;
            csv_read::check_header(file, &self.options, &self.told, &header)
        })
    }

    /// The rows; nothing where all lines are blank.
    pub fn decode(&self, records: &Records) -> Result<Option<RecordBatch>, TableError> {
        contained(records.file, "reading", || match self.format {
            Format::Csv => self.decode_csv(records),
            Format::JsonLines => self.decode_json(records),
            _ => self.decode_lines(records).map(Some),
        })
    }

    fn decode_csv(&self, records: &Records) -> Result<Option<RecordBatch>, TableError> {
        let failed = |error| csv_read::located(records.file, &self.told.schema, &shifted(error, records.before));
        let mut decoder = CsvBuilder::new(text_types::decoded(&self.told.schema, false))
            .with_format(csv_read::format(records.file, &self.options)?.with_header(false))
            // One more than there are: a record ends with its carriage return, and a full decoder leaves the line feed.
            .with_batch_size(records.count + 1)
            .with_projection(self.projection.wanted.clone())
            .build_decoder();
        let mut rest = records.bytes;
        while !rest.is_empty() {
            match decoder.decode(rest).map_err(failed)? {
                0 => return Err(format_error(records.file, "reading", "a record is longer than it was taken for")),
                taken => rest = &rest[taken..],
            }
        }
        // Nothing more: what has no line end is a record, too.
        decoder.decode(&[]).map_err(failed)?;
        let Some(batch) = decoder.flush().map_err(failed)? else { return Ok(None) };
        let schema = self.told.schema.project(&self.projection.wanted).map(Arc::new).map_err(failed)?;
        let batch = text_types::settle(&batch, &schema).map_err(|error| format_error(records.file, "reading", error.1))?;
        self.projection.apply(records.file, batch).map(Some)
    }

    fn decode_json(&self, records: &Records) -> Result<Option<RecordBatch>, TableError> {
        let batch = self.objects(records.bytes, records.count).map_err(|error| {
            let lines = records.bytes.split(|byte| *byte == b'\n').zip(1..);
            let wrong = lines.filter_map(|(line, number)| self.objects(line, 1).err().map(|error| (records.before + number, error))).next();
            let (line, error) = wrong.map_or((None, error), |(line, error)| (Some(line), error));
            let told = json_read::explained(records.file, &error);
            match (told, line) {
                (TableError::Format(text), Some(line)) => TableError::Format(format!("line {line}: {text}")),
                (told, _) => told,
            }
        })?;
        let Some(batch) = batch else { return Ok(None) };
        let settled = text_types::settle(&batch, self.schema()).map_err(|(row, why)| {
            let (line, advice) = (records.before + row as u64 + 1, json_read::STATE_THE_TYPE);
            format_error(records.file, "reading", format_args!("line {line} (blank ones not counted), {why}{advice}"))
        })?;
        Ok(Some(settled))
    }

    /// The objects of some lines, before they are settled.
    fn objects(&self, bytes: &[u8], count: usize) -> Result<Option<RecordBatch>, ArrowError> {
        let schema = text_types::decoded(self.schema(), true);
        let builder = JsonBuilder::new(schema.clone()).with_strict_mode(self.options.columns.is_none()).with_batch_size(count);
        let (mut decoder, mut batches, mut rest) = (builder.build_decoder()?, Vec::new(), bytes);
        loop {
            let taken = decoder.decode(rest)?;
            rest = &rest[taken..];
            if rest.is_empty() {
                break;
            }
            // Several objects on one line: more rows than lines.
            batches.extend(decoder.flush()?);
        }
        if decoder.has_partial_record() {
            return Err(ArrowError::JsonError(
                "an object is not at its end where its line is; in a file that grows, each has a line".into(),
            ));
        }
        batches.extend(decoder.flush()?);
        if batches.is_empty() { Ok(None) } else { concat_batches(&schema, &batches).map(Some) }
    }

    fn decode_lines(&self, records: &Records) -> Result<RecordBatch, TableError> {
        let text = std::str::from_utf8(records.bytes).map_err(|error| {
            let number = records.before + records.bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
            let start = records.bytes[..error.valid_up_to()].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let byte = error.valid_up_to() - start + 1;
            let help = "convert the file, for example with iconv";
            format_error(records.file, "reading", format_args!("line {number}: byte {byte} is not UTF-8; {help}"))
        })?;
        let mut lines = StringBuilder::with_capacity(records.count, text.len());
        text.lines().for_each(|line| lines.append_value(line));
        RecordBatch::try_new(self.schema().clone(), vec![Arc::new(lines.finish())])
            .map_err(|error| arrow_error(records.file, "reading", &error))
    }
}

fn lines_schema() -> Schema {
    Schema::new(vec![Field::new("line", DataType::Utf8, false)])
}

fn tell(format: Format, options: &ReadOptions, file: &str, bytes: &[u8]) -> Result<SchemaRef, TableError> {
    if format == Format::Csv {
        return csv_read::tell_schema(file, bytes, options);
    }
    let inferred = infer_json_schema(bytes, Some(options.infer_rows)).map_err(|error| json_read::explained(file, &error))?;
    Ok(Arc::new(with_stated_types(&inferred.0, &options.schema, true)?))
}

/// The error, its first line number counted from the beginning of the file.
fn shifted(error: ArrowError, by: u64) -> ArrowError {
    let shift = |text: String| {
        let Some(at) = text.find("line ").map(|at| at + "line ".len()) else { return text };
        let end = text[at..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |end| at + end);
        match text[at..end].parse::<u64>() {
            Ok(line) => format!("{}{}{}", &text[..at], line + by, &text[end..]),
            Err(_) => text,
        }
    };
    match error {
        ArrowError::CsvError(text) => ArrowError::CsvError(shift(text)),
        ArrowError::ParseError(text) => ArrowError::ParseError(shift(text)),
        other => other,
    }
}
