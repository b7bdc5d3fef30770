//! Records that wait for the root of their batch. Bounded: whoever has waited longest makes room.

use std::collections::BTreeMap;

/// Vectors of records that are kept for the next batches.
const SPARE: usize = 64;

/// Those of one run.
pub struct Pending<T> {
    /// By the number of their batch. The lowest number has waited longest.
    batches: BTreeMap<u64, Vec<T>>,
    /// Records in all of them.
    records: usize,
    limit: usize,
    spare: Vec<Vec<T>>,
}

// === impl Pending ===

impl<T> Pending<T> {
    /// Holds so many records.
    pub fn new(limit: usize) -> Self {
        Pending { batches: BTreeMap::new(), records: 0, limit, spare: Vec::new() }
    }

    /// Adds one to those of its batch. Answers those of the batch that made room, if one had to: its root was lost, or it holds up
    /// everything else.
    pub fn add(&mut self, batch: u64, record: T) -> Option<Vec<T>> {
        let evicted = if self.records < self.limit { None } else { self.batches.pop_first().map(|(_, records)| records) };
        self.records -= evicted.as_ref().map_or(0, Vec::len);
        let spare = &mut self.spare;
        self.batches.entry(batch).or_insert_with(|| spare.pop().unwrap_or_default()).push(record);
        self.records += 1;
        evicted
    }

    /// Takes those of a batch.
    pub fn take(&mut self, batch: u64) -> Vec<T> {
        let records = self.batches.remove(&batch).unwrap_or_default();
        self.records -= records.len();
        records
    }

    /// Takes back a vector that nobody needs any more.
    pub fn recycle(&mut self, mut records: Vec<T>) {
        records.clear();
        if self.spare.len() < SPARE && records.capacity() > 0 {
            self.spare.push(records);
        }
    }

    /// All that wait.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.batches.values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against memory that grows with batches whose roots never come.
    #[test]
    fn the_oldest_batch_makes_room_for_the_newest() {
        let mut pending = Pending::new(3);
        let evicted: Vec<_> = [(0, 'a'), (0, 'b'), (1, 'c')].into_iter().map(|(batch, record)| pending.add(batch, record)).collect();
        assert_eq!(evicted, [None, None, None]);
        assert_eq!(pending.add(2, 'd'), Some(vec!['a', 'b']));
        assert_eq!(pending.add(2, 'e'), None, "there is room again");
        assert_eq!((pending.take(0), pending.take(1)), (vec![], vec!['c']));
        assert_eq!(pending.iter().collect::<String>(), "de");
    }
}
