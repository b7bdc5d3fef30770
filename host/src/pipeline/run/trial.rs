//! The trial of a new version: what all instances of a stage, and whoever wants the swap, know of it together.
//!
//! ```text
//! shadow ──► canary ──► guard ──► passed          a phase that is not asked for is left out
//!    └──────────┴─────────┴─────► rolled back
//! ```
//! The instances' threads count and judge; nobody on the data path ever waits here.

use std::{
    any::Any,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use super::{version::Tally, worker::Cost};
use crate::pipeline::swap::{Cause, SwapSettings, judge};

/// How far a trial is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    /// The new version works on the same frames; nobody sees its answers.
    Shadow,
    /// The new version is given a share of the batches.
    Canary,
    /// The new version has taken over, and the old one is kept.
    Guard,
    /// The new version stays.
    Passed,
    /// The old version stays, or is back.
    RolledBack,
}

/// Pauses that are remembered: there is one for each instance.
const PAUSES: usize = 64;

/// A trial.
pub struct Trial {
    /// How it is tried.
    pub settings: SwapSettings,
    phase: AtomicU8,
    inside: Mutex<Inside>,
    changed: Condvar,
}

struct Inside {
    /// Instances that have not yet come to their last word in this trial.
    unsettled: usize,
    /// Batches of this phase.
    seen: u64,
    /// What calls of this phase came to.
    old: Tally,
    new: Tally,
    /// What all calls of the old version came to.
    before: Tally,
    /// Batches that were answered otherwise.
    diverged: u64,
    cause: Option<Cause>,
    /// How long instances' threads were held up by the change itself.
    pauses: Vec<Duration>,
    /// When each phase began.
    began: Vec<(Phase, Instant)>,
    hands: Hands,
    /// What is no longer needed, to be dropped away from the data path.
    retired: Vec<Box<dyn Any + Send>>,
}

/// When instances changed hands, from the first of them to the last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hands {
    /// The first instance came to a batch boundary, and found the new version there.
    pub taken: Option<Instant>,
    /// The new version took over.
    pub over: Option<(Instant, Instant)>,
    /// The old one came back.
    pub back: Option<(Instant, Instant)>,
}

/// What came of a trial.
#[derive(Clone, Debug)]
pub struct Findings {
    /// Why the new version does not stay; none if it does.
    pub cause: Option<Cause>,
    /// How long instances' threads were held up by the change itself.
    pub pauses: Vec<Duration>,
    /// Batches that were answered otherwise in the shadow phase.
    pub diverged: u64,
    /// When each phase began.
    pub began: Vec<(Phase, Instant)>,
    /// When instances changed hands.
    pub hands: Hands,
    /// What the old version's calls came to before.
    pub before: Tally,
    /// What the new version's calls came to in the last phase.
    pub new: Tally,
}

// === impl Phase ===

impl Phase {
    /// As reports and spans name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Shadow => "shadow",
            Phase::Canary => "canary",
            Phase::Guard => "guard",
            Phase::Passed => "passed",
            Phase::RolledBack => "rolled back",
        }
    }

    /// Whether nothing changes any more.
    pub fn is_last(self) -> bool {
        self >= Phase::Passed
    }

    fn of(number: u8) -> Self {
        match number {
            0 => Phase::Shadow,
            1 => Phase::Canary,
            2 => Phase::Guard,
            3 => Phase::Passed,
            _ => Phase::RolledBack,
        }
    }

    /// Batches that it takes.
    fn batches(self, settings: &SwapSettings) -> u64 {
        match self {
            Phase::Shadow => settings.shadow,
            Phase::Canary if settings.canary > 0.0 => settings.canary_batches,
            Phase::Guard => settings.guard,
            _ => 0,
        }
    }

    fn next(self) -> Self {
        Phase::of((self as u8 + 1).min(Phase::Passed as u8))
    }
}

// === impl Trial ===

impl Trial {
    /// A trial by so many instances.
    pub fn new(settings: SwapSettings, instances: usize) -> Self {
        let mut first = Phase::Shadow;
        while !first.is_last() && first.batches(&settings) == 0 {
            first = first.next();
        }
        let (old, new, before, cause, pauses, hands, retired) = Default::default();
        let began = vec![(first, Instant::now())];
        let inside = Inside { unsettled: instances, seen: 0, old, new, before, diverged: 0, cause, pauses, began, hands, retired };
        Trial { settings, phase: AtomicU8::new(first as u8), inside: Mutex::new(inside), changed: Condvar::new() }
    }

    /// How far it is.
    pub fn phase(&self) -> Phase {
        Phase::of(self.phase.load(Ordering::Acquire))
    }

    /// An instance begins: what the old version's calls came to so far.
    pub fn begin(&self, before: &Tally) {
        let mut inside = self.lock();
        inside.before.merge(before);
        inside.hands.taken.get_or_insert_with(Instant::now);
    }

    /// Whether the new version is given this batch in the canary phase: spread evenly over the batches.
    pub fn chooses(&self, ticket: u64) -> bool {
        let share = self.settings.canary;
        ((ticket + 1) as f64 * share).floor() > (ticket as f64 * share).floor()
    }

    /// A batch has been answered in this phase; enough of them end it.
    pub fn saw(&self, phase: Phase, old: Option<&Cost>, new: Option<&Cost>) {
        let mut inside = self.lock();
        if self.phase() != phase || phase.is_last() {
            return;
        }
        if let Some(cost) = old {
            inside.old.add(cost);
            inside.before.add(cost);
        }
        if let Some(cost) = new {
            inside.new.add(cost);
        }
        inside.seen += 1;
        if inside.seen >= phase.batches(&self.settings) {
            self.end_phase(&mut inside, phase);
        }
    }

    /// The guard cannot be kept up any longer: as far as it went, it went well.
    pub fn guarded_enough(&self) {
        let mut inside = self.lock();
        if self.phase() == Phase::Guard {
            self.end_phase(&mut inside, Phase::Guard);
        }
    }

    fn end_phase(&self, inside: &mut Inside, phase: Phase) {
        // In the guard phase only the new version works: it is compared with what the old one did before.
        let old = if phase == Phase::Guard { &inside.before } else { &inside.old };
        if let Some(cause) = judge(&self.settings, old, &inside.new) {
            self.conclude(inside, Some(cause));
            return;
        }
        let mut next = phase.next();
        while !next.is_last() && next.batches(&self.settings) == 0 {
            next = next.next();
        }
        (inside.seen, inside.old) = Default::default();
        match next {
            Phase::Passed => self.conclude(inside, None),
            next => {
                inside.new = Tally::default();
                self.enter(inside, next);
            }
        }
    }

    /// A batch was answered otherwise in the shadow phase.
    pub fn diverged(&self, batch: u64, what: String) {
        self.lock().diverged += 1;
        if !self.settings.diverge {
            self.roll_back(Cause::Diverged { batch, what });
        }
    }

    /// The new version does not stay. The first cause counts; after the trial, none does.
    pub fn roll_back(&self, cause: Cause) {
        let mut inside = self.lock();
        self.conclude(&mut inside, Some(cause));
    }

    /// Patience is over. A guard that has seen too little has seen nothing bad.
    pub fn expire(&self) {
        let mut inside = self.lock();
        let (phase, patience) = (self.phase(), self.settings.patience);
        match phase {
            Phase::Shadow | Phase::Canary => {
                let (seen, wanted) = (inside.seen, phase.batches(&self.settings));
                self.conclude(&mut inside, Some(Cause::Patience { phase: phase.as_str(), seen, wanted, patience }));
            }
            Phase::Guard => self.end_phase(&mut inside, Phase::Guard),
            Phase::Passed | Phase::RolledBack => {}
        }
    }

    fn conclude(&self, inside: &mut Inside, cause: Option<Cause>) {
        if self.phase().is_last() {
            return;
        }
        let phase = if cause.is_none() { Phase::Passed } else { Phase::RolledBack };
        inside.cause = cause;
        self.enter(inside, phase);
    }

    fn enter(&self, inside: &mut Inside, phase: Phase) {
        inside.began.push((phase, Instant::now()));
        self.phase.store(phase as u8, Ordering::Release);
        self.changed.notify_all();
    }

    /// The new version has taken an instance's place, which began then and held up its thread for so long.
    pub fn took_over(&self, began: Instant, pause: Duration) {
        let mut inside = self.lock();
        widen(&mut inside.hands.over, began);
        inside.paused(pause);
    }

    /// The old version is back in its place.
    pub fn gave_back(&self, began: Instant) {
        let mut inside = self.lock();
        widen(&mut inside.hands.back, began);
        inside.paused(began.elapsed());
    }

    /// Takes what an instance needs no longer; it is dropped by whoever waits for the trial.
    pub fn retire(&self, what: Box<dyn Any + Send>) {
        self.lock().retired.push(what);
    }

    /// An instance has come to its last word.
    pub fn settle(&self) {
        let mut inside = self.lock();
        inside.unsettled = inside.unsettled.saturating_sub(1);
        drop(inside);
        self.changed.notify_all();
    }

    /// Waits until the phase is another than `last`, or every instance has settled, or until then. Answers the phase.
    pub fn wait_beyond(&self, last: Phase, until: Instant) -> Phase {
        self.wait(until, |trial, inside| trial.phase() != last || inside.unsettled == 0);
        self.phase()
    }

    /// Waits until every instance has settled, or until then. Answers whether they have.
    pub fn wait_settled(&self, until: Instant) -> bool {
        self.wait(until, |_, inside| inside.unsettled == 0)
    }

    fn wait(&self, until: Instant, enough: impl Fn(&Self, &Inside) -> bool) -> bool {
        let mut inside = self.lock();
        while !enough(self, &inside) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            (inside, _) = self.changed.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner);
        }
        true
    }

    /// Whether every instance has settled.
    pub fn settled(&self) -> bool {
        self.lock().unsettled == 0
    }

    /// Drops what was retired, on the thread that calls this. Answers how many things that were.
    pub fn bury(&self) -> usize {
        let retired = std::mem::take(&mut self.lock().retired);
        retired.len()
    }

    /// What came of it so far.
    pub fn findings(&self) -> Findings {
        let Inside { cause, pauses, diverged, began, hands, before, new, .. } = &*self.lock();
        let (cause, pauses, began) = (cause.clone(), pauses.clone(), began.clone());
        Findings { cause, pauses, diverged: *diverged, began, hands: *hands, before: *before, new: *new }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn paused(&mut self, pause: Duration) {
        if self.pauses.len() < PAUSES {
            self.pauses.push(pause);
        }
    }
}

/// One more, which began then and has ended now.
fn widen(all: &mut Option<(Instant, Instant)>, began: Instant) {
    let first = all.map_or(began, |(first, _)| first.min(began));
    *all = Some((first, Instant::now()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(rejected: u64) -> Cost {
        Cost { rows: 100, rejected, fuel: 1_000, time: Duration::from_micros(10), memory: 1 << 20 }
    }

    fn trial(settings: SwapSettings) -> Trial {
        Trial::new(SwapSettings { guard: 2, ..settings }, 1)
    }

    /// Protects the order of phases, and that those which are not asked for take no batch.
    #[test]
    fn phases_that_are_not_asked_for_are_left_out() {
        assert_eq!(trial(SwapSettings::default()).phase(), Phase::Guard);
        assert_eq!(Trial::new(SwapSettings { guard: 0, ..SwapSettings::default() }, 1).phase(), Phase::Passed);
        let all = trial(SwapSettings { shadow: 1, canary: 0.5, canary_batches: 2, ..SwapSettings::default() });
        assert_eq!(all.phase(), Phase::Shadow);
        all.saw(Phase::Shadow, Some(&cost(0)), Some(&cost(0)));
        assert_eq!(all.phase(), Phase::Canary);
        all.saw(Phase::Shadow, Some(&cost(0)), Some(&cost(0)));
        all.saw(Phase::Canary, None, Some(&cost(0)));
        assert_eq!(all.phase(), Phase::Canary, "a batch of the phase before does not count");
        all.saw(Phase::Canary, Some(&cost(0)), None);
        assert_eq!(all.phase(), Phase::Guard);
        all.saw(Phase::Guard, None, Some(&cost(0)));
        all.saw(Phase::Guard, None, Some(&cost(0)));
        assert_eq!((all.phase(), all.findings().cause.is_none()), (Phase::Passed, true));
    }

    /// Protects the data against a version that rejects everything, and the first cause against the last.
    #[test]
    fn a_worse_version_is_rolled_back_and_the_first_cause_stands() {
        let trial = trial(SwapSettings::default());
        trial.begin(&Tally { batches: 1, rows: 100, ..Tally::default() });
        trial.saw(Phase::Guard, None, Some(&cost(100)));
        trial.saw(Phase::Guard, None, Some(&cost(100)));
        assert_eq!(trial.phase(), Phase::RolledBack);
        trial.roll_back(Cause::Ended);
        assert_eq!(trial.findings().cause.unwrap().reason(), "rejects");
    }

    /// Protects an idle stage against a trial that never ends: a canary without batches refuses, a guard without them lets stay.
    #[test]
    fn patience_ends_a_trial() {
        let canary = trial(SwapSettings { canary: 0.5, ..SwapSettings::default() });
        canary.expire();
        assert_eq!(canary.findings().cause.unwrap().reason(), "patience");
        let guard = trial(SwapSettings::default());
        guard.expire();
        assert_eq!(guard.phase(), Phase::Passed);
    }

    /// Protects the canary's share: evenly spread, neither none nor all.
    #[test]
    fn a_canary_is_given_its_share() {
        for (share, expected) in [(0.1, 100), (0.25, 250), (1.0, 1000), (0.001, 1)] {
            let trial = trial(SwapSettings { canary: share, ..SwapSettings::default() });
            assert_eq!((0..1000).filter(|ticket| trial.chooses(*ticket)).count(), expected, "{share}");
        }
    }
}
