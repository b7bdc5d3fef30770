//! What a reader or writer is told beside the location: a JSON object, every key checked and bounded.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{format::Format, nearest::hint, text_types, type_names};
use crate::words::tables::TableError;
use arrow::datatypes::DataType;

/// Rows per batch where nothing is said: large enough to amortise a call, small enough to stay in cache.
pub const BATCH_ROWS: usize = 8192;
pub const BATCH_ROWS_LIMIT: usize = 1 << 20;
/// Rows looked at to tell the types of text columns.
pub const INFER_ROWS: usize = 1000;
/// Rows per Parquet row group where nothing is said; a group is also closed once it is large (see `parquet_write`).
pub const ROW_GROUP_ROWS: usize = 1 << 20;

/// Options of a reader.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadOptions {
    pub format: Option<Format>,
    pub columns: Option<Vec<String>>,
    pub batch_rows: usize,
    /// Whether the table does not end.
    pub follow: bool,
    pub csv: CsvOptions,
    pub schema: Vec<(String, DataType)>,
    pub infer_rows: usize,
    pub table: Option<String>,
    /// The keys that were written, to tell the superfluous ones.
    given: Vec<String>,
}

/// Options of a writer.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteOptions {
    pub format: Option<Format>,
    pub mode: Mode,
    pub table: Option<String>,
    pub compression: Compression,
    pub row_group_rows: usize,
    pub csv: CsvOptions,
    given: Vec<String>,
}

/// How CSV is written down.
#[derive(Clone, Debug, PartialEq)]
pub struct CsvOptions {
    pub header: bool,
    /// Nothing: a comma, or a tab for `.tsv`.
    pub delimiter: Option<u8>,
    pub quote: u8,
    /// The text that stands for null.
    pub null: String,
}

/// What to do with a table that is already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Replace,
    Append,
    Fail,
}

/// How Parquet pages are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    Snappy,
    Zstd,
    Lz4,
    None,
}

const READ_KEYS: [&str; 8] = ["format", "columns", "batch_rows", "follow", "csv", "schema", "infer_rows", "table"];
const WRITE_KEYS: [&str; 6] = ["format", "mode", "table", "compression", "row_group_rows", "csv"];
const CSV_KEYS: [&str; 4] = ["header", "delimiter", "quote", "null"];

impl ReadOptions {
    pub fn parse(json: &str) -> Result<Self, TableError> {
        let mut map = object(json)?;
        let given = known(&map, "", &READ_KEYS)?;
        let columns = take::<Vec<String>>(&mut map, "", "columns")?;
        if columns.as_ref().is_some_and(Vec::is_empty) {
            return Err(TableError::Options("option \"columns\" is empty; leave it out to read all columns".into()));
        }
        Ok(ReadOptions {
            format: take_format(&mut map)?,
            columns,
            batch_rows: take_count(&mut map, "batch_rows", BATCH_ROWS, BATCH_ROWS_LIMIT)?,
            follow: take(&mut map, "", "follow")?.unwrap_or(false),
            csv: CsvOptions::take(&mut map)?,
            schema: take_schema(&mut map)?,
            infer_rows: take_count(&mut map, "infer_rows", INFER_ROWS, 1 << 24)?,
            table: take(&mut map, "", "table")?,
            given,
        })
    }

    /// Refuses options that mean nothing for the format: they would be silently without effect.
    pub fn check(&self, format: Format) -> Result<(), TableError> {
        let text = matches!(format, Format::Csv | Format::JsonLines);
        superfluous(&self.given, format, |key| match key {
            "csv" => format == Format::Csv,
            // Of what is not there yet, nothing else can tell the columns.
            "schema" => text || self.follow,
            "infer_rows" => text,
            "table" => format == Format::Sqlite,
            _ => true,
        })
    }
}

impl WriteOptions {
    pub fn parse(json: &str) -> Result<Self, TableError> {
        let mut map = object(json)?;
        let given = known(&map, "", &WRITE_KEYS)?;
        let modes = [("replace", Mode::Replace), ("append", Mode::Append), ("fail", Mode::Fail)];
        let compressions =
            [("snappy", Compression::Snappy), ("zstd", Compression::Zstd), ("lz4", Compression::Lz4), ("none", Compression::None)];
        Ok(WriteOptions {
            format: take_format(&mut map)?,
            mode: take_choice(&mut map, "mode", &modes)?,
            table: take(&mut map, "", "table")?,
            compression: take_choice(&mut map, "compression", &compressions)?,
            row_group_rows: take_count(&mut map, "row_group_rows", ROW_GROUP_ROWS, 1 << 26)?,
            csv: CsvOptions::take(&mut map)?,
            given,
        })
    }

    /// As [`ReadOptions::check`].
    pub fn check(&self, format: Format) -> Result<(), TableError> {
        superfluous(&self.given, format, |key| match key {
            "csv" => format == Format::Csv,
            "compression" | "row_group_rows" => format == Format::Parquet,
            "table" => format == Format::Sqlite,
            _ => true,
        })
    }
}

impl CsvOptions {
    fn take(map: &mut Map<String, Value>) -> Result<Self, TableError> {
        let mut csv = take::<Map<String, Value>>(map, "", "csv")?.unwrap_or_default();
        known(&csv, "csv.", &CSV_KEYS)?;
        let delimiter = take_byte(&mut csv, "delimiter")?;
        let quote = take_byte(&mut csv, "quote")?.unwrap_or(b'"');
        if delimiter == Some(quote) {
            return Err(TableError::Options("options \"csv.delimiter\" and \"csv.quote\" must differ".into()));
        }
        Ok(CsvOptions {
            header: take(&mut csv, "csv.", "header")?.unwrap_or(true),
            delimiter,
            quote,
            null: take(&mut csv, "csv.", "null")?.unwrap_or_default(),
        })
    }
}

pub fn object(json: &str) -> Result<Map<String, Value>, TableError> {
    if json.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(json) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(other) => Err(TableError::Options(format!("the options must be a JSON object, not {other}"))),
        Err(error) => Err(TableError::Options(format!("the options are no JSON: {error}"))),
    }
}

fn known(map: &Map<String, Value>, prefix: &str, keys: &[&'static str]) -> Result<Vec<String>, TableError> {
    for key in map.keys() {
        if !keys.contains(&key.as_str()) {
            return Err(TableError::Options(format!(
                "there is no option \"{prefix}{key}\"{}; known are {}",
                hint(key, keys.iter().copied()),
                keys.join(", ")
            )));
        }
    }
    Ok(map.iter().filter(|entry| !entry.1.is_null()).map(|entry| entry.0.clone()).collect())
}

fn superfluous(given: &[String], format: Format, applies: impl Fn(&str) -> bool) -> Result<(), TableError> {
    match given.iter().find(|key| !applies(key)) {
        None => Ok(()),
        Some(key) => Err(TableError::Options(format!(
            "option \"{key}\" means nothing for the format {}; remove it, or check \"format\"",
            format.name()
        ))),
    }
}

/// The value of a key; `null` counts as absent.
fn take<T: DeserializeOwned>(map: &mut Map<String, Value>, prefix: &str, key: &str) -> Result<Option<T>, TableError> {
    let value = map.remove(key).unwrap_or_default();
    serde_json::from_value(value).map_err(|error| TableError::Options(format!("option \"{prefix}{key}\": {error}")))
}

fn take_format(map: &mut Map<String, Value>) -> Result<Option<Format>, TableError> {
    take::<String>(map, "", "format")?.map(|name| Format::parse(&name)).transpose()
}

fn take_count(map: &mut Map<String, Value>, key: &str, default: usize, limit: usize) -> Result<usize, TableError> {
    match take::<usize>(map, "", key)?.unwrap_or(default) {
        count if (1..=limit).contains(&count) => Ok(count),
        count => Err(TableError::Options(format!("option \"{key}\" is {count}; it must be between 1 and {limit}"))),
    }
}

/// One of a few words; the first is the default.
fn take_choice<T: Copy>(map: &mut Map<String, Value>, key: &str, choices: &[(&str, T)]) -> Result<T, TableError> {
    let Some(word) = take::<String>(map, "", key)? else {
        return Ok(choices[0].1);
    };
    choices.iter().find(|choice| choice.0 == word).map(|choice| choice.1).ok_or_else(|| {
        let words = choices.iter().map(|choice| choice.0).collect::<Vec<_>>();
        let hint = hint(&word, words.iter().copied());
        TableError::Options(format!("option \"{key}\": {word:?} is none of {}{hint}", words.join(", ")))
    })
}

fn take_byte(map: &mut Map<String, Value>, key: &str) -> Result<Option<u8>, TableError> {
    let Some(text) = take::<String>(map, "csv.", key)? else {
        return Ok(None);
    };
    match text.as_bytes() {
        [byte] if !matches!(byte, b'\n' | b'\r') => Ok(Some(*byte)),
        _ => Err(TableError::Options(format!("option \"csv.{key}\" is {text:?}; it must be one ASCII character"))),
    }
}

fn take_schema(map: &mut Map<String, Value>) -> Result<Vec<(String, DataType)>, TableError> {
    let Some(columns) = take::<Map<String, Value>>(map, "", "schema")? else {
        return Ok(Vec::new());
    };
    let read = |(name, value): (String, Value)| match value {
        Value::String(text) => match type_names::parse(&text) {
            Ok(data_type) => match text_types::check_zone(&data_type) {
                Ok(()) => Ok((name, data_type)),
                Err(why) => Err(TableError::Options(format!("option \"schema\", column {name:?}: {why}"))),
            },
            Err(why) => Err(TableError::Options(format!("option \"schema\", column {name:?}: {why}"))),
        },
        other => Err(TableError::Options(format!(
            "option \"schema\", column {name:?}: {other} is no type name; write a string such as \"int64\""
        ))),
    };
    columns.into_iter().map(read).collect()
}
