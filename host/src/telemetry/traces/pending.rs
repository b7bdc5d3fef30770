//! Records that wait for the root of their batch. Bounded: whoever has waited longest makes room.

use std::collections::VecDeque;

/// Vectors of records that are kept for the next batches.
const SPARE: usize = 4_096;

/// Those of one run.
pub struct Pending<T> {
    /// By the number of their batch, ascending. The lowest number has waited longest.
    batches: VecDeque<Waiting<T>>,
    /// Where the last record was put: the next one is of the same batch, or of the one after it, most often.
    last: usize,
    /// Records in all of them.
    records: usize,
    limit: usize,
    spare: Vec<Vec<T>>,
}

/// Those of one batch.
struct Waiting<T> {
    batch: u64,
    /// None where they have been taken: what is taken out of the middle leaves its place until it is the first.
    records: Option<Vec<T>>,
}

// === impl Pending ===

impl<T> Pending<T> {
    /// Holds so many records.
    pub fn new(limit: usize) -> Self {
        Pending { batches: VecDeque::new(), last: 0, records: 0, limit, spare: Vec::new() }
    }

    /// Adds one to those of its batch. Answers those of the batch that made room, if one had to: its root was lost, or it holds up
    /// everything else.
    pub fn add(&mut self, batch: u64, record: T) -> Option<Vec<T>> {
        let evicted = if self.records < self.limit { None } else { self.batches.front_mut().and_then(|oldest| oldest.records.take()) };
        self.records -= evicted.as_ref().map_or(0, Vec::len);
        self.forget_taken();
        let at = self.find(batch).unwrap_or_else(|at| {
            self.batches.insert(at, Waiting { batch, records: None });
            at
        });
        let spare = &mut self.spare;
        self.batches[at].records.get_or_insert_with(|| spare.pop().unwrap_or_default()).push(record);
        (self.last, self.records) = (at, self.records + 1);
        evicted
    }

    /// Takes those of a batch.
    pub fn take(&mut self, batch: u64) -> Vec<T> {
        let records = self.find(batch).ok().and_then(|at| {
            self.last = at;
            self.batches[at].records.take()
        });
        let records = records.unwrap_or_default();
        self.records -= records.len();
        self.forget_taken();
        records
    }

    /// Where a batch is, or would be.
    fn find(&self, batch: u64) -> Result<usize, usize> {
        let is_at = |at: &usize| self.batches.get(*at).is_some_and(|waiting| waiting.batch == batch);
        match [self.last, self.last + 1].into_iter().find(is_at) {
            Some(at) => Ok(at),
            None => self.batches.binary_search_by_key(&batch, |waiting| waiting.batch),
        }
    }

    /// The first one is always one that waits.
    fn forget_taken(&mut self) {
        while self.batches.front().is_some_and(|first| first.records.is_none()) {
            self.batches.pop_front();
            self.last = self.last.saturating_sub(1);
        }
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
        self.batches.iter().filter_map(|waiting| waiting.records.as_ref()).flatten()
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
    /// Protects against records that are told of another batch, in whatever order batches come and go.
    #[test]
    fn every_record_is_found_with_its_batch() {
        let (mut pending, mut state, mut expected) = (Pending::new(usize::MAX), 1_u64, std::collections::BTreeMap::<u64, Vec<u64>>::new());
        for record in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Around a number that goes up.
            let batch = record / 20 + (state >> 33) % 40;
            if state >> 62 == 0 {
                assert_eq!(pending.take(batch), expected.remove(&batch).unwrap_or_default());
            } else {
                assert_eq!(pending.add(batch, record), None);
                expected.entry(batch).or_default().push(record);
            }
            assert_eq!(pending.records, expected.values().map(Vec::len).sum::<usize>());
        }
        assert!(pending.iter().eq(expected.values().flatten()));
        expected.into_iter().rev().for_each(|(batch, records)| assert_eq!(pending.take(batch), records));
        assert!(pending.batches.is_empty(), "nothing is left behind");
    }
}
