//! The queue in front of a stage: bounded by bytes, fed by several stages, emptied by one or several instances.

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

#[derive(Default)]
struct Inside {
    waiting: VecDeque<Waiting>,
    bytes: u64,
    peak: u64,
    rows: u64,
    rows_arrived: u64,
    taken: u64,
    producers: usize,
    nudges: u64,
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

impl Queue {
    /// A queue that holds up to `bound` bytes and ends when this many producers have closed it.
    pub fn new(bound: u64, producers: usize) -> Self {
        Queue { bound: AtomicU64::new(bound), inside: Mutex::new(Inside { producers, ..Inside::default() }), changed: Condvar::new() }
    }

    /// Adds a batch; waits while there is no room, and that counts as the batch's wait.
    pub fn push(&self, input: u32, batch: Arc<RecordBatch>, trace: Arc<BatchTrace>) -> Result<(), Aborted> {
        let (bytes, since) = (batch::size(&batch).max(LEAST), Instant::now());
        let mut inside = self.lock();
        while !inside.aborted && !inside.waiting.is_empty() && inside.bytes + bytes > self.bound.load(Relaxed) {
            inside = self.wait(inside);
        }
        if inside.aborted {
            trace.throw_away();
            return Err(Aborted);
        }
        inside.bytes += bytes;
        inside.peak = inside.peak.max(inside.bytes);
        inside.rows += batch.num_rows() as u64;
        inside.rows_arrived += batch.num_rows() as u64;
        inside.waiting.push_back(Waiting { input, batch, trace, bytes, since });
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
            if let Some(next) = inside.waiting.pop_front() {
                inside.bytes -= next.bytes;
                inside.rows -= next.batch.num_rows() as u64;
                let ticket = inside.taken;
                inside.taken += 1;
                drop(inside);
                self.changed.notify_all();
                let Waiting { input, batch, trace, since, .. } = next;
                return Ok(Taken::Item(Item { input, batch, trace, ticket, waited: since.elapsed() }));
            }
            if inside.producers == 0 {
                return Ok(Taken::End);
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

    /// Another bound, from the next batch on.
    pub fn set_bound(&self, bound: u64) {
        self.bound.store(bound, Relaxed);
        self.changed.notify_all();
    }

    /// One producer will add nothing more.
    pub fn close(&self) {
        let mut inside = self.lock();
        inside.producers = inside.producers.saturating_sub(1);
        drop(inside);
        self.changed.notify_all();
    }

    /// Gives everything up: waiting batches are dropped (their rows still count as waiting) and whoever waits is woken.
    pub fn abort(&self) {
        let mut inside = self.lock();
        inside.aborted = true;
        let waiting = std::mem::take(&mut inside.waiting);
        inside.bytes = 0;
        drop(inside);
        // Letting go of a batch tells its observer, which must not happen under the lock.
        waiting.iter().for_each(|waiting| waiting.trace.throw_away());
        drop(waiting);
        self.changed.notify_all();
    }

    /// How full it is.
    pub fn level(&self) -> Level {
        let inside = self.lock();
        let Inside { bytes, peak, rows, rows_arrived, .. } = *inside;
        Level { batches: inside.waiting.len() as u64, bytes, peak, rows, rows_arrived }
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
mod tests {
    use std::thread;

    use arrow::{
        array::Int64Array,
        datatypes::{DataType, Field, Schema},
    };

    use super::*;
    use crate::words::observe::{RunObserver, Unobserved};

    fn trace() -> Arc<BatchTrace> {
        let observer: Arc<dyn RunObserver> = Arc::new(Unobserved);
        Arc::new(BatchTrace::begin(&observer, 0, 0, Vec::new()))
    }

    fn pop(queue: &Queue) -> Option<Item> {
        match queue.pop(&mut 0).unwrap() {
            Taken::Item(item) => Some(item),
            Taken::Nudged | Taken::End => None,
        }
    }

    fn batch(rows: i64) -> Arc<RecordBatch> {
        let schema = Schema::new(vec![Field::new("n", DataType::Int64, false)]);
        let values = Int64Array::from_iter_values(0..rows);
        Arc::new(RecordBatch::try_new(Arc::new(schema), vec![Arc::new(values)]).unwrap())
    }

    /// Protects against a stalled consumer letting the queue grow: the producer must stop at the bound.
    #[test]
    fn a_full_queue_holds_its_producer_and_never_exceeds_its_bound() {
        let queue = Arc::new(Queue::new(1000, 1));
        let producer = thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                (0..50).for_each(|_| queue.push(0, batch(50), trace()).unwrap());
                queue.close();
            }
        });
        thread::sleep(Duration::from_millis(30));
        assert_eq!(queue.level().batches, 2, "two batches of 400 bytes fit into 1000");
        let mut taken = 0;
        while pop(&queue).is_some() {
            taken += 1;
        }
        producer.join().unwrap();
        assert_eq!((taken, queue.level().bytes), (50, 0));
        assert!(queue.level().peak <= 1000);
    }

    /// Protects against a batch larger than the bound waiting for ever.
    #[test]
    fn one_batch_is_always_admitted() {
        let queue = Queue::new(10, 1);
        queue.push(0, batch(1000), trace()).unwrap();
        assert_eq!(pop(&queue).unwrap().batch.num_rows(), 1000);
    }

    /// Protects the bottleneck against looking idle: what waits for room in front of a stage waits for that stage.
    #[test]
    fn waiting_for_room_is_waiting_in_front_of_the_stage() {
        let queue = Arc::new(Queue::new(10, 1));
        queue.push(0, batch(1), trace()).unwrap();
        let producer = thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                let offered = Instant::now();
                queue.push(0, batch(1), trace()).unwrap();
                offered.elapsed()
            }
        });
        thread::sleep(Duration::from_millis(50));
        pop(&queue).unwrap();
        let held = producer.join().unwrap();
        let waited = pop(&queue).unwrap().waited;
        assert!(waited + Duration::from_millis(1) >= held, "{waited:?} of {held:?}");
    }

    /// Protects against threads that hang for ever after a failure elsewhere.
    #[test]
    fn an_abort_wakes_producer_and_consumer() {
        let queue = Arc::new(Queue::new(10, 1));
        let consumer = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.pop(&mut 0).err()
        });
        thread::sleep(Duration::from_millis(10));
        queue.abort();
        assert_eq!(consumer.join().unwrap(), Some(Aborted));
        assert_eq!(queue.push(0, batch(1), trace()), Err(Aborted));
    }

    /// Protects against batches that are told as done although nobody took them.
    #[test]
    fn what_an_abort_throws_away_is_marked() {
        let (queue, waiting, late) = (Queue::new(1000, 1), trace(), trace());
        queue.push(0, batch(1), Arc::clone(&waiting)).unwrap();
        assert!(!waiting.dropped());
        queue.abort();
        assert_eq!(queue.push(0, batch(1), Arc::clone(&late)), Err(Aborted));
        assert!(waiting.dropped() && late.dropped());
    }

    /// Protects a swap of an idle stage against waiting for the next batch, which may never come.
    #[test]
    fn a_nudge_wakes_who_waits_once() {
        let queue = Arc::new(Queue::new(10, 1));
        let waiter = thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                let mut seen = 0;
                let first = matches!(queue.pop(&mut seen), Ok(Taken::Nudged));
                (first, matches!(queue.pop(&mut seen), Ok(Taken::End)))
            }
        });
        thread::sleep(Duration::from_millis(10));
        queue.nudge();
        thread::sleep(Duration::from_millis(10));
        queue.close();
        assert_eq!(waiter.join().unwrap(), (true, true));
    }

    /// Protects a queue whose bound is raised while it is full: who waits for room goes on.
    #[test]
    fn a_wider_bound_lets_in_who_waits() {
        let queue = Arc::new(Queue::new(10, 1));
        queue.push(0, batch(50), trace()).unwrap();
        let producer = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.push(0, batch(50), trace())
        });
        thread::sleep(Duration::from_millis(10));
        assert_eq!(queue.level().batches, 1);
        queue.set_bound(1000);
        producer.join().unwrap().unwrap();
        assert_eq!(queue.level().batches, 2);
    }
}
