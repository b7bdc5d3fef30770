//! `wasi:cli/stdout` and `stderr` as log records, a line each, within the limits `logs` and `log_bytes`; `stdin` is empty, and
//! nothing is a terminal. The host's own three are out of reach.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::{
    async_trait,
    cli::{WasiCli, WasiCliView as _},
    p2::{
        DynOutputStream, OutputStream, Pollable, StreamResult,
        bindings::cli::{self, stderr, stdout},
    },
};

use super::io::{HasIo, Io};
use crate::{
    wasm::{
        host::{Host, Meter},
        imports::printable::{admit, printable},
    },
    words::limits::Limits,
};

/// Bytes that a guest may write at once. They are logged before it can write more.
const ROOM: usize = 64 << 10;

/// Links the five interfaces and what they return.
pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    stdout::add_to_linker::<Host, HasIo>(linker, Io::of)?;
    stderr::add_to_linker::<Host, HasIo>(linker, Io::of)?;
    cli::stdin::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::terminal_input::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::terminal_output::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::terminal_stdin::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::terminal_stdout::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::terminal_stderr::add_to_linker::<Host, WasiCli>(linker, Host::cli)
}

/// What a guest prints.
#[derive(Default)]
pub struct Stdio {
    out: Printed,
    error: Printed,
}

/// One of the two.
#[derive(Default)]
struct Printed {
    /// Written since it was last looked at; all streams of a kind write here.
    fresh: Arc<Mutex<Vec<u8>>>,
    /// The beginning of a line whose end has not come, no longer than a record can be.
    begun: Vec<u8>,
}

/// A stream as the guest has it.
struct Stream(Arc<Mutex<Vec<u8>>>);

// === impl Stdio ===

impl Stdio {
    /// Logs the lines that have come to their end.
    pub fn log(&mut self, stage: &str, limits: &Limits, meter: &mut Meter) {
        self.out.lines(limits, |line| out(stage, limits, meter, line));
        self.error.lines(limits, |line| error(stage, limits, meter, line));
    }

    /// Logs what is left as well.
    pub fn finish(&mut self, stage: &str, limits: &Limits, meter: &mut Meter) {
        self.log(stage, limits, meter);
        out(stage, limits, meter, &std::mem::take(&mut self.out.begun));
        error(stage, limits, meter, &std::mem::take(&mut self.error.begun));
    }
}

fn out(stage: &str, limits: &Limits, meter: &mut Meter, line: &[u8]) {
    if let Some(text) = record(limits, meter, line) {
        tracing::info!(target: "guest", stage, stream = "stdout", "{text}");
    }
}

fn error(stage: &str, limits: &Limits, meter: &mut Meter, line: &[u8]) {
    if let Some(text) = record(limits, meter, line) {
        tracing::warn!(target: "guest", stage, stream = "stderr", "{text}");
    }
}

/// A line as the text of a record. An empty one says nothing and is none.
fn record(limits: &Limits, meter: &mut Meter, line: &[u8]) -> Option<String> {
    let line = line.trim_ascii_end();
    (!line.is_empty() && admit(meter, limits)).then(|| printable(&String::from_utf8_lossy(line), limits.log_bytes as usize))
}

// === impl Printed ===

impl Printed {
    fn lines(&mut self, limits: &Limits, mut log: impl FnMut(&[u8])) {
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = fresh.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            keep(&mut self.begun, &rest[..end], limits);
            log(&self.begun);
            self.begun.clear();
            rest = &rest[end + 1..];
        }
        keep(&mut self.begun, rest, limits);
        fresh.clear();
    }
}

/// Adds to a line what a record of it could still show, and a character more, so that it is seen to be cut.
fn keep(line: &mut Vec<u8>, more: &[u8], limits: &Limits) {
    let most = (limits.log_bytes as usize).saturating_add(char::MAX_LEN_UTF8);
    line.extend_from_slice(&more[..more.len().min(most.saturating_sub(line.len()))]);
}

// === impl Stream ===

impl OutputStream for Stream {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(ROOM)
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {}
}

// === impl Io ===

impl stdout::Host for Io<'_> {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        let stream = Stream(Arc::clone(&self.wasi().stdio.out.fresh));
        Ok(self.0.handles.push(Box::new(stream) as DynOutputStream)?)
    }
}

impl stderr::Host for Io<'_> {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        let stream = Stream(Arc::clone(&self.wasi().stdio.error.fresh));
        Ok(self.0.handles.push(Box::new(stream) as DynOutputStream)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(printed: &mut Printed, written: &[u8], limits: &Limits) -> Vec<String> {
        let mut lines = Vec::new();
        printed.fresh.lock().unwrap().extend_from_slice(written);
        printed.lines(limits, |line| lines.push(String::from_utf8_lossy(line).into_owned()));
        lines
    }

    /// Protects against a line that is lost or doubled where a write ends in the middle of it.
    #[test]
    fn lines_are_put_together_over_writes() {
        let (mut printed, limits) = (Printed::default(), Limits::default());
        assert_eq!(lines(&mut printed, b"one\ntw", &limits), ["one"]);
        assert_eq!(lines(&mut printed, b"o", &limits), [""; 0]);
        assert_eq!(lines(&mut printed, b"\n\nthree", &limits), ["two", ""]);
        assert_eq!(printed.begun, b"three");
    }

    /// Protects the host's memory against a line that never ends.
    #[test]
    fn an_endless_line_is_kept_only_as_far_as_it_is_shown() {
        let (mut printed, limits) = (Printed::default(), Limits { log_bytes: 10, ..Limits::default() });
        for _ in 0..100 {
            assert!(lines(&mut printed, &[b'x'; 100], &limits).is_empty());
        }
        assert_eq!(printed.begun.len(), 14);
        let mut meter = Meter::default();
        assert_eq!(record(&limits, &mut meter, &printed.begun).unwrap(), "xxxxxxxxxx…");
    }
}
