//! The queue in front of a stage: bounded by bytes, fed by several stages, emptied by one or several instances.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::words::batch::{self, RecordBatch};

/// What an empty batch counts for, so that a bound in bytes also bounds the number of batches.
const LEAST: u64 = 64;

/// A batch on its way to a stage.
#[derive(Debug)]
pub struct Item {
    /// Which of the stage's inputs it arrives by.
    pub input: u32,
    /// The batch.
    pub batch: Arc<RecordBatch>,
    /// Its place in the order in which the stage takes batches, from 0.
    pub ticket: u64,
    /// How long it waited.
    pub waited: Duration,
}

/// The run was given up: nothing more goes in or comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aborted;

struct Waiting {
    input: u32,
    batch: Arc<RecordBatch>,
    bytes: u64,
    since: Instant,
}

#[derive(Default)]
struct Inside {
    waiting: VecDeque<Waiting>,
    bytes: u64,
    peak: u64,
    taken: u64,
    producers: usize,
    aborted: bool,
}

/// A queue bounded by bytes that always admits one batch, however large.
pub struct Queue {
    bound: u64,
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
}

impl Queue {
    /// A queue that holds up to `bound` bytes and ends when this many producers have closed it.
    pub fn new(bound: u64, producers: usize) -> Self {
        Queue { bound, inside: Mutex::new(Inside { producers, ..Inside::default() }), changed: Condvar::new() }
    }

    /// Adds a batch; waits while there is no room.
    pub fn push(&self, input: u32, batch: Arc<RecordBatch>) -> Result<(), Aborted> {
        let bytes = batch::size(&batch).max(LEAST);
        let mut inside = self.lock();
        while !inside.aborted && !inside.waiting.is_empty() && inside.bytes + bytes > self.bound {
            inside = self.wait(inside);
        }
        if inside.aborted {
            return Err(Aborted);
        }
        inside.bytes += bytes;
        inside.peak = inside.peak.max(inside.bytes);
        inside.waiting.push_back(Waiting { input, batch, bytes, since: Instant::now() });
        drop(inside);
        self.changed.notify_all();
        Ok(())
    }

    /// Takes the next batch; waits for one. Nothing when all producers have closed and all is taken.
    pub fn pop(&self) -> Result<Option<Item>, Aborted> {
        let mut inside = self.lock();
        loop {
            if inside.aborted {
                return Err(Aborted);
            }
            if let Some(next) = inside.waiting.pop_front() {
                inside.bytes -= next.bytes;
                let ticket = inside.taken;
                inside.taken += 1;
                drop(inside);
                self.changed.notify_all();
                return Ok(Some(Item { input: next.input, batch: next.batch, ticket, waited: next.since.elapsed() }));
            }
            if inside.producers == 0 {
                return Ok(None);
            }
            inside = self.wait(inside);
        }
    }

    /// One producer will add nothing more.
    pub fn close(&self) {
        let mut inside = self.lock();
        inside.producers = inside.producers.saturating_sub(1);
        drop(inside);
        self.changed.notify_all();
    }

    /// Gives everything up: waiting batches are dropped and whoever waits is woken.
    pub fn abort(&self) {
        let mut inside = self.lock();
        inside.aborted = true;
        inside.waiting.clear();
        inside.bytes = 0;
        drop(inside);
        self.changed.notify_all();
    }

    /// How full it is.
    pub fn level(&self) -> Level {
        let inside = self.lock();
        Level { batches: inside.waiting.len() as u64, bytes: inside.bytes, peak: inside.peak }
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
                (0..50).for_each(|_| queue.push(0, batch(50)).unwrap());
                queue.close();
            }
        });
        thread::sleep(Duration::from_millis(30));
        assert_eq!(queue.level().batches, 2, "two batches of 400 bytes fit into 1000");
        let mut taken = 0;
        while queue.pop().unwrap().is_some() {
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
        queue.push(0, batch(1000)).unwrap();
        assert_eq!(queue.pop().unwrap().unwrap().batch.num_rows(), 1000);
    }

    /// Protects against threads that hang for ever after a failure elsewhere.
    #[test]
    fn an_abort_wakes_producer_and_consumer() {
        let queue = Arc::new(Queue::new(10, 1));
        let consumer = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.pop().err()
        });
        thread::sleep(Duration::from_millis(10));
        queue.abort();
        assert_eq!(consumer.join().unwrap(), Some(Aborted));
        assert_eq!(queue.push(0, batch(1)), Err(Aborted));
    }
}
