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

/// Calls `with(row, group)` for each row that is not null. Where none is, four rows a turn: what a turn of a loop costs in the sandbox, where
/// each asks for the deadline and counts fuel, is shared by four. Written out, because the compiler, asked for small code, would not.
#[inline(always)]
pub fn each_valid(groups: &[u32], nulls: Option<&NullBuffer>, mut with: impl FnMut(usize, usize)) {
    let Some(nulls) = nulls else {
        let (fours, last) = groups.as_chunks::<4>();
        let mut row = 0;
        for groups in fours {
            with(row, groups[0] as usize);
            with(row + 1, groups[1] as usize);
            with(row + 2, groups[2] as usize);
            with(row + 3, groups[3] as usize);
            row += 4;
        }
        for (row, &group) in (row..).zip(last) {
            with(row, group as usize);
        }
        return;
    };
    // Bit by bit in place: Arrow's iterator over the bits is a call for each row where code is made small.
    let (bits, offset) = (nulls.inner().values(), nulls.inner().offset());
    for (row, &group) in groups.iter().enumerate() {
        let at = offset + row;
        if bits[at >> 3] >> (at & 7) & 1 == 1 {
            with(row, group as usize);
        }
    }
}
