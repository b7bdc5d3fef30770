//! From records as they come to batches as they are judged: calls are grouped by their batch, and when its root arrives the
//! tail rules say whether it is kept.

use std::{
    ops::Range,
    sync::{Arc, PoisonError},
    time::{Instant, SystemTime},
};

use super::{
    encode::{Encode, since_epoch},
    pending::Pending,
    record::{Brief, CallRecord, Happened, RootRecord, RunRecord},
    run::{CallBuffers, RunTraces},
    sampler::Share,
    slowest::Slowest,
};
use crate::{
    telemetry::{
        health::{Bound, Health, Healths, Signal},
        otlp::protobuf::Writer,
    },
    words::{observe::Keep, trace::SpanContext},
};

/// Something that is worth exporting, still as records.
pub struct Kept {
    pub(super) run: Arc<RunTraces>,
    pub(super) what: What,
    pub(super) anchor: (Instant, SystemTime),
}

/// What it is.
pub enum What {
    Batch(RootRecord, Vec<CallRecord>),
    Call(CallRecord),
    Run(RunRecord),
    Happened(Happened),
}

/// Groups records of all runs.
pub struct Assembler {
    runs: Vec<Assembling>,
    healths: Healths,
    /// Records of a run that may wait for their batch's root, of those that are sampled and of those that are not.
    limit: usize,
    pub slowest: Slowest,
}

/// One run.
struct Assembling {
    run: Arc<RunTraces>,
    written: Vec<Arc<CallBuffers>>,
    /// Calls that wait for their batch's root. A batch is sampled or it is not, so all of its calls are in one of them.
    sampled: Pending<CallRecord>,
    brief: Pending<Brief>,
    taken: Taken,
}

/// Empty between two looks, to be swapped against what has been written.
#[derive(Default)]
struct Taken {
    sampled: Vec<CallRecord>,
    brief: Vec<Brief>,
    roots: Vec<RootRecord>,
    happened: Vec<Happened>,
}

/// A look at everything that has been written.
struct Look<'a> {
    /// Now, by both clocks.
    anchor: (Instant, SystemTime),
    slowest: &'a mut Slowest,
    /// Counts spans for which there was no room.
    health: &'a Health,
    /// Takes what is worth exporting, and gives a vector back that it has no use for.
    keep: &'a mut dyn FnMut(Kept) -> Option<Vec<CallRecord>>,
}

// === impl Kept ===

impl Kept {
    /// How many spans it becomes.
    pub fn spans(&self) -> usize {
        match &self.what {
            What::Batch(_, calls) => 1 + calls.iter().map(CallRecord::spans).sum::<usize>(),
            What::Call(call) => call.spans(),
            What::Run(_) => 1,
            What::Happened(happened) => happened.spans(),
        }
    }

    /// Writes those of them that have a number within a range: a root before its children, a call before its guest's.
    pub fn encode(&self, wanted: Range<usize>, exception_events: bool, writer: &mut Writer) {
        let run = &self.run;
        let anchor = (self.anchor.0, since_epoch(self.anchor.1));
        let mut encode = Encode { constants: &run.constants, anchor, exception_events, writer };
        match &self.what {
            What::Batch(root, calls) => {
                if wanted.contains(&0) {
                    encode.root(root, run.context, calls.iter().find_map(CallRecord::failure));
                }
                let mut at = 1;
                for call in calls {
                    encode_call(&mut encode, call, root.context, at, &wanted);
                    at += call.spans();
                }
            }
            What::Call(call) => encode_call(&mut encode, call, run.context, 0, &wanted),
            What::Run(record) if wanted.contains(&0) => encode.run(record, run.context, run.parent, run.started.1),
            What::Run(_) => {}
            What::Happened(Happened::Swap(swap)) => encode.swap(swap, run.context, wanted),
            What::Happened(Happened::Checkpoint(checkpoint)) => encode.checkpoint(checkpoint, run.context, wanted),
        }
    }

    /// Tells the metrics, for exemplars.
    pub fn tell(&self) {
        let (Some(metrics), What::Batch(root, calls)) = (&self.run.metrics, &self.what) else { return };
        // One that was thrown away is not among those whose times are observed.
        let batch = (!root.dropped).then(|| (root.origin, root.duration()));
        let calls = calls.iter().map(|call| (call.stage as usize, call.duration(), call.span));
        metrics.kept(root.context, self.anchor.1, batch, calls);
    }

    /// The vector of its calls, to be used again.
    pub fn spent(self) -> Option<Vec<CallRecord>> {
        match self.what {
            What::Batch(_, calls) => Some(calls),
            What::Call(_) | What::Run(_) | What::Happened(_) => None,
        }
    }
}

/// A call and its guest's spans, the first of which has the number `at`.
fn encode_call(encode: &mut Encode<'_>, call: &CallRecord, parent: SpanContext, at: usize, wanted: &Range<usize>) {
    if wanted.contains(&at) {
        encode.call(call, parent);
    }
    let Some(rare) = &call.rare else { return };
    let context = SpanContext { span: call.span, ..parent };
    let numbered = (at + 1..).zip(&rare.spans).filter(|(number, _)| wanted.contains(number));
    numbered.for_each(|(_, guest)| encode.guest(guest, context));
}

// === impl Assembler ===

impl Assembler {
    /// Holds so many records of each run's batches that are on their way.
    pub fn new(limit: usize, slowest: Slowest, healths: Healths) -> Self {
        Assembler { runs: Vec::new(), healths, limit, slowest }
    }

    /// A run has begun.
    pub fn add(&mut self, run: Arc<RunTraces>) {
        let (sampled, brief) = (Pending::new(self.limit), Pending::new(self.limit));
        self.runs.push(Assembling { run, written: Vec::new(), sampled, brief, taken: Taken::default() });
    }

    /// Takes everything that has been written and hands on what is worth keeping.
    pub fn collect(&mut self, mut keep: impl FnMut(Kept) -> Option<Vec<CallRecord>>) {
        let anchor = (Instant::now(), SystemTime::now());
        let mut look = Look { anchor, slowest: &mut self.slowest, health: self.healths.of(Signal::Spans), keep: &mut keep };
        let mut gone = Vec::new();
        for (at, run) in self.runs.iter_mut().enumerate() {
            // Nobody else knows the run: nothing more can be written, and this look at it finds all there is.
            if Arc::strong_count(&run.run) == 1 {
                gone.push(at);
            }
            run.collect(&mut look);
        }
        for at in gone.into_iter().rev() {
            let run = self.runs.remove(at);
            self.give_up(&run);
        }
    }

    /// Nothing more will come: what still waits for a root is lost.
    pub fn finish(&mut self) {
        std::mem::take(&mut self.runs).iter().for_each(|run| self.give_up(run));
    }

    /// Whatever has no root now never will.
    fn give_up(&self, run: &Assembling) {
        let lost = run.sampled.iter().map(|call| call.spans() as u64).sum();
        self.healths.of(Signal::Spans).found_no_room(lost, Bound::Pending);
    }
}

// === impl Assembling ===

impl Assembling {
    fn collect(&mut self, look: &mut Look<'_>) {
        let mut taken = std::mem::take(&mut self.taken);
        // A root is written after all calls of its batch. So whoever takes roots first finds every call of theirs afterwards.
        self.run.roots.take(&mut taken.roots);
        let ended = self.run.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.written.append(&mut self.run.calls.lock().unwrap_or_else(PoisonError::into_inner));
        // A thread that has ended holds its buffers no more; what it has written is taken below.
        let done: Vec<bool> = self.written.iter().map(|written| Arc::strong_count(written) == 1).collect();
        for written in &self.written {
            written.sampled.take(&mut taken.sampled);
            taken.sampled.drain(..).for_each(|call| sampled_call(&self.run, &mut self.sampled, call, look));
            written.brief.take(&mut taken.brief);
            for call in taken.brief.drain(..) {
                if let Some(evicted) = self.brief.add(call.batch, call) {
                    self.brief.recycle(evicted);
                }
            }
        }
        taken.roots.drain(..).for_each(|root| self.root(root, look));
        self.run.happened.take(&mut taken.happened);
        let happened = |happened| Kept { run: Arc::clone(&self.run), what: What::Happened(happened), anchor: look.anchor };
        taken.happened.drain(..).map(happened).for_each(|kept| drop((look.keep)(kept)));
        if let Some(ended) = ended.filter(|_| self.run.context.sampled) {
            (look.keep)(Kept { run: Arc::clone(&self.run), what: What::Run(ended), anchor: look.anchor });
        }
        let mut done = done.into_iter();
        self.written.retain(|_| !done.next().unwrap_or(false));
        self.taken = taken;
    }

    /// A batch has gone all its way.
    fn root(&mut self, root: RootRecord, look: &mut Look<'_>) {
        let constants = &self.run.constants;
        if !root.context.sampled {
            let calls = self.brief.take(root.sequence);
            if !root.void {
                look.slowest.see(constants, &root, calls.iter().copied());
            }
            return self.brief.recycle(calls);
        }
        let calls = self.sampled.take(root.sequence);
        if root.void {
            return self.sampled.recycle(calls);
        }
        look.slowest.see(constants, &root, calls.iter().map(CallRecord::brief));
        if !worth_keeping(&self.run.facts.settings.keep, self.run.share, &root) {
            return self.sampled.recycle(calls);
        }
        let kept = Kept { run: Arc::clone(&self.run), what: What::Batch(root, calls), anchor: look.anchor };
        if let Some(spent) = (look.keep)(kept) {
            self.sampled.recycle(spent);
        }
    }
}

/// A call waits for the root of its batch; one that is about the run waits for nobody.
fn sampled_call(run: &Arc<RunTraces>, pending: &mut Pending<CallRecord>, call: CallRecord, look: &mut Look<'_>) {
    let Some(batch) = call.batch else {
        (look.keep)(Kept { run: Arc::clone(run), what: What::Call(call), anchor: look.anchor });
        return;
    };
    if let Some(evicted) = pending.add(batch, call) {
        look.health.found_no_room(evicted.iter().map(|call| call.spans() as u64).sum(), Bound::Pending);
        pending.recycle(evicted);
    }
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
