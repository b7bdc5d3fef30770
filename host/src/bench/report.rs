//! What a ladder comes to: the document of `--json`, from which the table and the page are made, too.

use serde::Serialize;

use super::{rung::Rung, watch::Fate};
use crate::measure::{Interval, Line, Verdict};

/// The whole of it. Times are seconds; `low` to `high` is the 95 % interval of a `median`.
#[derive(Serialize)]
pub struct Report {
    /// Grows when a field changes its meaning.
    pub format: u32,
    /// What ran.
    pub parshall: &'static str,
    /// The pipeline's name.
    pub pipeline: String,
    /// What it ran on.
    pub machine: Machine,
    /// How long measuring took.
    pub seconds: f64,
    /// Rows of the pipeline's own that were taken from its extracts.
    pub rows_taken: usize,
    /// Rows of an ordinary batch of the pipeline, as its first transform gets them.
    pub own_batch_rows: usize,
    /// Where the last rung's spans went.
    pub receiver: String,
    /// What became of them.
    pub spans: Fate,
    /// Each transform.
    pub stages: Vec<StageReport>,
    /// All transforms together, a batch through each.
    pub total: Vec<Total>,
    /// From so many rows a batch on, tracing is at most 1 % of it; nothing where that never comes to be.
    pub one_percent_from_rows: Option<Interval>,
    /// All of it in one line.
    pub answer: String,
}

/// What it ran on.
#[derive(Serialize)]
pub struct Machine {
    /// What the processor calls itself.
    pub processor: String,
    /// How many of them this process may use.
    pub processors: usize,
    /// The kernel.
    pub system: String,
}

/// A transform.
#[derive(Serialize)]
pub struct StageReport {
    /// Its name.
    pub stage: String,
    /// Its component.
    pub component: String,
    /// The component's digest.
    pub digest: String,
    /// Whether it remembers: then it is opened anew for every turn.
    pub stateful: bool,
    /// By rows of a batch.
    pub sizes: Vec<SizeReport>,
    /// cost = call + row × rows, of each rung; empty where there was one size.
    pub fits: Vec<FitReport>,
}

/// A rung's line.
#[derive(Serialize)]
pub struct FitReport {
    /// The rung.
    pub rung: Rung,
    /// What a call and a row cost.
    #[serde(flatten)]
    pub line: Line,
}

/// A transform on batches of one size.
#[derive(Serialize)]
pub struct SizeReport {
    /// Rows of a batch.
    pub rows: usize,
    /// Whether the pipeline had fewer than that, so that they were repeated.
    pub repeated: bool,
    /// Rounds in which every rung had its turn.
    pub rounds: usize,
    /// Calls of a turn.
    pub calls: usize,
    /// The noise floor, a share: what the control cannot tell apart.
    pub floor: f64,
    /// From the bottom.
    pub rungs: Vec<RungReport>,
    /// Where the time of an ordinary call goes.
    pub time: TimeReport,
    /// Fuel of a call.
    pub fuel: u64,
    /// Bytes that crossed into the guest and out of it, and that stayed in the host.
    pub bytes: BytesReport,
}

/// A rung on batches of one size.
#[derive(Serialize)]
pub struct RungReport {
    /// Which.
    pub rung: Rung,
    /// Of a call.
    pub seconds: Interval,
    /// As a multiple of the rung `call`.
    pub ratio: Interval,
    /// What it adds to the rung below.
    pub added: Interval,
    /// Whether that is anything.
    pub verdict: Verdict,
}

/// Where the time of a call goes, in seconds, with everything but export around it.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct TimeReport {
    /// In the guest.
    pub guest: f64,
    /// Copying, checking, carrying out.
    pub copy: f64,
    /// In imports that do work of their own.
    pub host: f64,
    /// Watching, and whatever else is around the call.
    pub around: f64,
}

/// Bytes of a call.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct BytesReport {
    /// Into the guest.
    pub read: u64,
    /// Out of it.
    pub made: u64,
    /// Never crossed.
    pub stayed: u64,
}

/// A batch through all transforms.
#[derive(Serialize)]
pub struct Total {
    /// Its rows.
    pub rows: usize,
    /// Metered and measured, and not traced.
    pub untraced: Interval,
    /// What tracing adds: every batch recorded, encoded and exported.
    pub tracing: Interval,
    /// The same as a share of what is not traced.
    pub share: Interval,
    /// The noise floor of the sum, a share.
    pub floor: f64,
    /// Whether tracing is more than noise.
    pub verdict: Verdict,
}

impl StageReport {
    /// At one size.
    pub fn at(&self, rows: usize) -> Option<&SizeReport> {
        self.sizes.iter().find(|size| size.rows == rows)
    }
}

impl SizeReport {
    /// One of its rungs.
    pub fn rung(&self, rung: Rung) -> &RungReport {
        &self.rungs[rung.place()]
    }
}

impl Report {
    /// The size that was measured which is nearest to the pipeline's own.
    pub fn nearest_rows(&self) -> usize {
        let far = |rows: usize| ((rows.max(1) as f64) / (self.own_batch_rows.max(1) as f64)).ln().abs();
        let sizes = self.total.iter().map(|total| total.rows);
        sizes.min_by(|one, other| far(*one).total_cmp(&far(*other))).unwrap_or_default()
    }
}
