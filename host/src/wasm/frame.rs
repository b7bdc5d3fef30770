//! The frame: a batch that the host holds while a guest has a handle to it.

use std::{collections::HashMap, sync::Arc};

use super::{
    contract::{self, ArraysIn, FrameError},
    crossing::Nothing,
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

/// What a buffer or a node weighs beside its bytes: a column of none that is asked for a million times is not for nothing.
const BUFFER: u64 = 32;

/// Gathers columns by index.
pub fn read(batch: &RecordBatch, columns: &[u32], limit: u64, nothing: &Arc<Nothing>) -> Result<Read, FrameError> {
    // The guest may repeat itself; room is made for what a sensible one asks.
    let room = columns.len().min(batch.num_columns());
    let mut arrays = ArraysIn { nodes: Vec::with_capacity(room), buffers: Vec::with_capacity(3 * room), nothing: Arc::clone(nothing) };
    let mut bytes: u64 = 0;
    for index in columns {
        let column = batch.columns().get(*index as usize).ok_or_else(|| FrameError::NoSuchColumn(index.to_string()))?;
        bytes += lower::push(column, &mut arrays);
        // Columns of nulls have nodes and no buffers.
        let parts = (arrays.buffers.len() + arrays.nodes.len()) as u64;
        if bytes.saturating_add(BUFFER * parts) > limit.saturating_add(BUFFER * 4 * room as u64) {
            return Err(FrameError::TooLarge(limit));
        }
    }
    Ok(Read { arrays, bytes })
}

/// The indices of columns given by name.
pub fn by_name(batch: &RecordBatch, names: &[String]) -> Result<Vec<u32>, FrameError> {
    // Of columns of one name the first counts. A map, because a guest may name millions, and nothing interrupts the host.
    let fields = batch.schema_ref().fields().iter().enumerate().rev();
    let known: HashMap<&str, u32> = fields.map(|(index, field)| (field.name().as_str(), index as u32)).collect();
    let find = |name: &String| known.get(name.as_str()).copied().ok_or_else(|| FrameError::NoSuchColumn(name.clone()));
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
