//! `--trace-out`: spans as lines of OTLP/JSON, each a whole `ExportTraceServiceRequest`, as collectors' file receivers read them.

use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    path::Path,
};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_sdk::Resource;
use prost::Message as _;

use super::assemble::Kept;
use crate::telemetry::otlp::{Envelope, protobuf::Writer};

/// Spans that are in a line at most; a batch with more of them has a longer one.
const LINE: usize = 512;

/// The file. Every line is flushed, so that what was written is there whatever happens to the process.
pub struct TraceFile {
    file: BufWriter<File>,
    envelope: Envelope,
    exception_events: bool,
    /// The next line, as it would be sent, and the spans in it.
    line: Writer,
    spans: usize,
    /// Whether what an earlier run left has gone.
    fresh: bool,
    /// Why nothing is written any more.
    broken: Option<io::Error>,
}

/// What became of spans.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written {
    /// They are in the file.
    pub spans: u64,
    /// They are not.
    pub lost: u64,
}

// === impl TraceFile ===

impl TraceFile {
    /// Creates it, unless it is there; then it keeps what is in it until a run begins.
    pub fn create(path: &Path, resource: &Resource, exception_events: bool) -> io::Result<Self> {
        let file = BufWriter::new(File::options().create(true).append(true).open(path)?);
        let envelope = Envelope::of(resource);
        let line = envelope.begin();
        Ok(TraceFile { file, envelope, exception_events, line, spans: 0, fresh: false, broken: None })
    }

    /// A run begins: what an earlier process left goes.
    pub fn begin(&mut self) {
        if !std::mem::replace(&mut self.fresh, true) {
            // A pipe or a terminal has no length.
            let _ = self.file.get_ref().set_len(0);
        }
    }

    /// Adds spans; a line is written when there are enough.
    pub fn add(&mut self, kept: &Kept) -> Written {
        kept.encode(0..usize::MAX, self.exception_events, &mut self.line);
        self.spans += kept.spans();
        if self.spans >= LINE { self.flush() } else { Written::default() }
    }

    /// Writes what there is.
    pub fn flush(&mut self) -> Written {
        let count = std::mem::take(&mut self.spans) as u64;
        if count == 0 {
            return Written::default();
        }
        let line = std::mem::take(&mut self.line);
        let line = self.envelope.close(line);
        let written = self.broken.is_none().then(|| self.write(&line));
        drop(line);
        self.line = self.envelope.begin();
        if let Some(written) = written {
            match written {
                Ok(()) => return Written { spans: count, lost: 0 },
                Err(error) => self.broken = Some(error),
            }
        }
        Written { spans: 0, lost: count }
    }

    /// Why it is not complete, if it is not.
    pub fn broken(self) -> Option<io::Error> {
        self.broken
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        // The same bytes that a collector would get, in the other form that OTLP has.
        let request = ExportTraceServiceRequest::decode(line)?;
        serde_json::to_writer(&mut self.file, &request)?;
        self.file.write_all(b"\n")?;
        self.file.flush()
    }
}
