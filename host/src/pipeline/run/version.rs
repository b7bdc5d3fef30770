//! A version of a stage: one component with one configuration, and the batches that it was given.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use serde::Serialize;

use super::{post::Source, worker::Cost};
use crate::{
    pipeline::plan::ComponentRef,
    words::{digest::Digest, observe::CallObserver},
};

/// A version of a stage. Shared by all instances of it.
pub struct Version {
    /// From 1 for the one that the run began with. Never given twice, also not after a rollback.
    pub generation: u32,
    /// How the pipeline file refers to its component.
    pub reference: ComponentRef,
    /// Digest of the component.
    pub digest: Digest,
    /// How many inputs its instances were opened for, at least.
    inputs: AtomicU32,
    first: AtomicU64,
    last: AtomicU64,
    batches: AtomicU64,
}

/// Which batches a version answered for, by their numbers in the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The first; none when it answered for none.
    pub first_batch: Option<u64>,
    /// The last so far.
    pub last_batch: Option<u64>,
    /// How many.
    pub batches: u64,
}

/// What the calls of a version came to: sums, and the most memory.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Calls about a batch.
    pub batches: u64,
    /// Rows that went in; for an extract, that came out.
    pub rows: u64,
    /// Rows that were rejected.
    pub rejected: u64,
    /// Units of fuel.
    pub fuel: u64,
    /// Time in calls.
    pub time: Duration,
    /// Most bytes of linear memory of an instance.
    pub memory: u64,
}

/// An instance that serves, who watches its calls, and what they came to.
pub struct Serving<S> {
    /// The instance.
    pub instance: S,
    /// Of which version.
    pub version: Arc<Version>,
    /// Who watches its calls.
    pub calls: Box<dyn CallObserver>,
    /// What its calls came to.
    pub tally: Tally,
    /// How to open another like it.
    pub source: Source,
}

// === impl Version ===

impl Version {
    /// One that has answered for nothing yet.
    pub fn new(generation: u32, reference: ComponentRef, digest: Digest, inputs: usize) -> Self {
        let (last, batches) = Default::default();
        let inputs = AtomicU32::new(inputs as u32);
        Version { generation, reference, digest, inputs, first: AtomicU64::new(u64::MAX), last, batches }
    }

    /// More of its instances may be opened, for so many inputs.
    pub fn opened_for(&self, inputs: usize) {
        self.inputs.fetch_min(inputs as u32, Relaxed);
    }

    /// As which input an instance is given what comes by one: where it knows of fewer, what came later has the columns of the first.
    pub fn input(&self, number: u32) -> u32 {
        if number < self.inputs.load(Relaxed) { number } else { 0 }
    }

    /// It answers for a batch.
    pub fn answered(&self, sequence: u64) {
        self.first.fetch_min(sequence, Relaxed);
        self.last.fetch_max(sequence, Relaxed);
        self.batches.fetch_add(1, Relaxed);
    }

    /// Which batches it has answered for.
    pub fn span(&self) -> Span {
        let batches = self.batches.load(Relaxed);
        let known = |number: &AtomicU64| (batches > 0).then(|| number.load(Relaxed));
        Span { first_batch: known(&self.first), last_batch: known(&self.last), batches }
    }
}

// === impl Tally ===

impl Tally {
    /// One call more.
    pub fn add(&mut self, cost: &Cost) {
        self.merge(&Tally { batches: 1, rows: cost.rows, rejected: cost.rejected, fuel: cost.fuel, time: cost.time, memory: cost.memory });
    }

    /// What another instance's calls came to.
    pub fn merge(&mut self, other: &Tally) {
        self.batches += other.batches;
        self.rows += other.rows;
        self.rejected += other.rejected;
        self.fuel += other.fuel;
        self.time += other.time;
        self.memory = self.memory.max(other.memory);
    }

    /// Share of rows that were rejected.
    pub fn rejected_share(&self) -> f64 {
        self.rejected as f64 / self.rows.max(1) as f64
    }

    /// Units of fuel a row.
    pub fn fuel_per_row(&self) -> f64 {
        self.fuel as f64 / self.rows.max(1) as f64
    }

    /// Seconds a row.
    pub fn seconds_per_row(&self) -> f64 {
        self.time.as_secs_f64() / self.rows.max(1) as f64
    }
}

// === impl Serving ===

impl<S> Serving<S> {
    /// One that has not been called yet.
    pub fn new(instance: S, version: Arc<Version>, calls: Box<dyn CallObserver>, source: Source) -> Self {
        Serving { instance, version, calls, tally: Tally::default(), source }
    }

    /// The same with another instance, and the one that it had.
    pub fn exchange<T>(self, instance: T) -> (S, Serving<T>) {
        let Serving { instance: had, version, calls, tally, source } = self;
        (had, Serving { instance, version, calls, tally, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects the audit of a swap against saying that a version which answered for nothing answered for batch 0.
    #[test]
    fn a_version_knows_its_batches() {
        let version = Version::new(2, ComponentRef::Std("filter".into()), Digest::of(b"x"), 1);
        assert_eq!(version.span(), Span::default());
        [7, 5, 9].into_iter().for_each(|sequence| version.answered(sequence));
        assert_eq!(version.span(), Span { first_batch: Some(5), last_batch: Some(9), batches: 3 });
    }
}
