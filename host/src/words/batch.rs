//! What flows: Arrow record batches, and how many bytes of memory one stands for.

pub use arrow::array::RecordBatch;
pub use arrow::datatypes::{Schema, SchemaRef};

/// Bytes of the values that a batch covers: slices count for what they show, not for the buffers behind them.
/// Used for queue bounds and for "bytes that stayed".
pub fn size(batch: &RecordBatch) -> u64 {
    batch.columns().iter().map(|column| column_size(column)).sum()
}

/// Bytes of the values of one column, as [`size`] counts.
pub fn column_size(column: &arrow::array::ArrayRef) -> u64 {
    let data = column.to_data();
    // An array whose sliced size cannot be told (none today) counts with its whole buffers.
    data.get_slice_memory_size().unwrap_or_else(|_| data.get_array_memory_size()) as u64
}
