//! What every thread of a run needs beside its instance, and the one way in which calls are made: watched, and entered in the
//! ledger.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    control::{Control, Failure},
    ledger::{Entry, Ledger},
    outlets::Outlets,
    policy::Policy,
    post::Post,
    queue::Item,
    tap::Taps,
    version::Serving,
};
use crate::{
    pipeline::{plan::PortId, rejections},
    words::{
        batch::RecordBatch,
        call::{Call, CallError},
        observe::{Again, BatchTrace, CallFacts, Export, RunObserver},
        stage::{Rejection, Transformed},
        trace::{self, SpanContext},
        usage::Usage,
    },
};

/// What a thread needs besides its instance.
pub struct Worker {
    /// Index of the stage.
    pub stage: usize,
    /// Its name.
    pub name: String,
    /// The run's state.
    pub control: Arc<Control>,
    /// The stage's ledger.
    pub ledger: Arc<Ledger>,
    /// The stage's ways out.
    pub outlets: Arc<Outlets>,
    /// Who watches the run.
    pub observer: Arc<dyn RunObserver>,
    /// Number of the run's next batch.
    pub sequence: Arc<AtomicU64>,
    /// What this thread shall change.
    pub post: Arc<Post>,
    /// Who looks at the stage's batches.
    pub taps: Arc<Taps>,
    /// The stage is no part of the pipeline any more: it ends with what it has.
    pub removed: Arc<AtomicBool>,
    /// What is done when a call fails.
    pub policy: Arc<Policy>,
}

/// The run ended early; whoever ended it has said why.
pub struct Ended;

/// A piece of a thread's work.
pub type Step<T> = Result<T, Ended>;

/// What a call is about.
#[derive(Clone, Copy)]
pub enum About<'a> {
    /// A batch that came by an input.
    Item(&'a Item),
    /// Rows of such a batch, after a call failed on it.
    Part(Part<'a>),
    /// A batch that the call may bring into being.
    New(&'a Arc<BatchTrace>),
    /// The run.
    Run,
}

/// A part of a batch that came by an input, or all of it, once more.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The batch.
    pub item: &'a Item,
    /// These rows of it.
    pub batch: &'a Arc<RecordBatch>,
    /// Why.
    pub again: Again,
}

/// What is made of a failure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// It ends the run.
    Ends,
    /// The stage's policy says what becomes of it.
    IsHandled,
    /// Another version makes the call again.
    IsMadeAgain,
}

/// A call that was made.
pub struct Made<T> {
    /// What came back.
    pub outcome: Result<T, CallError>,
    /// Its span.
    pub context: SpanContext,
    /// What it cost.
    pub cost: Cost,
    /// It failed, and the stage's policy says what becomes of its rows.
    pub open: bool,
}

/// What versions are compared by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Rows that went in; of an extract, that came out.
    pub rows: u64,
    /// Rows that were rejected.
    pub rejected: u64,
    /// Units of fuel.
    pub fuel: u64,
    /// Time in the call.
    pub time: Duration,
    /// Bytes of linear memory after it.
    pub memory: u64,
}

/// A batch whose call may panic: it is said to have failed then, too.
struct FailsByPanic<'a>(Option<&'a Arc<BatchTrace>>);

impl Drop for FailsByPanic<'_> {
    fn drop(&mut self) {
        if let Some(batch) = self.0.filter(|_| std::thread::panicking()) {
            batch.fail();
        }
    }
}

// === impl Cost ===

impl Cost {
    /// Of a call.
    pub fn of(usage: &Usage) -> Self {
        Cost {
            rows: usage.rows_in.max(usage.rows_out * u64::from(usage.rows_in == 0)),
            rejected: usage.rows_rejected,
            fuel: usage.fuel,
            time: usage.duration(),
            memory: usage.memory,
        }
    }
}

// === impl Worker ===

impl Worker {
    /// Ends the run.
    pub fn fail(&self, during: &'static str, batch: Option<u64>, error: CallError) -> Ended {
        self.control.fail(Failure { stage: self.name.clone(), during, batch, error });
        Ended
    }

    /// What becomes of a failure that ends nothing else.
    pub fn failing(&self) -> Failing {
        if self.policy.acts() { Failing::IsHandled } else { Failing::Ends }
    }

    /// An instance was opened in place of another.
    pub fn restarted(&self, reason: &'static str) {
        self.ledger.restarted(reason);
        self.observer.restarted(self.stage, reason);
    }

    /// Makes a call, watched, and enters it in the ledger. `seen` tells the batches that came out, and the rows that were
    /// rejected.
    pub fn make<S, T>(
        &self,
        serving: &mut Serving<S>,
        (export, about, failing): (Export, About<'_>, Failing),
        make: impl FnOnce(&mut S) -> Call<T>,
        seen: impl FnOnce(&T) -> (u64, &[Rejection]),
    ) -> Made<T> {
        let (item, batch, again) = match about {
            About::Item(item) => (Some((item, &item.batch)), Some(&item.trace), None),
            About::Part(part) => (Some((part.item, part.batch)), Some(&part.item.trace), Some(part.again)),
            About::New(trace) => (None, Some(trace), None),
            About::Run => (None, None, None),
        };
        let rows = item.map_or(0, |(_, batch)| batch.num_rows() as u64);
        // Rows that are tried again have been in flight all the time.
        if again.is_none() {
            self.ledger.begin(rows);
        }
        let context = serving.calls.begin(export, batch);
        let call = {
            let _within = trace::within(context);
            let _panics = FailsByPanic(batch);
            make(&mut serving.instance)
        };
        let (batches_out, rejections) = call.outcome.as_ref().map_or((0, &[][..]), seen);
        let made_again = call.outcome.is_err() && failing == Failing::IsMadeAgain;
        let open = call.outcome.is_err() && failing == Failing::IsHandled;
        if let Some(batch) = batch.filter(|_| !made_again && !open) {
            batch.came_from(&call.usage.said.written_by);
            if call.outcome.is_err() {
                batch.fail();
            } else if !rejections.is_empty() {
                batch.reject();
            }
            if again.is_none() {
                serving.version.answered(batch.sequence);
            }
        }
        let (usage, error) = (&call.usage, call.outcome.as_ref().err());
        let arrived = item.map(|(item, _)| (item.input, item.waited));
        let entry = Entry { usage, rows, failed: error.is_some(), arrived, batches_out, made_again, open, again };
        self.ledger.enter(&entry, rejections.iter().map(|rejection| rejection.reason.as_str()));
        let (input, waited) = arrived.unwrap_or_default();
        serving.calls.end(&CallFacts { context, export, batch, input, usage, error, waited, batches_out, again, handled: open });
        let cost = Cost::of(usage);
        if item.is_some() || export == Export::Next {
            serving.tally.add(&cost);
        }
        Made { outcome: call.outcome, context, cost, open }
    }

    /// A call whose failure ends the run. Also answers its span.
    pub fn call<S, T>(
        &self,
        serving: &mut Serving<S>,
        (export, about): (Export, About<'_>),
        make: impl FnOnce(&mut S) -> Call<T>,
        seen: impl FnOnce(&T) -> (u64, &[Rejection]),
    ) -> Step<(T, SpanContext)> {
        let made = self.make(serving, (export, about, Failing::Ends), make, seen);
        self.or_fail(export, about, made)
    }

    /// What a call brought; its failure ends the run.
    pub fn or_fail<T>(&self, export: Export, about: About<'_>, made: Made<T>) -> Step<(T, SpanContext)> {
        let ticket = match about {
            About::Item(item) => Some(item.ticket),
            About::Part(part) => Some(part.item.ticket),
            _ => None,
        };
        let value = made.outcome.map_err(|error| self.fail(export.as_str(), ticket, error))?;
        Ok((value, made.context))
    }

    /// A batch that this stage is about to bring into being, out of these.
    pub fn batch(&self, links: Vec<SpanContext>) -> Arc<BatchTrace> {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        Arc::new(BatchTrace::begin(&self.observer, sequence, self.stage, links).counted(&self.control.flight))
    }

    /// Sends a batch to everybody who takes the port.
    pub fn send(&self, port: PortId, batch: &Arc<RecordBatch>, trace: &Arc<BatchTrace>) -> Step<()> {
        self.taps.out(port, batch, trace);
        self.outlets.send(port, batch, trace).map_err(|_| Ended)
    }

    /// Sends the rows of a batch that were rejected, if anybody takes them.
    pub fn send_rejected(&self, item: &Item, rejections: &[Rejection]) -> Step<()> {
        if rejections.is_empty() || !(self.outlets.taken(PortId::Rejected) || self.taps.wanted()) {
            return Ok(());
        }
        let batch = rejections::batch(&item.batch, &self.name, rejections);
        let batch = batch.map_err(|error| self.fail("rejected", None, CallError::Host(error.to_string())))?;
        self.send(PortId::Rejected, &Arc::new(batch), &item.trace)
    }

    /// Sends what a call put out. One output goes on as the batch it was made from; several are batches of their own, each
    /// linked to the call that split them.
    pub fn send_all(&self, transformed: &Transformed, trace: &Arc<BatchTrace>, call: SpanContext) -> Step<()> {
        match transformed.outputs.as_slice() {
            [(port, batch)] => self.send(PortId::Out(*port), batch, trace),
            several => several.iter().try_for_each(|(port, batch)| self.send(PortId::Out(*port), batch, &self.batch(vec![call]))),
        }
    }
}
