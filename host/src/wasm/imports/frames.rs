//! `frames`: reading the batch that was lent, or one that a reader yielded.

use wasmtime::{
    StoreContextMut,
    component::{Linker, Resource, ResourceType},
};

use crate::wasm::{
    contract::{ArraysIn, FrameError, Schema},
    frame::{self, Frame},
    host::Host,
};

/// Links the interface.
pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut frames = linker.instance(&super::interface("frames"))?;
    frames.resource("frame", ResourceType::host::<Frame>(), |mut store: StoreContextMut<'_, Host>, rep| {
        store.data_mut().handles.delete(Resource::<Frame>::new_own(rep))?;
        Ok(())
    })?;
    frames.func_wrap("[method]frame.rows", |store: StoreContextMut<'_, Host>, (frame,): (Resource<Frame>,)| {
        Ok((store.data().batch(&frame)?.num_rows() as u64,))
    })?;
    frames.func_wrap(
        "[method]frame.schema",
        |store: StoreContextMut<'_, Host>, (frame,): (Resource<Frame>,)| -> wasmtime::Result<(Schema,)> {
            Ok((frame::schema(store.data().batch(&frame)?)?,))
        },
    )?;
    frames.func_wrap("[method]frame.read", |mut store: StoreContextMut<'_, Host>, (frame, columns): (Resource<Frame>, Vec<u32>)| {
        read(store.data_mut(), &frame, &columns)
    })?;
    frames.func_wrap(
        "[method]frame.read-named",
        |mut store: StoreContextMut<'_, Host>, (frame, names): (Resource<Frame>, Vec<String>)| match frame::by_name(
            store.data().batch(&frame)?,
            &names,
        ) {
            Ok(columns) => read(store.data_mut(), &frame, &columns),
            Err(error) => Ok((Err(error),)),
        },
    )?;
    frames.func_wrap("[method]frame.ipc", |mut store: StoreContextMut<'_, Host>, (frame,): (Resource<Frame>,)| {
        let host = store.data_mut();
        let batch = host.batch(&frame)?.clone();
        let outcome = frame::ipc(&batch, host.limits.read_bytes)?;
        if let Ok(bytes) = &outcome {
            host.meter.bytes_read += bytes.len() as u64;
            host.meter.read(0..batch.num_columns() as u32);
        }
        Ok((outcome,))
    })?;
    Ok(())
}

fn read(host: &mut Host, frame: &Resource<Frame>, columns: &[u32]) -> wasmtime::Result<(Result<ArraysIn, FrameError>,)> {
    let read = frame::read(host.batch(frame)?, columns, host.limits.read_bytes, &host.nothing);
    Ok((read.map(|read| {
        host.meter.bytes_read += read.bytes;
        host.meter.read(columns.iter().copied());
        read.arrays
    }),))
}
