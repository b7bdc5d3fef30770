//! Two arms compared, and the control that says which differences mean anything.

use serde::Serialize;

use super::{
    estimate::{Estimate, Interval},
    rounds::Rounds,
};

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing that this machine could tell apart.
    Same,
    /// It costs more.
    Slower,
    /// It costs less.
    Faster,
}

/// An arm beside the one that it is compared with.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Its cost as a multiple of the other's, by round.
    pub ratio: Estimate,
    /// Its cost less the other's, by round.
    pub difference: Estimate,
    /// What it comes to.
    pub verdict: Verdict,
}

impl Comparison {
    /// Compares `arm` with `base`. A difference is told only if it is larger than the noise `floor` (a share), and its interval does not
    /// hold 1.
    pub fn new(rounds: &Rounds, base: usize, arm: usize, floor: f64, stream: u64) -> Self {
        let ratio = Estimate::median(&rounds.paired(arm, base, |arm, base| arm / base), stream);
        let difference = Estimate::median(&rounds.paired(arm, base, |arm, base| arm - base), stream);
        let verdict = verdict(ratio.interval(), floor);
        Comparison { ratio, difference, verdict }
    }
}

fn verdict(ratio: Interval, floor: f64) -> Verdict {
    match ratio.median - 1.0 {
        by if by.is_nan() || floor.is_nan() || by.abs() <= floor || ratio.holds(1.0) => Verdict::Same,
        by if by > 0.0 => Verdict::Slower,
        _ => Verdict::Faster,
    }
}

/// The noise floor, as a share: as far as `again`, which is `base` once more, may lie from it.
pub fn floor(rounds: &Rounds, base: usize, again: usize, stream: u64) -> f64 {
    let ratio = Estimate::median(&rounds.paired(again, base, |again, base| again / base), stream).interval();
    (ratio.high - 1.0).abs().max((1.0 - ratio.low).abs())
}
