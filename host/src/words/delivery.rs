//! Checkpoints, as a run, the store of its state and the targets of its loads speak of them.
//!
//! A checkpoint is taken in three steps, each durable before the next begins: every load *prepares* what it took (written aside, seen by
//! nobody), the journal *decides* (positions and states are recorded), and what was prepared is *settled* (made visible). Whoever comes
//! back after a crash settles the last checkpoint that was decided, which throws away whatever else was prepared, and goes on from there.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{tables::TableError, trace::SpanContext};

/// Shared by a run and whoever writes its tables.
pub struct Delivery {
    /// Names all runs that go on from each other, in hexadecimal: part of the names of what they write.
    pub lineage: String,
    /// The lineage of before, when it was given up: what it left aside is thrown away.
    pub former: Option<String>,
    decided: AtomicU64,
    targets: Mutex<BTreeMap<String, Arc<dyn Target>>>,
}

/// Where a load writes, as far as checkpoints are concerned.
pub trait Target: Send + Sync {
    /// Makes visible what was prepared for this checkpoint, and throws away what was prepared for any other. Done twice it is done once.
    fn settle(&self, checkpoint: u64) -> Result<(), TableError>;
}

/// What is recorded of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// From 1.
    pub number: u64,
    /// The stages of the pipeline.
    pub stages: Vec<Kept>,
    /// What the pipeline is like, if it has been changed since the run began.
    pub footing: Option<String>,
    /// Rows that extracts of this run have brought so far.
    pub rows_in: u64,
    /// Rows that loads of this run have made durable so far.
    pub rows_out: u64,
}

/// Where a stage stands at a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The stage's name.
    pub stage: String,
    /// The position of an extract, what another stage remembers. None where there is nothing to be given back.
    pub state: Option<Vec<u8>>,
    /// It has come to its end: nothing that it does is to be done again.
    pub ended: bool,
}

/// Records checkpoints.
pub trait Journal: Send + Sync {
    /// Records one in place of the one before: durable when it returns, and all of it or nothing. The text says what is wrong and where.
    fn decide(&self, checkpoint: &Checkpoint) -> Result<(), String>;
}

// === impl Delivery ===

impl Delivery {
    /// Of a lineage whose last checkpoint has this number; 0 when it has none yet.
    pub fn new(lineage: String, decided: u64, former: Option<String>) -> Self {
        Delivery { lineage, former, decided: AtomicU64::new(decided), targets: Mutex::default() }
    }

    /// The name of a lineage that has none yet: eight hexadecimal digits.
    pub fn name() -> String {
        SpanContext::root(false).trace.to_string()[..8].to_owned()
    }

    /// Of the last checkpoint that was decided; 0 when there is none.
    pub fn decided(&self) -> u64 {
        self.decided.load(Ordering::Acquire)
    }

    /// Of the checkpoint that what is written now will belong to.
    pub fn under_way(&self) -> u64 {
        self.decided() + 1
    }

    /// A target takes part. `key` is its real path: whoever writes it anew takes the place of who wrote it before.
    pub fn join(&self, key: String, target: Arc<dyn Target>) {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).insert(key, target);
    }

    /// The checkpoint under way was decided: it is settled in all targets, and the next one is under way.
    pub fn advance(&self) -> Result<(), TableError> {
        self.decided.fetch_add(1, Ordering::AcqRel);
        self.settle()
    }

    /// Settles the last checkpoint in all targets: once more, for whoever goes on after a crash.
    pub fn settle(&self) -> Result<(), TableError> {
        let targets: Vec<_> = self.targets.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        targets.iter().try_for_each(|target| target.settle(self.decided()))
    }
}
