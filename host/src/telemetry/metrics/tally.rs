//! Numbers that one thread writes and any may read. A thread that is the only writer needs neither a lock nor a locked
//! instruction: it loads, adds and stores, about a nanosecond each, and readers see every number whole.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use super::scale::Scale;

/// A number with one writer.
#[derive(Debug, Default)]
pub struct Tally(AtomicU64);

/// A histogram with one writer, of at most so many buckets. They are in place, not behind a pointer: what one thread writes lies
/// together, and on no cache line that another one writes.
pub struct Histogram<const BUCKETS: usize> {
    buckets: [Tally; BUCKETS],
    sum: Tally,
}

/// A histogram that any thread may write.
pub struct SharedHistogram {
    scale: Arc<Scale>,
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What a histogram held when it was read, or several of one scale together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// Observations by bucket, not cumulated; empty when there were none.
    pub buckets: Vec<u64>,
    /// Their sum, in the whole numbers of the scale.
    pub sum: u64,
}

// === impl Tally ===

impl Tally {
    /// Adds. Only the thread that owns the number may.
    #[inline]
    pub fn add(&self, by: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(by), Relaxed);
    }

    /// Replaces. Only the thread that owns the number may.
    #[inline]
    pub fn set(&self, to: u64) {
        self.0.store(to, Relaxed);
    }

    /// As it is.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

// === impl Histogram ===

impl<const BUCKETS: usize> Histogram<BUCKETS> {
    /// An empty one.
    pub fn new() -> Self {
        Histogram { buckets: std::array::from_fn(|_| Tally::default()), sum: Tally::default() }
    }

    /// Observes, always on the same scale. Only the thread that owns the histogram may.
    #[inline]
    pub fn observe(&self, scale: &Scale, value: u64) {
        observe(&self.buckets, &self.sum, scale, value);
    }

    /// Adds what it holds, on its scale.
    pub fn read(&self, scale: &Scale, into: &mut Observed) {
        into.add(self.buckets[..scale.buckets().min(BUCKETS)].iter().map(Tally::get), self.sum.get());
    }
}

/// Once for all histograms of a call, and not in line: by the time a call has gone through the processor's caches, code is what takes
/// longest to arrive, and this is there after the first.
#[inline(never)]
fn observe(buckets: &[Tally], sum: &Tally, scale: &Scale, value: u64) {
    if let Some(bucket) = buckets.get(scale.bucket(value)) {
        bucket.add(1);
        sum.add(value);
    }
}

// === impl SharedHistogram ===

impl SharedHistogram {
    /// An empty one.
    pub fn new(scale: &Arc<Scale>) -> Self {
        SharedHistogram {
            scale: Arc::clone(scale),
            buckets: (0..scale.buckets()).map(|_| AtomicU64::default()).collect(),
            sum: AtomicU64::default(),
        }
    }

    /// Observes.
    pub fn observe(&self, value: u64) {
        self.buckets[self.scale.bucket(value)].fetch_add(1, Relaxed);
        self.sum.fetch_add(value, Relaxed);
    }

    /// Adds what it holds.
    pub fn read(&self, into: &mut Observed) {
        into.add(self.buckets.iter().map(|bucket| bucket.load(Relaxed)), self.sum.load(Relaxed));
    }
}

// === impl Observed ===

impl Observed {
    /// Adds counts of buckets and a sum.
    pub fn add(&mut self, buckets: impl ExactSizeIterator<Item = u64>, sum: u64) {
        self.buckets.resize(buckets.len(), 0);
        self.buckets.iter_mut().zip(buckets).for_each(|(mine, theirs)| *mine += theirs);
        self.sum = self.sum.wrapping_add(sum);
    }

    /// How many observations.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}
