//! Two versions of stages, or two settings, beside each other: as in a run, with everything metered, measured and recorded.

use std::{sync::Arc, time::Duration};

use serde::Serialize;

use super::{
    arm::{Arm, Turns},
    ladder::NoLadder,
    rows::batches,
    watch::{Layers, Spans, Watch},
};
use crate::{
    measure::{Comparison, Estimate, Interval, Verdict, floor},
    pipeline::{plan::PlannedStage, run},
    words::{batch::RecordBatch, stage::Opening},
};

/// A stage in two versions, and the rows that reach it.
pub struct Versus<'a> {
    /// What is compared with.
    pub old: &'a PlannedStage,
    /// What is compared.
    pub new: &'a PlannedStage,
    /// Rows, by input.
    pub inputs: &'a [Vec<Arc<RecordBatch>>],
}

/// What came of it, on batches of one size. Times are seconds of a call.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// The stage.
    pub stage: String,
    /// Rows of a batch.
    pub rows: usize,
    /// Rounds in which each had its turn.
    pub rounds: usize,
    /// The noise floor, a share: how far the old one seems to lie from itself.
    pub floor: f64,
    /// The old one.
    pub old: Interval,
    /// The new one.
    pub new: Interval,
    /// The new one as a multiple of the old one.
    pub ratio: Interval,
    /// Whether there is a difference.
    pub verdict: Verdict,
    /// Whether the new one is slower by more than the threshold.
    pub exceeds: bool,
}

/// Compares. `threshold` is a share; `progress` is told before each cell.
pub fn versus(
    pairs: &[Versus<'_>],
    sizes: &[usize],
    (time, threshold): (Duration, f64),
    progress: &dyn Fn(&str, usize, f64),
) -> Result<Vec<Difference>, NoLadder> {
    let cells = (pairs.len() * sizes.len()).max(1) as f64;
    let mut differences = Vec::new();
    for (number, pair) in pairs.iter().enumerate() {
        let layers = Layers { spans: Some(Spans::sampled(1.0)), metrics: true };
        let watch = |stage: &PlannedStage| Watch::start(run::facts_of(stage, Vec::new()), &layers);
        let watches = [watch(pair.old)?, watch(pair.old)?, watch(pair.new)?];
        let [old, new] = [pair.old, pair.new].map(|stage| Opening { restore: None, ..stage.opening.clone() });
        let open = |stage: &PlannedStage| Arc::clone(&stage.component);
        let mut arms = [
            Arm::open(open(pair.old), &old, &watches[0])?,
            Arm::open(open(pair.old), &old, &watches[1])?,
            Arm::open(open(pair.new), &new, &watches[2])?,
        ];
        for (at, rows) in sizes.iter().enumerate() {
            progress(&pair.old.name, *rows, (number * sizes.len() + at) as f64 / cells);
            let Some(batches) = batches(pair.inputs, *rows)? else { continue };
            let rounds = Turns::take(&mut arms, &batches, time.div_f64(cells))?.rounds;
            let stream = (number * 64 + at) as u64 * 32;
            let floor = floor(&rounds, 0, 1, stream);
            let compared = Comparison::new(&rounds, 0, 2, floor, stream);
            let ratio = compared.ratio.interval();
            differences.push(Difference {
                stage: pair.old.name.clone(),
                rows: *rows,
                rounds: rounds.len(),
                floor,
                old: Estimate::median(rounds.arm(0), stream).interval(),
                new: Estimate::median(rounds.arm(2), stream + 1).interval(),
                ratio,
                verdict: compared.verdict,
                exceeds: compared.verdict == Verdict::Slower && ratio.median - 1.0 > threshold,
            });
        }
    }
    Ok(differences)
}
