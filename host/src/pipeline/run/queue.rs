//! The queue in front of a stage: bounded by bytes, fed by several stages, emptied by one or several instances.
//!
//! When the graph is wired otherwise, what comes by new edges waits in a lane of its own until all old edges have closed and all that
//! came by them is taken. So a batch goes all its way by the wiring that it began in, and none overtakes one of the wiring before.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use crate::words::{
    batch::{self, RecordBatch},
    observe::BatchTrace,
};

/// What an empty batch counts for, so that a bound in bytes also bounds the number of batches.
const LEAST: u64 = 64;

/// A batch on its way to a stage.
pub struct Item {
    /// Which of the stage's inputs it arrives by.
    pub input: u32,
    /// The batch.
    pub batch: Arc<RecordBatch>,
    /// Where it comes from and what becomes of it.
    pub trace: Arc<BatchTrace>,
    /// Its place in the order in which the stage takes batches, from 0.
    pub ticket: u64,
    /// How long it waited: since it was offered, whether or not there was room for it.
    pub waited: Duration,
}

/// What taking from a queue brought.
pub enum Taken {
    /// The next batch.
    Item(Item),
    /// Nothing yet, but somebody wants whoever waits here to look up.
    Nudged,
    /// Everything of the old wiring has been taken: what this stage puts out after its turn with this ticket goes the new ways.
    Rewired(u64),
    /// All producers have closed, and all is taken.
    End,
}

/// The run was given up: nothing more goes in or comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aborted;

struct Waiting {
    input: u32,
    batch: Arc<RecordBatch>,
    trace: Arc<BatchTrace>,
    bytes: u64,
    since: Instant,
}

/// Why no new wiring can be prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unprepared {
    /// All that ever comes has been taken.
    Ended,
    /// The wiring before has not been reached yet.
    Unsettled,
    /// The run was given up.
    Aborted,
}

/// What waits, of one wiring.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Waiting>,
    bytes: u64,
    rows: u64,
    producers: usize,
}

#[derive(Default)]
struct Inside {
    now: Lane,
    /// Of the wiring to come.
    next: Option<Lane>,
    /// Nothing is missing any more of the wiring to come.
    released: bool,
    /// How often it has been rewired.
    wiring: u64,
    peak: u64,
    rows_arrived: u64,
    taken: u64,
    nudges: u64,
    ended: bool,
    aborted: bool,
}

/// A queue bounded by bytes that always admits one batch, however large.
pub struct Queue {
    bound: AtomicU64,
    inside: Mutex<Inside>,
    changed: Condvar,
}

/// How full a queue is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// Batches waiting.
    pub batches: u64,
    /// Bytes waiting.
    pub bytes: u64,
    /// Most bytes that ever waited.
    pub peak: u64,
    /// Rows waiting.
    pub rows: u64,
    /// Rows that ever came in.
    pub rows_arrived: u64,
}

// === impl Inside ===

impl Inside {
    fn lane(&mut self, wiring: u64) -> &mut Lane {
        if wiring > self.wiring { self.next.get_or_insert_default() } else { &mut self.now }
    }

    fn bytes(&self) -> u64 {
        self.now.bytes + self.next.as_ref().map_or(0, |next| next.bytes)
    }

    /// The next batch of the wiring that counts.
    fn take(&mut self) -> Option<Item> {
        let Waiting { input, batch, trace, bytes, since } = self.now.waiting.pop_front()?;
        self.now.bytes -= bytes;
        self.now.rows -= batch.num_rows() as u64;
        let ticket = self.ticket();
        Some(Item { input, batch, trace, ticket, waited: since.elapsed() })
    }

    fn ticket(&mut self) -> u64 {
        self.taken += 1;
        self.taken - 1
    }

    fn preparable(&self) -> Result<(), Unprepared> {
        match *self {
            Inside { aborted: true, .. } => Err(Unprepared::Aborted),
            Inside { ended: true, .. } => Err(Unprepared::Ended),
            Inside { next: Some(_), .. } => Err(Unprepared::Unsettled),
            _ => Ok(()),
        }
    }

    /// All edges of the wiring that counts have closed, and all is taken: goes over to the next, if there is one.
    fn rewire(&mut self) -> Option<u64> {
        self.now = self.next.take()?;
        (self.wiring, self.released) = (self.wiring + 1, false);
        Some(self.ticket())
    }
}

// === impl Queue ===

impl Queue {
    /// A queue that holds up to `bound` bytes of each wiring, and ends when all edges that lead to it have closed.
    pub fn new(bound: u64) -> Self {
        Queue { bound: AtomicU64::new(bound), inside: Mutex::default(), changed: Condvar::new() }
    }

    /// Another edge leads here: of the wiring to come, if one is prepared. Answers of which wiring it is.
    pub fn open(&self) -> u64 {
        let mut inside = self.lock();
        let wiring = inside.wiring + u64::from(inside.next.is_some());
        inside.lane(wiring).producers += 1;
        wiring
    }

    /// Begins to prepare another wiring: from now on edges that are opened are of it. It does not end before that is released.
    pub fn prepare(&self) -> Result<(), Unprepared> {
        let mut inside = self.lock();
        inside.preparable()?;
        inside.next = Some(Lane::default());
        Ok(())
    }

    /// Nothing is missing of the wiring that was prepared: it counts as soon as all of the one before is taken.
    pub fn release(&self) {
        self.lock().released = true;
        self.changed.notify_all();
    }

    /// There is no other wiring after all. No edge of it may have been opened.
    pub fn withdraw(&self) {
        self.lock().next = None;
        self.changed.notify_all();
    }

    /// Whether another wiring could be prepared.
    pub fn preparable(&self) -> Result<(), Unprepared> {
        self.lock().preparable()
    }

    /// Adds a batch by an edge of a wiring; waits while there is no room, and that counts as the batch's wait.
    pub fn push(&self, wiring: u64, input: u32, batch: Arc<RecordBatch>, trace: Arc<BatchTrace>) -> Result<(), Aborted> {
        let (bytes, since) = (batch::size(&batch).max(LEAST), Instant::now());
        let mut inside = self.lock();
        loop {
            let lane = inside.lane(wiring);
            let room = lane.waiting.is_empty() || lane.bytes + bytes <= self.bound.load(Relaxed);
            if inside.aborted || room {
                break;
            }
            inside = self.wait(inside);
        }
        if inside.aborted {
            trace.throw_away();
            return Err(Aborted);
        }
        let rows = batch.num_rows() as u64;
        let lane = inside.lane(wiring);
        lane.bytes += bytes;
        lane.rows += rows;
        lane.waiting.push_back(Waiting { input, batch, trace, bytes, since });
        inside.rows_arrived += rows;
        inside.peak = inside.peak.max(inside.bytes());
        drop(inside);
        self.changed.notify_all();
        Ok(())
    }

    /// Takes the next batch; waits for one, unless there was a nudge after the last that the caller has `seen`.
    pub fn pop(&self, seen: &mut u64) -> Result<Taken, Aborted> {
        let mut inside = self.lock();
        loop {
            if inside.aborted {
                return Err(Aborted);
            }
            if let Some(item) = inside.take() {
                drop(inside);
                self.changed.notify_all();
                return Ok(Taken::Item(item));
            }
            if inside.now.producers == 0 && (inside.released || inside.next.is_none()) {
                let taken = inside.rewire().map_or(Taken::End, Taken::Rewired);
                inside.ended = matches!(taken, Taken::End);
                drop(inside);
                self.changed.notify_all();
                return Ok(taken);
            }
            if inside.nudges != *seen {
                *seen = inside.nudges;
                return Ok(Taken::Nudged);
            }
            inside = self.wait(inside);
        }
    }

    /// Wakes those who wait for a batch, each once: there is something else to look at.
    pub fn nudge(&self) {
        self.lock().nudges += 1;
        self.changed.notify_all();
    }

    /// Bytes that may wait.
    pub fn bound(&self) -> u64 {
        self.bound.load(Relaxed)
    }

    /// Another bound, from the next batch on.
    pub fn set_bound(&self, bound: u64) {
        self.bound.store(bound, Relaxed);
        self.changed.notify_all();
    }

    /// Nothing more comes by an edge of a wiring.
    pub fn close(&self, wiring: u64) {
        let mut inside = self.lock();
        let lane = inside.lane(wiring);
        lane.producers = lane.producers.saturating_sub(1);
        drop(inside);
        self.changed.notify_all();
    }

    /// Whether nothing more comes in; what has come in may still wait.
    pub fn is_closed(&self) -> bool {
        let inside = self.lock();
        inside.now.producers == 0 && inside.next.is_none()
    }

    /// Gives everything up: waiting batches are dropped (their rows still count as waiting) and whoever waits is woken.
    pub fn abort(&self) {
        let mut inside = self.lock();
        inside.aborted = true;
        let Inside { now, next, .. } = &mut *inside;
        let mut waiting = Vec::new();
        for lane in std::iter::once(now).chain(next) {
            waiting.extend(std::mem::take(&mut lane.waiting));
            lane.bytes = 0;
        }
        drop(inside);
        // Letting go of a batch tells its observer, which must not happen under the lock.
        waiting.iter().for_each(|waiting| waiting.trace.throw_away());
        drop(waiting);
        self.changed.notify_all();
    }

    /// How full it is.
    pub fn level(&self) -> Level {
        let inside = self.lock();
        let mut level = Level { peak: inside.peak, rows_arrived: inside.rows_arrived, ..Level::default() };
        for lane in std::iter::once(&inside.now).chain(&inside.next) {
            level.batches += lane.waiting.len() as u64;
            level.bytes += lane.bytes;
            level.rows += lane.rows;
        }
        level
    }

    // A thread that panicked while holding the lock left plain numbers behind; they are still usable.
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, inside: MutexGuard<'a, Inside>) -> MutexGuard<'a, Inside> {
        self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
