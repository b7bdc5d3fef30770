//! Where whoever changes a running graph leaves what an instance's thread shall do at its next batch boundary.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{checkpoint::Request, trial::Trial, version::Version};
use crate::{
    pipeline::plan::Opened,
    words::{
        call::CallError,
        observe::CallObserver,
        stage::{Component, Kind, Opening},
    },
};

/// What a thread shall do.
pub enum Change {
    /// Try another version, and take it over if it stands the trial.
    Swap(Box<Candidate>),
    /// Let go of the instance and end: the stage has one instance less.
    Leave,
    /// Say what is remembered, for a checkpoint.
    Checkpoint(Request),
}

/// Another version for one instance's place.
pub struct Candidate {
    /// The trial, shared by all instances of the stage.
    pub trial: Arc<Trial>,
    /// Which version.
    pub version: Arc<Version>,
    /// Who watches its calls.
    pub calls: Box<dyn CallObserver>,
    /// How to open it.
    pub source: Source,
    /// It is open already: what it replaces remembers nothing that it would need.
    pub ready: Option<Opened>,
    /// Bytes of batches that may be kept for a rollback.
    pub replay_bytes: u64,
}

/// How to open instances of a version.
#[derive(Clone)]
pub struct Source {
    /// What to open.
    pub component: Arc<dyn Component>,
    /// With what.
    pub opening: Opening,
}

/// One thread's post. Looking costs one relaxed load.
#[derive(Default)]
pub struct Post {
    waiting: AtomicBool,
    /// Whoever waits shall look up.
    woken: AtomicBool,
    inside: Mutex<Option<Change>>,
    arrived: Condvar,
}

// === impl Source ===

impl Source {
    /// Opens an instance, with this position or state.
    pub fn open(&self, restore: Option<Vec<u8>>) -> Result<Opened, CallError> {
        let opening = Opening { restore, ..self.opening.clone() };
        match self.component.kind() {
            Kind::Extract => self.component.open_extract(&opening).outcome.map(|(extract, _)| Opened::Extract(extract)),
            Kind::Transform => self.component.open_transform(&opening).outcome.map(|(transform, _)| Opened::Transform(transform)),
            Kind::Load => self.component.open_load(&opening).outcome.map(Opened::Load),
        }
    }
}

// === impl Post ===

impl Post {
    /// Leaves something. Answers false when what was left before has not been taken.
    pub fn put(&self, change: Change) -> bool {
        self.offer(change).is_ok()
    }

    /// Leaves something, or gives it back when what was left before has not been taken.
    pub fn offer(&self, change: Change) -> Result<(), Change> {
        let mut inside = self.lock();
        if inside.is_some() {
            return Err(change);
        }
        *inside = Some(change);
        self.waiting.store(true, Ordering::Release);
        drop(inside);
        self.arrived.notify_all();
        Ok(())
    }

    /// Takes what there is. Whoever left it may take it back this way, too.
    pub fn take(&self) -> Option<Change> {
        if !self.waiting.load(Ordering::Acquire) {
            return None;
        }
        let mut inside = self.lock();
        self.waiting.store(false, Ordering::Release);
        inside.take()
    }

    /// Whether a checkpoint is asked for.
    pub fn asks_for_checkpoint(&self) -> bool {
        self.waiting.load(Ordering::Acquire) && matches!(*self.lock(), Some(Change::Checkpoint(_)))
    }

    /// Waits until something is there or somebody wakes it, but not longer than this.
    pub fn wait(&self, most: Duration) {
        let inside = self.lock();
        let quiet = |inside: &mut Option<Change>| inside.is_none() && !self.woken.load(Ordering::Relaxed);
        drop(self.arrived.wait_timeout_while(inside, most, quiet));
        self.woken.store(false, Ordering::Relaxed);
    }

    /// Makes whoever waits look up: there is something to see elsewhere.
    pub fn wake(&self) {
        let inside = self.lock();
        self.woken.store(true, Ordering::Relaxed);
        drop(inside);
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Change>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a change that is lost under another, or carried out twice.
    #[test]
    fn what_was_left_is_taken_once() {
        let post = Post::default();
        assert!(post.take().is_none());
        assert!(post.put(Change::Leave));
        assert!(!post.put(Change::Leave), "the first has not been taken");
        assert!(matches!(post.take(), Some(Change::Leave)));
        assert!(post.take().is_none());
    }
}
