//! The seam between stages that read and write tables and whoever does it: the contract's `tables`, as traits.

use super::{
    batch::{RecordBatch, SchemaRef},
    grants::Grants,
    trace::SpanContext,
};

/// The location of rows that the host makes itself; see the documentation of `std:generate`. Granted like any other, and to
/// `std:generate` always: it reaches nothing outside.
pub const GENERATOR: &str = "generate:";

/// Opens tables at granted locations.
pub trait Tables: Send + Sync {
    /// Opens a table for reading. `options` is a JSON object.
    fn reader(&self, grants: &Grants, location: &str, options: &str) -> Result<Box<dyn TableReader>, TableError>;
    /// Prepares to write a table.
    fn writer(&self, grants: &Grants, location: &str, schema: SchemaRef, options: &str) -> Result<Box<dyn TableWriter>, TableError>;
}

/// A table outside that a stage reads or writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// Where it is, as the stage asked for it.
    pub location: String,
    /// `parquet`, `csv`, `sqlite` …
    pub format: &'static str,
    /// Whether it is written.
    pub written: bool,
}

/// A table that is being read, in batches.
pub trait TableReader: Send {
    /// `parquet`, `csv`, `sqlite` …
    fn format(&self) -> &'static str;
    /// Of every batch.
    fn schema(&self) -> SchemaRef;
    /// The next batch, or nothing at the end. A batch of no rows: there is nothing now, and there may be later.
    fn next(&mut self) -> Result<Option<RecordBatch>, TableError>;
    /// The span that wrote what the last batch was read from, by the word of the file itself.
    fn origin(&self) -> Option<SpanContext> {
        None
    }
    /// Where the next batch begins.
    fn position(&self) -> Vec<u8>;
    /// Goes on from a position of an earlier reader of the same table.
    fn seek(&mut self, position: &[u8]) -> Result<(), TableError>;
}

/// A table that is being written. Dropped without a commit, it leaves no trace.
pub trait TableWriter: Send {
    /// `parquet`, `csv`, `sqlite` …
    fn format(&self) -> &'static str;
    /// Adds rows.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError>;
    /// Makes durable and visible what was written, all at once. Answers the number of rows.
    fn commit(&mut self, last: bool) -> Result<u64, TableError>;
}

/// Why a table could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// The location is not granted.
    #[error("{0}")]
    Denied(String),
    /// There is nothing there.
    #[error("{0}")]
    NotFound(String),
    /// The options are wrong.
    #[error("{0}")]
    Options(String),
    /// The data is not of the stated format, or does not fit.
    #[error("{0}")]
    Format(String),
    /// The storage did not answer.
    #[error("{0}")]
    Unavailable(String),
}
