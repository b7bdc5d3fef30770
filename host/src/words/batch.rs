//! What flows: Arrow record batches, and how many bytes of memory one stands for.

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, OffsetSizeTrait},
    datatypes::DataType,
};

pub use arrow::array::RecordBatch;
pub use arrow::datatypes::{Schema, SchemaRef};

/// Bytes of the values that a batch covers: slices count for what they show, not for the buffers behind them.
/// Used for queue bounds and for "bytes that stayed".
pub fn size(batch: &RecordBatch) -> u64 {
    let (columns, fields, rows) = (batch.columns(), batch.schema_ref().fields(), batch.num_rows());
    columns.iter().zip(fields).map(|(column, field)| sized(column, field.data_type(), rows)).sum()
}

/// Bytes of the values of one column, as [`size`] counts.
pub fn column_size(column: &ArrayRef) -> u64 {
    sized(column, column.data_type(), column.len())
}

/// A column of this type and length. Every call asks it of every column: nothing is asked of the array that is known already.
#[inline]
fn sized(column: &ArrayRef, data_type: &DataType, rows: usize) -> u64 {
    let nulls = if column.as_ref().nulls().is_some() { rows.div_ceil(8) } else { 0 };
    let values = match data_type {
        DataType::Boolean => rows.div_ceil(8),
        DataType::Utf8 => spanned(column.as_string::<i32>().value_offsets()),
        DataType::Binary => spanned(column.as_binary::<i32>().value_offsets()),
        DataType::LargeUtf8 => spanned(column.as_string::<i64>().value_offsets()),
        DataType::LargeBinary => spanned(column.as_binary::<i64>().value_offsets()),
        other => match other.primitive_width() {
            Some(width) => rows * width,
            None => return nested_size(column),
        },
    };
    (nulls + values) as u64
}

/// Offsets, and the bytes they span.
fn spanned<O: OffsetSizeTrait>(offsets: &[O]) -> usize {
    size_of_val(offsets) + (offsets[offsets.len() - 1] - offsets[0]).as_usize()
}

/// The slow way. An array whose sliced size cannot be told counts with its whole buffers.
fn nested_size(column: &ArrayRef) -> u64 {
    let data = column.to_data();
    data.get_slice_memory_size().unwrap_or_else(|_| data.get_array_memory_size()) as u64
}
