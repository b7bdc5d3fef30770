//! A load's seat. Another version takes over after the old one has committed what it took.

use std::{sync::Arc, time::Instant};

use super::{
    Part,
    bisect::Failed,
    policy::{self, Taker},
    replay::Replay,
};
use crate::{
    pipeline::{
        run::{
            checkpoint::Request,
            control::Verdict,
            outlets::Outlets,
            post::{Candidate, Change},
            queue::{Item, Queue, Taken},
            trial::{Phase, Trial},
            version::{Serving, Version},
            worker::{self, About, Ended, Failing, Made, Step, Worker},
        },
        swap::Cause,
    },
    words::{
        call::CallError,
        observe::Export,
        stage::{Load, Receipt, Rejection},
    },
};

type Instance = Box<dyn Load>;

struct Seat {
    worker: Worker,
    active: Serving<Instance>,
    on_trial: Option<OnTrial>,
    /// What versions before this one have made durable.
    receipt: Option<Receipt>,
}

/// The new version has taken over; this is the way back.
struct OnTrial {
    trial: Arc<Trial>,
    /// What the old version remembered when it went.
    state: Vec<u8>,
    /// What the new version has taken since, none of it committed.
    replay: Replay,
    old: Serving<()>,
    _part: Part,
}

/// Runs a load until its inputs end, and then commits, or not, with all others.
pub fn run(worker: Worker, serving: Serving<Instance>, queue: &Queue) -> Step<Receipt> {
    let mut seat = Seat { worker, active: serving, on_trial: None, receipt: None };
    let mut seen = 0;
    loop {
        seat.boundary()?;
        match queue.pop(&mut seen).map_err(|_| Ended)? {
            Taken::Item(item) => {
                seat.worker.taps.arrived(item.input, &item.batch, &item.trace);
                seat.take(&item)?;
            }
            Taken::Nudged => {}
            // What it rejects from now on goes the new ways.
            Taken::Rewired(_) => drop(seat.worker.outlets.turn()),
            Taken::End => break,
        }
    }
    seat.on_trial = None;
    // Another load may wait for this one's rejected rows to end before it is done itself.
    seat.worker.outlets = Arc::new(Outlets::new(Vec::new()));
    seat.worker.control.done();
    let worker = &seat.worker;
    let (control, post, removed) = (Arc::clone(&worker.control), Arc::clone(&worker.post), Arc::clone(&worker.removed));
    loop {
        match control.verdict(&removed, || post.asks_for_checkpoint()) {
            Some(Verdict::Commit) => return seat.commit(true),
            Some(Verdict::Abandon) => return Err(Ended),
            None => seat.boundary()?,
        }
    }
}

// === impl Seat ===

impl Seat {
    fn boundary(&mut self) -> Step<()> {
        match self.worker.post.take() {
            Some(Change::Swap(candidate)) => self.begin(candidate)?,
            Some(Change::Checkpoint(request)) => {
                self.follow()?;
                self.prepare(request)?;
            }
            // A load has one instance that commits: nobody asks it to leave.
            Some(Change::Leave) | None => {}
        }
        self.follow()
    }

    fn follow(&mut self) -> Step<()> {
        match self.on_trial.as_ref().map(|on| on.trial.phase()) {
            Some(Phase::RolledBack) => self.give_back(),
            Some(Phase::Passed) => {
                self.on_trial = None;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Commits what it took, and says what it remembers beyond that.
    fn prepare(&mut self, request: Request) -> Step<()> {
        let receipt = self.commit(false)?;
        self.receipt = Some(receipt.clone());
        let state = self.active.instance.snapshot().outcome;
        request.answer(state.map(|state| Some(state).filter(|state| !state.is_empty())), Some(receipt));
        Ok(())
    }

    /// The old version commits what it took, so that the new one can be given what it remembers beyond that. Where the new one cannot
    /// be opened, the old one goes on: a commit that is not its last has changed nothing for it.
    fn begin(&mut self, candidate: Box<Candidate>) -> Step<()> {
        let Some((mut candidate, part, began)) = super::begin(candidate, &self.active) else { return Ok(()) };
        let trial = Arc::clone(&candidate.trial);
        let receipt = self.commit(false)?;
        self.receipt = Some(receipt);
        let state = match self.active.instance.snapshot().outcome {
            Ok(state) => state,
            Err(error) => {
                trial.roll_back(Cause::Snapshot(error));
                return Ok(());
            }
        };
        if !state.is_empty() {
            super::discard_ready(&mut candidate);
        }
        let instance = match super::open::<Instance>(&mut candidate, || Ok(Some(state.clone()))) {
            Ok(instance) => instance,
            Err(cause) => {
                trial.roll_back(cause);
                return Ok(());
            }
        };
        let new = Serving::new(instance, candidate.version, candidate.calls, candidate.source);
        let old = super::replace(&mut self.active, new, &trial, began);
        let replay = Replay::new(candidate.replay_bytes);
        self.on_trial = Some(OnTrial { trial, state, replay, old, _part: part });
        Ok(())
    }

    /// The old version is opened anew and given what the new one took and never committed.
    fn give_back(&mut self) -> Step<()> {
        let Some(mut on) = self.on_trial.take() else { return Ok(()) };
        let began = Instant::now();
        let instance = reopened(&mut on).map_err(|error| self.worker.fail("open", None, error))?;
        super::bring_back(&mut self.active, on.old, instance, &on.trial, began);
        Ok(())
    }

    fn take(&mut self, item: &Item) -> Step<()> {
        let about = About::Item(item);
        let failing = if self.on_trial.is_some() { Failing::IsMadeAgain } else { self.worker.failing() };
        let input = self.active.version.input(item.input);
        let write = |stage: &mut Instance| stage.write(input, &item.batch);
        let made = self.worker.make(&mut self.active, (Export::Write, about, failing), write, |rejections| (0, rejections));
        if let (Some(on), cost) = (&mut self.on_trial, made.cost) {
            if let Err(error) = &made.outcome {
                on.trial.roll_back(Cause::Failed { export: Export::Write.as_str(), error: error.clone() });
                return self.give_back().and_then(|()| self.take(item));
            }
            if !on.replay.keep(item.input, &item.batch) {
                on.trial.guarded_enough();
            }
            on.trial.saw(Phase::Guard, None, Some(&cost));
        }
        if let (Err(error), true) = (&made.outcome, made.open) {
            let failed = Failed { error: error.clone(), call: made.context };
            return match policy::handle(self, item, failed)? {
                Some((rejections, _)) => self.worker.send_rejected(item, &rejections),
                None => Ok(()),
            };
        }
        let (rejections, _) = self.worker.or_fail(Export::Write, about, made)?;
        if failing == Failing::IsHandled {
            self.worker.policy.went_well();
        }
        self.worker.send_rejected(item, &rejections)
    }

    /// Commits, and adds what has been committed before.
    fn commit(&mut self, last: bool) -> Step<Receipt> {
        let call = (Export::Commit, About::Run);
        let (receipt, _) = self.worker.call(&mut self.active, call, |stage| stage.commit(last), |_| (0, &[]))?;
        let before = self.receipt.take().map_or(0, |before| before.rows);
        Ok(Receipt { rows: before + receipt.rows, ..receipt })
    }
}

impl Taker for Seat {
    type Answer = Vec<Rejection>;
    const EXPORT: Export = Export::Write;

    fn worker(&self) -> &Worker {
        &self.worker
    }

    fn version(&self) -> &Arc<Version> {
        &self.active.version
    }

    fn call(&mut self, part: worker::Part<'_>) -> Made<Vec<Rejection>> {
        let call = (Export::Write, About::Part(part), Failing::IsHandled);
        let input = self.active.version.input(part.item.input);
        let write = |stage: &mut Instance| stage.write(input, part.batch);
        self.worker.make(&mut self.active, call, write, |rejections| (0, rejections))
    }

    /// What it has taken is its own until it commits: no other instance could go on.
    fn recover(&mut self, error: &CallError) -> Result<(), CallError> {
        match error.poisons() {
            true => Err(CallError::Host("what the load has taken and not committed is gone with its instance".into())),
            false => Ok(()),
        }
    }

    fn went_on(&mut self) -> Result<(), CallError> {
        Ok(())
    }

    fn join(parts: Vec<(usize, Vec<Rejection>)>) -> Result<Vec<Rejection>, CallError> {
        Ok(parts.into_iter().flat_map(|(first, rejections)| policy::moved(rejections, first)).collect())
    }
}

fn reopened(on: &mut OnTrial) -> Result<Instance, CallError> {
    let mut instance = on.old.source.open(Some(on.state.clone())).and_then(super::of_kind::<Instance>)?;
    for (input, batch) in on.replay.give() {
        instance.write(input, &batch).outcome?;
    }
    Ok(instance)
}
