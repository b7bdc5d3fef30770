//! Of one thread's calls: the hot path. Everything here is added to every call, so it is plain numbers with one writer; what a
//! failure or a guest's own metrics cost comes on top only where there are any.

use std::{sync::Arc, time::Instant};

use super::{
    run::RunMetrics,
    scale::{self, Scales},
    stage::StageMetrics,
    tally::{Histogram, Observed, Tally},
};
use crate::{
    telemetry::growing::Growing,
    words::{
        call::CallError,
        observe::{CallFacts, Export, WorkerFacts},
        usage::Usage,
    },
};

/// What one thread has counted: it writes, whoever gathers reads. Begins on a cache line of its own (a pair of them, which is what
/// processors fetch), so that no thread waits for another's.
#[repr(align(128))]
pub struct Shard {
    /// Rows by source.
    rows: Growing<Apart>,
    call_seconds: Histogram<{ scale::MOST }>,
    copy_seconds: Histogram<{ scale::MOST }>,
    queue_wait: Histogram<{ scale::MOST }>,
    fuel: Histogram<{ scale::FUEL.len() + 1 }>,
    memory: Histogram<{ scale::MEMORY.len() + 1 }>,
    memory_now: Tally,
    growth: Tally,
    read: Tally,
    made: Tally,
    stayed: Tally,
    /// When it last yielded a batch, in nanoseconds since the start of the run.
    yielded: Tally,
    /// 1 when it came to its end.
    exhausted: Tally,
}

/// A number on a cache line of its own.
#[derive(Default)]
#[repr(align(128))]
struct Apart(Tally);

/// Shards of a stage, added up.
#[derive(Clone, Default)]
pub struct Counted {
    pub rows: Vec<u64>,
    pub call_seconds: Observed,
    pub copy_seconds: Observed,
    pub queue_wait: Observed,
    pub fuel: Observed,
    pub memory: Observed,
    pub growth: u64,
    pub read: u64,
    pub made: u64,
    pub stayed: u64,
}

/// Counts one thread's calls.
pub struct CallMetrics {
    run: Arc<RunMetrics>,
    stage: usize,
    instance: usize,
    extract: bool,
    scales: Scales,
    shard: Arc<Shard>,
}

// === impl Shard ===

impl Shard {
    /// An empty one.
    pub fn new() -> Self {
        Shard {
            rows: Growing::default(),
            call_seconds: Histogram::new(),
            copy_seconds: Histogram::new(),
            queue_wait: Histogram::new(),
            fuel: Histogram::new(),
            memory: Histogram::new(),
            memory_now: Tally::default(),
            growth: Tally::default(),
            read: Tally::default(),
            made: Tally::default(),
            stayed: Tally::default(),
            yielded: Tally::default(),
            exhausted: Tally::default(),
        }
    }

    /// Linear memory after the last call.
    pub fn memory_now(&self) -> u64 {
        self.memory_now.get()
    }

    /// When it last yielded a batch, in nanoseconds since the start of the run.
    pub fn yielded(&self) -> u64 {
        self.yielded.get()
    }

    /// Whether it came to its end.
    pub fn exhausted(&self) -> bool {
        self.exhausted.get() != 0
    }

    /// Adds what it holds, of so many sources.
    pub fn read(&self, sources: usize, scales: &Scales, into: &mut Counted) {
        into.rows.resize(into.rows.len().max(sources), 0);
        let rows = into.rows.iter_mut().enumerate();
        rows.for_each(|(source, rows)| *rows += self.rows.get(source).map_or(0, |more| more.0.get()));
        self.call_seconds.read(&scales.seconds, &mut into.call_seconds);
        self.copy_seconds.read(&scales.seconds, &mut into.copy_seconds);
        self.queue_wait.read(&scales.seconds, &mut into.queue_wait);
        self.fuel.read(&scales.fuel, &mut into.fuel);
        self.memory.read(&scales.memory, &mut into.memory);
        into.growth += self.growth.get();
        into.read += self.read.get();
        into.made += self.made.get();
        into.stayed += self.stayed.get();
    }
}

// === impl CallMetrics ===

impl CallMetrics {
    /// Of a thread that begins.
    pub(super) fn new(run: Arc<RunMetrics>, worker: &WorkerFacts, extract: bool, shard: Arc<Shard>) -> Self {
        let scales = run.scales.clone();
        CallMetrics { run, stage: worker.stage, instance: worker.instance, extract, scales, shard }
    }

    /// A call has ended.
    #[inline]
    pub fn end(&mut self, call: &CallFacts<'_>) {
        let (usage, shard, scales) = (call.usage, &*self.shard, &self.scales);
        let nanos = usage.duration().as_nanos() as u64;
        shard.call_seconds.observe(&scales.seconds, nanos);
        shard.copy_seconds.observe(&scales.seconds, usage.copy.as_nanos() as u64);
        shard.fuel.observe(&scales.fuel, usage.fuel);
        shard.memory.observe(&scales.memory, usage.memory);
        shard.memory_now.set(usage.memory);
        shard.growth.add(usage.memory_growth);
        shard.read.add(usage.bytes_read);
        shard.made.add(usage.bytes_made);
        shard.stayed.add(usage.bytes_stayed);
        // Rows that are tried again have been counted.
        if let Some(batch) = call.batch.filter(|_| call.again.is_none()) {
            let rows = if self.extract { usage.rows_out } else { usage.rows_in };
            if let Some(tally) = shard.rows.get_or_make(self.run.source_of(batch.origin)) {
                tally.0.add(rows);
            }
        }
        match call.export {
            Export::Process | Export::Write if call.again.is_some() => self.again(call),
            Export::Process | Export::Write => shard.queue_wait.observe(&scales.seconds, call.waited.as_nanos() as u64),
            Export::Next => self.next(call, nanos),
            Export::Finish | Export::Commit => {}
        }
        if let Some(error) = call.error {
            self.failed(error);
        }
        if !usage.said.counters.is_empty() || !usage.said.observations.is_empty() || usage.dropped > 0 {
            self.guest(usage);
        }
    }

    /// When the batch came is known without a look at the clock: the call began then, and took so long.
    fn next(&self, call: &CallFacts<'_>, nanos: u64) {
        if call.batches_out > 0 {
            let began = call.usage.started.map_or(0, |started| self.run.since_start(started));
            self.shard.yielded.set(began + nanos);
        } else if call.error.is_none() {
            self.shard.exhausted.set(1);
        }
    }

    #[cold]
    fn again(&self, call: &CallFacts<'_>) {
        if let (Some(why), Some(stage)) = (call.again, self.run.stage(self.stage)) {
            stage.again(why, call.usage.duration());
        }
    }

    #[cold]
    fn failed(&self, error: &CallError) {
        self.of_stage(|stage| stage.failed(error));
    }

    #[cold]
    fn guest(&self, usage: &Usage) {
        self.of_stage(|stage| stage.guest(usage));
    }

    fn of_stage(&self, tell: impl FnOnce(&StageMetrics)) {
        if let Some(stage) = self.run.stage(self.stage) {
            tell(stage);
        }
    }
}

impl Drop for CallMetrics {
    fn drop(&mut self) {
        let sources = self.run.sources();
        self.of_stage(|stage| stage.retire(self.instance, &self.shard, sources, &self.scales));
    }
}

impl RunMetrics {
    fn since_start(&self, instant: Instant) -> u64 {
        instant.saturating_duration_since(self.started).as_nanos() as u64
    }
}
