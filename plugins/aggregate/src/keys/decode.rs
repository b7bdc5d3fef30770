//! Keys back into columns.

use arrow_buffer::{BooleanBufferBuilder, MutableBuffer, NullBufferBuilder};
use parshall_sdk::prelude::*;

use super::shape::Shape;
use crate::{column::made, text::TextBuilder};

/// Turns keys into one column for each type. `keys` must be rows of these types.
pub fn decode<'a>(keys: impl Iterator<Item = &'a [u8]>, types: &[(Shape, DataType)]) -> Vec<ArrayData> {
    // What is left of each row.
    let mut rows: Vec<&[u8]> = keys.collect();
    types.iter().map(|(shape, data_type)| column(&mut rows, *shape, data_type)).collect()
}

/// Whether bytes from outside are a row of these types.
pub fn is_row(bytes: &[u8], types: &[(Shape, DataType)]) -> bool {
    let end = types.iter().try_fold(0, |at, (shape, _)| shape.end(bytes, at));
    end == Some(bytes.len())
}

fn column(rows: &mut [&[u8]], shape: Shape, data_type: &DataType) -> ArrayData {
    match shape {
        Shape::Text => {
            let mut builder = TextBuilder::default();
            for row in rows {
                builder.push(take_value(row, None));
            }
            builder.finish(data_type)
        }
        Shape::Bool => {
            let (mut values, mut nulls) = (BooleanBufferBuilder::new(rows.len()), NullBufferBuilder::new(rows.len()));
            for row in rows.iter_mut() {
                let value = take_value(row, Some(1));
                values.append(value.is_some_and(|value| value[0] != 0));
                nulls.append(value.is_some());
            }
            made(data_type, rows.len(), values.finish().into_inner(), nulls.finish())
        }
        Shape::Fixed(width) => fixed(rows, width, data_type),
        Shape::Float32 => fixed(rows, 4, data_type),
        Shape::Float64 => fixed(rows, 8, data_type),
    }
}

fn fixed(rows: &mut [&[u8]], width: usize, data_type: &DataType) -> ArrayData {
    let (mut values, mut nulls) = (MutableBuffer::new(rows.len() * width), NullBufferBuilder::new(rows.len()));
    for row in rows.iter_mut() {
        let value = take_value(row, Some(width));
        match value {
            Some(value) => values.extend_from_slice(value),
            None => values.extend_zeros(width),
        }
        nulls.append(value.is_some());
    }
    made(data_type, rows.len(), values.into(), nulls.finish())
}

/// Takes the next value off a row. Without a width it has its length before it.
fn take_value<'a>(row: &mut &'a [u8], width: Option<usize>) -> Option<&'a [u8]> {
    let (marker, rest) = row.split_at(1);
    *row = rest;
    if marker[0] == 0 {
        return None;
    }
    let width = width.unwrap_or_else(|| {
        let (length, rest) = row.split_at(4);
        *row = rest;
        u32::from_le_bytes(length.try_into().expect("four bytes")) as usize
    });
    let (value, rest) = row.split_at(width);
    *row = rest;
    Some(value)
}
