//! `wasi:io`: streams and waiting. wasmtime-wasi's own synchronous linking waits for ever; here every wait ends with the call's
//! deadline, as a guest that computes for ever would, and its time is the host's.

use std::time::{Duration, Instant};

use wasmtime::{
    Trap,
    component::{HasData, Linker, Resource},
};
use wasmtime_wasi::{
    p2::{
        DynInputStream, DynOutputStream, DynPollable, StreamError, StreamResult,
        bindings::{
            io::{poll as waiting, streams as waiting_streams},
            sync::io::{poll, streams},
        },
    },
    runtime::in_tokio,
};

use super::{Wasi, http};
use crate::wasm::host::Host;

/// A host whose instance has WASI.
pub struct Io<'a>(pub &'a mut Host);

/// Tells the bindings that `Io` is what they are called on.
pub struct HasIo;

impl HasData for HasIo {
    type Data<'a> = Io<'a>;
}

/// Links the three interfaces.
pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::bindings::io::error::add_to_linker::<Host, HasTable>(linker, |host| &mut host.handles)?;
    poll::add_to_linker::<Host, HasIo>(linker, Io::of)?;
    streams::add_to_linker::<Host, HasIo>(linker, Io::of)
}

/// `wasi:io/error` neither waits nor prints.
struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut wasmtime::component::ResourceTable;
}

/// Runs what may wait for ever, until the deadline; then the call traps as if its epoch had ended it.
fn wait<T>(deadline: Instant, spent: &mut Duration, run: impl Future<Output = T>) -> wasmtime::Result<T> {
    let started = Instant::now();
    let outcome = in_tokio(async { tokio::time::timeout_at(deadline.into(), run).await });
    *spent += started.elapsed();
    outcome.map_err(|_| Trap::Interrupt.into())
}

// === impl Io ===

impl Io<'_> {
    /// For the bindings.
    pub fn of(host: &mut Host) -> Io<'_> {
        Io(host)
    }

    /// What the host keeps of WASI.
    pub fn wasi(&mut self) -> &mut Wasi {
        self.0.wasi.as_mut().expect("WASI is linked only for an instance that has it")
    }

    fn deadline(&mut self) -> Instant {
        self.wasi().deadline
    }

    /// Waits for an operation on streams.
    fn stream<T>(&mut self, run: impl AsyncFnOnce(&mut wasmtime::component::ResourceTable) -> StreamResult<T>) -> StreamResult<T> {
        let deadline = self.deadline();
        let host = &mut *self.0;
        wait(deadline, &mut host.meter.work, run(&mut host.handles)).map_err(StreamError::Trap)?
    }

    /// Logs what an operation may have printed.
    fn logged<T>(&mut self, outcome: T) -> T {
        let host = &mut *self.0;
        if let Some(wasi) = &mut host.wasi {
            wasi.stdio.log(&host.stage, &host.limits, &mut host.meter);
        }
        outcome
    }
}

impl poll::Host for Io<'_> {
    fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        let deadline = self.deadline();
        let host = &mut *self.0;
        wait(deadline, &mut host.meter.work, waiting::Host::poll(&mut host.handles, pollables))?
    }
}

impl poll::HostPollable for Io<'_> {
    fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        let deadline = self.deadline();
        let host = &mut *self.0;
        wait(deadline, &mut host.meter.work, waiting::HostPollable::ready(&mut host.handles, pollable))?
    }

    fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        let deadline = self.deadline();
        let host = &mut *self.0;
        wait(deadline, &mut host.meter.work, waiting::HostPollable::block(&mut host.handles, pollable))?
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        waiting::HostPollable::drop(&mut self.0.handles, pollable)
    }
}

impl streams::Host for Io<'_> {
    fn convert_stream_error(&mut self, error: StreamError) -> wasmtime::Result<streams::StreamError> {
        let error = match error {
            StreamError::LastOperationFailed(error) => StreamError::LastOperationFailed(http::readable(error)),
            other => other,
        };
        Ok(waiting_streams::Host::convert_stream_error(&mut self.0.handles, error)?.into())
    }
}

impl streams::HostInputStream for Io<'_> {
    fn read(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<Vec<u8>> {
        waiting_streams::HostInputStream::read(&mut self.0.handles, stream, length)
    }

    fn blocking_read(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<Vec<u8>> {
        self.stream(async |table| waiting_streams::HostInputStream::blocking_read(table, stream, length).await)
    }

    fn skip(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<u64> {
        waiting_streams::HostInputStream::skip(&mut self.0.handles, stream, length)
    }

    fn blocking_skip(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<u64> {
        self.stream(async |table| waiting_streams::HostInputStream::blocking_skip(table, stream, length).await)
    }

    fn subscribe(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<Resource<DynPollable>> {
        waiting_streams::HostInputStream::subscribe(&mut self.0.handles, stream)
    }

    fn drop(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<()> {
        let deadline = self.deadline();
        let host = &mut *self.0;
        wait(deadline, &mut host.meter.work, waiting_streams::HostInputStream::drop(&mut host.handles, stream))?
    }
}

impl streams::HostOutputStream for Io<'_> {
    fn check_write(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<u64> {
        waiting_streams::HostOutputStream::check_write(&mut self.0.handles, stream)
    }

    fn write(&mut self, stream: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        let written = waiting_streams::HostOutputStream::write(&mut self.0.handles, stream, bytes);
        self.logged(written)
    }

    fn blocking_write_and_flush(&mut self, stream: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        let written = self.stream(async |table| waiting_streams::HostOutputStream::blocking_write_and_flush(table, stream, bytes).await);
        self.logged(written)
    }

    fn flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        waiting_streams::HostOutputStream::flush(&mut self.0.handles, stream)
    }

    fn blocking_flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        self.stream(async |table| waiting_streams::HostOutputStream::blocking_flush(table, stream).await)
    }

    fn subscribe(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<Resource<DynPollable>> {
        waiting_streams::HostOutputStream::subscribe(&mut self.0.handles, stream)
    }

    fn write_zeroes(&mut self, stream: Resource<DynOutputStream>, length: u64) -> StreamResult<()> {
        let written = waiting_streams::HostOutputStream::write_zeroes(&mut self.0.handles, stream, length);
        self.logged(written)
    }

    fn blocking_write_zeroes_and_flush(&mut self, stream: Resource<DynOutputStream>, length: u64) -> StreamResult<()> {
        let written =
            self.stream(async |table| waiting_streams::HostOutputStream::blocking_write_zeroes_and_flush(table, stream, length).await);
        self.logged(written)
    }

    fn splice(&mut self, to: Resource<DynOutputStream>, from: Resource<DynInputStream>, length: u64) -> StreamResult<u64> {
        let spliced = waiting_streams::HostOutputStream::splice(&mut self.0.handles, to, from, length);
        self.logged(spliced)
    }

    fn blocking_splice(&mut self, to: Resource<DynOutputStream>, from: Resource<DynInputStream>, length: u64) -> StreamResult<u64> {
        let spliced = self.stream(async |table| waiting_streams::HostOutputStream::blocking_splice(table, to, from, length).await);
        self.logged(spliced)
    }

    fn drop(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<()> {
        let deadline = self.deadline();
        let host = &mut *self.0;
        wait(deadline, &mut host.meter.work, waiting_streams::HostOutputStream::drop(&mut host.handles, stream))?
    }
}
