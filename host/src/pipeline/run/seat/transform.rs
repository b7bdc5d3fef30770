//! A transform's seat, and the trial of another version in it.

mod taker;

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Part,
    bisect::Failed,
    policy::{self, Saved},
    renew::{Growth, Memory, RECYCLED},
    replay::Replay,
};
use crate::{
    pipeline::{
        run::{
            order::Order,
            post::{Candidate, Change},
            queue::{Item, Queue, Taken},
            trial::{Phase, Trial},
            version::Serving,
            worker::{About, Cost, Ended, Failing, Made, Step, Worker},
        },
        swap::Cause,
    },
    words::{
        batch,
        call::{Call, CallError},
        observe::{BatchTrace, Export},
        stage::{Receipt, Rejection, Transform, Transformed},
        trace::SpanContext,
    },
};

/// Batches that one which is put out at the end is linked to; a trace with more is not readable any more.
const LINKS: usize = 32;

type Instance = Box<dyn Transform>;

struct Seat<'a> {
    worker: Worker,
    /// Whose answers go on.
    active: Serving<Instance>,
    on_trial: Option<OnTrial>,
    order: &'a Order,
    /// Calls whose rows are held.
    held: Vec<SpanContext>,
    /// What the version that serves remembers.
    memory: Memory,
    growth: Growth,
}

/// Another version in the same seat.
struct OnTrial {
    trial: Arc<Trial>,
    /// The new version; once it has taken over, the old one.
    other: Option<Serving<Instance>>,
    took_over: bool,
    /// The old version remembers: what the new one answers for is kept.
    replay: Option<Replay>,
    /// How long the change has held the seat up so far.
    pause: Duration,
    _part: Part,
}

/// What the stage held at the end: batches with their traces and the calls that put them out.
type Held = Vec<PutOut>;
type PutOut = (Transformed, Arc<BatchTrace>, SpanContext);

/// Runs a transform until its inputs end or it is asked to leave.
pub fn run(worker: Worker, serving: Serving<Instance>, queue: &Queue, order: &Order) -> Step<Option<Receipt>> {
    let memory = Memory::new(&serving.source, queue.bound());
    let mut seat = Seat { worker, active: serving, on_trial: None, order, held: Vec::new(), memory, growth: Growth::default() };
    let mut seen = 0;
    while seat.boundary()? {
        match queue.pop(&mut seen).map_err(|_| Ended)? {
            Taken::Item(item) => seat.take(&item)?,
            Taken::Nudged => {}
            Taken::Rewired(ticket) => seat.rewire(ticket)?,
            Taken::End => break,
        }
    }
    seat.finish()?;
    Ok(None)
}

// === impl Seat ===

impl Seat<'_> {
    /// Does what was left in the post and what the trial asks for. Answers whether to go on.
    fn boundary(&mut self) -> Step<bool> {
        match self.worker.post.take() {
            Some(Change::Swap(candidate)) => self.begin(candidate),
            Some(Change::Leave) => return Ok(false),
            Some(Change::Checkpoint(request)) => {
                // A trial that is over may not have been looked at yet.
                self.follow()?;
                let state = self.active.instance.snapshot().outcome;
                request.answer(state.map(|state| Some(state).filter(|state| !state.is_empty())), None);
            }
            None => {}
        }
        self.follow()?;
        if self.on_trial.is_none() && self.growth.is_due(self.worker.policy.recycle()) {
            self.recycle()?;
        }
        Ok(true)
    }

    /// Another instance goes on with what this one remembers. Where none is to be had, this one goes on.
    fn recycle(&mut self) -> Step<()> {
        self.memory.moved_on();
        if let Err(error) = self.memory.ready(&mut self.active.instance) {
            if error.poisons() {
                return Err(self.worker.fail("snapshot", None, error));
            }
            self.growth.postpone();
            return Ok(());
        }
        match self.memory.succeed(&mut self.active) {
            Ok(()) => {
                self.growth.renewed();
                self.worker.restarted(RECYCLED);
            }
            Err(_) => self.growth.postpone(),
        }
        Ok(())
    }

    /// Load beside: the new version is opened, with the state of the old one where there is any.
    fn begin(&mut self, candidate: Box<Candidate>) {
        let Some((mut candidate, part, began)) = super::begin(candidate, &self.active) else { return };
        let trial = Arc::clone(&candidate.trial);
        let stateful = candidate.ready.is_none();
        let instance = &mut self.active.instance;
        match super::open::<Instance>(&mut candidate, || instance.snapshot().outcome.map(Some).map_err(Cause::Snapshot)) {
            Ok(instance) => {
                let other = Some(Serving::new(instance, candidate.version, candidate.calls, candidate.source));
                let replay = stateful.then(|| Replay::new(candidate.replay_bytes));
                self.on_trial = Some(OnTrial { trial, other, took_over: false, replay, pause: began.elapsed(), _part: part });
            }
            Err(cause) => trial.roll_back(cause),
        }
    }

    /// Switches, or switches back, as the trial's phase says.
    fn follow(&mut self) -> Step<()> {
        let Some(on) = &mut self.on_trial else { return Ok(()) };
        let phase = on.trial.phase();
        let another_serves = match phase {
            Phase::Guard | Phase::Passed if !on.took_over => {
                on.take_over(&mut self.active);
                true
            }
            Phase::RolledBack if on.took_over => {
                if let Err(error) = on.give_back(&mut self.active) {
                    return Err(self.worker.fail(Export::Process.as_str(), None, error));
                }
                true
            }
            _ => false,
        };
        if another_serves {
            self.memory.forget(&self.active.source);
            self.growth = Growth::default();
        }
        if phase.is_last() {
            self.on_trial = None;
        }
        Ok(())
    }

    /// Takes a batch and sends on what comes of it, in the order in which batches were taken.
    fn take(&mut self, item: &Item) -> Step<()> {
        self.worker.taps.arrived(item.input, &item.batch, &item.trace);
        let saved = self.answer(item)?;
        if let Some((_, call)) = saved.as_ref().filter(|(saved, _)| saved.outputs.is_empty() && self.held.len() < LINKS) {
            self.held.push(*call);
        }
        if !self.order.enter(item.ticket) {
            item.trace.throw_away();
            return Err(Ended);
        }
        let worker = &self.worker;
        let send = |(transformed, call): &(Transformed, _)| {
            worker.send_rejected(item, &transformed.rejections).and_then(|()| worker.send_all(transformed, &item.trace, *call))
        };
        let sent = saved.as_ref().map_or(Ok(()), send);
        self.order.leave(item.ticket);
        sent
    }

    /// What is put out for all batches that were taken later goes the new ways.
    fn rewire(&mut self, ticket: u64) -> Step<()> {
        if !self.order.enter(ticket) {
            return Err(Ended);
        }
        self.worker.outlets.turn();
        self.order.leave(ticket);
        Ok(())
    }

    /// The answer of the version that serves, as far as there is one.
    fn serve(&mut self, item: &Item) -> Step<Made<Transformed>> {
        let failing = self.worker.failing();
        match failing {
            Failing::IsHandled => {
                let ready = self.memory.ready(&mut self.active.instance);
                ready.map_err(|error| self.worker.fail("snapshot", Some(item.ticket), error))?;
            }
            _ => self.memory.moved_on(),
        }
        let made = process(&self.worker, &mut self.active, item, failing);
        self.growth.saw(made.cost.memory);
        if made.outcome.is_ok() && failing == Failing::IsHandled {
            self.memory.took(self.active.version.input(item.input), &item.batch);
            self.worker.policy.went_well();
        }
        Ok(made)
    }

    /// What goes on of a batch on which the version that serves has answered, or failed.
    fn save(&mut self, item: &Item, made: Made<Transformed>) -> Step<Saved<Transformed>> {
        match made.outcome {
            Err(error) if made.open => policy::handle(self, item, Failed { error, call: made.context }),
            _ => self.worker.or_fail(Export::Process, About::Item(item), made).map(Some),
        }
    }

    /// The answer that goes on: of the version that serves, or of the one that is tried. Where that fails, the other answers.
    fn answer(&mut self, item: &Item) -> Step<Saved<Transformed>> {
        let Some(on) = &mut self.on_trial else {
            let made = self.serve(item)?;
            return self.save(item, made);
        };
        let phase = on.trial.phase();
        match phase {
            Phase::Shadow => self.answer_beside(item, phase),
            Phase::Canary if !on.trial.chooses(item.ticket) => self.answer_beside(item, phase),
            Phase::Canary | Phase::Guard if on.took_over == (phase == Phase::Guard) => {
                let tried = if on.took_over { Some(&mut self.active) } else { on.other.as_mut() };
                let Some(made) = tried.map(|tried| process(&self.worker, tried, item, Failing::IsMadeAgain)) else {
                    return Err(Ended);
                };
                if let Err(error) = &made.outcome {
                    on.trial.roll_back(Cause::Failed { export: Export::Process.as_str(), error: error.clone() });
                    return self.follow().and_then(|()| self.answer(item));
                }
                on.remember(item);
                on.trial.saw(phase, None, Some(&made.cost));
                self.worker.or_fail(Export::Process, About::Item(item), made).map(Some)
            }
            // Another instance has ended the phase in the meantime.
            _ => self.follow().and_then(|()| self.answer(item)),
        }
    }

    /// The answer of the version that serves, while another is tried. Where its own policy has to act, the other has come at a bad time.
    fn answer_beside(&mut self, item: &Item, phase: Phase) -> Step<Saved<Transformed>> {
        let made = self.serve(item)?;
        let Some(on) = &mut self.on_trial else { return Err(Ended) };
        match &made.outcome {
            Ok(transformed) if phase == Phase::Shadow => on.shadow(item, transformed, &made.cost),
            Err(_) if made.open => {
                on.trial.roll_back(Cause::Disturbed);
                self.follow()?;
            }
            _ if phase == Phase::Canary => on.trial.saw(phase, Some(&made.cost), None),
            _ => {}
        }
        self.save(item, made)
    }

    /// The inputs have ended: what the stage still holds goes on.
    fn finish(&mut self) -> Step<()> {
        if let Some(on) = self.on_trial.as_ref().filter(|on| !on.took_over) {
            on.trial.roll_back(Cause::Ended);
        }
        self.follow()?;
        if let Some(held) = self.finish_guarded()? {
            self.on_trial = None;
            return held.iter().try_for_each(|(transformed, trace, call)| self.worker.send_all(transformed, trace, *call));
        }
        while let Some((transformed, trace, call)) = self.held_or_fail()? {
            self.worker.send_all(&transformed, &trace, call)?;
        }
        Ok(())
    }

    /// All that the new version holds, as long as there is an old one that could answer instead. Nothing when there is none, or
    /// when the new one failed and has given back.
    fn finish_guarded(&mut self) -> Step<Option<Held>> {
        if self.on_trial.is_none() {
            return Ok(None);
        }
        let (mut all, mut bytes) = (Held::new(), 0);
        loop {
            match self.held(Failing::IsMadeAgain)? {
                Ok(Some(held)) => {
                    bytes += held.0.outputs.iter().map(|(_, batch)| batch::size(batch)).sum::<u64>();
                    all.push(held);
                }
                Ok(None) => return Ok(Some(all)),
                Err(error) => {
                    all.iter().for_each(|(_, trace, _)| trace.void());
                    if let Some(on) = &self.on_trial {
                        on.trial.roll_back(Cause::Failed { export: Export::Finish.as_str(), error });
                    }
                    self.follow()?;
                    return Ok(None);
                }
            }
            if self.on_trial.as_ref().is_some_and(|on| on.replay.as_ref().is_some_and(|replay| replay.is_exceeded_by(bytes))) {
                // Too much to hold back: from here on there is no way back.
                self.on_trial = None;
                let held = mem::take(&mut all);
                held.iter().try_for_each(|(transformed, trace, call)| self.worker.send_all(transformed, trace, *call))?;
                return Ok(None);
            }
        }
    }

    /// What the stage still holds. A call that may go well later is made again; all rows have been taken, so there is nothing else that a
    /// policy could do.
    fn held_or_fail(&mut self) -> Step<Option<PutOut>> {
        let on_error = self.worker.policy.on_error();
        for retry in 0..on_error.retry {
            match self.held(Failing::IsHandled)? {
                Ok(held) => return Ok(held),
                Err(error) if error.may_pass() && !error.poisons() => {
                    if !self.worker.control.pause(on_error.pause(retry)) {
                        return Err(Ended);
                    }
                }
                Err(error) => return Err(self.worker.fail(Export::Finish.as_str(), None, error)),
            }
        }
        // A failure has ended the run before this could see it.
        self.held(Failing::Ends)?.map_err(|_| Ended)
    }

    /// One call of `finish`: what it put out, nothing when it holds nothing more, or its failure where that is to be made good.
    fn held(&mut self, failing: Failing) -> Step<Result<Option<PutOut>, CallError>> {
        let trace = self.worker.batch(self.held.clone());
        let (export, about) = (Export::Finish, About::New(&trace));
        let made = self.worker.make(&mut self.active, (export, about, failing), |stage| stage.finish(), put_out);
        let made = match made.outcome {
            Err(error) if failing != Failing::Ends => {
                trace.void();
                return Ok(Err(error));
            }
            _ => made,
        };
        let (held, call) = self.worker.or_fail(export, about, made)?;
        if held.is_none() {
            trace.void();
        }
        Ok(Ok(held.map(|transformed| (transformed, trace, call))))
    }
}

fn process(worker: &Worker, serving: &mut Serving<Instance>, item: &Item, failing: Failing) -> Made<Transformed> {
    let input = serving.version.input(item.input);
    worker.make(serving, (Export::Process, About::Item(item), failing), |stage| stage.process(input, &item.batch), answered)
}

/// Batches that came out of a call, and rows that it rejected.
fn answered(transformed: &Transformed) -> (u64, &[Rejection]) {
    (transformed.outputs.len() as u64, &transformed.rejections)
}

/// Batches that a call of `finish` put out; it rejects nothing.
fn put_out(held: &Option<Transformed>) -> (u64, &[Rejection]) {
    (held.as_ref().map_or(0, |held| held.outputs.len() as u64), &[])
}

// === impl OnTrial ===

impl OnTrial {
    /// The switch: from now on the new version's answers go on.
    fn take_over(&mut self, active: &mut Serving<Instance>) {
        let began = Instant::now();
        if let Some(other) = &mut self.other {
            mem::swap(active, other);
        }
        self.took_over = true;
        self.trial.took_over(began, self.pause + began.elapsed());
    }

    /// The way back: the old version is given what it missed, and its answers, which have gone on already, are left.
    fn give_back(&mut self, active: &mut Serving<Instance>) -> Result<(), CallError> {
        let began = Instant::now();
        if let Some(mut old) = self.other.take() {
            for (input, batch) in self.replay.iter_mut().flat_map(Replay::give) {
                let Call { outcome, .. } = old.instance.process(input, &batch);
                outcome?;
            }
            self.other = Some(mem::replace(active, old));
        }
        self.trial.gave_back(began);
        Ok(())
    }

    /// The new version works on the same frame; its answer is compared and thrown away.
    fn shadow(&mut self, item: &Item, expected: &Transformed, cost: &Cost) {
        let Some(new) = &mut self.other else { return };
        let Call { outcome, usage } = new.instance.process(item.input, &item.batch);
        match outcome {
            Err(error) => self.trial.roll_back(Cause::Failed { export: Export::Process.as_str(), error }),
            Ok(answer) => {
                if let Some(what) = difference(expected, &answer) {
                    self.trial.diverged(item.trace.sequence, what);
                }
                self.trial.saw(Phase::Shadow, Some(cost), Some(&Cost::of(&usage)));
            }
        }
    }

    fn remember(&mut self, item: &Item) {
        let full = self.took_over && self.replay.as_mut().is_some_and(|replay| !replay.keep(item.input, &item.batch));
        if full {
            self.trial.guarded_enough();
        }
    }
}

impl Drop for OnTrial {
    fn drop(&mut self) {
        if let Some(other) = self.other.take() {
            self.trial.retire(Box::new(other));
        }
    }
}

/// What is different between two answers, in a few words.
fn difference(old: &Transformed, new: &Transformed) -> Option<String> {
    if old.rejections != new.rejections {
        let (was, is) = (old.rejections.len(), new.rejections.len());
        return Some(if was == is { format!("other rejections ({is} rows)") } else { format!("{is} rejected rows instead of {was}") });
    }
    let rows = |answer: &Transformed| answer.outputs.iter().map(|(_, batch)| batch.num_rows()).sum::<usize>();
    if rows(old) != rows(new) || old.outputs.len() != new.outputs.len() {
        let count = |answer: &Transformed| format!("{} rows in {} batches", rows(answer), answer.outputs.len());
        return Some(format!("{} instead of {}", count(new), count(old)));
    }
    let differs = |((old_port, old), (new_port, new)): (&(u32, _), &(u32, _))| old_port != new_port || old != new;
    let (at, (_, was)) = old.outputs.iter().enumerate().find(|(at, output)| differs((output, &new.outputs[*at])))?;
    let is = &new.outputs[at].1;
    let column = was.columns().iter().zip(is.columns()).position(|(was, is)| was != is);
    Some(match column {
        Some(column) => format!("other values in column `{}`", was.schema_ref().field(column).name()),
        None => "another port or schema".to_owned(),
    })
}
