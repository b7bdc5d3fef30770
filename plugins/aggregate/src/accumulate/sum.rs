//! `sum(column)`: integers exactly, floats as they come.

use std::ops::Range;

use parshall_sdk::prelude::*;

use super::Accumulator;
use crate::{
    column::{each_valid, of_numbers},
    numbers::{exact, floats, integers},
    saved::{Corrupt, Reader, Writer},
};

/// Sums of integers. Kept in 128 bits, which no number of rows exceeds: a sum that passes the bounds of `int64` on its
/// way and returns is right, whatever the order of the rows. One that ends outside is an error.
pub struct Integers {
    unsigned: bool,
    sums: Vec<i128>,
    counts: Vec<u64>,
}

/// Sums of floats, in the order of the rows.
#[derive(Default)]
pub struct Floats {
    sums: Vec<f64>,
    counts: Vec<u64>,
}

// === impl Integers ===

impl Integers {
    /// Of a column of this type.
    pub fn new(data_type: &DataType) -> Self {
        Self { unsigned: *data_type == DataType::UInt64, sums: Vec::new(), counts: Vec::new() }
    }
}

impl Accumulator for Integers {
    fn grow(&mut self, groups: usize) {
        self.sums.resize(groups, 0);
        self.counts.resize(groups, 0);
    }

    fn take(&mut self, groups: &[u32], column: Option<&ArrayData>) {
        let column = column.expect("the plan gives it a column");
        let (values, unsigned) = (integers(column), self.unsigned);
        each_valid(groups, column.nulls(), |row, group| {
            self.sums[group] += exact(values[row], unsigned);
            self.counts[group] += 1;
        });
    }

    fn give(&mut self, groups: Range<usize>, _: f64) -> Result<ArrayData, StageError> {
        let overflow = |sum: &i128| i64::try_from(*sum).is_err();
        if let Some(sum) = self.sums[groups.clone()].iter().find(|sum| overflow(sum)) {
            return Err(StageError::Data(format!("a sum exceeds int64: {sum}")));
        }
        let values = groups.map(|group| (self.counts[group] > 0).then_some(self.sums[group] as i64));
        Ok(of_numbers(&DataType::Int64, values, i64::to_le_bytes))
    }

    fn save(&self, out: &mut Writer) {
        out.list(&self.sums, i128::to_le_bytes);
        out.list(&self.counts, u64::to_le_bytes);
    }

    fn restore(&mut self, groups: usize, saved: &mut Reader) -> Result<(), Corrupt> {
        self.sums = saved.list(groups, i128::from_le_bytes)?;
        self.counts = saved.list(groups, u64::from_le_bytes)?;
        Ok(())
    }
}

// === impl Floats ===

impl Accumulator for Floats {
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
        let values = groups.map(|group| (self.counts[group] > 0).then_some(self.sums[group]));
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
