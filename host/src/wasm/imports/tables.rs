//! `tables`: readers and writers that run in the host. Frames pass by handle; no row crosses.

use std::sync::Arc;

use wasmtime::{
    StoreContextMut,
    component::{Linker, LinkerInstance, Resource, ResourceType},
};

use crate::{
    wasm::{
        contract::{Schema, TableError},
        frame::Frame,
        host::{Host, Reader, Writer},
        schema,
    },
    words::tables::{Dataset, TableError as Said},
};

/// Links the interface.
pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut tables = linker.instance(&super::interface("tables"))?;
    link_reader(&mut tables)?;
    link_writer(&mut tables)
}

/// Whether one more table may be opened: each keeps files open, of which a process has only so many.
fn admitted(host: &Host) -> Result<(), Said> {
    let (open, allowed) = (host.open_tables, host.limits.open_tables);
    if open < allowed {
        return Ok(());
    }
    Err(Said::Options(format!("limit `open_tables`: {open} are open, 1 more requested, {allowed} allowed; close one, or raise the limit")))
}

fn link_reader(tables: &mut LinkerInstance<'_, Host>) -> wasmtime::Result<()> {
    tables.resource("reader", ResourceType::host::<Reader>(), |mut store: StoreContextMut<'_, Host>, rep| {
        store.data_mut().handles.delete(Resource::<Reader>::new_own(rep))?;
        store.data_mut().open_tables -= 1;
        Ok(())
    })?;
    tables.func_wrap(
        "[static]reader.open",
        |mut store: StoreContextMut<'_, Host>,
         (location, options): (String, String)|
         -> wasmtime::Result<(Result<Resource<Reader>, TableError>,)> {
            store.data_mut().work(|host| match admitted(host).and_then(|()| host.tables.reader(&host.grants, &location, &options)) {
                Ok(reader) => {
                    host.open_tables += 1;
                    host.meter.opened(Dataset { location, format: reader.format(), written: false });
                    Ok((Ok(host.handles.push(Reader(reader))?),))
                }
                Err(error) => Ok((Err(error.into()),)),
            })
        },
    )?;
    tables.func_wrap(
        "[method]reader.schema",
        |store: StoreContextMut<'_, Host>, (reader,): (Resource<Reader>,)| -> wasmtime::Result<(Schema,)> {
            let schema = store.data().handles.get(&reader)?.0.schema();
            Ok((schema::lower(&schema).map_err(|error| wasmtime::format_err!("{error}"))?,))
        },
    )?;
    tables.func_wrap(
        "[method]reader.next",
        |mut store: StoreContextMut<'_, Host>,
         (reader,): (Resource<Reader>,)|
         -> wasmtime::Result<(Result<Option<Resource<Frame>>, TableError>,)> {
            store.data_mut().work(|host| {
                let reader = &mut host.handles.get_mut(&reader)?.0;
                let (next, origin) = (reader.next(), reader.origin());
                match next {
                    Ok(Some(batch)) => {
                        host.meter.read_from(origin);
                        Ok((Ok(Some(host.handles.push(Frame { batch: Arc::new(batch) })?)),))
                    }
                    Ok(None) => Ok((Ok(None),)),
                    Err(error) => Ok((Err(error.into()),)),
                }
            })
        },
    )?;
    tables.func_wrap("[method]reader.position", |store: StoreContextMut<'_, Host>, (reader,): (Resource<Reader>,)| {
        Ok((store.data().handles.get(&reader)?.0.position(),))
    })?;
    tables.func_wrap(
        "[method]reader.seek",
        |mut store: StoreContextMut<'_, Host>,
         (reader, position): (Resource<Reader>, Vec<u8>)|
         -> wasmtime::Result<(Result<(), TableError>,)> {
            store.data_mut().work(|host| Ok((host.handles.get_mut(&reader)?.0.seek(&position).map_err(TableError::from),)))
        },
    )
}

fn link_writer(tables: &mut LinkerInstance<'_, Host>) -> wasmtime::Result<()> {
    tables.resource("writer", ResourceType::host::<Writer>(), |mut store: StoreContextMut<'_, Host>, rep| {
        store.data_mut().handles.delete(Resource::<Writer>::new_own(rep))?;
        store.data_mut().open_tables -= 1;
        Ok(())
    })?;
    tables.func_wrap(
        "[static]writer.open",
        |mut store: StoreContextMut<'_, Host>,
         (location, declared, options): (String, Schema, String)|
         -> wasmtime::Result<(Result<Resource<Writer>, TableError>,)> {
            store.data_mut().work(|host| {
                let declared = match schema::lift(declared, &host.limits) {
                    Ok(declared) => declared,
                    Err(error) => return Ok((Err(Said::Format(error.to_string()).into()),)),
                };
                match admitted(host).and_then(|()| host.tables.writer(&host.grants, &location, declared, &options)) {
                    Ok(writer) => {
                        host.open_tables += 1;
                        host.meter.opened(Dataset { location, format: writer.format(), written: true });
                        Ok((Ok(host.handles.push(Writer(writer))?),))
                    }
                    Err(error) => Ok((Err(error.into()),)),
                }
            })
        },
    )?;
    tables.func_wrap(
        "[method]writer.write",
        |mut store: StoreContextMut<'_, Host>,
         (writer, frame): (Resource<Writer>, Resource<Frame>)|
         -> wasmtime::Result<(Result<(), TableError>,)> {
            store.data_mut().work(|host| {
                let batch = host.batch(&frame)?.clone();
                Ok((host.handles.get_mut(&writer)?.0.write(&batch).map_err(TableError::from),))
            })
        },
    )?;
    tables.func_wrap(
        "[method]writer.commit",
        |mut store: StoreContextMut<'_, Host>, (writer, last): (Resource<Writer>, bool)| -> wasmtime::Result<(Result<u64, TableError>,)> {
            store.data_mut().work(|host| Ok((host.handles.get_mut(&writer)?.0.commit(last).map_err(TableError::from),)))
        },
    )
}
