//! The graph of a run: its stages as they are now, and the threads that work in their seats. What runs in a stage may change while
//! it runs; the stage, its queue, its ledger and its index stay.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    control::{Control, Failure},
    ledger::{Ledger, Rows},
    order::Order,
    outlets::{Outlet, Outlets},
    post::{Change, Post, Source},
    queue::{Level, Queue},
    report::{self, Report},
    seat,
    tap::Taps,
    trial::Trial,
    version::{Serving, Version},
    worker::{Ended, Worker},
};
use crate::{
    pipeline::{
        plan::{Opened, PlannedStage},
        swap::Cause,
    },
    words::{
        call::CallError,
        observe::{Probe, RunObserver, StageLevel, WorkerFacts},
        scope,
        stage::{Kind, Receipt},
    },
};

/// Versions of a stage that are remembered.
const VERSIONS: usize = 64;

/// A stage of a run.
pub struct Stage {
    /// Its place in the run's list; never given to another.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// Which of the three it is.
    pub kind: Kind,
    /// What waits in front of it; none in front of an extract.
    pub queue: Option<Arc<Queue>>,
    /// What its calls cost, of all versions.
    pub ledger: Arc<Ledger>,
    /// Who looks at its batches.
    pub taps: Arc<Taps>,
    order: Arc<Order>,
    seats: Mutex<Vec<Arc<Post>>>,
    /// Alive as long as a seat is.
    outlets: Mutex<Weak<Outlets>>,
    now: Mutex<Now>,
    generations: AtomicU32,
    trial: Mutex<Option<Arc<Trial>>>,
    receipt: Mutex<Option<Receipt>>,
}

struct Now {
    planned: Arc<PlannedStage>,
    version: Arc<Version>,
    /// All versions that have run or been tried, the newest last.
    versions: Vec<Arc<Version>>,
}

/// The stages of a run, by index.
#[derive(Default)]
pub struct Stages(RwLock<Vec<Arc<Stage>>>);

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

// === impl Stage ===

impl Stage {
    fn new(index: usize, planned: PlannedStage) -> Self {
        let version = Arc::new(Version::new(1, planned.reference.clone(), planned.component.digest()));
        Stage {
            index,
            name: planned.name.clone(),
            kind: planned.kind,
            // It ends when each edge that leads to it has been closed.
            queue: (planned.kind != Kind::Extract).then(|| Arc::new(Queue::new(planned.queue_bytes, planned.inputs.len()))),
            ledger: Arc::default(),
            taps: Arc::default(),
            order: Arc::default(),
            seats: Mutex::default(),
            outlets: Mutex::default(),
            now: Mutex::new(Now { planned: Arc::new(planned), version: Arc::clone(&version), versions: vec![version] }),
            generations: AtomicU32::new(1),
            trial: Mutex::default(),
            receipt: Mutex::default(),
        }
    }

    /// What it runs now, as planned.
    pub fn planned(&self) -> Arc<PlannedStage> {
        Arc::clone(&lock(&self.now).planned)
    }

    /// The version that it runs now.
    pub fn version(&self) -> Arc<Version> {
        Arc::clone(&lock(&self.now).version)
    }

    /// All versions that have run or been tried, the newest last; the oldest of very many are forgotten.
    pub fn versions(&self) -> Vec<Arc<Version>> {
        lock(&self.now).versions.clone()
    }

    /// A version that is to be tried: it has a generation of its own.
    pub fn try_version(&self, planned: &PlannedStage) -> Arc<Version> {
        let generation = self.generations.fetch_add(1, Relaxed) + 1;
        let version = Arc::new(Version::new(generation, planned.reference.clone(), planned.component.digest()));
        let mut now = lock(&self.now);
        if now.versions.len() >= VERSIONS {
            now.versions.remove(0);
        }
        now.versions.push(Arc::clone(&version));
        version
    }

    /// A version stays.
    pub fn runs(&self, planned: Arc<PlannedStage>, version: Arc<Version>) {
        let mut now = lock(&self.now);
        (now.planned, now.version) = (planned, version);
    }

    /// The posts of the seats that are taken.
    pub fn seats(&self) -> Vec<Arc<Post>> {
        lock(&self.seats).clone()
    }

    /// Makes a trial the one that is under way. Answers false while another is.
    pub fn put_on_trial(&self, trial: &Arc<Trial>) -> bool {
        let mut current = lock(&self.trial);
        if current.as_ref().is_some_and(|current| !current.settled()) {
            return false;
        }
        *current = Some(Arc::clone(trial));
        true
    }

    /// Makes its threads look into their posts, also where they wait for a batch.
    pub fn nudge(&self) {
        if let Some(queue) = &self.queue {
            queue.nudge();
        }
    }

    /// What a load has made durable.
    pub fn receipt(&self) -> Option<Receipt> {
        lock(&self.receipt).clone()
    }

    /// How full its queue is.
    pub fn level(&self) -> Option<Level> {
        self.queue.as_ref().map(|queue| queue.level())
    }

    /// Rows so far.
    pub fn rows(&self) -> Rows {
        self.ledger.rows()
    }

    fn stands(&self) -> StageLevel {
        let Some(queued) = self.level() else {
            let (mut rows, busy) = self.ledger.level();
            rows.arrived = self.ledger.rows_out();
            rows.kept = rows.arrived;
            return StageLevel { busy, rows, ..StageLevel::default() };
        };
        let (mut rows, busy) = self.ledger.level();
        rows.arrived = queued.rows_arrived;
        rows.waiting = queued.rows;
        StageLevel { queue_batches: queued.batches, queue_bytes: queued.bytes, busy, rows }
    }
}

// === impl Stages ===

impl Stages {
    /// All of them, by index.
    pub fn all(&self) -> Vec<Arc<Stage>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The one of this name.
    pub fn named(&self, name: &str) -> Option<Arc<Stage>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().find(|stage| stage.name == name).cloned()
    }

    /// One by its index.
    pub fn at(&self, index: usize) -> Option<Arc<Stage>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(index).cloned()
    }

    /// Names of the extracts whose batches come to a stage, itself for an extract.
    pub fn sources(&self, index: usize) -> Vec<String> {
        let (mut found, mut ahead, mut seen) = (Vec::new(), vec![index], vec![index]);
        while let Some(stage) = ahead.pop().and_then(|index| self.at(index)) {
            if stage.kind == Kind::Extract {
                found.push(stage.name.clone());
            }
            let feeders: Vec<usize> = stage.planned().inputs.iter().map(|edge| edge.from).filter(|from| !seen.contains(from)).collect();
            seen.extend(&feeders);
            ahead.extend(feeders);
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    pub(super) fn fill(&self, planned: Vec<PlannedStage>) {
        let stages = planned.into_iter().enumerate().map(|(index, planned)| Arc::new(Stage::new(index, planned))).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = stages;
    }
}

impl Probe for Stages {
    /// The queue and the ledger are read one after the other, and a batch may pass from one to the other in between: what looks
    /// unbalanced is looked at again before it is said.
    fn stage(&self, index: usize) -> StageLevel {
        let Some(stage) = self.at(index) else { return StageLevel::default() };
        let mut level = stage.stands();
        for pause in [0, 50, 500, 5_000] {
            if level.rows.imbalance() == 0 {
                break;
            }
            thread::sleep(Duration::from_micros(pause));
            level = stage.stands();
        }
        level
    }
}

// === impl Graph ===

impl Graph {
    /// Of stages that nobody works in yet.
    pub fn new(name: String, stages: Arc<Stages>, control: Arc<Control>, observer: Arc<dyn RunObserver>) -> Self {
        let (sequence, threads) = Default::default();
        for stage in stages.all() {
            control.joined(stage.queue.clone(), Arc::clone(&stage.order));
        }
        Graph { name, control, observer, stages, sequence, threads }
    }

    /// Seats instances, as many as there are for each stage, and lets them work.
    pub fn start(&self, instances: Vec<Vec<Opened>>) {
        // All of them count before the first works: none is done while others have not begun.
        self.control.enlist(instances.iter().map(Vec::len).sum());
        for (stage, instances) in self.stages.all().iter().zip(instances) {
            let outlets = Arc::new(Outlets::new(self.outlets(stage)));
            *lock(&stage.outlets) = Arc::downgrade(&outlets);
            for instance in instances {
                self.seat(stage, instance, Arc::clone(&outlets));
            }
        }
    }

    /// Where edges that begin at a stage lead.
    fn outlets(&self, stage: &Stage) -> Vec<Outlet> {
        let mut outlets = Vec::new();
        for consumer in self.stages.all() {
            let planned = consumer.planned();
            for (input, edge) in planned.inputs.iter().enumerate().filter(|(_, edge)| edge.from == stage.index) {
                if let Some(queue) = &consumer.queue {
                    outlets.push(Outlet { port: edge.port, queue: Arc::clone(queue), input: input as u32 });
                }
            }
        }
        outlets
    }

    /// One instance more works in a stage that runs. Answers false when the stage has ended.
    pub fn add_seat(&self, stage: &Arc<Stage>, instance: Opened) -> bool {
        let Some(outlets) = lock(&stage.outlets).upgrade() else { return false };
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
        let serving = Serving::new(instance, version, self.observer.worker(&facts));
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
        };
        self.spawn(stage, post, worker, serving);
    }

    fn spawn(&self, stage: &Arc<Stage>, post: Arc<Post>, worker: Worker, serving: Serving<Opened>) {
        let (control, observer, pipeline) = (Arc::clone(&self.control), Arc::clone(&self.observer), self.name.clone());
        let here = Arc::clone(stage);
        let body = move || {
            let _scope = scope::within(&pipeline, &here.name);
            let ended = catch_unwind(AssertUnwindSafe(|| work(worker, serving, &here, &control)));
            lock(&here.seats).retain(|seat| !Arc::ptr_eq(seat, &post));
            // What came too late to be carried out is settled nevertheless.
            if let Some(Change::Swap(candidate)) = post.take() {
                candidate.trial.roll_back(Cause::Ended);
                candidate.trial.settle();
            }
            if ended.is_err() {
                fail_outside(&control, &*observer, panicked(&here.name));
            }
        };
        match thread::Builder::new().name(format!("stage {}", stage.name)).spawn(body) {
            Ok(thread) => lock(&self.threads).push(thread),
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

/// How to open instances of what a stage runs.
pub fn source(planned: &PlannedStage) -> Source {
    Source { component: Arc::clone(&planned.component), opening: planned.opening.clone() }
}

/// One thread's work.
fn work(worker: Worker, serving: Serving<Opened>, stage: &Stage, control: &Control) {
    let is_load = stage.kind == Kind::Load;
    match seat::run(worker, serving, stage.queue.as_deref(), &stage.order) {
        Ok(Some(receipt)) => *lock(&stage.receipt) = Some(receipt),
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
