//! `GET /v1/status`: the run and its stages as they are now.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{Extension, Json};

use super::{
    Admin,
    shapes::{CallSeconds, QueueStatus, RunStatus, StageStatus, Status},
};
use crate::{
    pipeline::{
        run::{Outcome, Report, Stage, StageReport},
        swap::Record,
    },
    words::stage::Kind,
};

/// Bytes of a last error; a longer one is cut.
const ERROR: usize = 500;

/// Answers it.
pub async fn status(Extension(admin): Extension<Arc<Admin>>) -> Json<Status> {
    Json(of(&admin))
}

fn of(admin: &Admin) -> Status {
    let (changes, graph) = (&admin.changes, admin.changes.graph());
    let (report, records, stages) = (graph.report(), changes.records(), graph.stages.all());
    let uptime = graph.control.elapsed();
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(uptime);
    let state = match report.outcome {
        Outcome::Completed => "running",
        Outcome::Stopped => "stopping",
        Outcome::Failed | Outcome::Aborted => "failed",
    };
    let run = RunStatus {
        pid: std::process::id(),
        pipeline: report.pipeline.clone(),
        file: changes.file.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: started.as_secs_f64(),
        uptime_seconds: uptime.as_secs_f64(),
        state: state.to_owned(),
        swaps: records.len() as u64,
    };
    let stage = |stage: &Arc<Stage>| {
        Some(stage_status(stage, &report, report.stages.iter().find(|told| told.name == stage.name && !told.removed)?, &records))
    };
    Status { format: 1, run, stages: stages.iter().filter_map(stage).collect() }
}

fn stage_status(stage: &Stage, report: &Report, told: &StageReport, records: &[Record]) -> StageStatus {
    let (version, planned) = (stage.version(), stage.planned());
    let through = if stage.kind == Kind::Extract { told.rows.out } else { told.rows.r#in };
    let seconds = told.calls.seconds;
    let queue = stage.level().map(|level| QueueStatus {
        batches: level.batches,
        bytes: level.bytes,
        bound_bytes: planned.queue_bytes,
        peak_bytes: level.peak,
    });
    StageStatus {
        name: stage.name.clone(),
        kind: stage.kind.to_string(),
        component: version.reference.to_string(),
        digest: version.digest.to_string(),
        generation: version.generation,
        instances: stage.seats().len(),
        inputs: planned.opening.inputs.iter().map(|input| input.name.clone()).collect(),
        ports: planned.ports.iter().map(|port| port.name.clone()).collect(),
        calls: told.calls.count,
        calls_failed: told.calls.failed,
        call_seconds: CallSeconds { p50: seconds.p50, p95: seconds.p95, p99: seconds.p99, max: seconds.max },
        busy_seconds: told.calls.guest_seconds + told.calls.copy_seconds + told.calls.host_seconds,
        rows_in: told.rows.r#in,
        rows_out: told.rows.out,
        rows_filtered: told.rows.filtered,
        rows_rejected: told.rows.rejected,
        fuel: told.calls.fuel,
        fuel_per_row: told.calls.fuel as f64 / through.max(1) as f64,
        memory_peak_bytes: told.calls.memory_peak_bytes,
        queue,
        last_error: last_error(report, told, records),
    }
}

fn last_error(report: &Report, told: &StageReport, records: &[Record]) -> Option<String> {
    let failure = report.error.iter().find(|error| error.stage == told.name).map(|error| error.message.clone());
    let refused = || {
        let last = records.iter().rev().find(|record| record.stage == told.name)?;
        last.message.as_ref().map(|message| format!("{}: {message}", last.outcome.as_str().replace('_', " ")))
    };
    let rejected = || told.rejections.first().map(|rejection| format!("{} ×{}", rejection.reason, rejection.rows));
    let mut error = failure.or_else(refused).or_else(rejected)?;
    error.truncate(error.floor_char_boundary(ERROR));
    Some(error)
}
