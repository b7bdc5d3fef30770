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

/// Calls `with(place, value)` for each place and its value, four a turn of the loop: what a turn costs in the sandbox, where each asks for
/// the deadline and counts fuel, is shared by four. Written out, because the compiler, asked for small code, would not.
#[inline(always)]
pub fn fours<T: Copy, U>(values: &[T], places: &mut [U], mut with: impl FnMut(&mut U, T)) {
    assert_eq!(values.len(), places.len());
    let ((values, last_values), (places, last_places)) = (values.as_chunks::<4>(), places.as_chunks_mut::<4>());
    for ([first, second, third, fourth], values) in places.iter_mut().zip(values) {
        with(first, values[0]);
        with(second, values[1]);
        with(third, values[2]);
        with(fourth, values[3]);
    }
    for (place, value) in last_places.iter_mut().zip(last_values) {
        with(place, *value);
    }
}

/// Calls `with(row, group)` for each row that is not null.
#[inline(always)]
pub fn each_valid(groups: &[u32], nulls: Option<&NullBuffer>, mut with: impl FnMut(usize, usize)) {
    let Some(nulls) = nulls else {
        // Four a turn, as above.
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
