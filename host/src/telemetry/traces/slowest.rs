//! The slowest batches of everything that was run, with where their time went. Needs no server, and no sampling.

use std::time::Duration;

use super::{
    constant::Constants,
    record::{Brief, RootRecord},
};

/// Calls of one batch that are remembered: a batch that is taken apart in more is told by its first ones.
const CALLS: usize = 64;

/// A slow batch.
#[derive(Clone, Debug, PartialEq)]
pub struct SlowBatch {
    /// Its number in the run.
    pub sequence: u64,
    /// The stage that brought it into being.
    pub source: String,
    /// From end to end.
    pub duration: Duration,
    /// Its calls, in the order in which they began.
    pub calls: Vec<SlowCall>,
    /// Calls that it had beyond these.
    pub more: usize,
    /// Whether a call on it failed.
    pub failed: bool,
}

/// A call of a slow batch.
#[derive(Clone, Debug, PartialEq)]
pub struct SlowCall {
    /// Its stage.
    pub stage: String,
    /// Its export.
    pub export: &'static str,
    /// In front of the stage.
    pub waited: Duration,
    /// In the guest.
    pub guest: Duration,
    /// Copying.
    pub copy: Duration,
    /// In imports.
    pub host: Duration,
}

/// Remembers so many.
#[derive(Debug)]
pub struct Slowest {
    limit: usize,
    /// Slowest first.
    batches: Vec<SlowBatch>,
    /// Batches that were looked at.
    seen: u64,
}

/// What is remembered at the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slow {
    /// Slowest first.
    pub batches: Vec<SlowBatch>,
    /// Of how many.
    pub of: u64,
}

// === impl Slowest ===

impl Slowest {
    /// Remembers this many.
    pub fn new(limit: usize) -> Self {
        Slowest { limit, batches: Vec::new(), seen: 0 }
    }

    /// Looks at a batch. Names are looked up only for one that is remembered.
    pub fn see(&mut self, run: &Constants, root: &RootRecord, calls: impl Iterator<Item = Brief>) {
        self.seen += 1;
        let duration = root.duration();
        let full = self.batches.len() >= self.limit;
        if self.limit == 0 || (full && self.batches.last().is_some_and(|last| last.duration >= duration)) {
            return;
        }
        let mut calls: Vec<_> = calls.collect();
        calls.sort_by_key(|call| call.started);
        let name = |stage: usize| run.stage(stage).map_or_else(String::new, |stage| stage.stage.clone());
        let slow = |call: &Brief| SlowCall {
            stage: name(call.stage as usize),
            export: call.export.as_str(),
            waited: Duration::from_nanos(call.waited),
            guest: Duration::from_nanos(call.guest),
            copy: Duration::from_nanos(call.copy),
            host: Duration::from_nanos(call.host),
        };
        let more = calls.len().saturating_sub(CALLS);
        let calls = calls.iter().take(CALLS).map(slow).collect();
        let at = self.batches.partition_point(|batch| batch.duration >= duration);
        let (sequence, source, failed) = (root.sequence, name(root.origin), root.failed);
        self.batches.insert(at, SlowBatch { sequence, source, duration, calls, more, failed });
        self.batches.truncate(self.limit);
    }

    /// What is remembered.
    pub fn told(&self) -> Slow {
        Slow { batches: self.batches.clone(), of: self.seen }
    }
}
