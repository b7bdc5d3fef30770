//! A seat: the place of one instance of a stage, with a thread of its own. Instances change at batch boundaries; the seat stays.
//!
//! A thread looks into its post before every batch (one relaxed load). What it finds there it does at once, so whoever sits in the
//! seat is never called after it has been replaced: it has been moved out of it.

mod bisect;
mod extract;
mod load;
mod policy;
mod renew;
mod replay;
mod transform;

use std::{mem, sync::Arc, time::Instant};

use super::{
    order::Order,
    post::Candidate,
    queue::Queue,
    trial::{Phase, Trial},
    version::Serving,
    worker::{Step, Worker},
};
use crate::{
    pipeline::{plan::Opened, swap::Cause},
    words::{
        call::CallError,
        stage::{Extract, Kind, Load, Receipt, Transform},
    },
};

/// Runs an instance in a seat until its inputs end. A load answers what it made durable.
pub fn run(worker: Worker, serving: Serving<Opened>, queue: Option<&Queue>, order: &Order) -> Step<Option<Receipt>> {
    let (instance, serving) = serving.exchange(());
    match (instance, queue) {
        (Opened::Load(instance), Some(queue)) => load::run(worker, serving.exchange(instance).1, queue).map(Some),
        (Opened::Extract(instance), _) => extract::run(worker, serving.exchange(instance).1),
        (Opened::Transform(instance), Some(queue)) => transform::run(worker, serving.exchange(instance).1, queue, order),
        (_, None) => Ok(None),
    }
}

/// A kind of instance, as it comes out of a plan.
pub(super) trait Seated: Sized {
    const KIND: Kind;
    fn from(opened: Opened) -> Option<Self>;
}

impl Seated for Box<dyn Extract> {
    const KIND: Kind = Kind::Extract;
    fn from(opened: Opened) -> Option<Self> {
        match opened {
            Opened::Extract(extract) => Some(extract),
            _ => None,
        }
    }
}

impl Seated for Box<dyn Transform> {
    const KIND: Kind = Kind::Transform;
    fn from(opened: Opened) -> Option<Self> {
        match opened {
            Opened::Transform(transform) => Some(transform),
            _ => None,
        }
    }
}

impl Seated for Box<dyn Load> {
    const KIND: Kind = Kind::Load;
    fn from(opened: Opened) -> Option<Self> {
        match opened {
            Opened::Load(load) => Some(load),
            _ => None,
        }
    }
}

/// A seat's part in a trial. When it goes, the seat has come to its last word.
struct Part(Arc<Trial>);

impl Drop for Part {
    fn drop(&mut self) {
        self.0.settle();
    }
}

/// A seat begins its part in a trial, unless the trial is over before the seat has come to it.
fn begin<S>(candidate: Box<Candidate>, active: &Serving<S>) -> Option<(Candidate, Part, Instant)> {
    let trial = Arc::clone(&candidate.trial);
    let part = Part(Arc::clone(&trial));
    if trial.phase() == Phase::RolledBack {
        trial.retire(candidate);
        return None;
    }
    trial.begin(&active.tally);
    Some((*candidate, part, Instant::now()))
}

/// The instance of a candidate: the one that is open already, or one that takes over what the old one remembers.
fn open<S: Seated>(candidate: &mut Candidate, state: impl FnOnce() -> Result<Option<Vec<u8>>, Cause>) -> Result<S, Cause> {
    if let Some(ready) = candidate.ready.take().and_then(S::from) {
        return Ok(ready);
    }
    let restore = state()?;
    candidate.source.open(restore).and_then(of_kind).map_err(Cause::Restore)
}

fn of_kind<S: Seated>(opened: Opened) -> Result<S, CallError> {
    S::from(opened).ok_or_else(|| CallError::Host(format!("the component opened as another kind than {}", S::KIND)))
}

/// The instance that was opened ahead is of no use: it is dropped elsewhere.
fn discard_ready(candidate: &mut Candidate) {
    if let Some(ready) = candidate.ready.take() {
        candidate.trial.retire(Box::new(ready));
    }
}

/// Another version takes over for good: the old instance is dropped elsewhere. Answers what is left of the old version.
fn replace<S: Send + 'static>(active: &mut Serving<S>, new: Serving<S>, trial: &Trial, began: Instant) -> Serving<()> {
    let (instance, old) = mem::replace(active, new).exchange(());
    trial.retire(Box::new(instance));
    trial.took_over(began, began.elapsed());
    old
}

/// The old version is back, with an instance that was opened anew.
fn bring_back<S: Send + 'static>(active: &mut Serving<S>, old: Serving<()>, instance: S, trial: &Trial, began: Instant) {
    let ((), old) = old.exchange(instance);
    trial.retire(Box::new(mem::replace(active, old)));
    trial.gave_back(began);
}
