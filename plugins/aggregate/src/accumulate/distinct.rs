//! `count_distinct(column)`, exact: every group's values are kept, each once. What bounds it is the stage's memory.

use std::ops::Range;

use parshall_sdk::prelude::*;

use super::Accumulator;
use crate::{
    column::of_numbers,
    keys::{Interner, Rows, Shape},
    saved::{Corrupt, Reader, Writer},
};

/// Different values that are not null. All NaN are one value, and so are the two zeros.
pub struct Distinct {
    shape: Shape,
    /// The group's number in four bytes, then the value.
    seen: Interner,
    counts: Vec<i64>,
    rows: Rows,
}

// === impl Distinct ===

impl Distinct {
    /// Of values of this shape.
    pub fn new(shape: Shape) -> Self {
        Self { shape, seen: Interner::default(), counts: Vec::new(), rows: Rows::default() }
    }
}

impl Accumulator for Distinct {
    fn grow(&mut self, groups: usize) {
        self.counts.resize(groups, 0);
    }

    fn take(&mut self, groups: &[u32], column: Option<&ArrayData>) {
        let column = column.expect("the plan gives it a column");
        self.rows.encode(groups.len(), Some(groups), &[(self.shape, column)]);
        let Self { seen, counts, rows, .. } = self;
        crate::column::each_valid(groups, column.nulls(), |row, group| {
            let before = seen.len();
            counts[group] += i64::from(seen.intern(rows.row(row)) as usize == before);
        });
    }

    fn give(&mut self, groups: Range<usize>, _: f64) -> Result<ArrayData, StageError> {
        Ok(of_numbers(&DataType::Int64, self.counts[groups].iter().map(|&count| Some(count)), i64::to_le_bytes))
    }

    fn save(&self, out: &mut Writer) {
        self.seen.save(out);
    }

    fn restore(&mut self, groups: usize, saved: &mut Reader) -> Result<(), Corrupt> {
        let group = |key: &[u8]| key.first_chunk().map(|group| u32::from_le_bytes(*group) as usize);
        let valid = |key: &[u8]| group(key).is_some_and(|group| group < groups) && self.shape.end(key, 4) == Some(key.len());
        self.seen = Interner::restore(saved, valid)?;
        self.counts = vec![0; groups];
        for number in 0..self.seen.len() {
            self.counts[group(self.seen.key(number)).ok_or(Corrupt)?] += 1;
        }
        Ok(())
    }
}
