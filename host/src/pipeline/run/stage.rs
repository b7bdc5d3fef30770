//! The stages of a run, as they are now and as they were: what runs in one may change, its queue, its ledger and its index stay.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use super::{
    ledger::{Ledger, Rows},
    order::Order,
    outlets::Outlets,
    policy::Policy,
    post::{Post, Source},
    queue::{Level, Queue},
    settling::Part,
    tap::Taps,
    trial::Trial,
    version::Version,
};
use crate::{
    pipeline::plan::PlannedStage,
    words::{
        observe::{Probe, StageLevel},
        stage::{Kind, Receipt},
    },
};

/// Versions of a stage that are remembered.
const VERSIONS: usize = 64;
/// Removed stages that are remembered with all that they counted.
const REMOVED: usize = 64;
/// Stages that a run may ever have had: indices are never given twice, and series of metrics stay.
pub const MOST: usize = 4_000;

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
    /// What is done when a call of it fails.
    pub policy: Arc<Policy>,
    /// Keeps the order of what it puts out.
    pub order: Arc<Order>,
    pub(super) seats: Mutex<Vec<Arc<Post>>>,
    /// Alive as long as a seat is.
    pub(super) outlets: Mutex<Weak<Outlets>>,
    /// It is no part of the pipeline any more: it ends with what it has.
    pub(super) removed: Arc<AtomicBool>,
    /// Until it has ended, if it was removed.
    leaving: Mutex<Option<Leaving>>,
    now: Mutex<Now>,
    generations: AtomicU32,
    trial: Mutex<Option<Arc<Trial>>>,
    pub(super) receipt: Mutex<Option<Receipt>>,
}

struct Now {
    planned: Arc<PlannedStage>,
    version: Arc<Version>,
    /// All versions that have run or been tried, the newest last.
    versions: Vec<Arc<Version>>,
}

/// What waits for the end of a stage that was removed.
struct Leaving {
    /// Its part in the change that removed it.
    part: Part,
    /// The queue of the stage that takes its place, and begins then.
    successor: Option<Arc<Queue>>,
}

/// The stages of a run, by index.
#[derive(Default)]
pub struct Stages(RwLock<Listed>);

#[derive(Default)]
struct Listed {
    /// All that there ever were.
    all: Vec<Slot>,
    /// Those of the pipeline, each after those that feed it.
    present: Vec<usize>,
    /// Those that were removed and are remembered, the oldest first.
    removed: Vec<usize>,
}

enum Slot {
    Known(Arc<Stage>),
    /// It was removed long ago: how it stood at its end.
    Forgotten(StageLevel),
}

// === impl Stage ===

impl Stage {
    fn new(index: usize, planned: PlannedStage, generation: u32) -> Self {
        let inputs = planned.opening.inputs.len();
        let version = Arc::new(Version::new(generation, planned.reference.clone(), planned.component.digest(), inputs));
        Stage {
            index,
            name: planned.name.clone(),
            kind: planned.kind,
            // It ends when each edge that leads to it has been closed.
            queue: (planned.kind != Kind::Extract).then(|| Arc::new(Queue::new(planned.queue_bytes))),
            ledger: Arc::default(),
            taps: Arc::default(),
            policy: Arc::new(Policy::new(&planned)),
            order: Arc::default(),
            seats: Mutex::default(),
            outlets: Mutex::default(),
            removed: Arc::default(),
            leaving: Mutex::default(),
            now: Mutex::new(Now { planned: Arc::new(planned), version: Arc::clone(&version), versions: vec![version] }),
            generations: AtomicU32::new(generation),
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
        let inputs = planned.opening.inputs.len();
        let version = Arc::new(Version::new(generation, planned.reference.clone(), planned.component.digest(), inputs));
        let mut now = lock(&self.now);
        if now.versions.len() >= VERSIONS {
            now.versions.remove(0);
        }
        now.versions.push(Arc::clone(&version));
        version
    }

    /// A version stays.
    pub fn runs(&self, planned: Arc<PlannedStage>, version: Arc<Version>) {
        self.policy.set(&planned);
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

    /// Its ways out, as long as anybody works in it.
    pub(super) fn outlets(&self) -> Option<Arc<Outlets>> {
        lock(&self.outlets).upgrade()
    }

    /// Whether it is no part of the pipeline any more.
    pub fn is_removed(&self) -> bool {
        self.removed.load(Relaxed)
    }

    /// It is no part of the pipeline any more. When its last thread has ended its part is over, and its successor begins.
    pub(super) fn remove(&self, part: Part, successor: Option<Arc<Queue>>) {
        self.removed.store(true, Relaxed);
        *lock(&self.leaving) = Some(Leaving { part, successor });
        if lock(&self.seats).is_empty() {
            self.ended();
        }
    }

    /// Nobody works in it any more.
    pub(super) fn ended(&self) {
        let Some(Leaving { part, successor }) = lock(&self.leaving).take() else { return };
        successor.iter().for_each(|queue| queue.release());
        drop(part);
    }

    /// What a load has made durable.
    pub fn receipt(&self) -> Option<Receipt> {
        lock(&self.receipt).clone()
    }

    /// What a load has made durable so far.
    pub(super) fn has_loaded(&self, receipt: Receipt) {
        *lock(&self.receipt) = Some(receipt);
    }

    /// Whether its ways out are closed: nothing more comes from it.
    pub(super) fn has_closed(&self) -> bool {
        lock(&self.outlets).strong_count() == 0
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
    /// Those of the pipeline as it is now, each after those that feed it.
    pub fn all(&self) -> Vec<Arc<Stage>> {
        let listed = self.read();
        listed.present.iter().filter_map(|index| listed.at(*index)).collect()
    }

    /// Those that were removed and are remembered, the oldest first.
    pub fn removed(&self) -> Vec<Arc<Stage>> {
        let listed = self.read();
        listed.removed.iter().filter_map(|index| listed.at(*index)).collect()
    }

    /// The one of this name in the pipeline as it is now.
    pub fn named(&self, name: &str) -> Option<Arc<Stage>> {
        self.all().into_iter().find(|stage| stage.name == name)
    }

    /// One by its index, whether or not it was removed.
    pub fn at(&self, index: usize) -> Option<Arc<Stage>> {
        self.read().at(index)
    }

    /// How many there ever were: the index of the next.
    pub fn count(&self) -> usize {
        self.read().all.len()
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

    /// A stage joins. Its index is the next; no generation of its name is given twice.
    pub(super) fn join(&self, planned: PlannedStage) -> Arc<Stage> {
        let mut listed = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let known = listed.all.iter().filter_map(|slot| match slot {
            Slot::Known(stage) if stage.name == planned.name => Some(stage.generations.load(Relaxed)),
            _ => None,
        });
        let generation = known.max().unwrap_or(0) + 1;
        let stage = Arc::new(Stage::new(listed.all.len(), planned, generation));
        listed.all.push(Slot::Known(Arc::clone(&stage)));
        stage
    }

    /// The pipeline has these stages now. Of those that were removed the oldest are forgotten, if there are very many.
    pub(super) fn arrange(&self, present: Vec<usize>) {
        let mut listed = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let gone: Vec<usize> = listed.present.iter().copied().filter(|index| !present.contains(index)).collect();
        listed.present = present;
        listed.removed.extend(gone);
        while let Some(oldest) = listed.removed.first().copied().filter(|_| listed.removed.len() > REMOVED) {
            // One that still works is remembered, and so are those that were removed after it.
            let Some(stage) = listed.at(oldest).filter(|stage| stage.seats().is_empty()) else { break };
            listed.all[oldest] = Slot::Forgotten(stage.stands());
            listed.removed.remove(0);
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Listed> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listed {
    fn at(&self, index: usize) -> Option<Arc<Stage>> {
        match self.all.get(index)? {
            Slot::Known(stage) => Some(Arc::clone(stage)),
            Slot::Forgotten(_) => None,
        }
    }
}

impl Probe for Stages {
    /// The queue and the ledger are read one after the other, and a batch may pass from one to the other in between: what looks
    /// unbalanced is looked at again before it is said.
    fn stage(&self, index: usize) -> StageLevel {
        let stage = match self.read().all.get(index) {
            Some(Slot::Known(stage)) => Arc::clone(stage),
            Some(Slot::Forgotten(level)) => return *level,
            None => return StageLevel::default(),
        };
        let mut level = stage.stands();
        for pause in [0, 50, 500, 5_000, 20_000] {
            if level.rows.imbalance() == 0 {
                break;
            }
            thread::sleep(Duration::from_micros(pause));
            level = stage.stands();
        }
        level
    }
}

/// How to open instances of what a stage runs.
pub fn source(planned: &PlannedStage) -> Source {
    Source { component: Arc::clone(&planned.component), opening: planned.opening.clone() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
