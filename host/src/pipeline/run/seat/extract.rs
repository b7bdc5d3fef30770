//! An extract's seat. Another version goes on from the position of the last batch that the old one brought.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Part,
    renew::{self, Growth, RECYCLED},
};
use crate::{
    pipeline::{
        plan::PortId,
        run::{
            checkpoint::Request,
            post::{Candidate, Change},
            trial::{Phase, Trial},
            version::Serving,
            worker::{About, Failing, Step, Worker},
        },
        swap::Cause,
    },
    words::{
        call::CallError,
        observe::{BatchTrace, Export},
        stage::{Extract, Extracted, Receipt, Rejection},
    },
};

/// How long to wait before an extract that had nothing is asked again: doubled from one to the other.
const LEAST_PAUSE: Duration = Duration::from_millis(1);
const MOST_PAUSE: Duration = Duration::from_millis(100);

type Instance = Box<dyn Extract>;

struct Seat {
    worker: Worker,
    active: Serving<Instance>,
    on_trial: Option<OnTrial>,
    /// Of the last batch; none before the first.
    position: Option<Vec<u8>>,
    /// Calls in a row that failed and were made again.
    retries: u32,
    /// A call failed and is made again later.
    waiting: Option<Waiting>,
    growth: Growth,
}

/// The new version has taken over; this is the way back.
struct OnTrial {
    trial: Arc<Trial>,
    /// Whose version and observer those were; its instance is gone.
    old: Serving<()>,
    _part: Part,
}

/// Between a call that failed and the next one.
struct Waiting {
    until: Instant,
    error: CallError,
}

/// Runs an extract to its end, or until the run is asked to stop.
pub fn run(worker: Worker, serving: Serving<Instance>) -> Step<Option<Receipt>> {
    let mut seat = Seat { worker, active: serving, on_trial: None, position: None, retries: 0, waiting: None, growth: Growth::default() };
    let mut pause = LEAST_PAUSE;
    while !seat.worker.control.stopping() {
        if seat.worker.outlets.asked() && !seat.worker.outlets.turn() {
            // It was removed from the pipeline.
            break;
        }
        seat.boundary()?;
        // Held at a checkpoint that ends the run, it brings nothing more.
        if seat.worker.control.stopping() {
            break;
        }
        if !seat.waited()? {
            continue;
        }
        match seat.next()? {
            Next::Batch => pause = LEAST_PAUSE,
            Next::Nothing => {
                seat.worker.post.wait(pause);
                pause = (pause * 2).min(MOST_PAUSE);
            }
            Next::End => break,
        }
    }
    Ok(None)
}

enum Next {
    Batch,
    /// Nothing now.
    Nothing,
    End,
}

// === impl Seat ===

impl Seat {
    fn boundary(&mut self) -> Step<()> {
        match self.worker.post.take() {
            Some(Change::Swap(candidate)) => self.begin(candidate),
            Some(Change::Checkpoint(request)) => self.hold(request),
            // An extract has one instance: nobody asks it to leave.
            Some(Change::Leave) | None => {}
        }
        match self.on_trial.as_ref().map(|on| on.trial.phase()) {
            Some(Phase::RolledBack) => self.give_back()?,
            Some(Phase::Passed) => self.on_trial = None,
            _ => {}
        }
        if self.on_trial.is_none() && self.waiting.is_none() && self.growth.is_due(self.worker.policy.recycle()) {
            self.recycle();
        }
        Ok(())
    }

    /// Another instance goes on from the position of the last batch. Where that is not to be had, this one goes on.
    fn recycle(&mut self) {
        match self.reopen() {
            Ok(()) => self.worker.restarted(RECYCLED),
            Err(_) => self.growth.postpone(),
        }
    }

    /// Opens the version that serves anew, where its source goes on.
    fn reopen(&mut self) -> Result<(), CallError> {
        let source = &self.active.source;
        let position = match &self.position {
            None => source.opening.restore.clone(),
            Some(position) if position.is_empty() => return Err(CallError::Host(Cause::NoPosition.to_string())),
            position => position.clone(),
        };
        self.active.instance = source.open(position).and_then(super::of_kind::<Instance>)?;
        self.growth.renewed();
        Ok(())
    }

    /// Says where it stands, and waits until the checkpoint is over.
    fn hold(&mut self, request: Request) {
        let position = match &self.position {
            Some(position) if position.is_empty() => Err(CallError::Host(
                "the extract gives no position, so nothing could go on from a checkpoint; remove `checkpoint` from `[delivery]`".to_owned(),
            )),
            position => Ok(position.clone()),
        };
        request.answer(position, None);
    }

    fn begin(&mut self, candidate: Box<Candidate>) {
        let Some((mut candidate, part, began)) = super::begin(candidate, &self.active) else { return };
        let trial = Arc::clone(&candidate.trial);
        if self.position.is_some() {
            super::discard_ready(&mut candidate);
        }
        let position = match &self.position {
            Some(position) if position.is_empty() => Err(Cause::NoPosition),
            position => Ok(position.clone()),
        };
        match super::open::<Instance>(&mut candidate, || position) {
            Ok(instance) => {
                let new = Serving::new(instance, candidate.version, candidate.calls, candidate.source);
                let old = super::replace(&mut self.active, new, &trial, began);
                self.on_trial = Some(OnTrial { trial, old, _part: part });
                // What the old version could not do, the new one has not tried.
                (self.retries, self.waiting) = (0, None);
            }
            Err(cause) => trial.roll_back(cause),
        }
    }

    /// The old version goes on where the new one has come to.
    fn give_back(&mut self) -> Step<()> {
        let Some(on) = self.on_trial.take() else { return Ok(()) };
        let began = Instant::now();
        let reopened = on.old.source.open(self.position.clone()).and_then(super::of_kind::<Instance>);
        let instance = reopened.map_err(|error| self.worker.fail("open", None, error))?;
        super::bring_back(&mut self.active, on.old, instance, &on.trial, began);
        Ok(())
    }

    fn next(&mut self) -> Step<Next> {
        let trace = self.worker.batch(Vec::new());
        let (export, about) = (Export::Next, About::New(&trace));
        let failing = if self.on_trial.is_some() { Failing::IsMadeAgain } else { self.worker.failing() };
        let made = self.worker.make(&mut self.active, (export, about, failing), |stage| stage.next(), brought);
        if let (Some(on), cost) = (&self.on_trial, made.cost) {
            if let Err(error) = &made.outcome {
                on.trial.roll_back(Cause::Failed { export: export.as_str(), error: error.clone() });
                trace.void();
                return self.give_back().map(|()| Next::Batch);
            }
            on.trial.saw(Phase::Guard, None, Some(&cost));
        }
        self.growth.saw(made.cost.memory);
        if let (Err(error), true) = (&made.outcome, made.open) {
            let error = error.clone();
            return self.try_again(error, &trace);
        }
        self.retries = 0;
        let (next, _) = self.worker.or_fail(export, about, made)?;
        let Some(extracted) = next else {
            trace.void();
            return Ok(Next::End);
        };
        self.position = Some(extracted.position);
        if extracted.batch.num_rows() == 0 {
            trace.void();
            return Ok(Next::Nothing);
        }
        self.worker.control.batch_extracted();
        self.worker.send(PortId::Out(extracted.port), &extracted.batch, &trace)?;
        Ok(Next::Batch)
    }

    /// A call failed: after a while it is made again, if that can help and has not been done too often.
    fn try_again(&mut self, error: CallError, trace: &BatchTrace) -> Step<Next> {
        let on_error = self.worker.policy.on_error();
        let fail = |error: CallError| {
            trace.fail();
            self.worker.fail(Export::Next.as_str(), None, error)
        };
        if !error.may_pass() {
            return Err(fail(error));
        }
        if self.retries >= on_error.retry {
            let tries = self.retries + 1;
            return Err(fail(if tries > 1 { error.given_up(format!("tried {tries} times")) } else { error }));
        }
        trace.void();
        let until = Instant::now() + on_error.pause(self.retries);
        self.retries += 1;
        self.waiting = Some(Waiting { until, error });
        Ok(Next::Batch)
    }

    /// Waits a little before a call is made again; in between, a stop, a swap or a checkpoint is seen. Answers whether it is time.
    fn waited(&mut self) -> Step<bool> {
        let Some(Waiting { until, error }) = self.waiting.take() else { return Ok(true) };
        let left = until.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            self.worker.post.wait(left.min(MOST_PAUSE));
            self.waiting = Some(Waiting { until, error });
            return Ok(false);
        }
        if error.poisons() {
            let reason = renew::reason(&error);
            self.reopen().map_err(|worse| self.worker.fail("open", None, error.given_up(format!("and another instance: {worse}"))))?;
            self.worker.restarted(reason);
        }
        Ok(true)
    }
}

/// Batches that a call brought. None was rejected: that is for those who take them.
fn brought(next: &Option<Extracted>) -> (u64, &[Rejection]) {
    (u64::from(next.as_ref().is_some_and(|next| next.batch.num_rows() > 0)), &[])
}
