//! Of one stage of a run: the shards of its threads, those that are gone, and what is rare enough for a lock.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use super::{
    calls::{Counted, Shard},
    guest::GuestMetrics,
    samples::Samples,
    scale::Scales,
};
use crate::{
    telemetry::names::metric,
    words::{
        call::CallError,
        observe::{Again, StageFacts},
        stage::Kind,
        usage::Usage,
    },
};

/// Why instances are replaced.
const RESTARTS: [&str; 5] = ["trap", "limit", "malformed", "error", "recycle"];
/// What is done with rows that a stage cannot take.
const SET_ASIDE: [&str; 2] = ["dead_letter", "skip"];

/// What came of a change of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// Another version is in its place.
    Swapped,
    /// Nothing: what ran stayed.
    Failed,
    /// The same version in another number of instances, or with another queue.
    Resized,
    /// It is new.
    Added,
    /// It is no part of the pipeline any more.
    Removed,
    /// Another stage is in its place.
    Replaced,
    /// Other stages feed it.
    Rewired,
}

/// All of them with their names, in the order of their numbers.
const SWAPS: [(Swap, &str); 7] = [
    (Swap::Swapped, "swapped"),
    (Swap::Failed, "failed"),
    (Swap::Resized, "resized"),
    (Swap::Added, "added"),
    (Swap::Removed, "removed"),
    (Swap::Replaced, "replaced"),
    (Swap::Rewired, "rewired"),
];

/// One stage.
pub struct StageMetrics {
    /// As it is now.
    facts: RwLock<Arc<StageFacts>>,
    /// The source of the batches that it brings into being: an index into those of the run.
    pub source: AtomicUsize,
    /// It is no part of the pipeline any more.
    removed: AtomicBool,
    workers: Mutex<Workers>,
    rare: Mutex<Rare>,
    generation: AtomicU32,
    swaps: [AtomicU64; SWAPS.len()],
}

/// The threads of a stage.
#[derive(Default)]
struct Workers {
    live: Vec<Arc<Shard>>,
    /// What threads that are gone have counted.
    retired: Counted,
    /// Linear memory of each instance when its thread was last seen.
    memory: Vec<u64>,
    /// When the last batch of a thread that is gone was yielded.
    yielded: u64,
}

/// What only some calls have.
#[derive(Default)]
struct Rare {
    /// Calls that failed.
    calls: u64,
    errors: BTreeMap<&'static str, u64>,
    traps: BTreeMap<&'static str, u64>,
    /// Instances that were replaced.
    restarts: BTreeMap<&'static str, u64>,
    /// Calls that were made again, and the time in them.
    again: [(u64, Duration); 2],
    set_aside: BTreeMap<&'static str, u64>,
    guest: GuestMetrics,
}

/// What a stage has counted so far.
pub struct StageReading {
    pub counted: Counted,
    /// Linear memory of all instances.
    pub memory: u64,
    /// When it last yielded a batch, in nanoseconds since the start of the run; nothing if it is an extract at its end, or none.
    pub yielded: Option<u64>,
    pub failed_calls: u64,
}

// === impl Swap ===

impl Swap {
    /// Of the outcome of a change, as records name it. A version that does not stay has failed, however far it came.
    pub fn of(outcome: &str) -> Self {
        SWAPS.iter().find(|(_, name)| *name == outcome).map_or(Swap::Failed, |(swap, _)| *swap)
    }
}

// === impl StageMetrics ===

impl StageMetrics {
    /// Of a stage that nobody has called yet. `source` is the index of the source of its batches.
    pub fn new(facts: StageFacts, generation: u32, source: usize) -> Self {
        let (workers, rare, removed) = Default::default();
        StageMetrics {
            facts: RwLock::new(Arc::new(facts)),
            source: AtomicUsize::new(source),
            removed,
            workers,
            rare,
            generation: AtomicU32::new(generation),
            swaps: Default::default(),
        }
    }

    /// As it is now.
    pub fn facts(&self) -> Arc<StageFacts> {
        Arc::clone(&self.facts.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// It is no part of the pipeline any more.
    pub fn remove(&self) {
        self.removed.store(true, Relaxed);
    }

    /// Whether it is a part of the pipeline.
    pub fn present(&self) -> bool {
        !self.removed.load(Relaxed)
    }

    /// A thread begins to call an instance.
    pub fn worker(&self) -> Arc<Shard> {
        let shard = Arc::new(Shard::new());
        lock(&self.workers).live.push(Arc::clone(&shard));
        shard
    }

    /// The thread that counted in a shard is gone.
    pub fn retire(&self, instance: usize, shard: &Arc<Shard>, sources: usize, scales: &Scales) {
        let mut workers = lock(&self.workers);
        workers.live.retain(|live| !Arc::ptr_eq(live, shard));
        shard.read(sources, scales, &mut workers.retired);
        workers.yielded = workers.yielded.max(shard.yielded());
        if workers.memory.len() <= instance {
            workers.memory.resize(instance + 1, 0);
        }
        workers.memory[instance] = shard.memory_now();
    }

    /// A call failed.
    pub fn failed(&self, error: &CallError) {
        lock(&self.rare).calls += 1;
        self.failed_outside(error);
    }

    /// Something failed that was no call.
    pub fn failed_outside(&self, error: &CallError) {
        let mut rare = lock(&self.rare);
        // Both sets are bounded: reasons are constants of the program.
        *rare.errors.entry(error.reason()).or_default() += 1;
        if let CallError::Trap { reason, .. } | CallError::Limit { limit: reason, .. } = error {
            *rare.traps.entry(reason).or_default() += 1;
        }
    }

    /// Whether a failure for this reason has been counted.
    pub fn knows(&self, error: &CallError) -> bool {
        lock(&self.rare).errors.contains_key(error.reason())
    }

    /// A guest counted or observed something itself.
    pub fn guest(&self, usage: &Usage) {
        lock(&self.rare).guest.add(usage);
    }

    /// An instance was opened in place of another.
    pub fn restarted(&self, reason: &'static str) {
        *lock(&self.rare).restarts.entry(reason).or_default() += 1;
    }

    /// A call was made again.
    pub fn again(&self, why: Again, time: Duration) {
        let again = &mut lock(&self.rare).again[why as usize];
        (again.0, again.1) = (again.0 + 1, again.1 + time);
    }

    /// Rows were set aside.
    pub fn set_aside(&self, how: &'static str, rows: u64) {
        *lock(&self.rare).set_aside.entry(how).or_default() += rows;
    }

    /// A change has ended.
    pub fn swapped(&self, how: Swap) {
        self.swaps[how as usize].fetch_add(1, Relaxed);
    }

    /// It runs this generation now, and is this.
    pub fn changed(&self, generation: u32, facts: &StageFacts, source: usize) {
        self.generation.store(generation, Relaxed);
        self.source.store(source, Relaxed);
        *self.facts.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(facts.clone());
    }

    /// What was counted so far, of so many sources.
    pub fn read(&self, sources: usize, scales: &Scales) -> StageReading {
        let workers = lock(&self.workers);
        let mut counted = workers.retired.clone();
        workers.live.iter().for_each(|shard| shard.read(sources, scales, &mut counted));
        // An instance that is being called counts with what it has now; when all are gone, with what they had.
        let live: u64 = workers.live.iter().map(|shard| shard.memory_now()).sum();
        let memory = if workers.live.is_empty() { workers.memory.iter().sum() } else { live };
        let running = workers.live.iter().any(|shard| !shard.exhausted());
        let yielded = workers.live.iter().map(|shard| shard.yielded()).fold(workers.yielded, u64::max);
        drop(workers);
        let failed_calls = lock(&self.rare).calls;
        StageReading { counted, memory, yielded: (self.facts().kind == Kind::Extract && running).then_some(yielded), failed_calls }
    }

    /// Puts everything but the levels into samples. Of a stage that was removed only what was counted: it is nothing now.
    pub fn sample<'a>(&self, reading: &StageReading, sources: impl Iterator<Item = &'a str>, scales: &Scales, samples: &mut Samples) {
        let facts = self.facts();
        let (stage, kind, counted) = (facts.name.as_str(), facts.kind, &reading.counted);
        for (source, rows) in sources.zip(&counted.rows).filter(|(_, rows)| **rows > 0) {
            samples.count(metric::ROWS_PROCESSED, &[source, stage], *rows);
        }
        let calls = counted.call_seconds.count();
        // Both were read one after the other: a call that has just failed may be in one and not yet in the other.
        samples.count(metric::CALLS, &[stage, "ok"], calls.saturating_sub(reading.failed_calls));
        samples.count(metric::CALLS, &[stage, "error"], reading.failed_calls);
        samples.histogram(metric::CALL_SECONDS, &[stage], &scales.seconds, &counted.call_seconds);
        samples.histogram(metric::PROCESSING, &[&kind.to_string()], &scales.seconds, &counted.call_seconds);
        samples.histogram(metric::COPY_SECONDS, &[stage], &scales.seconds, &counted.copy_seconds);
        samples.histogram(metric::CALL_FUEL, &[stage], &scales.fuel, &counted.fuel);
        samples.histogram(metric::CALL_MEMORY, &[stage], &scales.memory, &counted.memory);
        if kind != Kind::Extract {
            samples.histogram(metric::QUEUE_WAIT, &[stage], &scales.seconds, &counted.queue_wait);
        }
        samples.count(metric::FUEL, &[stage], counted.fuel.sum);
        samples.count(metric::MEMORY_GROWTH, &[stage], counted.growth);
        for (direction, bytes) in [("read", counted.read), ("made", counted.made), ("stayed", counted.stayed)] {
            samples.count(metric::BYTES, &[stage, direction], bytes);
        }
        self.sample_rare(stage, samples);
        for ((_, outcome), count) in SWAPS.iter().zip(&self.swaps) {
            samples.count(metric::SWAPS, &[stage, outcome], count.load(Relaxed));
        }
        if self.present() {
            samples.count(metric::GUEST_MEMORY, &[stage], reading.memory);
            samples.count(metric::GUEST_MEMORY_LIMIT, &[stage], facts.memory_limit.saturating_mul(facts.instances as u64));
            samples.count(metric::GENERATION, &[stage], u64::from(self.generation.load(Relaxed)));
            samples.number(metric::STAGE_INFO, &[stage, &kind.to_string(), &facts.component, &facts.version], 1.0);
        }
    }

    fn sample_rare(&self, stage: &str, samples: &mut Samples) {
        let rare = lock(&self.rare);
        for (reason, count) in &rare.errors {
            samples.count(metric::ERRORS, &[stage, reason], *count);
        }
        for (reason, count) in &rare.traps {
            samples.count(metric::TRAPS, &[stage, reason], *count);
        }
        for reason in RESTARTS {
            samples.count(metric::RESTARTS, &[stage, reason], rare.restarts.get(reason).copied().unwrap_or_default());
        }
        for (why, (count, time)) in Again::ALL.iter().zip(&rare.again) {
            samples.count(metric::AGAIN, &[stage, why.as_str()], *count);
            samples.number(metric::AGAIN_SECONDS, &[stage, why.as_str()], time.as_secs_f64());
        }
        for how in SET_ASIDE {
            samples.count(metric::SET_ASIDE, &[stage, how], rare.set_aside.get(how).copied().unwrap_or_default());
        }
        rare.guest.read(stage, samples);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects outcomes against being counted under the name of another.
    #[test]
    fn outcomes_are_in_the_order_of_their_numbers() {
        assert!(SWAPS.iter().enumerate().all(|(at, (swap, name))| *swap as usize == at && Swap::of(name) == *swap));
        assert_eq!((Swap::of("refused"), Swap::of("rolled_back")), (Swap::Failed, Swap::Failed));
    }
}
