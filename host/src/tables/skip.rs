//! Going past rows by decoding them, for formats that cannot jump.

use crate::words::{batch::RecordBatch, tables::TableError};

/// What is left of a batch whose beginning was skipped or already handed out.
#[derive(Default)]
pub struct Rest(Option<RecordBatch>);

impl Rest {
    pub fn take(&mut self) -> Option<RecordBatch> {
        self.0.take()
    }

    pub fn put(&mut self, batch: RecordBatch) {
        self.0 = (batch.num_rows() > 0).then_some(batch);
    }

    /// At most `rows` rows of what is left.
    pub fn take_rows(&mut self, rows: usize) -> Option<RecordBatch> {
        let batch = self.0.take()?;
        if batch.num_rows() <= rows {
            return Some(batch);
        }
        self.0 = Some(batch.slice(rows, batch.num_rows() - rows));
        Some(batch.slice(0, rows))
    }

    /// Draws batches until `rows` rows are gone, keeps what is over, and answers how many there were.
    pub fn skip(&mut self, rows: u64, mut next: impl FnMut() -> Result<Option<RecordBatch>, TableError>) -> Result<u64, TableError> {
        let mut left = rows;
        while left > 0 {
            let Some(batch) = next()? else { return Ok(rows - left) };
            let count = batch.num_rows() as u64;
            if count > left {
                self.put(batch.slice(left as usize, (count - left) as usize));
                return Ok(rows);
            }
            left -= count;
        }
        Ok(rows)
    }
}
