//! What the threads of a run do: one instance of one stage each.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::{
    control::{Control, Failure, Verdict},
    ledger::{Entry, Ledger},
    order::Order,
    outlets::Outlets,
    queue::{Item, Queue},
};
use crate::{
    pipeline::{plan::PortId, rejections},
    words::{
        batch::RecordBatch,
        call::{Call, CallError},
        observe::{BatchTrace, CallFacts, CallObserver, Export, RunObserver},
        stage::{Extract, Load, Receipt, Rejection, Transform, Transformed},
        trace::{self, SpanContext},
    },
};

/// Batches that one which is put out at the end is linked to; a trace with more is not readable any more.
const LINKS: usize = 32;

/// What a thread needs besides its instance.
pub struct Worker {
    /// Index of the stage.
    pub stage: usize,
    /// Its name.
    pub name: String,
    /// The run's state.
    pub control: Arc<Control>,
    /// The run's ledger.
    pub ledger: Arc<Ledger>,
    /// The stage's ways out.
    pub outlets: Arc<Outlets>,
    /// Who watches the run.
    pub observer: Arc<dyn RunObserver>,
    /// Who watches this thread's calls.
    pub calls: Box<dyn CallObserver>,
    /// Number of the run's next batch.
    pub sequence: Arc<AtomicU64>,
}

/// The run ended early; whoever ended it has said why.
pub struct Ended;

type Step<T> = Result<T, Ended>;

/// What a call is about.
enum About<'a> {
    /// A batch that came by an input.
    Item(&'a Item),
    /// A batch that the call may bring into being.
    New(&'a Arc<BatchTrace>),
    /// The run.
    Run,
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

impl Worker {
    fn fail(&self, during: &'static str, batch: Option<u64>, error: CallError) -> Ended {
        self.control.fail(Failure { stage: self.name.clone(), during, batch, error });
        Ended
    }

    /// Makes a call, watched, and enters it in the ledger; a failure ends the run. `seen` tells the batches that came out, and
    /// the rows that were rejected. Also answers the call's span.
    fn call<T>(
        &mut self,
        export: Export,
        about: About<'_>,
        make: impl FnOnce() -> Call<T>,
        seen: impl FnOnce(&T) -> (u64, &[Rejection]),
    ) -> Step<(T, SpanContext)> {
        let (item, batch) = match about {
            About::Item(item) => (Some(item), Some(&item.trace)),
            About::New(trace) => (None, Some(trace)),
            About::Run => (None, None),
        };
        let rows = item.map_or(0, |item| item.batch.num_rows() as u64);
        self.ledger.begin(self.stage, rows);
        let context = self.calls.begin(export, batch);
        let call = {
            let _within = trace::within(context);
            let _panics = FailsByPanic(batch);
            make()
        };
        let (batches_out, rejections) = call.outcome.as_ref().map_or((0, &[][..]), seen);
        if let Some(batch) = batch {
            batch.came_from(&call.usage.written_by);
            if call.outcome.is_err() {
                batch.fail();
            } else if !rejections.is_empty() {
                batch.reject();
            }
        }
        let (usage, error) = (&call.usage, call.outcome.as_ref().err());
        let entry = Entry { usage, rows, failed: error.is_some(), arrived: item.map(|item| (item.input, item.waited)), batches_out };
        self.ledger.enter(self.stage, &entry, rejections.iter().map(|rejection| rejection.reason.as_str()));
        let (input, waited) = item.map(|item| (item.input, item.waited)).unwrap_or_default();
        self.calls.end(&CallFacts { context, export, batch, input, usage, error, waited, batches_out });
        let value = call.outcome.map_err(|error| self.fail(export.as_str(), item.map(|item| item.ticket), error))?;
        Ok((value, context))
    }

    /// A batch that this stage is about to bring into being, out of these.
    fn batch(&self, links: Vec<SpanContext>) -> Arc<BatchTrace> {
        Arc::new(BatchTrace::begin(&self.observer, self.sequence.fetch_add(1, Ordering::Relaxed), self.stage, links))
    }

    fn send(&self, port: PortId, batch: &Arc<RecordBatch>, trace: &Arc<BatchTrace>) -> Step<()> {
        self.outlets.send(port, batch, trace).map_err(|_| Ended)
    }

    fn send_rejected(&self, item: &Item, rejections: &[Rejection]) -> Step<()> {
        if rejections.is_empty() || !self.outlets.taken(PortId::Rejected) {
            return Ok(());
        }
        let batch = rejections::batch(&item.batch, &self.name, rejections);
        let batch = batch.map_err(|error| self.fail("rejected", None, CallError::Host(error.to_string())))?;
        self.send(PortId::Rejected, &Arc::new(batch), &item.trace)
    }

    /// Sends what a call put out. One output goes on as the batch it was made from; several are batches of their own, each
    /// linked to the call that split them.
    fn send_all(&self, transformed: &Transformed, trace: &Arc<BatchTrace>, call: SpanContext) -> Step<()> {
        match transformed.outputs.as_slice() {
            [(port, batch)] => self.send(PortId::Out(*port), batch, trace),
            several => several.iter().try_for_each(|(port, batch)| self.send(PortId::Out(*port), batch, &self.batch(vec![call]))),
        }
    }
}

/// Runs an extract to its end, or until the run is asked to stop.
pub fn extract(worker: &mut Worker, mut stage: Box<dyn Extract>) -> Step<()> {
    while !worker.control.stopping() {
        let trace = worker.batch(Vec::new());
        let (next, _) = worker.call(Export::Next, About::New(&trace), || stage.next(), |next| (u64::from(next.is_some()), &[]))?;
        let Some(extracted) = next else {
            trace.void();
            break;
        };
        worker.ledger.batch_extracted();
        worker.send(PortId::Out(extracted.port), &extracted.batch, &trace)?;
    }
    Ok(())
}

/// Runs one instance of a transform until its inputs end.
pub fn transform(worker: &mut Worker, mut stage: Box<dyn Transform>, queue: &Queue, order: &Order) -> Step<()> {
    let mut held = Vec::new();
    while let Some(item) = queue.pop().map_err(|_| Ended)? {
        let process = || stage.process(item.input, &item.batch);
        let (transformed, call) = worker.call(Export::Process, About::Item(&item), process, |t| (t.outputs.len() as u64, &t.rejections))?;
        if transformed.outputs.is_empty() && held.len() < LINKS {
            held.push(call);
        }
        if !order.enter(item.ticket) {
            item.trace.throw_away();
            return Err(Ended);
        }
        let sent = worker.send_rejected(&item, &transformed.rejections).and_then(|()| worker.send_all(&transformed, &item.trace, call));
        order.leave(item.ticket);
        sent?;
    }
    loop {
        let trace = worker.batch(held.clone());
        let (held, call) = worker.call(
            Export::Finish,
            About::New(&trace),
            || stage.finish(),
            |held| (held.as_ref().map_or(0, |held| held.outputs.len() as u64), &[]),
        )?;
        let Some(transformed) = held else {
            trace.void();
            return Ok(());
        };
        worker.send_all(&transformed, &trace, call)?;
    }
}

/// Runs a load until its inputs end, and then commits, or not, with all others.
pub fn load(mut worker: Worker, mut stage: Box<dyn Load>, queue: &Queue) -> Step<Receipt> {
    while let Some(item) = queue.pop().map_err(|_| Ended)? {
        let write = || stage.write(item.input, &item.batch);
        let (rejections, _) = worker.call(Export::Write, About::Item(&item), write, |rejections| (0, rejections))?;
        worker.send_rejected(&item, &rejections)?;
    }
    // Another load may wait for this one's rejected rows to end before it is done itself.
    worker.outlets = Arc::new(Outlets::new(Vec::new()));
    worker.control.done();
    match worker.control.verdict() {
        Verdict::Commit => worker.call(Export::Commit, About::Run, || stage.commit(true), |_| (0, &[])).map(|(receipt, _)| receipt),
        Verdict::Abandon => Err(Ended),
    }
}
