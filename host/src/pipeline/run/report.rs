//! The report of a run: the ledger's accounts by name, for people and for programs. Its JSON form is documented in
//! TELEMETRY.md and stable: fields are added, never renamed.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{
    control::Failure,
    graph::Graph,
    ledger::{Account, From},
    stage::Stage,
    version::{Span, Version},
};
use crate::{
    pipeline::{
        plan::{PlannedStage, PortId},
        rejections,
    },
    words::{
        blame::Blame,
        observe::Again,
        stage::{Kind, Receipt},
    },
};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every extract came to its end, and everything was committed.
    Completed,
    /// Somebody asked it to stop; what was in flight was committed.
    Stopped,
    /// A stage failed; nothing that was in flight is committed.
    Failed,
    /// Somebody gave it up; nothing was committed.
    Aborted,
}

impl VersionReport {
    /// Of a version, as it stands.
    pub fn of(version: &Version) -> Self {
        VersionReport {
            generation: version.generation,
            component: version.reference.to_string(),
            digest: version.digest.to_string(),
            span: version.span(),
        }
    }
}

impl Outcome {
    /// As the report writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Completed => "completed",
            Outcome::Stopped => "stopped",
            Outcome::Failed => "failed",
            Outcome::Aborted => "aborted",
        }
    }
}

/// The report of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The pipeline's name.
    pub pipeline: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What failed.
    pub error: Option<ErrorReport>,
    /// Wall-clock seconds from start to end.
    pub seconds: f64,
    /// Wall-clock seconds from start to the first batch.
    pub first_batch_seconds: Option<f64>,
    /// Checkpoints that were taken, the last one included; none of a run that takes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<u64>,
    /// The stages, each after those that feed it; then those that were removed, the oldest first.
    pub stages: Vec<StageReport>,
}

/// Why a run failed.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorReport {
    /// The stage.
    pub stage: String,
    /// The export it was in.
    pub during: String,
    /// Number of the batch, from 0.
    pub batch: Option<u64>,
    /// Whose fault.
    pub blame: Blame,
    /// Machine-readable reason.
    pub reason: String,
    /// For a person.
    pub message: String,
}

/// One stage of a run.
#[derive(Clone, Debug, Serialize)]
pub struct StageReport {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// As written in the pipeline file.
    pub component: String,
    /// SHA-256 of the component.
    pub digest: String,
    /// Instances that worked side by side.
    pub instances: usize,
    /// Its calls.
    pub calls: CallReport,
    /// Where its rows went.
    pub rows: RowReport,
    /// Batches that went in.
    pub batches_in: u64,
    /// Batches that came out.
    pub batches_out: u64,
    /// Why rows were rejected.
    pub rejections: Vec<RejectionReport>,
    /// What was done about calls that failed.
    pub failures: FailureReport,
    /// The queue in front of it; absent for an extract.
    pub queue: Option<QueueReport>,
    /// Names of the input columns that it read, as `input:column`.
    pub columns_read: Vec<String>,
    /// Where its output columns came from.
    pub ports: Vec<PortReport>,
    /// Its own counters.
    pub counters: BTreeMap<String, u64>,
    /// Telemetry of its own that exceeded a limit, or was no number, and was dropped.
    pub telemetry_dropped: u64,
    /// What it ran, one after the other, where it was swapped; empty where it was not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<VersionReport>,
    /// What a load made durable.
    pub receipt: Option<Receipt>,
    /// Whether it was removed from the pipeline while that ran; left out where it was not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

/// A version of a stage that ran, or was tried.
#[derive(Clone, Debug, Serialize)]
pub struct VersionReport {
    /// From 1 for the one that the run began with.
    pub generation: u32,
    /// As written in the pipeline file.
    pub component: String,
    /// SHA-256 of the component.
    pub digest: String,
    /// The batches that it answered for.
    #[serde(flatten)]
    pub span: Span,
}

/// The calls of a stage.
#[derive(Clone, Debug, Serialize)]
pub struct CallReport {
    /// How many.
    pub count: u64,
    /// How many failed.
    pub failed: u64,
    /// Seconds of one call: guest, copying and imports together.
    pub seconds: Quantiles,
    /// Seconds in guest code, over all calls.
    pub guest_seconds: f64,
    /// Seconds copying, validating and carrying out recipes.
    pub copy_seconds: f64,
    /// Seconds in imports other than those that copy: tables, telemetry, state.
    pub host_seconds: f64,
    /// Units of fuel, over all calls.
    pub fuel: u64,
    /// False when a trap made `fuel` a lower bound, and when it was not counted, or not of all calls.
    pub fuel_exact: bool,
    /// Most bytes of linear memory of any instance.
    pub memory_peak_bytes: u64,
    /// Bytes of columns that were copied into the guest.
    pub bytes_read: u64,
    /// Bytes of columns that the guest made.
    pub bytes_made: u64,
    /// Bytes of batches that never crossed.
    pub bytes_stayed: u64,
}

/// What was done about calls that failed: `on_error`, and instances that were replaced.
#[derive(Clone, Debug, Serialize)]
pub struct FailureReport {
    /// Calls that were made again because they might go well then.
    pub retries: u64,
    /// Calls that were made to find the rows at fault.
    pub bisections: u64,
    /// Seconds in both.
    pub seconds: f64,
    /// Instances that were opened in place of others, by why.
    pub restarts: BTreeMap<String, u64>,
    /// Rows that were written to the dead letters.
    pub dead_lettered: u64,
    /// Rows that were skipped.
    pub skipped: u64,
    /// The file of the dead letters.
    pub dead_letters: Option<String>,
}

/// Where the rows of a stage went. For a stage that passes rows on: `in = out + filtered + rejected + failed`.
#[derive(Clone, Debug, Serialize)]
pub struct RowReport {
    /// Went in.
    pub r#in: u64,
    /// Came out, or were loaded.
    pub out: u64,
    /// Were left out.
    pub filtered: u64,
    /// Were rejected.
    pub rejected: u64,
    /// Of those, how many nobody takes: they are lost.
    pub rejected_untaken: u64,
    /// Rows of calls that failed, whatever was done with them.
    pub failed: u64,
}

/// Quantiles in seconds, to two significant digits.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Quantiles {
    /// Half are faster.
    pub p50: f64,
    /// 95 of 100 are faster.
    pub p95: f64,
    /// 99 of 100 are faster.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

/// A reason and how often.
#[derive(Clone, Debug, Serialize)]
pub struct RejectionReport {
    /// As the stage said it; `(other reasons)` sums up what is beyond the first ten.
    pub reason: String,
    /// Rows.
    pub rows: u64,
}

/// The queue in front of a stage.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct QueueReport {
    /// Its bound.
    pub bound_bytes: u64,
    /// Most bytes that waited.
    pub peak_bytes: u64,
    /// Seconds that a batch waited.
    pub wait_seconds: Quantiles,
}

/// A way out of a stage.
#[derive(Clone, Debug, Serialize)]
pub struct PortReport {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<ColumnReport>,
}

/// An output column and where it was seen to come from.
#[derive(Clone, Debug, Serialize)]
pub struct ColumnReport {
    /// Its name.
    pub name: String,
    /// `input:column` for an input column untouched, `made`, or `table`; empty when no batch left by the port.
    pub from: Vec<String>,
}

/// Reports on a run that has ended.
pub(super) fn of(graph: &Graph) -> Report {
    let control = &graph.control;
    let failure = control.failure();
    let outcome = match (&failure, control.given_up(), control.stopping()) {
        (Some(_), ..) => Outcome::Failed,
        (None, true, _) => Outcome::Aborted,
        (None, false, true) => Outcome::Stopped,
        (None, false, false) => Outcome::Completed,
    };
    let stages: Vec<_> = graph.stages.all().into_iter().chain(graph.stages.removed()).collect();
    let plans: Plans = stages.iter().map(|stage| (stage.index, stage.planned())).collect();
    Report {
        pipeline: graph.name.clone(),
        outcome,
        error: failure.map(error_report),
        seconds: control.elapsed().as_secs_f64(),
        first_batch_seconds: control.first_batch().map(|first| first.as_secs_f64()),
        checkpoints: None,
        stages: stages.iter().filter_map(|stage| stage_report(&plans, stage, &stage.ledger.account())).collect(),
    }
}

/// What stages run, by index.
type Plans = BTreeMap<usize, Arc<PlannedStage>>;

fn error_report(failure: Failure) -> ErrorReport {
    ErrorReport {
        blame: failure.error.blame(),
        reason: failure.error.reason().to_owned(),
        message: failure.error.to_string(),
        stage: failure.stage,
        during: failure.during.to_owned(),
        batch: failure.batch,
    }
}

fn stage_report(plans: &Plans, running: &Stage, account: &Account) -> Option<StageReport> {
    let (stage, index, total) = (plans.get(&running.index)?, running.index, &account.total);
    let taken = plans.values().flat_map(|stage| &stage.inputs).any(|edge| edge.from == index && edge.port == PortId::Rejected);
    Some(StageReport {
        name: stage.name.clone(),
        kind: stage.kind,
        component: stage.reference.to_string(),
        digest: stage.component.digest().to_string(),
        instances: stage.instances,
        calls: CallReport {
            count: account.calls,
            failed: account.failed_calls,
            seconds: quantiles(&account.call_time),
            guest_seconds: total.guest.as_secs_f64(),
            copy_seconds: total.copy.as_secs_f64(),
            host_seconds: total.host.as_secs_f64(),
            fuel: total.fuel,
            fuel_exact: total.fuel_exact,
            memory_peak_bytes: total.memory,
            bytes_read: total.bytes_read,
            bytes_made: total.bytes_made,
            bytes_stayed: total.bytes_stayed,
        },
        rows: RowReport {
            r#in: total.rows_in,
            out: total.rows_out,
            filtered: total.rows_filtered,
            rejected: total.rows_rejected,
            rejected_untaken: if taken { 0 } else { total.rows_rejected },
            failed: account.failed_rows,
        },
        batches_in: account.batches_in,
        batches_out: account.batches_out,
        rejections: reasons(account),
        failures: FailureReport {
            retries: account.again[Again::Retry as usize],
            bisections: account.again[Again::Bisect as usize],
            seconds: account.again_time.as_secs_f64(),
            restarts: account.restarts.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
            dead_lettered: account.dead_lettered,
            skipped: account.skipped,
            dead_letters: running.policy.dead_letters().map(|path| path.display().to_string()),
        },
        queue: running.level().map(|level| QueueReport {
            bound_bytes: stage.queue_bytes,
            peak_bytes: level.peak,
            wait_seconds: quantiles(&account.queue_wait),
        }),
        columns_read: account.columns_read.iter().map(|(input, column)| column_name(plans, stage, *input, *column)).collect(),
        ports: ports(plans, stage, account),
        counters: account.counters.clone(),
        telemetry_dropped: total.dropped,
        versions: versions(running),
        receipt: running.receipt(),
        removed: running.is_removed(),
    })
}

fn versions(running: &Stage) -> Vec<VersionReport> {
    let versions = running.versions();
    if versions.len() < 2 { Vec::new() } else { versions.iter().map(|version| VersionReport::of(version)).collect() }
}

fn quantiles(histogram: &Histogram<u64>) -> Quantiles {
    if histogram.is_empty() {
        return Quantiles::default();
    }
    let at = |quantile| Duration::from_nanos(histogram.value_at_quantile(quantile)).as_secs_f64();
    Quantiles { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: Duration::from_nanos(histogram.max()).as_secs_f64() }
}

/// Most frequent first.
fn reasons(account: &Account) -> Vec<RejectionReport> {
    let mut reasons: Vec<_> =
        account.reasons.iter().map(|(reason, rows)| RejectionReport { reason: reason.clone(), rows: *rows }).collect();
    reasons.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.reason.cmp(&b.reason)));
    if account.other_reasons > 0 {
        reasons.push(RejectionReport { reason: "(other reasons)".into(), rows: account.other_reasons });
    }
    reasons
}

fn ports(plans: &Plans, stage: &PlannedStage, account: &Account) -> Vec<PortReport> {
    let column = |port: u32, column: usize, name: &str| {
        let origins = account.origins.get(&(port, column as u32));
        let from = origins.into_iter().flatten().map(|from| match from {
            From::Passed(input, column) => column_name(plans, stage, *input, *column),
            From::Made => "made".to_owned(),
            From::Table => "table".to_owned(),
        });
        ColumnReport { name: name.to_owned(), from: from.collect() }
    };
    let ports = stage.ports.iter().enumerate().map(|(index, port)| PortReport {
        name: port.name.clone(),
        columns: port.schema.fields().iter().enumerate().map(|(at, field)| column(index as u32, at, field.name())).collect(),
    });
    ports.collect()
}

/// `input:column`, the input as the pipeline file names it.
fn column_name(plans: &Plans, stage: &PlannedStage, input: u32, column: u32) -> String {
    let (Some(edge), Some(opened)) = (stage.inputs.get(input as usize), stage.opening.inputs.get(input as usize)) else {
        return format!("{input}:{column}");
    };
    let feeder = match (plans.get(&edge.from), edge.port) {
        (Some(from), PortId::Out(_)) => from.name.clone(),
        (Some(from), PortId::Rejected) => format!("{}.{}", from.name, rejections::PORT),
        (None, _) => opened.name.clone(),
    };
    let name = opened.schema.fields().get(column as usize).map(|field| field.name().clone());
    format!("{feeder}:{}", name.unwrap_or_else(|| column.to_string()))
}
