//! Rows that are made rather than read: each value follows from the seed, the column and the row's number alone, so a
//! reader that goes on from a row makes what the first would have made, however batches are cut.

mod column;
mod draws;
mod given;
mod options;
mod pace;
mod values;

use std::{sync::Arc, time::Instant};

use arrow::{
    array::RecordBatchOptions,
    datatypes::{Schema, SchemaRef},
};

use self::{column::Column, options::Options, pace::Pace};
use crate::words::{
    batch::RecordBatch,
    tables::{TableError, TableReader},
};

const VERSION: u8 = 1;
/// A batch has fewer rows than it was asked to have rather than more text than this.
const BATCH_BYTES: u64 = 64 * 1024 * 1024;

/// Makes rows, at a pace if one is set.
pub struct Reader {
    schema: SchemaRef,
    columns: Vec<Column>,
    /// How many rows there are; nothing where they never end.
    rows: Option<u64>,
    batch_rows: u64,
    pace: Option<Pace>,
    /// Number of the next row.
    at: u64,
}

impl Reader {
    pub fn open(options: &str) -> Result<Self, TableError> {
        let Options { rows, rate, batch_rows, columns } = Options::parse(options)?;
        let fields = columns.iter().map(Column::field).collect::<Vec<_>>();
        let widest = columns.iter().map(Column::widest).sum::<u64>();
        let batch_rows = batch_rows.min((BATCH_BYTES / widest.max(1)).max(1));
        let pace = rate.map(|rate| Pace::new(rate, batch_rows));
        Ok(Reader { schema: Arc::new(Schema::new(fields)), columns, rows, batch_rows, pace, at: 0 })
    }

    /// As [`TableReader::next`], at this moment.
    fn next_at(&mut self, now: Instant) -> Result<Option<RecordBatch>, TableError> {
        // Row numbers end where u64 does; nobody has waited for that.
        let left = self.rows.unwrap_or(u64::MAX).saturating_sub(self.at);
        if left == 0 {
            return Ok(None);
        }
        let most = left.min(self.batch_rows);
        let rows = self.pace.as_mut().map_or(most, |pace| pace.ready(self.at, most, now));
        let columns = self.columns.iter().map(|column| column.values(self.at, rows as usize)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows as usize));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|error| TableError::Format(format!("generating rows: {error}")))?;
        self.at += rows;
        Ok(Some(batch))
    }
}

// === impl TableReader for Reader ===

impl TableReader for Reader {
    fn format(&self) -> &'static str {
        "generate"
    }

    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, TableError> {
        self.next_at(Instant::now())
    }

    /// One byte of version, then the number of the next row.
    fn position(&self) -> Vec<u8> {
        [&[VERSION][..], &self.at.to_le_bytes()].concat()
    }

    fn seek(&mut self, position: &[u8]) -> Result<(), TableError> {
        let broken = |what: &str| TableError::Options(format!("the position to go on from is unusable: {what}"));
        let number = match position {
            [VERSION, number @ ..] => number.try_into().map_err(|_| broken("it is no row number"))?,
            _ => return Err(broken("a generator did not write it")),
        };
        let at = u64::from_le_bytes(number);
        if let Some(rows) = self.rows.filter(|rows| at > *rows) {
            return Err(broken(&format!("it is after row {at}, and there are {rows} rows")));
        }
        self.at = at;
        // The pace is counted from where the rows go on.
        self.pace.iter_mut().for_each(Pace::begin_anew);
        Ok(())
    }
}
