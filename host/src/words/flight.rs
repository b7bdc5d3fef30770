//! Batches on their way: each is a trace from its first call to its last, and they are counted.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Instant,
};

use super::{observe::RunObserver, trace::SpanContext};

/// A batch on its way, from the call that yields it to the last that takes it. Everybody who works on it holds a clone of its
/// `Arc`; when the last lets go, the batch has gone all its way and its observer is told.
pub struct BatchTrace {
    /// Its root span.
    pub root: SpanContext,
    /// Its number in the run, from 0.
    pub sequence: u64,
    /// Index of the stage that brought it into being.
    pub origin: usize,
    /// When that stage began to.
    pub started: Instant,
    /// The batches it came from, when it came from any: some of them, if there were many.
    pub links: Vec<SpanContext>,
    written_by: OnceLock<Vec<SpanContext>>,
    fate: AtomicU8,
    observer: Arc<dyn RunObserver>,
    /// The last to go: by then the observer has been told.
    flight: Option<InFlight>,
}

/// How many batches of a run are on their way.
#[derive(Clone, Default)]
pub struct Flight(Arc<AtomicU64>);

/// One of them.
struct InFlight(Flight);

// === impl BatchTrace ===

const FAILED: u8 = 1;
const REJECTED: u8 = 2;
const VOID: u8 = 4;
const DROPPED: u8 = 8;

impl BatchTrace {
    /// A batch that a call is about to bring into being.
    pub fn begin(observer: &Arc<dyn RunObserver>, sequence: u64, origin: usize, links: Vec<SpanContext>) -> Self {
        let fate = AtomicU8::new(0);
        let (root, written_by) = (observer.root(), OnceLock::new());
        let (observer, flight) = (Arc::clone(observer), None);
        BatchTrace { root, sequence, origin, started: Instant::now(), links, written_by, fate, observer, flight }
    }

    /// It counts as being on its way until it has gone all of it.
    pub fn counted(mut self, flight: &Flight) -> Self {
        flight.0.fetch_add(1, Ordering::AcqRel);
        self.flight = Some(InFlight(flight.clone()));
        self
    }

    /// It was read from what these spans of other runs wrote. Said once, by the call that brought it into being.
    pub fn came_from(&self, writers: &[SpanContext]) {
        if !writers.is_empty() {
            let _ = self.written_by.set(writers.to_vec());
        }
    }

    /// Everything that it is linked to: batches of this run that it came from, and spans of other runs that wrote what it was read
    /// from.
    pub fn linked(&self) -> Vec<SpanContext> {
        match (self.links.as_slice(), self.written_by.get()) {
            // Most of them.
            ([], None) => Vec::new(),
            (links, writers) => joined(links, writers.map_or(&[], Vec::as_slice)),
        }
    }

    /// A call on it failed.
    pub fn fail(&self) {
        self.fate.fetch_or(FAILED, Ordering::Relaxed);
    }

    /// Rows of it were rejected.
    pub fn reject(&self) {
        self.fate.fetch_or(REJECTED, Ordering::Relaxed);
    }

    /// Nothing came of it: there was no batch.
    pub fn void(&self) {
        self.fate.fetch_or(VOID, Ordering::Relaxed);
    }

    /// It is thrown away on its way: the run was given up.
    pub fn throw_away(&self) {
        self.fate.fetch_or(DROPPED, Ordering::Relaxed);
    }

    /// Whether a call on it failed.
    pub fn failed(&self) -> bool {
        self.fate.load(Ordering::Relaxed) & FAILED != 0
    }

    /// Whether rows of it were rejected.
    pub fn rejected(&self) -> bool {
        self.fate.load(Ordering::Relaxed) & REJECTED != 0
    }

    /// Whether it was thrown away on its way.
    pub fn dropped(&self) -> bool {
        self.fate.load(Ordering::Relaxed) & DROPPED != 0
    }

    /// Whether nothing came of it.
    pub fn is_void(&self) -> bool {
        self.fate.load(Ordering::Relaxed) & VOID != 0
    }
}

#[cold]
fn joined(links: &[SpanContext], writers: &[SpanContext]) -> Vec<SpanContext> {
    [links, writers].concat()
}

impl Drop for BatchTrace {
    fn drop(&mut self) {
        self.observer.batch(self);
    }
}

// === impl Flight ===

impl Flight {
    /// How many there are now.
    pub fn batches(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}
