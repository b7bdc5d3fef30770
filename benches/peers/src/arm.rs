//! One way of having a function done, and turns of several.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use parshall::{bench::watch::PAUSE, measure::Rounds};

use crate::rows::Columns;

/// As `parshall bench` has its turns (host/src/bench/arm.rs), but that arms differ by factors here, so each has calls of its own number.
const TURN: f64 = 2e-3;
const CALLS: usize = 400;
const BURST: usize = 4_000;
const ROUNDS: std::ops::RangeInclusive<usize> = 15..=250;

/// One way of having a function done.
pub trait Arm {
    /// Calls it with the next batch, and drops what comes.
    fn call(&mut self) -> Result<()>;
    /// What it answers to the first batch.
    fn answer(&mut self) -> Result<Columns>;
    /// Whether a background has to catch up now and then.
    fn records(&self) -> bool {
        false
    }
    /// Lets it.
    fn settle(&self) {}
}

/// Seconds of a call, by arm and round.
pub fn turns(arms: &mut [Box<dyn Arm + '_>], time: Duration) -> Result<Rounds> {
    let mut calls = Vec::with_capacity(arms.len());
    for arm in arms.iter_mut() {
        let mut one = f64::INFINITY;
        for _ in 0..3 {
            one = one.min(turn(&mut **arm, 3)?);
        }
        calls.push(((TURN / one) as usize).clamp(1, CALLS));
    }
    let (began, mut spans) = (Instant::now(), 0);
    let more = |round: usize| round < *ROUNDS.start() || (round < *ROUNDS.end() && began.elapsed() < time);
    Rounds::take(arms.len(), more, |arm| {
        if spans > BURST {
            spans = 0;
            thread::sleep(PAUSE);
            arms.iter().for_each(|arm| arm.settle());
        }
        if arms[arm].records() {
            spans += 2 * (calls[arm] + 1);
        }
        turn(&mut *arms[arm], calls[arm])
    })
}

fn turn(arm: &mut dyn Arm, calls: usize) -> Result<f64> {
    // Whoever had the turn before has left other things in the caches.
    arm.call()?;
    let began = Instant::now();
    for _ in 0..calls {
        arm.call()?;
    }
    Ok(began.elapsed().as_secs_f64() / calls as f64)
}
