//! Batches that were answered for and are kept: given to another instance, which then remembers what it would have. That is the old version
//! when a new one on trial has to go, and the successor of an instance that failed.

use std::sync::Arc;

use crate::words::batch::{self, RecordBatch};

/// Batches, bounded by bytes.
pub struct Replay {
    batches: Vec<(u32, Arc<RecordBatch>)>,
    bytes: u64,
    bound: u64,
}

impl Replay {
    /// Holds up to so many bytes.
    pub fn new(bound: u64) -> Self {
        Replay { batches: Vec::new(), bytes: 0, bound }
    }

    /// Keeps a batch. Answers whether there is room for more.
    pub fn keep(&mut self, input: u32, batch: &Arc<RecordBatch>) -> bool {
        self.bytes += batch::size(batch);
        self.batches.push((input, Arc::clone(batch)));
        self.bytes < self.bound
    }

    /// Whether there is no room for so many bytes.
    pub fn is_exceeded_by(&self, bytes: u64) -> bool {
        bytes > self.bound
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Gives all batches, in their order; nothing stays.
    pub fn give(&mut self) -> Vec<(u32, Arc<RecordBatch>)> {
        self.bytes = 0;
        std::mem::take(&mut self.batches)
    }
}
