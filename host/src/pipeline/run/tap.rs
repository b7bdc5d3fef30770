//! Taps: whoever wants to see batches of a stage as they pass. Looking never holds up what flows: a tap that is full misses batches,
//! and counts them.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, Weak,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};

use crate::{
    pipeline::plan::PortId,
    words::{batch::RecordBatch, observe::BatchTrace, trace::TraceId},
};

/// Batches that may wait for whoever looks.
const WAITING: usize = 16;
/// Taps of one stage at a time.
const MOST: usize = 8;

/// Which of a stage's batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Those that come by an input.
    In(u32),
    /// Those that leave by a port.
    Out(PortId),
}

/// A batch that was seen.
#[derive(Clone)]
pub struct Seen {
    /// Where.
    pub side: Side,
    /// The batch.
    pub batch: Arc<RecordBatch>,
    /// Its number in the run.
    pub sequence: u64,
    /// Its trace.
    pub trace: TraceId,
}

/// All taps of a stage.
#[derive(Default)]
pub struct Taps {
    wanted: AtomicBool,
    taps: Mutex<Vec<Weak<Wire>>>,
}

/// A tap: gone when it is dropped.
pub struct Tap {
    wire: Arc<Wire>,
    seen: Receiver<Seen>,
}

struct Wire {
    to: SyncSender<Seen>,
    missed: AtomicU64,
}

/// There are as many taps as there may be.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the stage has {MOST} taps already, the most that it may have")]
pub struct TooMany;

// === impl Taps ===

impl Taps {
    /// Another tap.
    pub fn open(&self) -> Result<Tap, TooMany> {
        let mut taps = self.lock();
        taps.retain(|tap| tap.strong_count() > 0);
        if taps.len() >= MOST {
            return Err(TooMany);
        }
        let (to, seen) = sync_channel(WAITING);
        let wire = Arc::new(Wire { to, missed: AtomicU64::default() });
        taps.push(Arc::downgrade(&wire));
        self.wanted.store(true, Relaxed);
        Ok(Tap { wire, seen })
    }

    /// Whether anybody looks. Costs a relaxed load.
    pub fn wanted(&self) -> bool {
        self.wanted.load(Relaxed)
    }

    /// A batch came by an input.
    pub fn arrived(&self, input: u32, batch: &Arc<RecordBatch>, trace: &Arc<BatchTrace>) {
        if self.wanted() {
            self.show(Side::In(input), batch, trace);
        }
    }

    /// A batch leaves.
    pub fn out(&self, port: PortId, batch: &Arc<RecordBatch>, trace: &Arc<BatchTrace>) {
        if self.wanted() {
            self.show(Side::Out(port), batch, trace);
        }
    }

    #[cold]
    fn show(&self, side: Side, batch: &Arc<RecordBatch>, trace: &Arc<BatchTrace>) {
        let seen = Seen { side, batch: Arc::clone(batch), sequence: trace.sequence, trace: trace.root.trace };
        let mut taps = self.lock();
        taps.retain(|tap| {
            let Some(wire) = tap.upgrade() else { return false };
            match wire.to.try_send(seen.clone()) {
                Ok(()) => true,
                Err(TrySendError::Full(_)) => {
                    wire.missed.fetch_add(1, Relaxed);
                    true
                }
                Err(TrySendError::Disconnected(_)) => false,
            }
        });
        self.wanted.store(!taps.is_empty(), Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Wire>>> {
        self.taps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Tap ===

impl Tap {
    /// The next batch; waits for one, but not longer than this.
    pub fn next(&self, most: std::time::Duration) -> Option<Seen> {
        self.seen.recv_timeout(most).ok()
    }

    /// Batches that passed while `next` was not asked often enough.
    pub fn missed(&self) -> u64 {
        self.wire.missed.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use arrow::datatypes::Schema;

    use super::*;
    use crate::words::observe::{RunObserver, Unobserved};

    /// Protects what flows against whoever looks: a tap that nobody asks misses batches, and says how many.
    #[test]
    fn a_full_tap_misses_and_counts() {
        let observer: Arc<dyn RunObserver> = Arc::new(Unobserved);
        let trace = Arc::new(BatchTrace::begin(&observer, 7, 0, Vec::new()));
        let batch = Arc::new(RecordBatch::new_empty(Arc::new(Schema::empty())));
        let taps = Taps::default();
        taps.arrived(0, &batch, &trace);
        let tap = taps.open().unwrap();
        (0..20).for_each(|_| taps.out(PortId::Out(0), &batch, &trace));
        assert_eq!(tap.missed(), 20 - WAITING as u64);
        assert_eq!(tap.next(Duration::ZERO).map(|seen| (seen.side, seen.sequence)), Some((Side::Out(PortId::Out(0)), 7)));
        drop(tap);
        taps.arrived(0, &batch, &trace);
        assert!(!taps.wanted(), "nobody looks any more");
    }
}
