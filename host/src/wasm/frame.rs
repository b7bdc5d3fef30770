//! The frame: a batch that the host holds while a guest has a handle to it.

use std::sync::Arc;

use super::{
    contract::{self, ArraysIn, FrameError},
    lower, schema,
};
use crate::words::batch::RecordBatch;

/// A host-held batch. The type parameter of its resource handles; the batch itself lives in the instance's table.
pub struct Frame {
    /// The batch.
    pub batch: Arc<RecordBatch>,
}

/// Columns copied, and which.
pub struct Read {
    /// What goes into the guest.
    pub arrays: ArraysIn,
    /// Bytes of its buffers.
    pub bytes: u64,
}

/// Gathers columns by index.
pub fn read(batch: &RecordBatch, columns: &[u32], limit: u64) -> Result<Read, FrameError> {
    let mut arrays = ArraysIn { nodes: Vec::with_capacity(columns.len()), buffers: Vec::with_capacity(3 * columns.len()) };
    let mut bytes = 0;
    for index in columns {
        let column = batch.columns().get(*index as usize).ok_or_else(|| FrameError::NoSuchColumn(index.to_string()))?;
        bytes += lower::push(column, &mut arrays);
        if bytes > limit {
            return Err(FrameError::TooLarge(limit));
        }
    }
    Ok(Read { arrays, bytes })
}

/// The indices of columns given by name.
pub fn by_name(batch: &RecordBatch, names: &[String]) -> Result<Vec<u32>, FrameError> {
    let find = |name: &String| match batch.schema_ref().index_of(name) {
        Ok(index) => Ok(index as u32),
        Err(_) => Err(FrameError::NoSuchColumn(name.clone())),
    };
    names.iter().map(find).collect()
}

/// The schema in the contract's form. It crossed already when the stage was opened, so it can.
pub fn schema(batch: &RecordBatch) -> wasmtime::Result<contract::Schema> {
    schema::lower(batch.schema_ref()).map_err(|error| wasmtime::format_err!("{error}"))
}

/// The whole batch as an Arrow IPC stream.
pub fn ipc(batch: &RecordBatch, limit: u64) -> wasmtime::Result<Result<Vec<u8>, FrameError>> {
    if crate::words::batch::size(batch) > limit {
        return Ok(Err(FrameError::TooLarge(limit)));
    }
    let write = || -> Result<Vec<u8>, arrow::error::ArrowError> {
        let mut writer = arrow::ipc::writer::StreamWriter::try_new(Vec::new(), batch.schema_ref())?;
        writer.write(batch)?;
        writer.finish()?;
        writer.into_inner()
    };
    match write() {
        Ok(bytes) if bytes.len() as u64 > limit => Ok(Err(FrameError::TooLarge(limit))),
        Ok(bytes) => Ok(Ok(bytes)),
        Err(error) => Err(wasmtime::format_err!("the frame has no Arrow IPC form: {error}")),
    }
}
