//! The graph of a run: its stages and the threads that work in their seats.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64},
    thread::{self, JoinHandle},
};

use super::{
    control::{Control, Failure},
    outlets::{Outlet, Outlets},
    post::{Change, Post},
    report::{self, Report},
    seat,
    stage::{Stage, Stages, source},
    version::Serving,
    worker::{Ended, Worker},
};
use crate::{
    pipeline::{plan::Opened, swap::Cause},
    words::{
        call::CallError,
        observe::{RunObserver, WorkerFacts},
        scope,
        stage::Kind,
    },
};

/// A run's stages and threads.
pub struct Graph {
    /// The pipeline's name.
    pub name: String,
    /// Whether to go on.
    pub control: Arc<Control>,
    /// Who watches the run.
    pub observer: Arc<dyn RunObserver>,
    /// Its stages.
    pub stages: Arc<Stages>,
    sequence: Arc<AtomicU64>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

// === impl Graph ===

impl Graph {
    /// Of stages that nobody works in yet.
    pub fn new(name: String, stages: Arc<Stages>, control: Arc<Control>, observer: Arc<dyn RunObserver>) -> Self {
        let (sequence, threads) = Default::default();
        for stage in stages.all() {
            control.joined(stage.queue.as_ref(), &stage.order);
        }
        Graph { name, control, observer, stages, sequence, threads }
    }

    /// Seats instances, as many as there are for each stage, and lets them work.
    pub fn start(&self, instances: Vec<Vec<Opened>>) {
        // All of them count before the first works: none is done while others have not begun.
        self.control.enlist(instances.iter().map(Vec::len).sum());
        let stages = self.stages.all();
        // All edges are open before anybody works: no stage ends because those that feed it have not begun.
        let ways: Vec<_> = stages.iter().map(|stage| self.ways(stage)).collect();
        for ((stage, ways), instances) in stages.iter().zip(ways).zip(instances) {
            self.occupy(stage, ways, instances);
        }
    }

    /// Where edges that begin at a stage lead.
    fn ways(&self, stage: &Stage) -> Vec<Outlet> {
        let mut ways = Vec::new();
        for consumer in self.stages.all() {
            let planned = consumer.planned();
            for (input, edge) in planned.inputs.iter().enumerate().filter(|(_, edge)| edge.from == stage.index) {
                ways.extend(consumer.queue.as_ref().map(|queue| Outlet::open(edge.port, queue, input as u32)));
            }
        }
        ways
    }

    /// Seats the first instances of a stage, which have been enlisted.
    pub(super) fn occupy(&self, stage: &Arc<Stage>, ways: Vec<Outlet>, instances: Vec<Opened>) {
        let outlets = Arc::new(Outlets::new(ways));
        *lock(&stage.outlets) = Arc::downgrade(&outlets);
        for instance in instances {
            self.seat(stage, instance, Arc::clone(&outlets));
        }
    }

    /// One instance more works in a stage that runs. Answers false when the stage has ended.
    pub fn add_seat(&self, stage: &Arc<Stage>, instance: Opened) -> bool {
        let Some(outlets) = stage.outlets() else { return false };
        let enlisted = self.control.enlist(1);
        if enlisted {
            self.seat(stage, instance, outlets);
        }
        enlisted
    }

    fn seat(&self, stage: &Arc<Stage>, instance: Opened, outlets: Arc<Outlets>) {
        let post = Arc::new(Post::default());
        let number = {
            let mut seats = lock(&stage.seats);
            seats.push(Arc::clone(&post));
            seats.len() - 1
        };
        let version = stage.version();
        let facts = WorkerFacts { stage: stage.index, instance: number, generation: version.generation };
        let serving = Serving::new(instance, version, self.observer.worker(&facts), source(&stage.planned()));
        let worker = Worker {
            stage: stage.index,
            name: stage.name.clone(),
            control: Arc::clone(&self.control),
            ledger: Arc::clone(&stage.ledger),
            outlets,
            observer: Arc::clone(&self.observer),
            sequence: Arc::clone(&self.sequence),
            post: Arc::clone(&post),
            taps: Arc::clone(&stage.taps),
            removed: Arc::clone(&stage.removed),
            policy: Arc::clone(&stage.policy),
        };
        self.spawn(stage, post, worker, serving);
    }

    fn spawn(&self, stage: &Arc<Stage>, post: Arc<Post>, worker: Worker, serving: Serving<Opened>) {
        let (control, observer, pipeline) = (Arc::clone(&self.control), Arc::clone(&self.observer), self.name.clone());
        let here = Arc::clone(stage);
        let body = move || {
            let _scope = scope::within(&pipeline, &here.name);
            let ended = catch_unwind(AssertUnwindSafe(|| work(worker, serving, &here, &control)));
            let empty = {
                let mut seats = lock(&here.seats);
                seats.retain(|seat| !Arc::ptr_eq(seat, &post));
                seats.is_empty()
            };
            // What came too late to be carried out is settled nevertheless.
            if let Some(Change::Swap(candidate)) = post.take() {
                candidate.trial.roll_back(Cause::Ended);
                candidate.trial.settle();
            }
            if ended.is_err() {
                fail_outside(&control, &*observer, panicked(&here.name));
            }
            if empty {
                here.ended();
            }
        };
        match thread::Builder::new().name(format!("stage {}", stage.name)).spawn(body) {
            Ok(thread) => {
                let mut threads = lock(&self.threads);
                // What has ended need not be waited for.
                threads.retain(|thread| !thread.is_finished());
                threads.push(thread);
            }
            Err(error) => {
                let error = CallError::Host(format!("no thread could be started: {error}"));
                let failure = Failure { stage: stage.name.clone(), during: "start", batch: None, error };
                fail_outside(&self.control, &*self.observer, failure);
            }
        }
    }

    /// What its calls have cost so far.
    pub fn report(&self) -> Report {
        report::of(self)
    }

    /// Whether every thread has ended.
    pub fn finished(&self) -> bool {
        lock(&self.threads).iter().all(JoinHandle::is_finished)
    }

    /// Waits until every thread has ended, also those that are started meanwhile.
    pub fn join(&self) {
        while let Some(thread) = { lock(&self.threads).pop() } {
            // The closure catches panics, so there is nothing to learn from a join.
            let _ = thread.join();
        }
    }
}

/// One thread's work.
fn work(worker: Worker, serving: Serving<Opened>, stage: &Stage, control: &Control) {
    let is_load = stage.kind == Kind::Load;
    if !is_load && control.had_ended(&stage.name) {
        drop(worker);
        return control.done();
    }
    match seat::run(worker, serving, stage.queue.as_deref(), &stage.order) {
        Ok(Some(receipt)) => stage.has_loaded(receipt),
        // The stage's ways out have closed with the worker, before it counts as done; a load has said so itself.
        Ok(None) if !is_load => control.done(),
        Ok(None) | Err(Ended) => {}
    }
}

/// A failure that no call has told the observer of.
pub fn fail_outside(control: &Control, observer: &dyn RunObserver, failure: Failure) {
    observer.failed(&failure.stage, failure.during, &failure.error);
    control.fail(failure);
}

fn panicked(stage: &str) -> Failure {
    let error = CallError::Host("the host panicked while it carried out what the stage asked; this is a bug in Parshall".into());
    Failure { stage: stage.to_owned(), during: "call", batch: None, error }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
