//! Of one stage of a run: the shards of its threads, those that are gone, and what is rare enough for a lock.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};

use super::{
    calls::{Counted, Shard},
    guest::GuestMetrics,
    samples::Samples,
    scale::Scales,
};
use crate::{
    telemetry::names::metric,
    words::{call::CallError, observe::StageFacts, stage::Kind, usage::Usage},
};

/// How a swap of a stage's component ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// The new component is in its place.
    Swapped,
    /// The old one stayed.
    Failed,
}

/// One stage.
pub struct StageMetrics {
    pub facts: StageFacts,
    workers: Mutex<Workers>,
    rare: Mutex<Rare>,
    generation: AtomicU32,
    restarts: AtomicU64,
    swaps: [AtomicU64; 2],
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

// === impl StageMetrics ===

impl StageMetrics {
    /// Of a stage that nobody has called yet.
    pub fn new(facts: StageFacts) -> Self {
        let (workers, rare) = Default::default();
        StageMetrics { facts, workers, rare, generation: AtomicU32::new(1), restarts: AtomicU64::default(), swaps: Default::default() }
    }

    /// A thread begins to call an instance.
    pub fn worker(&self, sources: usize) -> Arc<Shard> {
        let shard = Arc::new(Shard::new(sources));
        lock(&self.workers).live.push(Arc::clone(&shard));
        shard
    }

    /// The thread that counted in a shard is gone.
    pub fn retire(&self, instance: usize, shard: &Arc<Shard>, scales: &Scales) {
        let mut workers = lock(&self.workers);
        workers.live.retain(|live| !Arc::ptr_eq(live, shard));
        shard.read(scales, &mut workers.retired);
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

    /// An instance was opened in place of a poisoned one.
    pub fn restarted(&self) {
        self.restarts.fetch_add(1, Relaxed);
    }

    /// A swap has ended; the stage runs this generation now.
    pub fn swapped(&self, how: Swap, generation: u32) {
        self.swaps[how as usize].fetch_add(1, Relaxed);
        self.generation.store(generation, Relaxed);
    }

    /// What was counted so far.
    pub fn read(&self, scales: &Scales) -> StageReading {
        let workers = lock(&self.workers);
        let mut counted = workers.retired.clone();
        workers.live.iter().for_each(|shard| shard.read(scales, &mut counted));
        // An instance that is being called counts with what it has now; when all are gone, with what they had.
        let live: u64 = workers.live.iter().map(|shard| shard.memory_now()).sum();
        let memory = if workers.live.is_empty() { workers.memory.iter().sum() } else { live };
        let running = workers.live.iter().any(|shard| !shard.exhausted());
        let yielded = workers.live.iter().map(|shard| shard.yielded()).fold(workers.yielded, u64::max);
        drop(workers);
        let failed_calls = lock(&self.rare).calls;
        StageReading { counted, memory, yielded: (self.facts.kind == Kind::Extract && running).then_some(yielded), failed_calls }
    }

    /// Puts everything but the levels into samples.
    pub fn sample(&self, reading: &StageReading, sources: &[String], scales: &Scales, samples: &mut Samples) {
        let (stage, counted) = (self.facts.name.as_str(), &reading.counted);
        for (source, rows) in sources.iter().zip(&counted.rows).filter(|(_, rows)| **rows > 0) {
            samples.count(metric::ROWS_PROCESSED, &[source, stage], *rows);
        }
        let calls = counted.call_seconds.count();
        // Both were read one after the other: a call that has just failed may be in one and not yet in the other.
        samples.count(metric::CALLS, &[stage, "ok"], calls.saturating_sub(reading.failed_calls));
        samples.count(metric::CALLS, &[stage, "error"], reading.failed_calls);
        samples.histogram(metric::CALL_SECONDS, &[stage], &scales.seconds, &counted.call_seconds);
        samples.histogram(metric::PROCESSING, &[&self.facts.kind.to_string()], &scales.seconds, &counted.call_seconds);
        samples.histogram(metric::COPY_SECONDS, &[stage], &scales.seconds, &counted.copy_seconds);
        samples.histogram(metric::CALL_FUEL, &[stage], &scales.fuel, &counted.fuel);
        samples.histogram(metric::CALL_MEMORY, &[stage], &scales.memory, &counted.memory);
        if self.facts.kind != Kind::Extract {
            samples.histogram(metric::QUEUE_WAIT, &[stage], &scales.seconds, &counted.queue_wait);
        }
        samples.count(metric::FUEL, &[stage], counted.fuel.sum);
        samples.count(metric::MEMORY_GROWTH, &[stage], counted.growth);
        samples.count(metric::GUEST_MEMORY, &[stage], reading.memory);
        samples.count(metric::GUEST_MEMORY_LIMIT, &[stage], self.facts.memory_limit.saturating_mul(self.facts.instances as u64));
        for (direction, bytes) in [("read", counted.read), ("made", counted.made), ("stayed", counted.stayed)] {
            samples.count(metric::BYTES, &[stage, direction], bytes);
        }
        self.sample_rare(samples);
        samples.count(metric::RESTARTS, &[stage], self.restarts.load(Relaxed));
        for (outcome, count) in ["swapped", "failed"].into_iter().zip(&self.swaps) {
            samples.count(metric::SWAPS, &[stage, outcome], count.load(Relaxed));
        }
        samples.count(metric::GENERATION, &[stage], u64::from(self.generation.load(Relaxed)));
        let facts = &self.facts;
        samples.number(metric::STAGE_INFO, &[stage, &facts.kind.to_string(), &facts.component, &facts.version], 1.0);
    }

    fn sample_rare(&self, samples: &mut Samples) {
        let (stage, rare) = (self.facts.name.as_str(), lock(&self.rare));
        for (reason, count) in &rare.errors {
            samples.count(metric::ERRORS, &[stage, reason], *count);
        }
        for (reason, count) in &rare.traps {
            samples.count(metric::TRAPS, &[stage, reason], *count);
        }
        rare.guest.read(stage, samples);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
