//! The end of a run, for people.

use comfy_table::{Cell, CellAlignment, LineStyle, Table, TableStyle};

use super::{amount, exit, session::Startup};
use crate::{
    pipeline::{
        run::{Outcome, Report, StageReport},
        spec::limits::LIMITS,
    },
    words::{blame::Blame, stage::Kind},
};

const COLUMNS: [&str; 13] =
    ["stage", "kind", "calls", "rows in", "rows out", "filtered", "rejected", "p50", "p95", "p99", "fuel", "memory", "crossed / stayed"];

/// A line under the header and one at the end: rows stand close, so that columns can be compared.
pub const RULED: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')).bottom_border(LineStyle::none().fill('─').junction('─'));

/// The table of stages, why rows were rejected, what was loaded, and how long it took.
pub fn text(report: &Report, startup: &Startup) -> String {
    let mut table = Table::new();
    table.load_style(RULED);
    table.set_header(COLUMNS);
    for stage in &report.stages {
        table.add_row(row(stage));
    }
    let mut text: String = table.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    for stage in &report.stages {
        text.push_str(&rejections(stage));
        text.push_str(&failures(stage));
    }
    for (stage, receipt) in report.stages.iter().filter_map(|stage| stage.receipt.as_ref().map(|receipt| (stage, receipt))) {
        text.push_str(&format!("{}: {} rows loaded into {}\n", stage.name, amount::count(receipt.rows), receipt.location));
    }
    text + &ending(report, startup)
}

/// What a stage's calls have cost, in a line.
pub fn line(stage: &StageReport) -> String {
    let (rows, calls) = (&stage.rows, &stage.calls);
    let [made, taken, out, rejected] = [calls.count, rows.r#in, rows.out, rows.rejected].map(amount::count);
    let (half, memory) = (amount::seconds(calls.seconds.p50), amount::bytes(calls.memory_peak_bytes));
    let fuel = amount::short(calls.fuel / rows.r#in.max(rows.out).max(1));
    let name = &stage.name;
    format!("{name}: {made} calls, {taken} rows in, {out} out, {rejected} rejected; p50 {half}, {fuel} fuel a row, {memory}")
}

fn row(stage: &StageReport) -> Vec<Cell> {
    let calls = &stage.calls;
    // What was never called took no time, not a short one.
    let took = |seconds| if calls.count == 0 { "-".into() } else { amount::seconds(seconds) };
    let numbers = [
        amount::count(calls.count),
        if stage.kind == Kind::Extract { "-".into() } else { amount::count(stage.rows.r#in) },
        amount::count(stage.rows.out),
        amount::count(stage.rows.filtered),
        amount::count(stage.rows.rejected),
        took(calls.seconds.p50),
        took(calls.seconds.p95),
        took(calls.seconds.p99),
        if calls.fuel == 0 && !calls.fuel_exact { "-".into() } else { amount::short(calls.fuel) },
        amount::bytes(calls.memory_peak_bytes),
        format!("{} / {}", amount::bytes(calls.bytes_read + calls.bytes_made), amount::bytes(calls.bytes_stayed)),
    ];
    let times = if stage.instances > 1 { format!(" ×{}", stage.instances) } else { String::new() };
    let name = format!("{}{times}{}", stage.name, if stage.removed { " (removed)" } else { "" });
    let words = [Cell::new(name), Cell::new(stage.kind)];
    words.into_iter().chain(numbers.into_iter().map(|number| Cell::new(number).set_alignment(CellAlignment::Right))).collect()
}

fn rejections(stage: &StageReport) -> String {
    if stage.rejections.is_empty() {
        return String::new();
    }
    let reasons: Vec<_> =
        stage.rejections.iter().map(|rejection| format!("{} ×{}", rejection.reason, amount::count(rejection.rows))).collect();
    let lost = match stage.rows.rejected_untaken {
        0 => String::new(),
        _ => format!(" (lost: nobody takes `{}.rejected`)", stage.name),
    };
    format!("{}: {} rows rejected{lost}: {}\n", stage.name, amount::count(stage.rows.rejected), reasons.join("; "))
}

/// What was done about calls that failed.
fn failures(stage: &StageReport) -> String {
    let (name, failures) = (&stage.name, &stage.failures);
    let mut parts = Vec::new();
    if failures.dead_lettered > 0 {
        let to = failures.dead_letters.as_deref().unwrap_or("the dead letters");
        parts.push(format!("{} rows are dead letters in {to}", amount::count(failures.dead_lettered)));
    }
    if failures.skipped > 0 {
        parts.push(format!("{} rows were skipped", amount::count(failures.skipped)));
    }
    let again = failures.retries + failures.bisections;
    if again > 0 {
        let (retries, bisections) = (amount::count(failures.retries), amount::count(failures.bisections));
        parts.push(format!("{retries} retries and {bisections} calls to find rows took {}", amount::seconds(failures.seconds)));
    }
    if !failures.restarts.is_empty() {
        let restarts: Vec<_> = failures.restarts.iter().map(|(reason, count)| format!("{reason} ×{}", amount::count(*count))).collect();
        parts.push(format!("instances replaced: {}", restarts.join(", ")));
    }
    if parts.is_empty() { String::new() } else { format!("{name}: {}\n", parts.join("; ")) }
}

fn ending(report: &Report, startup: &Startup) -> String {
    let how = match report.outcome {
        Outcome::Completed => "completed",
        Outcome::Stopped if report.checkpoints.is_some() => "stopped at a checkpoint, from which the next run goes on",
        Outcome::Failed | Outcome::Aborted if report.checkpoints.is_some_and(|taken| taken > 0) => {
            "ended after a checkpoint, from which the next run goes on"
        }
        Outcome::Stopped => "stopped; everything in flight is committed",
        Outcome::Failed if committed(report).is_empty() => "failed; nothing is committed",
        Outcome::Failed => "failed; some loads had committed before",
        Outcome::Aborted => "given up; nothing is committed",
    };
    let rows: u64 = report.stages.iter().filter(|stage| stage.kind == Kind::Extract).map(|stage| stage.rows.out).sum();
    let first = report.first_batch_seconds.map_or(String::new(), |first| format!(", first batch {} later", amount::seconds(first)));
    format!(
        "{} {how}: {} rows in {}; ready after {} (engine {}, components and stages {}){first}\n",
        report.pipeline,
        amount::count(rows),
        amount::seconds(report.seconds),
        amount::seconds(startup.total),
        amount::seconds(startup.engine),
        amount::seconds(startup.plan),
    )
}

/// The loads that have committed, although others may not have.
fn committed(report: &Report) -> Vec<&str> {
    report.stages.iter().filter(|stage| stage.receipt.is_some()).map(|stage| stage.name.as_str()).collect()
}

/// What a run that ended well should still not be silent about, on standard error.
pub fn warn(report: &Report) {
    for stage in report.stages.iter().filter(|stage| stage.rows.rejected_untaken > 0) {
        let (name, rows) = (&stage.name, amount::count(stage.rows.rejected_untaken));
        exit::tell(format_args!(
            "warning: `{name}` rejected {rows} rows that nobody takes; they are lost unless a stage has `{name}.rejected` as its input"
        ));
    }
    for stage in &report.stages {
        let (name, failures) = (&stage.name, &stage.failures);
        if let (true, Some(path)) = (failures.dead_lettered > 0, &failures.dead_letters) {
            let rows = amount::count(failures.dead_lettered);
            exit::tell(format_args!("warning: `{name}` could not take {rows} rows; after a fix: parshall retry {path}"));
        }
        if failures.skipped > 0 {
            exit::tell(format_args!("warning: `{name}` could not take {} rows; they are skipped", amount::count(failures.skipped)));
        }
    }
    for stage in report.stages.iter().filter(|stage| stage.telemetry_dropped > 0) {
        let (name, dropped) = (&stage.name, amount::count(stage.telemetry_dropped));
        exit::tell(format_args!("warning: stage {name}: {dropped} logs, metrics and spans of its own exceeded a limit and were dropped"));
    }
    if report.outcome == Outcome::Stopped && report.checkpoints.is_none() {
        exit::tell(format_args!("warning: stopped before the end of the data; what was loaded is a part of it"));
    }
}

/// Why a run failed, on standard error.
pub fn complain(report: &Report) {
    let Some(error) = &report.error else { return };
    let batch = error.batch.map_or(String::new(), |batch| format!(", batch {batch}"));
    match error.stage.as_str() {
        "" => exit::tell(format_args!("error: {}", error.message)),
        stage => exit::tell(format_args!("error: stage `{stage}` failed in `{}`{batch}: {}", error.during, error.message)),
    }
    exit::tell(format_args!("  = blame: {} ({})", error.blame, error.reason));
    if error.blame == Blame::Guest && LIMITS.iter().any(|limit| limit.key.name == error.reason) {
        exit::tell(format_args!(
            "  = help: if the stage needs more, raise `limits.{}` of `{}` in the pipeline file",
            error.reason, error.stage
        ));
    }
    let committed = committed(report);
    if !committed.is_empty() && report.checkpoints.is_none() {
        exit::tell(format_args!("  = note: {} had committed before; there is no transaction across stores", committed.join(", ")));
    }
}
