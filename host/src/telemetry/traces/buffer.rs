//! Where records wait for the background: bounded, and never a reason to wait for whoever writes.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Records of one writer, most often.
#[derive(Debug)]
pub struct Buffer<T> {
    records: Mutex<Vec<T>>,
    limit: usize,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It is there.
    Kept,
    /// It is there, and the buffer is half full: time to look.
    HalfFull,
    /// There was no room.
    Dropped,
}

// === impl Buffer ===

impl<T> Buffer<T> {
    /// One that holds so many.
    pub fn new(limit: usize) -> Self {
        // It grows as it is needed: most workers never have more than a few between two looks.
        Buffer { records: Mutex::new(Vec::with_capacity(limit.min(64))), limit }
    }

    /// Adds a record, if there is room.
    #[inline]
    pub fn push(&self, record: T) -> Pushed {
        let mut records = self.lock();
        if records.len() >= self.limit {
            return Pushed::Dropped;
        }
        records.push(record);
        if records.len() == self.limit.div_ceil(2) { Pushed::HalfFull } else { Pushed::Kept }
    }

    /// Takes all that is there, and leaves an empty vector in its place: the lock is held for three words.
    pub fn take(&self, into: &mut Vec<T>) {
        debug_assert!(into.is_empty());
        std::mem::swap(&mut *self.lock(), into);
    }

    // Whoever panicked left whole records behind.
    #[inline]
    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a buffer that grows because the background cannot keep up.
    #[test]
    fn a_full_buffer_takes_nothing_until_it_is_emptied() {
        let buffer = Buffer::new(4);
        let pushed: Vec<_> = (0..5).map(|n| buffer.push(n)).collect();
        assert_eq!(pushed, [Pushed::Kept, Pushed::HalfFull, Pushed::Kept, Pushed::Kept, Pushed::Dropped]);
        let mut taken = Vec::new();
        buffer.take(&mut taken);
        assert_eq!((taken.as_slice(), buffer.push(5)), (&[0, 1, 2, 3][..], Pushed::Kept));
    }
}
