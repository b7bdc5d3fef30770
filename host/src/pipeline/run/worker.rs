//! What the threads of a run do: one instance of one stage each.

use std::sync::Arc;

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
        stage::{Extract, Load, Receipt, Rejection, Transform, Transformed},
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
    /// The run's ledger.
    pub ledger: Arc<Ledger>,
    /// The stage's ways out.
    pub outlets: Arc<Outlets>,
}

/// The run ended early; whoever ended it has said why.
pub struct Ended;

type Step<T> = Result<T, Ended>;

impl Worker {
    fn fail(&self, during: &'static str, batch: Option<u64>, error: CallError) -> Ended {
        self.control.fail(Failure { stage: self.name.clone(), during, batch, error });
        Ended
    }

    /// Enters a call in the ledger and takes its outcome; a failure ends the run.
    fn settle<T>(&self, call: Call<T>, during: &'static str, item: Option<&Item>, seen: impl FnOnce(&T) -> (u64, &[Rejection])) -> Step<T> {
        let (batches_out, rejections) = call.outcome.as_ref().map_or((0, &[][..]), seen);
        let entry =
            Entry { usage: &call.usage, failed: call.outcome.is_err(), arrived: item.map(|item| (item.input, item.waited)), batches_out };
        self.ledger.enter(self.stage, &entry, rejections.iter().map(|rejection| rejection.reason.as_str()));
        call.outcome.map_err(|error| self.fail(during, item.map(|item| item.ticket), error))
    }

    fn send(&self, port: PortId, batch: &Arc<RecordBatch>) -> Step<()> {
        self.outlets.send(port, batch).map_err(|_| Ended)
    }

    fn send_rejected(&self, given: &RecordBatch, rejections: &[Rejection]) -> Step<()> {
        if rejections.is_empty() || !self.outlets.taken(PortId::Rejected) {
            return Ok(());
        }
        let batch = rejections::batch(given, &self.name, rejections);
        let batch = batch.map_err(|error| self.fail("rejected", None, CallError::Host(error.to_string())))?;
        self.send(PortId::Rejected, &Arc::new(batch))
    }

    fn send_all(&self, transformed: &Transformed) -> Step<()> {
        transformed.outputs.iter().try_for_each(|(port, batch)| self.send(PortId::Out(*port), batch))
    }
}

/// Runs an extract to its end, or until the run is asked to stop.
pub fn extract(worker: &Worker, mut stage: Box<dyn Extract>) -> Step<()> {
    while !worker.control.stopping() {
        let next = worker.settle(stage.next(), "next", None, |next| (u64::from(next.is_some()), &[]))?;
        let Some(extracted) = next else { break };
        worker.ledger.batch_extracted();
        worker.send(PortId::Out(extracted.port), &extracted.batch)?;
    }
    Ok(())
}

/// Runs one instance of a transform until its inputs end.
pub fn transform(worker: &Worker, mut stage: Box<dyn Transform>, queue: &Queue, order: &Order) -> Step<()> {
    while let Some(item) = queue.pop().map_err(|_| Ended)? {
        let call = stage.process(item.input, &item.batch);
        let transformed = worker.settle(call, "process", Some(&item), |t| (t.outputs.len() as u64, &t.rejections))?;
        if !order.enter(item.ticket) {
            return Err(Ended);
        }
        let sent = worker.send_rejected(&item.batch, &transformed.rejections).and_then(|()| worker.send_all(&transformed));
        order.leave(item.ticket);
        sent?;
    }
    while let Some(held) =
        worker.settle(stage.finish(), "finish", None, |held| (held.as_ref().map_or(0, |t| t.outputs.len() as u64), &[]))?
    {
        worker.send_all(&held)?;
    }
    Ok(())
}

/// Runs a load until its inputs end, and then commits, or not, with all others.
pub fn load(mut worker: Worker, mut stage: Box<dyn Load>, queue: &Queue) -> Step<Receipt> {
    while let Some(item) = queue.pop().map_err(|_| Ended)? {
        let call = stage.write(item.input, &item.batch);
        let rejections = worker.settle(call, "write", Some(&item), |rejections| (0, rejections))?;
        worker.send_rejected(&item.batch, &rejections)?;
    }
    // Another load may wait for this one's rejected rows to end before it is done itself.
    worker.outlets = Arc::new(Outlets::new(Vec::new()));
    worker.control.done();
    match worker.control.verdict() {
        Verdict::Commit => worker.settle(stage.commit(true), "commit", None, |_| (0, &[])),
        Verdict::Abandon => Err(Ended),
    }
}
