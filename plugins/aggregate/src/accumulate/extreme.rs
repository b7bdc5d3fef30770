//! `min(column)` and `max(column)` of numbers, dates and times.

use std::ops::Range;

use parshall_sdk::prelude::*;

use super::Accumulator;
use crate::{
    column::{each_valid, of_numbers},
    numbers::{floats, integers, ordered},
    saved::{Corrupt, Reader, Writer},
};

/// Of whatever Arrow keeps as a whole number.
pub struct Integers {
    greatest: bool,
    data_type: DataType,
    /// Ordered as `numbers::ordered` has it.
    values: Vec<i64>,
    seen: Vec<bool>,
}

/// Of floats. NaN is greater than every number, as in PostgreSQL: the least is NaN only where there is nothing else.
pub struct Floats {
    greatest: bool,
    data_type: DataType,
    values: Vec<f64>,
    seen: Vec<bool>,
}

// === impl Integers ===

impl Integers {
    /// The greatest or the least of a column of this type.
    pub fn new(greatest: bool, data_type: &DataType) -> Self {
        Self { greatest, data_type: data_type.clone(), values: Vec::new(), seen: Vec::new() }
    }

    fn is_unsigned(&self) -> bool {
        self.data_type == DataType::UInt64
    }
}

impl Accumulator for Integers {
    fn grow(&mut self, groups: usize) {
        // What every value beats or equals.
        self.values.resize(groups, if self.greatest { i64::MIN } else { i64::MAX });
        self.seen.resize(groups, false);
    }

    fn take(&mut self, groups: &[u32], column: Option<&ArrayData>) {
        let column = column.expect("the plan gives it a column");
        let (values, unsigned, greatest) = (integers(column), self.is_unsigned(), self.greatest);
        each_valid(groups, column.nulls(), |row, group| {
            let value = ordered(values[row], unsigned);
            let best = &mut self.values[group];
            *best = if greatest { value.max(*best) } else { value.min(*best) };
            self.seen[group] = true;
        });
    }

    fn give(&mut self, groups: Range<usize>, _: f64) -> Result<ArrayData, StageError> {
        let unsigned = self.is_unsigned();
        let values = groups.map(|group| self.seen[group].then(|| ordered(self.values[group], unsigned)));
        // Little-endian: the narrow value is the first bytes of the wide one.
        let first = |value: i64| value.to_le_bytes();
        Ok(match self.data_type.primitive_width() {
            Some(1) => of_numbers(&self.data_type, values, |value| [first(value)[0]]),
            Some(2) => of_numbers(&self.data_type, values, |value| (value as i16).to_le_bytes()),
            Some(4) => of_numbers(&self.data_type, values, |value| (value as i32).to_le_bytes()),
            _ => of_numbers(&self.data_type, values, first),
        })
    }

    fn save(&self, out: &mut Writer) {
        out.list(&self.values, i64::to_le_bytes);
        out.list(&self.seen, |seen| [seen.into()]);
    }

    fn restore(&mut self, groups: usize, saved: &mut Reader) -> Result<(), Corrupt> {
        self.values = saved.list(groups, i64::from_le_bytes)?;
        self.seen = saved.list(groups, |[seen]| seen != 0)?;
        Ok(())
    }
}

// === impl Floats ===

impl Floats {
    /// The greatest or the least of a column of this type.
    pub fn new(greatest: bool, data_type: &DataType) -> Self {
        Self { greatest, data_type: data_type.clone(), values: Vec::new(), seen: Vec::new() }
    }
}

/// Whether one float is before another, NaN being last.
fn before(left: f64, right: f64) -> bool {
    left < right || (right.is_nan() && !left.is_nan())
}

impl Accumulator for Floats {
    fn grow(&mut self, groups: usize) {
        self.values.resize(groups, 0.0);
        self.seen.resize(groups, false);
    }

    fn take(&mut self, groups: &[u32], column: Option<&ArrayData>) {
        let column = column.expect("the plan gives it a column");
        let (values, greatest) = (floats(column), self.greatest);
        each_valid(groups, column.nulls(), |row, group| {
            let (value, best) = (values[row], self.values[group]);
            let better = if greatest { before(best, value) } else { before(value, best) };
            if better || !self.seen[group] {
                self.values[group] = value;
                self.seen[group] = true;
            }
        });
    }

    fn give(&mut self, groups: Range<usize>, _: f64) -> Result<ArrayData, StageError> {
        let values = groups.map(|group| self.seen[group].then(|| self.values[group]));
        Ok(match self.data_type {
            DataType::Float32 => of_numbers(&self.data_type, values, |value| (value as f32).to_le_bytes()),
            _ => of_numbers(&self.data_type, values, f64::to_le_bytes),
        })
    }

    fn save(&self, out: &mut Writer) {
        out.list(&self.values, f64::to_le_bytes);
        out.list(&self.seen, |seen| [seen.into()]);
    }

    fn restore(&mut self, groups: usize, saved: &mut Reader) -> Result<(), Corrupt> {
        self.values = saved.list(groups, f64::from_le_bytes)?;
        self.seen = saved.list(groups, |[seen]| seen != 0)?;
        Ok(())
    }
}
