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
    batch.columns().iter().map(column_size).sum()
}

/// Bytes of the values of one column, as [`size`] counts.
pub fn column_size(column: &ArrayRef) -> u64 {
    let nulls = if column.nulls().is_some() { column.len().div_ceil(8) } else { 0 };
    let values = match column.data_type() {
        DataType::Boolean => column.len().div_ceil(8),
        DataType::Utf8 => spanned(column.as_string::<i32>().value_offsets()),
        DataType::Binary => spanned(column.as_binary::<i32>().value_offsets()),
        DataType::LargeUtf8 => spanned(column.as_string::<i64>().value_offsets()),
        DataType::LargeBinary => spanned(column.as_binary::<i64>().value_offsets()),
        other => match other.primitive_width() {
            Some(width) => column.len() * width,
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
