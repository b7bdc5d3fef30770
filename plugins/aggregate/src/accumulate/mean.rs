//! `mean(column)`.

use std::ops::Range;

use parshall_sdk::prelude::*;

use super::Accumulator;
use crate::{
    column::{each_valid, of_numbers},
    numbers::floats,
    saved::{Corrupt, Reader, Writer},
};

/// Arithmetic means of numbers, from a sum of floats in the order of the rows.
#[derive(Default)]
pub struct Mean {
    sums: Vec<f64>,
    counts: Vec<u64>,
}

// === impl Mean ===

impl Accumulator for Mean {
    fn grow(&mut self, groups: usize) {
        self.sums.resize(groups, 0.0);
        self.counts.resize(groups, 0);
    }

    fn take(&mut self, groups: &[u32], column: Option<&ArrayData>) {
        let column = column.expect("the plan gives it a column");
        let values = floats(column);
        each_valid(groups, column.nulls(), |row, group| {
            self.sums[group] += values[row];
            self.counts[group] += 1;
        });
    }

    fn give(&mut self, groups: Range<usize>, _: f64) -> Result<ArrayData, StageError> {
        let values = groups.map(|group| (self.counts[group] > 0).then(|| self.sums[group] / self.counts[group] as f64));
        Ok(of_numbers(&DataType::Float64, values, f64::to_le_bytes))
    }

    fn save(&self, out: &mut Writer) {
        out.list(&self.sums, f64::to_le_bytes);
        out.list(&self.counts, u64::to_le_bytes);
    }

    fn restore(&mut self, groups: usize, saved: &mut Reader) -> Result<(), Corrupt> {
        self.sums = saved.list(groups, f64::from_le_bytes)?;
        self.counts = saved.list(groups, u64::from_le_bytes)?;
        Ok(())
    }
}
