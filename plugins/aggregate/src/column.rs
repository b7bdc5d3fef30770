//! A column of values, and loops over those that are not null.

use arrow_buffer::{Buffer, MutableBuffer, NullBuffer, NullBufferBuilder};
use parshall_sdk::prelude::*;

/// A column out of its parts, which fit its type.
pub fn made(data_type: &DataType, rows: usize, values: Buffer, nulls: Option<NullBuffer>) -> ArrayData {
    let builder = ArrayData::builder(data_type.clone()).len(rows).add_buffer(values).nulls(nulls);
    // Every caller has appended `rows` values of this type. The host validates what it is sent all the same.
    unsafe { builder.build_unchecked() }
}

/// A column of numbers or of what Arrow keeps as numbers.
pub fn of_numbers<T: Copy, const WIDTH: usize>(
    data_type: &DataType,
    values: impl ExactSizeIterator<Item = Option<T>>,
    bytes: impl Fn(T) -> [u8; WIDTH],
) -> ArrayData {
    let rows = values.len();
    let (mut buffer, mut nulls) = (MutableBuffer::new(rows * WIDTH), NullBufferBuilder::new(rows));
    for value in values {
        match value {
            Some(value) => buffer.extend_from_slice(&bytes(value)),
            None => buffer.extend_zeros(WIDTH),
        }
        nulls.append(value.is_some());
    }
    made(data_type, rows, buffer.into(), nulls.finish())
}

/// Calls `with(row, group)` for each row that is not null.
#[inline(always)]
pub fn each_valid(groups: &[u32], nulls: Option<&NullBuffer>, mut with: impl FnMut(usize, usize)) {
    match nulls {
        None => groups.iter().enumerate().for_each(|(row, &group)| with(row, group as usize)),
        Some(nulls) => nulls.valid_indices().for_each(|row| with(row, groups[row] as usize)),
    }
}
