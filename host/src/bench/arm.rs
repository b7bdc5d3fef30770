//! One way of calling a stage, and turns of such arms.

use std::{
    hint::black_box,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::{
    rows::Batches,
    watch::{PAUSE, Watch},
};
use crate::{
    measure::Rounds,
    words::{
        call::CallError,
        observe::{BatchTrace, CallFacts, CallObserver, Export, WorkerFacts},
        stage::{Component, Opening, Transform},
        trace,
        usage::Usage,
    },
};

/// Calls of one turn at most: less than half of what any buffer of spans takes.
const CALLS: usize = 400;
/// Spans, after which backgrounds are let catch up.
const BURST: usize = 4_000;
/// Rounds at least: fewer have no interval. And at most: more say nothing new.
const ROUNDS: std::ops::RangeInclusive<usize> = 9..=250;
/// A turn that is shorter is lost in the clock's own cost, and one that is longer meets other disturbances than its neighbours.
const TURN: (f64, f64) = (200e-6, 8e-3);

/// A call that failed, and in which export.
#[derive(Debug, thiserror::Error)]
#[error("stage `{stage}` failed in `{during}`: {error}")]
pub struct Failed {
    /// The stage.
    pub stage: String,
    /// The export.
    pub during: &'static str,
    /// Why.
    pub error: CallError,
}

/// A stage, opened in one runtime and watched in one way.
pub struct Arm<'a> {
    component: Arc<dyn Component>,
    opening: &'a Opening,
    /// Whether it is opened anew for every turn: it remembers, and what it remembers shall not grow from turn to turn.
    stateful: bool,
    instance: Box<dyn Transform>,
    watch: &'a Watch,
    calls: Box<dyn CallObserver>,
    sequence: u64,
}

/// What was measured of some arms on the same batches.
pub struct Turns {
    /// Seconds of a call, by arm.
    pub rounds: Rounds,
    /// Calls of a turn.
    pub calls: usize,
}

impl<'a> Arm<'a> {
    /// Opens the stage.
    pub fn open(component: Arc<dyn Component>, opening: &'a Opening, watch: &'a Watch) -> Result<Self, Failed> {
        let failed = |error| Failed { stage: opening.stage.clone(), during: "open", error };
        let stateful = component.description().map_err(failed)?.stateful;
        let instance = component.open_transform(opening).outcome.map_err(failed)?.0;
        let calls = watch.observer.worker(&WorkerFacts { stage: 0, instance: 0, generation: 1 });
        Ok(Arm { component, opening, stateful, instance, watch, calls, sequence: 0 })
    }

    /// A batch, from its beginning until nobody holds it any more, as a worker of a run has it.
    pub fn call(&mut self, batches: &Batches) -> Result<Usage, Failed> {
        let (input, batch) = batches.nth(self.sequence);
        self.sequence += 1;
        let batch_trace = Arc::new(BatchTrace::begin(&self.watch.observer, self.sequence, 0, Vec::new()));
        let (export, waited) = (Export::Process, Duration::ZERO);
        let context = self.calls.begin(export, Some(&batch_trace));
        let call = {
            let _within = trace::within(context);
            self.instance.process(input, black_box(batch))
        };
        let (usage, error) = (&call.usage, call.outcome.as_ref().err());
        self.calls.end(&CallFacts {
            context,
            export,
            batch: Some(&batch_trace),
            input,
            usage,
            error,
            waited,
            batches_out: 1,
            again: None,
            handled: false,
        });
        let during = export.as_str();
        black_box(call.outcome).map_err(|error| Failed { stage: self.opening.stage.clone(), during, error })?;
        Ok(call.usage)
    }

    /// Some calls; answers the seconds of one.
    fn turn(&mut self, batches: &Batches, calls: usize) -> Result<f64, Failed> {
        if self.stateful {
            let failed = |error| Failed { stage: self.opening.stage.clone(), during: "open", error };
            self.instance = self.component.open_transform(self.opening).outcome.map_err(failed)?.0;
        }
        // Whoever had the turn before has left other things in the caches.
        self.call(batches)?;
        let began = Instant::now();
        for _ in 0..calls {
            self.call(batches)?;
        }
        Ok(began.elapsed().as_secs_f64() / calls as f64)
    }
}

impl Turns {
    /// Has arms take turns on the same batches, for so long.
    pub fn take(arms: &mut [Arm<'_>], batches: &Batches, time: Duration) -> Result<Self, Failed> {
        let began = Instant::now();
        let one = warm(arms, batches)?;
        let left = time.saturating_sub(began.elapsed()).as_secs_f64();
        // Half of the time may go to waiting for backgrounds.
        let turn = (left / 2.0 / (arms.len() * 30) as f64).clamp(TURN.0, TURN.1);
        let calls = ((turn / one) as usize).clamp(1, CALLS);
        let mut spans = 0;
        let more = |round: usize| round < *ROUNDS.start() || (round < *ROUNDS.end() && began.elapsed() < time);
        let rounds = Rounds::take(arms.len(), more, |arm| {
            if spans > BURST {
                spans = 0;
                catch_up(arms);
            }
            if arms[arm].watch.records() {
                spans += 2 * (calls + 1);
            }
            arms[arm].turn(batches, calls)
        })?;
        catch_up(arms);
        Ok(Turns { rounds, calls })
    }
}

/// Calls every arm until everything that is done once is done; answers the seconds of a call of the first, about.
fn warm(arms: &mut [Arm<'_>], batches: &Batches) -> Result<f64, Failed> {
    let mut first = f64::INFINITY;
    for (at, arm) in arms.iter_mut().enumerate() {
        for _ in 0..3 {
            let took = arm.turn(batches, 3)?;
            if at == 0 {
                first = first.min(took);
            }
        }
    }
    Ok(first.max(1e-7))
}

fn catch_up(arms: &[Arm<'_>]) {
    if arms.iter().any(|arm| arm.watch.records()) {
        // One pause for all.
        thread::sleep(PAUSE);
        arms.iter().filter(|arm| arm.watch.is_full()).for_each(|arm| arm.watch.settle());
    }
}
