//! What a generator is told: how many rows, how fast, and of which columns.

use serde_json::{Map, Value};

use super::{
    column::Column,
    given::{Given, below, mistake},
};
use crate::{tables::options, words::tables::TableError};

/// Wider tables are a mistake rather than a load.
const COLUMN_LIMIT: usize = 1000;
/// Faster than any machine.
const RATE_LIMIT: f64 = 1e12;

/// The options, checked.
pub struct Options {
    pub rows: Option<u64>,
    /// Rows a second.
    pub rate: Option<f64>,
    pub batch_rows: u64,
    pub columns: Vec<Column>,
}

impl Options {
    pub fn parse(json: &str) -> Result<Self, TableError> {
        let mut given = Given::new(String::new(), options::object(json)?);
        let rows = rows(&mut given)?;
        let rate = rate(&mut given)?;
        let batch_rows = given.count("batch_rows", options::BATCH_ROWS as u64, (1, options::BATCH_ROWS_LIMIT as u64))?;
        let seed = given.integer("seed", 0)?;
        let columns = match given.take("columns") {
            Some(Value::Object(columns)) => columns,
            Some(other) => return Err(mistake("/columns", format_args!("{other} is no table of names and kinds"))),
            None => Map::new(),
        };
        given.finish()?;
        Ok(Options { rows, rate, batch_rows, columns: all(columns, seed as u64)? })
    }
}

fn all(columns: Map<String, Value>, seed: u64) -> Result<Vec<Column>, TableError> {
    if columns.is_empty() {
        return Err(mistake("", "there are no columns; name some, for example columns = { n = \"sequence\" }"));
    }
    if columns.len() > COLUMN_LIMIT {
        return Err(mistake("/columns", format_args!("{} columns are too many; {COLUMN_LIMIT} are allowed", columns.len())));
    }
    columns.into_iter().map(|(name, value)| Column::parse(&below("/columns", &name), name, value, seed)).collect()
}

fn rows(given: &mut Given) -> Result<Option<u64>, TableError> {
    let Some(value) = filled(given, "rows")? else { return Ok(None) };
    let rows = value.as_u64().ok_or_else(|| mistake("/rows", format_args!("{value} is no number of rows")))?;
    Ok(Some(rows))
}

fn rate(given: &mut Given) -> Result<Option<f64>, TableError> {
    let Some(value) = filled(given, "rate")? else { return Ok(None) };
    match value.as_f64() {
        Some(rate) if rate > 0.0 && rate <= RATE_LIMIT => Ok(Some(rate)),
        _ => Err(mistake("/rate", format_args!("{value} is no rate; rows a second are more than 0, and {RATE_LIMIT:e} at most"))),
    }
}

/// A number, which may stand in a string: variables of a pipeline file (`"${ROWS:-}"`) can stand nowhere else. An empty
/// one counts as absent.
fn filled(given: &mut Given, key: &'static str) -> Result<Option<Value>, TableError> {
    let Some(value) = given.take(key) else { return Ok(None) };
    let Value::String(text) = &value else { return Ok(Some(value)) };
    if text.trim().is_empty() {
        return Ok(None);
    }
    match serde_json::from_str::<Value>(text.trim()) {
        Ok(number @ Value::Number(_)) => Ok(Some(number)),
        _ => Err(mistake(&given.at(key), format_args!("{text:?} is no number"))),
    }
}
