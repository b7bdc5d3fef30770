//! The ladder of a pipeline: every transform, at every size, on every rung.

use std::{sync::Arc, time::Duration};

use arrow::error::ArrowError;

use super::{
    arm::{Arm, Failed, Turns},
    capture::Captured,
    report::{BytesReport, FitReport, RungReport, SizeReport, StageReport, TimeReport, Total},
    rows::{Batches, batches},
    rung::Rung,
    watch::{Fate, Spans, Watch},
};
use crate::{
    measure::{Comparison, Estimate, Fit, Interval, Verdict, fit, floor, median},
    pipeline::{plan::PlannedStage, run},
    telemetry::traces::StartError,
    wasm::Accounting,
    words::{
        stage::{Component, Opening},
        usage::Usage,
    },
};

/// Calls that say where time goes.
const CALLS: usize = 21;

/// What is measured, and for how long.
pub struct Settings {
    /// Rows of batches.
    pub sizes: Vec<usize>,
    /// All of it.
    pub time: Duration,
    /// Where the last rung's spans go.
    pub export: Spans,
}

/// Why there is no ladder.
#[derive(Debug, thiserror::Error)]
pub enum NoLadder {
    /// A call failed.
    #[error(transparent)]
    Failed(#[from] Failed),
    /// Spans cannot be recorded.
    #[error(transparent)]
    Telemetry(#[from] StartError),
    /// Rows could not be brought into another size.
    #[error("rows could not be brought into batches: {0}")]
    Rows(#[from] ArrowError),
    /// A component could not be loaded once more, in an engine that accounts otherwise.
    #[error("{0}")]
    Component(String),
}

/// A component, in the runtime that accounts like this.
pub type Load<'a> = dyn Fn(&PlannedStage, Accounting) -> Result<Arc<dyn Component>, String> + 'a;

/// Stages that were measured, and what they are in sum.
#[derive(Default)]
pub struct Ladder {
    /// Each transform that got rows.
    pub stages: Vec<StageReport>,
    /// What became of the spans of the last rung.
    pub spans: Fate,
    /// Why some could not be delivered.
    pub why: Option<String>,
    /// Untraced cost and what tracing adds, by stage and size.
    sums: Vec<Vec<Part>>,
}

/// A stage at one size, in what the sum needs.
struct Part {
    untraced: Estimate,
    tracing: Estimate,
    /// The call, and by how much the control seems to differ from it.
    call: Estimate,
    control: Estimate,
}

impl Ladder {
    /// Measures. `progress` is told before each cell: the stage, the size, and the share that is done.
    pub fn climb(
        stages: &[PlannedStage],
        captured: &[Captured],
        settings: &Settings,
        load: &Load<'_>,
        progress: &dyn Fn(&str, usize, f64),
    ) -> Result<Self, NoLadder> {
        let mut ladder = Ladder::default();
        let fed: Vec<_> = captured.iter().filter(|captured| captured.inputs.iter().flatten().any(|batch| batch.num_rows() > 0)).collect();
        let cell = settings.time.div_f64((fed.len() * settings.sizes.len()).max(1) as f64);
        for (number, captured) in fed.iter().enumerate() {
            let stage = &stages[captured.stage];
            let told = |size: usize| {
                let done = number * settings.sizes.len() + size;
                progress(&stage.name, settings.sizes[size], done as f64 / (fed.len() * settings.sizes.len()) as f64);
            };
            ladder.stage(stage, captured, settings, (load, cell), &told)?;
        }
        Ok(ladder)
    }

    fn stage(
        &mut self,
        stage: &PlannedStage,
        captured: &Captured,
        settings: &Settings,
        (load, cell): (&Load<'_>, Duration),
        progress: &dyn Fn(usize),
    ) -> Result<(), NoLadder> {
        let facts = || run::facts_of(stage, Vec::new());
        let watches = Rung::ALL.map(|rung| match rung.layers(&settings.export) {
            layers if layers.spans.is_none() && !layers.metrics => Ok(Watch::nothing()),
            layers => Watch::start(facts(), &layers),
        });
        let watches = watches.into_iter().collect::<Result<Vec<_>, _>>()?;
        let opening = Opening { restore: None, ..stage.opening.clone() };
        let mut arms = Vec::with_capacity(Rung::ALL.len());
        for (rung, watch) in Rung::ALL.into_iter().zip(&watches) {
            let component = load(stage, rung.accounting()).map_err(NoLadder::Component)?;
            arms.push(Arm::open(component, &opening, watch)?);
        }
        let (mut sizes, mut parts, mut costs) = (Vec::new(), Vec::new(), Vec::new());
        for (at, rows) in settings.sizes.iter().enumerate() {
            progress(at);
            let Some(batches) = batches(&captured.inputs, *rows)? else { continue };
            let turns = Turns::take(&mut arms, &batches, cell)?;
            let (size, part, cost) = told(&turns, &batches, &mut arms, self.sums.len() * 64 + at)?;
            sizes.push(size);
            parts.push(part);
            costs.push(cost);
        }
        drop(arms);
        self.stages.push(StageReport {
            stage: stage.name.clone(),
            component: stage.reference.to_string(),
            digest: stage.component.digest().to_string(),
            stateful: stage.component.description().is_ok_and(|description| description.stateful),
            fits: fits(&sizes, &costs),
            sizes,
        });
        self.sums.push(parts);
        for (rung, watch) in Rung::ALL.into_iter().zip(watches) {
            let (fate, why) = watch.finish();
            if rung == Rung::Export {
                self.spans.exported += fate.exported;
                self.spans.dropped_full += fate.dropped_full;
                self.spans.dropped_failed += fate.dropped_failed;
                self.why = self.why.take().or(why);
            }
        }
        Ok(())
    }

    /// A batch of each size through all transforms.
    pub fn total(&self) -> Vec<Total> {
        let Some(sizes) = self.stages.first().map(|stage| &stage.sizes) else { return Vec::new() };
        let at = |(number, rows): (usize, usize)| {
            let parts: Vec<&Part> = self.sums.iter().filter_map(|stage| stage.get(number)).collect();
            let (untraced, tracing) = (sum(&parts, |part| &part.untraced), sum(&parts, |part| &part.tracing));
            let control = sum(&parts, |part| &part.control).share_of(&sum(&parts, |part| &part.call)).interval();
            let (share, floor) = (tracing.share_of(&untraced).interval(), control.low.abs().max(control.high.abs()));
            let verdict = match share {
                share if share.median.abs() <= floor || share.holds(0.0) => Verdict::Same,
                share if share.median > 0.0 => Verdict::Slower,
                _ => Verdict::Faster,
            };
            Total { rows, untraced: untraced.interval(), tracing: tracing.interval(), share, floor, verdict }
        };
        sizes.iter().map(|size| size.rows).enumerate().map(at).collect()
    }

    /// From how many rows a batch on tracing is at most this share of it. Nothing where there are too few sizes to say.
    pub fn within(&self, share: f64) -> Option<Interval> {
        let sizes: Vec<usize> = self.stages.first()?.sizes.iter().map(|size| size.rows).collect();
        let all = |of: fn(&Part) -> &Estimate| -> Vec<Estimate> {
            (0..sizes.len()).map(|at| sum(&self.sums.iter().filter_map(|stage| stage.get(at)).collect::<Vec<_>>(), of)).collect()
        };
        let (untraced, tracing) = (all(|part| &part.untraced), all(|part| &part.tracing));
        let (untraced, tracing): (Vec<_>, Vec<_>) = (untraced.iter().collect(), tracing.iter().collect());
        let (whole, part) = (fit(&sizes, &untraced, &untraced)?, fit(&sizes, &tracing, &untraced)?);
        Some(part.within(&whole, share).interval())
    }
}

fn sum(parts: &[&Part], of: fn(&Part) -> &Estimate) -> Estimate {
    Estimate::sum(parts.iter().map(|part| of(part)))
}

/// A cell, told; with what sums and fits need of it.
fn told(turns: &Turns, batches: &Batches, arms: &mut [Arm<'_>], stream: usize) -> Result<(SizeReport, Part, Vec<Estimate>), Failed> {
    let (rounds, stream) = (&turns.rounds, stream as u64 * 32);
    let [call, control, metrics, export] = [Rung::Call, Rung::Control, Rung::Metrics, Rung::Export].map(Rung::place);
    let floor = floor(rounds, call, control, stream);
    let costs: Vec<Estimate> =
        Rung::ALL.iter().map(|rung| Estimate::median(rounds.arm(rung.place()), stream + rung.place() as u64)).collect();
    let rung = |rung: Rung| {
        let stream = stream + rung.place() as u64;
        let step = Comparison::new(rounds, rung.below().place(), rung.place(), floor, stream);
        let whole = Comparison::new(rounds, call, rung.place(), floor, stream);
        let verdict = if rung == Rung::Control { Verdict::Same } else { step.verdict };
        let (seconds, ratio, added) = (costs[rung.place()].interval(), whole.ratio.interval(), step.difference.interval());
        RungReport { rung, seconds, ratio, added, verdict }
    };
    let rungs: Vec<RungReport> = Rung::ALL.map(rung).into();
    let calls = (0..CALLS).map(|_| arms[Rung::SpansSampled.place()].call(batches)).collect::<Result<Vec<_>, _>>()?;
    let times = [|usage: &Usage| usage.guest, |usage: &Usage| usage.copy, |usage: &Usage| usage.host]
        .map(|of| median(&mut calls.iter().map(|usage| of(usage).as_secs_f64()).collect::<Vec<_>>()));
    let usage = &calls[CALLS - 1];
    // The parts are those of a median call, whose whole the rungs have told.
    let (whole, spent) = (rungs[Rung::SpansSampled.place()].seconds.median, times.iter().sum::<f64>().max(1e-12));
    let watching = (whole - rungs[Rung::Clock.place()].seconds.median).max(0.0);
    let [guest, copy, host] = times.map(|time| time / spent * (whole - watching));
    let differs = |base, arm, stream| Comparison::new(rounds, base, arm, floor, stream).difference;
    let part = Part {
        untraced: costs[metrics].clone(),
        tracing: differs(metrics, export, stream),
        call: costs[call].clone(),
        control: differs(call, control, stream + 1),
    };
    let size = SizeReport {
        rows: batches.rows,
        repeated: batches.repeated,
        rounds: rounds.len(),
        calls: turns.calls,
        floor,
        rungs,
        time: TimeReport { guest, copy, host, around: watching },
        fuel: usage.fuel,
        bytes: BytesReport { read: usage.bytes_read, made: usage.bytes_made, stayed: usage.bytes_stayed },
    };
    Ok((size, part, costs))
}

fn fits(sizes: &[SizeReport], costs: &[Vec<Estimate>]) -> Vec<FitReport> {
    let rows: Vec<usize> = sizes.iter().map(|size| size.rows).collect();
    let of = |rung: Rung| {
        let costs: Vec<&Estimate> = costs.iter().map(|costs| &costs[rung.place()]).collect();
        fit(&rows, &costs, &costs).as_ref().map(Fit::line).map(|line| FitReport { rung, line })
    };
    Rung::ALL.into_iter().filter_map(of).collect()
}
