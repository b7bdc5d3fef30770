//! The state of a run that all its threads share: whether to go on, what failed, and whether loads may commit.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{checkpoint::Bell, order::Order, queue::Queue};
use crate::words::{call::CallError, observe::Flight};

/// A stage failed, and with it the run.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}{error}", place(stage))]
pub struct Failure {
    /// The stage; empty where none is to blame, as for a checkpoint that cannot be recorded.
    pub stage: String,
    /// In which export of its component.
    pub during: &'static str,
    /// Number of the batch it was working on, from 0; `None` outside of batches.
    pub batch: Option<u64>,
    /// What went wrong, with its blame.
    pub error: CallError,
}

fn place(stage: &str) -> String {
    if stage.is_empty() { String::new() } else { format!("stage `{stage}`: ") }
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
    /// A checkpoint is being taken: nothing may end meanwhile.
    held: bool,
    /// Ended at a checkpoint, which has everything.
    left: bool,
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
    /// Batches on their way.
    pub flight: Flight,
    /// Held by whoever changes what runs, or takes a checkpoint of it: one at a time.
    pub changing: Mutex<()>,
    /// Rung when the run is to end at a checkpoint; there when it takes any.
    bell: OnceLock<Arc<Bell>>,
    /// Stages that have come to their end in a run before this one.
    ended: OnceLock<Vec<String>>,
    /// What the pipeline is like since it was changed.
    footing: Mutex<Option<String>>,
}

impl Default for Control {
    /// Of a run that begins now and has no threads yet.
    fn default() -> Self {
        let (inside, changed, first_batch, flight, changing) = Default::default();
        let (stopping, started, bell, ended) = (AtomicBool::new(false), Instant::now(), OnceLock::new(), OnceLock::new());
        let footing = Mutex::default();
        Control { stopping, inside, changed, started, first_batch, flight, changing, bell, ended, footing }
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

    /// Checkpoints are taken: from now on a stop is one more.
    pub fn takes_checkpoints(&self, bell: Arc<Bell>, ended: Vec<String>) {
        let _ = (self.bell.set(bell), self.ended.set(ended));
    }

    /// Whether checkpoints are taken.
    pub fn is_delivering(&self) -> bool {
        self.bell.get().is_some()
    }

    /// The pipeline was changed: the next checkpoint stands on this.
    pub fn stands_on(&self, footing: String) {
        *self.footing.lock().unwrap_or_else(PoisonError::into_inner) = Some(footing);
    }

    /// What the pipeline is like, if it was changed.
    pub fn footing(&self) -> Option<String> {
        self.footing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether a stage has come to its end in a run that this one goes on from: nothing that it does is to be done again.
    pub fn had_ended(&self, stage: &str) -> bool {
        self.ended.get().is_some_and(|ended| ended.iter().any(|name| name == stage))
    }

    /// Asks the run to end: what is in flight is finished and committed.
    pub fn end(&self) {
        match self.bell.get() {
            Some(bell) => bell.stop(),
            None => self.stop(),
        }
    }

    /// Asks the extracts to stop.
    fn stop(&self) {
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

    /// Ends the run at a checkpoint that has everything: nothing is left to be finished or committed.
    pub fn leave(&self) {
        self.lock().left = true;
        self.give_up();
    }

    /// From now on no load is told to commit for the last time, until this is released. Answers false when they have been, or the run
    /// was given up.
    pub fn hold(&self) -> bool {
        let mut inside = self.lock();
        inside.held = !inside.decided && !inside.aborted && inside.failure.is_none();
        inside.held
    }

    /// See `hold`.
    pub fn release(&self) {
        self.lock().held = false;
        self.changed.notify_all();
    }

    /// Makes loads that wait for the verdict look up: there is something else to be done, or one was removed.
    pub fn nudge(&self) {
        drop(self.lock());
        self.changed.notify_all();
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

    /// Waits this long, or until the run is given up. Answers whether it goes on.
    pub fn pause(&self, time: Duration) -> bool {
        let (until, mut inside) = (Instant::now() + time, self.lock());
        loop {
            if inside.aborted || inside.left || inside.failure.is_some() {
                return false;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            (inside, _) = self.changed.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner);
        }
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

    /// Waits until every thread is done, and says whether to commit: no load commits while another stage may still fail. One that was
    /// removed from the pipeline commits by itself. Answers nothing when there is something else to be done first.
    pub fn verdict(&self, removed: &AtomicBool, interrupted: impl Fn() -> bool) -> Option<Verdict> {
        let mut inside = self.lock();
        loop {
            if inside.aborted || inside.left || inside.failure.is_some() {
                return Some(Verdict::Abandon);
            }
            if removed.load(Ordering::Relaxed) {
                return Some(Verdict::Commit);
            }
            if interrupted() {
                return None;
            }
            if inside.working == 0 && !inside.held {
                inside.decided = true;
                return Some(Verdict::Commit);
            }
            inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
