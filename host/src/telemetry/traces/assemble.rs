//! From records as they come to batches as they are judged: calls are grouped by their batch, and when its root arrives the
//! tail rules say whether it is kept.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, atomic::AtomicU64},
    time::{Instant, SystemTime},
};

use opentelemetry_sdk::trace::SpanData;

use super::{
    expand::Expand,
    record::{CallRecord, RootRecord, RunRecord},
    run::{CallBuffer, RunTraces},
    sampler::Share,
    slowest::Slowest,
};
use crate::{
    telemetry::health::{Bound, Health, Healths, Signal},
    words::observe::Keep,
};

/// Vectors of records that are kept for the next batch.
const SPARE: usize = 64;

/// Something that is worth exporting, still as records.
pub struct Kept {
    run: Arc<RunTraces>,
    what: What,
    anchor: (Instant, SystemTime),
}

enum What {
    Batch(RootRecord, Vec<CallRecord>),
    Call(CallRecord),
    Run(RunRecord),
}

/// Groups records of all runs.
pub struct Assembler {
    runs: Vec<Assembling>,
    healths: Healths,
    /// Records that may wait for their batch's root, over all runs.
    limit: usize,
    pending: usize,
    pub slowest: Slowest,
    spare: Vec<Vec<CallRecord>>,
}

/// One run.
struct Assembling {
    run: Arc<RunTraces>,
    buffers: Vec<CallBuffer>,
    /// Calls by the number of their batch. The lowest number has waited longest.
    pending: BTreeMap<u64, Vec<CallRecord>>,
    /// Empty, to be swapped against what has been written.
    calls: Vec<CallRecord>,
    roots: Vec<RootRecord>,
}

// === impl Kept ===

impl Kept {
    /// How many spans it becomes.
    pub fn spans(&self) -> usize {
        match &self.what {
            What::Batch(_, calls) => 1 + calls.iter().map(CallRecord::spans).sum::<usize>(),
            What::Call(call) => call.spans(),
            What::Run(_) => 1,
        }
    }

    /// Becomes them: a root before its children.
    pub fn expand(&self, exception_events: bool, into: &mut Vec<SpanData>) {
        let expand =
            Expand { stages: &self.run.stages, anchor: self.anchor, exception_events, state: (self.run.context.trace, &self.run.state) };
        match &self.what {
            What::Batch(root, calls) => {
                into.push(expand.root(root, self.run.context, calls.iter().find_map(CallRecord::failure)));
                calls.iter().for_each(|call| expand.call(call, root.context, into));
            }
            What::Call(call) => expand.call(call, self.run.context, into),
            What::Run(run) => into.push(expand.run(run, self.run.context, self.run.parent, self.run.started.1)),
        }
    }

    /// Tells the metrics, for exemplars.
    fn tell(&self) {
        let (Some(metrics), What::Batch(root, calls)) = (&self.run.metrics, &self.what) else { return };
        let at = self.anchor.1;
        // One that was thrown away is not among those whose times are observed.
        if !root.dropped {
            metrics.kept_batch(root.origin, root.duration(), root.context, at);
        }
        for call in calls {
            let context = crate::words::trace::SpanContext { span: call.span, ..root.context };
            metrics.kept_call(call.stage as usize, call.duration(), context, at);
        }
    }
}

// === impl Assembler ===

impl Assembler {
    /// Holds so many records of batches that are on their way.
    pub fn new(limit: usize, slowest: Slowest, healths: Healths) -> Self {
        Assembler { runs: Vec::new(), healths, limit, pending: 0, slowest, spare: Vec::new() }
    }

    /// A run has begun.
    pub fn add(&mut self, run: Arc<RunTraces>) {
        self.runs.push(Assembling { run, buffers: Vec::new(), pending: BTreeMap::new(), calls: Vec::new(), roots: Vec::new() });
    }

    /// Takes everything that has been written and hands on what is worth keeping.
    pub fn collect(&mut self, mut keep: impl FnMut(Kept)) {
        let anchor = (Instant::now(), SystemTime::now());
        let mut gone = Vec::new();
        for at in 0..self.runs.len() {
            // Nobody else knows the run: nothing more can be written, and this look at it finds all there is.
            if Arc::strong_count(&self.runs[at].run) == 1 {
                gone.push(at);
            }
            self.collect_run(at, anchor, &mut keep);
        }
        for at in gone.into_iter().rev() {
            let run = self.runs.remove(at);
            self.give_up(run);
        }
    }

    /// Nothing more will come: what still waits for a root is lost.
    pub fn finish(&mut self) {
        std::mem::take(&mut self.runs).into_iter().for_each(|run| self.give_up(run));
    }

    fn collect_run(&mut self, at: usize, anchor: (Instant, SystemTime), keep: &mut impl FnMut(Kept)) {
        let Assembling { run, buffers, calls, roots, .. } = &mut self.runs[at];
        let run = Arc::clone(run);
        // A root is written after all calls of its batch. So whoever takes roots first finds every call of theirs afterwards.
        run.roots.take(roots);
        let mut roots = std::mem::take(roots);
        let ended = run.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        buffers.append(&mut run.calls.lock().unwrap_or_else(PoisonError::into_inner));
        // A thread that has ended holds its buffer no more.
        let done: Vec<bool> = buffers.iter().map(|buffer| Arc::strong_count(buffer) == 1).collect();
        let (buffers, mut calls) = (std::mem::take(buffers), std::mem::take(calls));
        for buffer in &buffers {
            buffer.take(&mut calls);
            for call in calls.drain(..) {
                self.call(at, &run, call, anchor, keep);
            }
        }
        for root in roots.drain(..) {
            self.root(at, &run, root, anchor, keep);
        }
        if let Some(ended) = ended.filter(|_| run.context.sampled) {
            keep(Kept { run, what: What::Run(ended), anchor });
        }
        let mut done = done.into_iter();
        let kept = buffers.into_iter().filter(|_| !done.next().unwrap_or(false)).collect();
        let assembling = &mut self.runs[at];
        (assembling.buffers, assembling.calls, assembling.roots) = (kept, calls, roots);
    }

    fn call(&mut self, at: usize, run: &Arc<RunTraces>, call: CallRecord, anchor: (Instant, SystemTime), keep: &mut impl FnMut(Kept)) {
        let Some(batch) = call.batch else {
            return keep(Kept { run: Arc::clone(run), what: What::Call(call), anchor });
        };
        if self.pending >= self.limit {
            self.evict(at);
        }
        let spare = &mut self.spare;
        self.runs[at].pending.entry(batch).or_insert_with(|| spare.pop().unwrap_or_default()).push(call);
        self.pending += 1;
    }

    /// The batch that has waited longest makes room: its root was lost, or it holds up everything else.
    fn evict(&mut self, at: usize) {
        let oldest = self.runs[at].pending.pop_first().or_else(|| self.runs.iter_mut().find_map(|run| run.pending.pop_first()));
        if let Some((_, calls)) = oldest {
            self.healths.of(Signal::Spans).found_no_room(sampled(&calls), Bound::Pending);
            self.recycle(calls);
        }
    }

    fn root(&mut self, at: usize, run: &Arc<RunTraces>, root: RootRecord, anchor: (Instant, SystemTime), keep: &mut impl FnMut(Kept)) {
        let calls = self.runs[at].pending.remove(&root.sequence).unwrap_or_default();
        if root.void {
            return self.recycle(calls);
        }
        self.slowest.see(&run.facts, &root, &calls);
        if !root.context.sampled || !worth_keeping(&run.facts.settings.keep, run.share, &root) {
            return self.recycle(calls);
        }
        self.pending -= calls.len();
        let kept = Kept { run: Arc::clone(run), what: What::Batch(root, calls), anchor };
        kept.tell();
        keep(kept);
    }

    fn recycle(&mut self, mut calls: Vec<CallRecord>) {
        self.pending -= calls.len();
        calls.clear();
        if self.spare.len() < SPARE && calls.capacity() > 0 {
            self.spare.push(calls);
        }
    }

    /// Whatever has no root now never will.
    fn give_up(&mut self, run: Assembling) {
        let lost: u64 = run.pending.values().map(|calls| sampled(calls)).sum();
        self.pending -= run.pending.values().map(Vec::len).sum::<usize>();
        Health::add(self.dropped_full(), lost);
    }

    fn dropped_full(&self) -> &AtomicU64 {
        &self.healths.of(Signal::Spans).dropped_full
    }
}

/// Spans that would have been exported.
fn sampled(calls: &[CallRecord]) -> u64 {
    calls.iter().filter(|call| call.sampled).map(|call| call.spans() as u64).sum()
}

/// The tail rules: what stands out is kept, and a share of the rest.
fn worth_keeping(keep: &Keep, share: Share, root: &RootRecord) -> bool {
    (keep.failed && root.failed)
        || (keep.rejected && root.rejected)
        || keep.slower_than.is_some_and(|threshold| root.duration() > threshold)
        || share.has_high(root.context.trace)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::words::trace::SpanContext;

    fn root(failed: bool, rejected: bool, took: Duration) -> RootRecord {
        let started = Instant::now();
        let context = SpanContext::root(true);
        RootRecord {
            context,
            sequence: 0,
            origin: 0,
            started,
            ended: started + took,
            links: Vec::new(),
            failed,
            rejected,
            dropped: false,
            void: false,
        }
    }

    /// Protects against the one batch that somebody looks for being thrown away with the ordinary ones.
    #[test]
    fn what_stands_out_is_kept_and_the_rest_is_not() {
        let second = Duration::from_secs(1);
        let keep = Keep { failed: true, rejected: true, slower_than: Some(second), ratio: 0.0 };
        let kept = |keep: &Keep, root| worth_keeping(keep, Share::of(keep.ratio), &root);
        assert!(kept(&keep, root(true, false, second)));
        assert!(kept(&keep, root(false, true, second)));
        assert!(kept(&keep, root(false, false, second * 2)));
        assert!(!kept(&keep, root(false, false, second)));
        let nothing = Keep { failed: false, rejected: false, slower_than: None, ratio: 0.0 };
        assert!(!kept(&nothing, root(true, true, second)));
        assert!(kept(&Keep::default(), root(false, false, second)), "everything, if nobody says otherwise");
    }
}
