//! `--trace-out`: spans as lines of OTLP/JSON, each a whole `ExportTraceServiceRequest`, as collectors' file receivers read them.

use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    path::Path,
};

use opentelemetry_proto::{
    tonic::collector::trace::v1::ExportTraceServiceRequest,
    transform::{common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope},
};
use opentelemetry_sdk::{Resource, trace::SpanData};

use super::assemble::Kept;

/// Spans that are in a line at most; a batch with more of them has a longer one.
const LINE: usize = 512;

/// The file. Every line is flushed, so that what was written is there whatever happens to the process.
pub struct TraceFile {
    file: BufWriter<File>,
    resource: ResourceAttributesWithSchema,
    exception_events: bool,
    spans: Vec<SpanData>,
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
        Ok(TraceFile { file, resource: resource.into(), exception_events, spans: Vec::new(), fresh: false, broken: None })
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
        kept.expand(self.exception_events, &mut self.spans);
        if self.spans.len() >= LINE { self.flush() } else { Written::default() }
    }

    /// Writes what there is.
    pub fn flush(&mut self) -> Written {
        let spans = std::mem::take(&mut self.spans);
        let count = spans.len() as u64;
        if count == 0 {
            return Written::default();
        }
        if self.broken.is_none() {
            match self.write(spans) {
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

    fn write(&mut self, spans: Vec<SpanData>) -> io::Result<()> {
        let request = ExportTraceServiceRequest { resource_spans: group_spans_by_resource_and_scope(spans, &self.resource) };
        serde_json::to_writer(&mut self.file, &request)?;
        self.file.write_all(b"\n")?;
        self.file.flush()
    }
}
