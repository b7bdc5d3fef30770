//! What all instances of a stage share of its failure policy: the settings as they are now, failures in a row, the dead letters.

use std::{
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use crate::pipeline::{
    dead_letters::{Head, Letter, Unwritable, Writer},
    plan::PlannedStage,
    policy::{OnError, StagePolicy},
};

/// A stage's failure policy, at work.
pub struct Policy {
    on_error: Mutex<OnError>,
    /// What is asked for at every batch.
    acts: AtomicBool,
    recycle: AtomicU64,
    /// Batches in a row of which no row went well.
    failures: AtomicU64,
    letters: Mutex<Writer>,
}

/// A batch of which rows are set aside, and who could not take them.
pub use crate::pipeline::dead_letters::Addressed;

// === impl Policy ===

impl Policy {
    /// Of a stage of this pipeline.
    pub fn new(planned: &PlannedStage) -> Self {
        let settings = &planned.policy;
        let policy = Policy {
            acts: AtomicBool::default(),
            recycle: AtomicU64::default(),
            failures: AtomicU64::default(),
            letters: Mutex::new(Writer::new(head(planned), settings.dead_letters.clone())),
            on_error: Mutex::new(settings.on_error),
        };
        policy.set(planned);
        policy
    }

    /// The pipeline has changed.
    pub fn set(&self, planned: &PlannedStage) {
        let settings = &planned.policy;
        *lock(&self.on_error) = settings.on_error;
        lock(&self.letters).set(head(planned), settings.dead_letters.clone());
        self.acts.store(settings.on_error.acts(), Relaxed);
        self.recycle.store(settings.recycle.unwrap_or(u64::MAX), Relaxed);
    }

    /// Whether a failure is more than the end of the run. Costs a relaxed load.
    pub fn acts(&self) -> bool {
        self.acts.load(Relaxed)
    }

    /// Bytes of linear memory beyond which an instance is replaced. Costs a relaxed load.
    pub fn recycle(&self) -> u64 {
        self.recycle.load(Relaxed)
    }

    /// What is done when a call fails.
    pub fn on_error(&self) -> OnError {
        *lock(&self.on_error)
    }

    /// A row went well.
    pub fn went_well(&self) {
        if self.failures.load(Relaxed) > 0 {
            self.failures.store(0, Relaxed);
        }
    }

    /// No row of a batch went well. Answers how many batches in a row that are.
    pub fn failed(&self) -> u64 {
        self.failures.fetch_add(1, Relaxed) + 1
    }

    /// Appends to the dead letters.
    pub fn write(&self, of: &Addressed<'_>, letters: &[Letter<'_>]) -> Result<(), Unwritable> {
        lock(&self.letters).write(of, letters)
    }

    /// Where the dead letters are, if there are any.
    pub fn dead_letters(&self) -> Option<PathBuf> {
        lock(&self.letters).path().map(PathBuf::from)
    }
}

fn head(planned: &PlannedStage) -> Head {
    let StagePolicy { pipeline, file, .. } = &planned.policy;
    Head { pipeline: pipeline.clone(), file: file.clone(), stage: planned.name.clone(), inputs: planned.opening.inputs.clone() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
