//! Records that wait to be exported, bounded in number and bytes. Whoever logs never waits: what does not fit is dropped, and
//! counted.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError, atomic::Ordering},
};

use tokio::sync::Notify;

use super::Record;
use crate::telemetry::health::{Health, Healths, Signal};

/// Bytes of all records that wait: 16 MiB, so that records at their bounds do not make 2,048 of them a hundred megabytes.
const BYTES: usize = 16 << 20;

/// Records on their way to the exporter.
pub struct Queue {
    waiting: Mutex<Waiting>,
    limit: usize,
    batch: usize,
    full_batch: Notify,
    healths: Healths,
}

#[derive(Default)]
struct Waiting {
    records: VecDeque<Record>,
    bytes: usize,
}

// === impl Queue ===

impl Queue {
    /// An empty one of `limit` records, whose exporter wakes up when `batch` of them wait.
    pub fn new(limit: usize, batch: usize, healths: Healths) -> Self {
        healths.of(Signal::Logs).queue_limit.store(limit as u64, Ordering::Relaxed);
        Queue { waiting: Mutex::default(), limit, batch, full_batch: Notify::new(), healths }
    }

    /// Takes a record, or drops it.
    pub fn push(&self, record: Record) {
        let size = record.size();
        let mut waiting = self.waiting();
        if waiting.records.len() >= self.limit || waiting.bytes + size > BYTES {
            return Health::add(&self.health().dropped_full, 1);
        }
        waiting.bytes += size;
        waiting.records.push_back(record);
        self.level(&waiting);
        if waiting.records.len() >= self.batch {
            self.full_batch.notify_one();
        }
    }

    /// At most a batch of the oldest.
    pub fn take(&self) -> Vec<Record> {
        let mut waiting = self.waiting();
        let count = waiting.records.len().min(self.batch);
        let taken: Vec<_> = waiting.records.drain(..count).collect();
        waiting.bytes -= taken.iter().map(Record::size).sum::<usize>();
        self.level(&waiting);
        taken
    }

    /// Until a whole batch waits.
    pub async fn full_batch(&self) {
        self.full_batch.notified().await;
    }

    /// How logs are doing.
    pub fn health(&self) -> &Health {
        self.healths.of(Signal::Logs)
    }

    fn level(&self, waiting: &Waiting) {
        self.health().queue.store(waiting.records.len() as u64, Ordering::Relaxed);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn record(body: usize) -> Record {
        let (time, level) = (SystemTime::now(), tracing::Level::INFO);
        Record { time, level, target: "guest", body: "x".repeat(body), context: None, attributes: Vec::new() }
    }

    /// Protects against memory that a hanging receiver fills, and against drops nobody hears of.
    #[test]
    fn it_is_bounded_in_number_and_bytes_and_counts_what_it_drops() {
        let queue = Queue::new(10, 4, Healths::default());
        (0..13).for_each(|_| queue.push(record(1)));
        let (dropped, waiting) = (&queue.health().dropped_full, &queue.health().queue);
        assert_eq!((dropped.load(Ordering::Relaxed), waiting.load(Ordering::Relaxed)), (3, 10));
        assert_eq!([queue.take().len(), queue.take().len(), queue.take().len(), queue.take().len()], [4, 4, 2, 0]);
        let queue = Queue::new(100, 4, Healths::default());
        (0..20).for_each(|_| queue.push(record(1 << 20)));
        assert_eq!(queue.health().dropped_full.load(Ordering::Relaxed), 5);
        queue.take();
        queue.push(record(1 << 20));
        assert_eq!(queue.health().queue.load(Ordering::Relaxed), 12, "there is room again");
    }
}
