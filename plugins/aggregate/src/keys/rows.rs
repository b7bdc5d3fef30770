//! The rows of a batch as keys: column after column is written into the rows, so that types are looked at once a column.

use arrow_buffer::{BooleanBuffer, NullBuffer, bit_iterator::BitIndexIterator};
use parshall_sdk::prelude::*;

use super::{
    copy::copy,
    shape::{Shape, canonical32, canonical64},
};

/// Rows as bytes. The room is reused from batch to batch.
#[derive(Default)]
pub struct Rows {
    bytes: Vec<u8>,
    /// Where each row begins, and where the last one ends.
    starts: Vec<usize>,
    /// Where each row is written on.
    cursors: Vec<usize>,
}

// === impl Rows ===

impl Rows {
    /// Lays out the rows of columns that are as long as `rows` says. A `prefix` stands before each, in four bytes.
    pub fn encode(&mut self, rows: usize, prefix: Option<&[u32]>, columns: &[(Shape, &ArrayData)]) {
        let fixed = if prefix.is_some() { 4 } else { 0 };
        self.starts.clear();
        self.starts.resize(rows + 1, fixed);
        self.starts[0] = 0;
        for (shape, data) in columns {
            measure(*shape, data, &mut self.starts[1..]);
        }
        let mut end = 0;
        for start in &mut self.starts[1..] {
            end += *start;
            *start = end;
        }
        self.bytes.clear();
        self.bytes.resize(end, 0);
        self.cursors.clear();
        self.cursors.extend_from_slice(&self.starts[..rows]);
        if let Some(prefix) = prefix {
            for (cursor, number) in self.cursors.iter_mut().zip(prefix) {
                self.bytes[*cursor..*cursor + 4].copy_from_slice(&number.to_le_bytes());
                *cursor += 4;
            }
        }
        for (shape, data) in columns {
            self.write(*shape, data);
        }
    }

    /// One row.
    #[inline(always)]
    pub fn row(&self, row: usize) -> &[u8] {
        &self.bytes[self.starts[row]..self.starts[row + 1]]
    }

    fn write(&mut self, shape: Shape, data: &ArrayData) {
        match shape {
            Shape::Bool => {
                let values = BooleanBuffer::new(data.buffers()[0].clone(), data.offset(), data.len());
                self.put(data, |row| [values.value(row).into()]);
            }
            Shape::Float32 => {
                let values = data.buffer::<f32>(0);
                self.put(data, |row| canonical32(values[row]).to_le_bytes());
            }
            Shape::Float64 => {
                let values = data.buffer::<f64>(0);
                self.put(data, |row| canonical64(values[row]).to_le_bytes());
            }
            Shape::Fixed(1) => self.raw::<1>(data),
            Shape::Fixed(2) => self.raw::<2>(data),
            Shape::Fixed(4) => self.raw::<4>(data),
            Shape::Fixed(8) => self.raw::<8>(data),
            Shape::Fixed(16) => self.raw::<16>(data),
            Shape::Fixed(_) => self.raw::<32>(data),
            Shape::Text => self.text(data),
        }
    }

    fn raw<const WIDTH: usize>(&mut self, data: &ArrayData) {
        let values = &data.buffers()[0].as_slice()[data.offset() * WIDTH..];
        let (values, _) = values.as_chunks::<WIDTH>();
        self.put(data, |row| values[row]);
    }

    #[inline(always)]
    fn put<const WIDTH: usize>(&mut self, data: &ArrayData, value: impl Fn(usize) -> [u8; WIDTH]) {
        let Self { bytes, cursors, .. } = self;
        // A null is the zero that is there already.
        let mut one = |row: usize, cursor: &mut usize| {
            bytes[*cursor] = 1;
            bytes[*cursor + 1..*cursor + 1 + WIDTH].copy_from_slice(&value(row));
            *cursor += 1 + WIDTH;
        };
        let nulls = data.nulls();
        for (row, cursor) in cursors.iter_mut().enumerate() {
            if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
                one(row, cursor);
            } else {
                *cursor += 1;
            }
        }
    }

    fn text(&mut self, data: &ArrayData) {
        let offsets = &data.buffers()[0].typed_data::<i32>()[data.offset()..data.offset() + data.len() + 1];
        let values = data.buffers()[1].as_slice();
        let nulls = data.nulls();
        for (row, (cursor, ends)) in self.cursors.iter_mut().zip(offsets.windows(2)).enumerate() {
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                *cursor += 1;
                continue;
            }
            let value = &values[ends[0] as usize..ends[1] as usize];
            let to = &mut self.bytes[*cursor..*cursor + 5 + value.len()];
            to[0] = 1;
            to[1..5].copy_from_slice(&(value.len() as u32).to_le_bytes());
            copy(&mut to[5..], value);
            *cursor += 5 + value.len();
        }
    }
}

/// Adds the bytes that each value takes.
fn measure(shape: Shape, data: &ArrayData, lengths: &mut [usize]) {
    let width = match shape {
        Shape::Bool => 1,
        Shape::Fixed(width) => width,
        Shape::Float32 => 4,
        Shape::Float64 => 8,
        Shape::Text => {
            let offsets = &data.buffers()[0].typed_data::<i32>()[data.offset()..data.offset() + data.len() + 1];
            for (length, ends) in lengths.iter_mut().zip(offsets.windows(2)) {
                *length += 5 + (ends[1] - ends[0]) as usize;
            }
            for row in nulls_of(data.nulls()) {
                lengths[row] -= 4 + (offsets[row + 1] - offsets[row]) as usize;
            }
            return;
        }
    };
    lengths.iter_mut().for_each(|length| *length += 1 + width);
    for row in nulls_of(data.nulls()) {
        lengths[row] -= width;
    }
}

/// The rows that are null.
fn nulls_of(nulls: Option<&NullBuffer>) -> impl Iterator<Item = usize> {
    let nulls = nulls.map(|nulls| !nulls.inner());
    let rows: Vec<usize> = nulls.iter().flat_map(|nulls| BitIndexIterator::new(nulls.values(), nulls.offset(), nulls.len())).collect();
    rows.into_iter()
}
