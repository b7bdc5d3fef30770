//! `count()` and `count(column)`.

use std::ops::Range;

use parshall_sdk::prelude::*;

use super::Accumulator;
use crate::{
    column::{each_valid, of_numbers},
    saved::{Corrupt, Reader, Writer},
};

/// Rows, or values that are not null.
#[derive(Default)]
pub struct Count(Vec<i64>);

// === impl Count ===

impl Accumulator for Count {
    fn grow(&mut self, groups: usize) {
        self.0.resize(groups, 0);
    }

    fn take(&mut self, groups: &[u32], column: Option<&ArrayData>) {
        if column.is_some_and(|column| *column.data_type() == DataType::Null) {
            return;
        }
        each_valid(groups, column.and_then(|column| column.nulls()), |_, group| self.0[group] += 1);
    }

    fn give(&mut self, groups: Range<usize>, _: f64) -> Result<ArrayData, StageError> {
        Ok(of_numbers(&DataType::Int64, self.0[groups].iter().map(|&count| Some(count)), i64::to_le_bytes))
    }

    fn save(&self, out: &mut Writer) {
        out.list(&self.0, i64::to_le_bytes);
    }

    fn restore(&mut self, groups: usize, saved: &mut Reader) -> Result<(), Corrupt> {
        self.0 = saved.list(groups, i64::from_le_bytes)?;
        Ok(())
    }
}
