//! The state of a run that all its threads share: whether to go on, what failed, and whether loads may commit.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{order::Order, queue::Queue};
use crate::words::call::CallError;

/// A stage failed, and with it the run.
#[derive(Clone, Debug, thiserror::Error)]
#[error("stage `{stage}`: {error}")]
pub struct Failure {
    /// The stage.
    pub stage: String,
    /// In which export of its component.
    pub during: &'static str,
    /// Number of the batch it was working on, from 0; `None` outside of batches.
    pub batch: Option<u64>,
    /// What went wrong, with its blame.
    pub error: CallError,
}

/// What loads that have taken everything are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every stage has ended well: make it durable.
    Commit,
    /// The run failed or was aborted: leave no trace.
    Abandon,
}

#[derive(Default)]
struct Inside {
    /// Loads have been told to commit.
    decided: bool,
    failure: Option<Failure>,
    aborted: bool,
    /// Threads that have not yet taken all their input.
    working: usize,
    /// What to wake when the run is given up, as long as it is there.
    queues: Vec<Weak<Queue>>,
    orders: Vec<Weak<Order>>,
}

/// Shared by all threads of a run.
pub struct Control {
    stopping: AtomicBool,
    inside: Mutex<Inside>,
    changed: Condvar,
    started: Instant,
    first_batch: OnceLock<Duration>,
}

impl Default for Control {
    /// Of a run that begins now and has no threads yet.
    fn default() -> Self {
        let (inside, changed, first_batch) = Default::default();
        Control { stopping: AtomicBool::new(false), inside, changed, started: Instant::now(), first_batch }
    }
}

impl Control {
    /// A stage joins: its queue and its order are to be given up with the run.
    pub fn joined(&self, queue: Option<&Arc<Queue>>, order: &Arc<Order>) {
        let mut inside = self.lock();
        inside.queues.retain(|queue| queue.strong_count() > 0);
        inside.orders.retain(|order| order.strong_count() > 0);
        inside.queues.extend(queue.map(Arc::downgrade));
        inside.orders.push(Arc::downgrade(order));
    }

    /// So many threads more. Answers false, and counts none, when loads have been told to commit or the run is given up.
    pub fn enlist(&self, threads: usize) -> bool {
        let mut inside = self.lock();
        let open = !inside.decided && !inside.aborted && inside.failure.is_none();
        inside.working += if open { threads } else { 0 };
        open
    }

    /// Since the run started.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The first batch of the run exists.
    pub fn batch_extracted(&self) {
        if self.first_batch.get().is_none() {
            let _ = self.first_batch.set(self.started.elapsed());
        }
    }

    /// From the start of the run to its first batch.
    pub fn first_batch(&self) -> Option<Duration> {
        self.first_batch.get().copied()
    }

    /// Asks the extracts to stop; what is in flight is finished and committed.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether extracts should stop.
    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Gives the run up at once; nothing is committed.
    pub fn abort(&self) {
        self.lock().aborted = true;
        self.give_up();
    }

    /// Records a failure and gives the run up. The first failure counts: what follows is usually its consequence.
    pub fn fail(&self, failure: Failure) {
        self.lock().failure.get_or_insert(failure);
        self.give_up();
    }

    fn give_up(&self) {
        self.stop();
        let (queues, orders) = {
            let inside = self.lock();
            (inside.queues.clone(), inside.orders.clone())
        };
        queues.iter().filter_map(Weak::upgrade).for_each(|queue| queue.abort());
        orders.iter().filter_map(Weak::upgrade).for_each(|order| order.abort());
        self.changed.notify_all();
    }

    /// Whether the run was given up.
    pub fn given_up(&self) -> bool {
        let inside = self.lock();
        inside.aborted || inside.failure.is_some()
    }

    /// What failed, if anything.
    pub fn failure(&self) -> Option<Failure> {
        self.lock().failure.clone()
    }

    /// A thread has taken all its input and put out everything.
    pub fn done(&self) {
        self.lock().working -= 1;
        self.changed.notify_all();
    }

    /// Makes whoever waits for the verdict look up: a load was removed.
    pub fn wake(&self) {
        drop(self.lock());
        self.changed.notify_all();
    }

    /// Waits until every thread is done, and says whether to commit: no load commits while another stage may still fail. One that was
    /// removed from the pipeline commits by itself.
    pub fn verdict(&self, removed: &AtomicBool) -> Verdict {
        let mut inside = self.lock();
        loop {
            if inside.aborted || inside.failure.is_some() {
                return Verdict::Abandon;
            }
            if removed.load(Ordering::Relaxed) {
                return Verdict::Commit;
            }
            if inside.working == 0 {
                inside.decided = true;
                return Verdict::Commit;
            }
            inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
