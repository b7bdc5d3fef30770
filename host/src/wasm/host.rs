//! What the host keeps beside a running instance: its limits and grants, the frames it has handles to, and the meter.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use wasmtime::component::{Resource, ResourceTable};

use super::{clock::Clock, crossing::Nothing, frame::Frame, imports::wasi::Wasi, limiter::Limiter, spans::Spans};
use crate::words::{
    batch::RecordBatch,
    grants::Grants,
    limits::Limits,
    tables::{Dataset, TableReader, TableWriter, Tables},
    trace::{self, SpanContext},
    usage::Rarely,
};

/// The handle of the frame that is lent for the length of a call. The table never gives out this number.
const LENT: u32 = u32::MAX;

/// What one call did through imports.
#[derive(Debug, Default)]
pub struct Meter {
    /// Columns read, in the order of reading, perhaps repeated.
    pub columns_read: Vec<u32>,
    /// Bytes copied into the guest.
    pub bytes_read: u64,
    /// Time in imports that do work of their own: all but `frames`, which copies.
    pub work: Duration,
    /// Log records written.
    pub logs: u64,
    /// Guest telemetry dropped for a limit.
    pub dropped: u64,
    /// The guest's own spans.
    pub spans: Spans,
    /// The guest's own counters and observations, tables that were opened, spans that wrote what was read.
    pub said: Rarely,
}

/// Tables that a call is remembered to have opened: a stage has one or two.
const DATASETS: usize = 64;
/// Writers of what one call read that are remembered: a batch with more links is not readable any more.
const WRITERS: usize = 8;

/// Columns that are remembered as read before those that repeat are left out.
const COLUMNS: usize = 1_024;

impl Meter {
    /// Columns were read.
    pub fn read(&mut self, columns: impl Iterator<Item = u32>) {
        self.columns_read.extend(columns);
        if self.columns_read.len() > COLUMNS {
            self.columns_read.sort_unstable();
            self.columns_read.dedup();
        }
    }

    /// A table was opened.
    pub fn opened(&mut self, dataset: Dataset) {
        if self.said.datasets.len() < DATASETS {
            self.said.datasets.push(dataset);
        }
    }

    /// Something was read that this span had written.
    pub fn read_from(&mut self, writer: Option<SpanContext>) {
        if let Some(writer) = writer.filter(|writer| self.said.written_by.len() < WRITERS && !self.said.written_by.contains(writer)) {
            self.said.written_by.push(writer);
        }
    }
}

/// A table reader as a resource.
pub struct Reader(pub Box<dyn TableReader>);

/// A table writer as a resource.
pub struct Writer(pub Box<dyn TableWriter>);

/// The data of an instance's store.
pub struct Host {
    pub stage: String,
    pub limits: Limits,
    pub grants: Grants,
    pub tables: Arc<dyn Tables>,
    pub limiter: Limiter,
    pub clock: Clock,
    pub meter: Meter,
    pub handles: ResourceTable,
    /// Readers and writers among them.
    pub open_tables: u64,
    pub state: HashMap<String, Vec<u8>>,
    /// Only for a component that imports some of it.
    pub wasi: Option<Box<Wasi>>,
    /// Where the guest puts buffers of no bytes.
    pub nothing: Arc<Nothing>,
    lent: Option<Arc<RecordBatch>>,
}

impl Host {
    /// For a new instance.
    pub fn new(stage: &str, limits: Limits, grants: Grants, tables: Arc<dyn Tables>) -> Self {
        let mut handles = ResourceTable::new();
        handles.set_max_capacity(limits.handles as usize);
        Host {
            stage: stage.to_owned(),
            limiter: Limiter::new(&limits),
            clock: Clock::new(),
            meter: Meter::default(),
            handles,
            open_tables: 0,
            state: HashMap::new(),
            wasi: None,
            nothing: Arc::default(),
            lent: None,
            limits,
            grants,
            tables,
        }
    }

    /// Begins a call: everything that is counted per call starts from zero.
    pub fn begin(&mut self, lent: Option<Arc<RecordBatch>>) {
        self.meter = Meter { spans: Spans::begin(trace::current()), ..Meter::default() };
        self.clock.reset();
        self.limiter.begin();
        self.lent = lent;
        if let Some(wasi) = &mut self.wasi {
            wasi.begin(&self.limits);
        }
    }

    /// Ends it: the lent frame is taken back.
    pub fn end(&mut self) -> Meter {
        self.lent = None;
        if let Some(wasi) = &mut self.wasi {
            wasi.end(&self.stage, &self.limits, &mut self.meter);
        }
        std::mem::take(&mut self.meter)
    }

    /// The handle under which the lent frame is passed.
    pub fn lent_handle() -> Resource<Frame> {
        Resource::new_borrow(LENT)
    }

    /// The batch behind a handle.
    pub fn batch(&self, frame: &Resource<Frame>) -> wasmtime::Result<&Arc<RecordBatch>> {
        match (&self.lent, frame.rep()) {
            (Some(batch), LENT) => Ok(batch),
            _ => Ok(&self.handles.get(frame)?.batch),
        }
    }

    /// Runs an import that does work of its own, and counts its time.
    pub fn work<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let started = Instant::now();
        let value = run(self);
        self.meter.work += started.elapsed();
        value
    }
}
