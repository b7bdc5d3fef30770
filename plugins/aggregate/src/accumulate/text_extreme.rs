//! `min(column)` and `max(column)` of strings, by their bytes: for UTF-8 that is the order of the code points.

use std::ops::Range;

use parshall_sdk::prelude::*;

use super::Accumulator;
use crate::{
    column::each_valid,
    saved::{Corrupt, Reader, Writer},
    text::{TextBuilder, declared},
};

/// The greatest or the least of each group.
pub struct Texts {
    greatest: bool,
    data_type: DataType,
    values: Vec<Option<Vec<u8>>>,
}

// === impl Texts ===

impl Texts {
    /// Of a column of this type.
    pub fn new(greatest: bool, data_type: &DataType) -> Self {
        Self { greatest, data_type: declared(data_type), values: Vec::new() }
    }
}

impl Accumulator for Texts {
    fn grow(&mut self, groups: usize) {
        self.values.resize(groups, None);
    }

    fn take(&mut self, groups: &[u32], column: Option<&ArrayData>) {
        let column = column.expect("the plan gives it a column");
        let (ends, bytes) = (column.buffer::<i32>(0), column.buffers()[1].as_slice());
        each_valid(groups, column.nulls(), |row, group| {
            let value = &bytes[ends[row] as usize..ends[row + 1] as usize];
            match &mut self.values[group] {
                None => self.values[group] = Some(value.to_vec()),
                Some(best) if (value > best.as_slice()) == self.greatest && value != best.as_slice() => {
                    // Its room is used again.
                    best.clear();
                    best.extend_from_slice(value);
                }
                Some(_) => {}
            }
        });
    }

    fn give(&mut self, groups: Range<usize>, _: f64) -> Result<ArrayData, StageError> {
        let mut builder = TextBuilder::default();
        self.values[groups].iter().for_each(|value| builder.push(value.as_deref()));
        Ok(builder.finish(&self.data_type))
    }

    fn save(&self, out: &mut Writer) {
        for value in &self.values {
            out.fixed([value.is_some().into()]);
            if let Some(value) = value {
                out.bytes(value);
            }
        }
    }

    fn restore(&mut self, groups: usize, saved: &mut Reader) -> Result<(), Corrupt> {
        self.values = Vec::new();
        for _ in 0..groups {
            let [seen] = saved.fixed()?;
            let value = if seen == 0 { None } else { Some(saved.bytes()?) };
            if value.is_some_and(|value| std::str::from_utf8(value).is_err()) {
                return Err(Corrupt);
            }
            self.values.push(value.map(<[u8]>::to_vec));
        }
        Ok(())
    }
}
