//! Another instance in the place of one that cannot be called any more, or that has grown too large: of the same version, and with what
//! the other one remembered.
//!
//! What a transform remembers is known as a state (what it was opened with, or a `snapshot`) and the batches since, which are bounded as
//! a trial's are: a state and what is replayed on it is how a swap is undone, too.

use std::sync::Arc;

use super::{of_kind, replay::Replay};
use crate::{
    pipeline::run::{post::Source, version::Serving},
    words::{batch::RecordBatch, call::CallError, stage::Transform},
};

type Instance = Box<dyn Transform>;

/// Why an instance was replaced that nothing was wrong with.
pub const RECYCLED: &str = "recycle";

/// Why an instance was replaced after such a failure.
pub fn reason(error: &CallError) -> &'static str {
    match error {
        CallError::Trap { .. } => "trap",
        CallError::Limit { .. } => "limit",
        CallError::Stage(_) => "error",
        _ => "malformed",
    }
}

/// How an instance's linear memory grows.
#[derive(Default)]
pub struct Growth {
    now: u64,
    /// What another instance would have soon, too: below twice that it is of no use.
    least: u64,
    fresh: bool,
}

/// What an instance remembers, by what its successor can be made of.
pub struct Memory {
    /// Whether it remembers anything.
    remembers: bool,
    /// What to open with; none where only the instance knows.
    state: Option<Option<Vec<u8>>>,
    /// What it was given since.
    since: Replay,
}

// === impl Growth ===

impl Growth {
    /// A call has ended with so many bytes.
    pub fn saw(&mut self, memory: u64) {
        self.now = memory;
        if std::mem::take(&mut self.fresh) {
            self.least = self.least.max(memory.saturating_mul(2));
        }
    }

    /// Whether an instance is to be replaced that may have so many bytes.
    pub fn is_due(&self, threshold: u64) -> bool {
        self.now > threshold.max(self.least)
    }

    /// Another instance has taken over.
    pub fn renewed(&mut self) {
        (self.now, self.fresh) = (0, true);
    }

    /// No other could be had: not before it has grown as much again.
    pub fn postpone(&mut self) {
        self.least = self.now.saturating_mul(2);
    }
}

// === impl Memory ===

impl Memory {
    /// Of an instance that was just opened.
    pub fn new(source: &Source, bound: u64) -> Self {
        Memory { remembers: source.component.remembers(), state: Some(source.opening.restore.clone()), since: Replay::new(bound) }
    }

    /// Whether there is anything to remember.
    pub fn remembers(&self) -> bool {
        self.remembers
    }

    /// Another instance serves, or this one was given something that is not known here.
    pub fn forget(&mut self, source: &Source) {
        (self.remembers, self.state) = (source.component.remembers(), None);
        self.since.give();
    }

    /// Makes sure that a successor could be made, before the instance is given anything more. Costs a `snapshot` where only the
    /// instance knows.
    pub fn ready(&mut self, instance: &mut Instance) -> Result<(), CallError> {
        if self.remembers && self.state.is_none() {
            self.since.give();
            self.state = Some(Some(instance.snapshot().outcome?));
        }
        Ok(())
    }

    /// The instance has taken a batch. When there is no room to keep more, only it knows.
    pub fn took(&mut self, input: u32, batch: &Arc<RecordBatch>) {
        if self.remembers && self.state.is_some() && !self.since.keep(input, batch) {
            self.moved_on();
        }
    }

    /// The instance has taken something: only it knows what it remembers.
    pub fn moved_on(&mut self) {
        self.state = None;
        self.since.give();
    }

    /// Opens a successor, which knows what the instance knew before the last call.
    pub fn succeed(&mut self, serving: &mut Serving<Instance>) -> Result<(), CallError> {
        let source = &serving.source;
        if !self.remembers {
            serving.instance = source.open(source.opening.restore.clone()).and_then(of_kind)?;
            return Ok(());
        }
        let Some(state) = &self.state else {
            return Err(CallError::Host("what the stage remembers is gone with its instance; this is a bug in Parshall".into()));
        };
        let mut instance: Instance = source.open(state.clone()).and_then(of_kind)?;
        let replayed = !self.since.is_empty();
        for (input, batch) in self.since.give() {
            instance.process(input, &batch).outcome?;
        }
        if replayed {
            self.state = Some(Some(instance.snapshot().outcome?));
        }
        serving.instance = instance;
        Ok(())
    }
}
