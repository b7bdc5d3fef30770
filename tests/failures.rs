//! Failures, simulated, and everything that is said of them: spans, metrics, logs, and what people are told. One golden file each in
//! `tests/golden/failures`; `UPDATE_GOLDEN=1` writes them anew.
//!
//! What depends on the machine or on who is faster is `*` there, and values of 0 are left out but for those of the ledger and of telemetry. The same spans are in more detail in `tests/golden/traces`.

mod collector;
mod outside;
mod told;

use std::{fs, process::Command};

use tempfile::TempDir;

use self::told::Told;
use crate::{
    binary::{Ran, example, folder, parshall, pipeline, project},
    components,
};

fn assert_golden(name: &str, told: &str) {
    let path = project("tests/golden/failures").join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, told).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}; UPDATE_GOLDEN=1 writes it", path.display()));
    assert_eq!(told, golden, "{name}: not what is in {}", path.display());
}

/// A run with every layer on, and nothing in its environment that telemetry reads.
fn command(here: &TempDir) -> Command {
    let mut command = parshall();
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_") || name.starts_with("TRACE")) {
        command.env_remove(name);
    }
    command.current_dir(here.path()).args(["run", "pipeline.toml", "--report", "none", "--log-format", "json"]);
    command.args(["--metrics-file", "m.prom"]);
    command
}

/// What a run that ends with this code says.
fn told(here: &TempDir, code: i32) -> Told {
    let ran = Ran(command(here).args(["--trace-out", "spans.jsonl"]).output().unwrap());
    assert_eq!(ran.code(), code, "{}", ran.err());
    Told::read(here.path(), &ran.err())
}

/// Of a pipeline with one misbehaving stage between a source of one batch and a load.
fn misbehaving(mode: &str, limits: &str) -> String {
    let here = folder();
    let path = |name: &str| components::path(&format!("testing/{name}")).display().to_string();
    let (generate, hostile, collect) = (path("generate"), path("hostile"), path("collect"));
    let text = format!(
        r#"name = "misbehaving"
        [extract.numbers]
        component = "{generate}"
        config = {{ rows = 20, batch_rows = 20 }}
        [transform.breaks]
        component = "{hostile}"
        inputs = ["numbers"]
        config = {{ mode = "{mode}" }}
        limits = {{ {limits} }}
        [load.out]
        component = "{collect}"
        inputs = ["breaks"]"#
    );
    pipeline(&here, &text);
    // Whether the source was asked for more before the run was given up is a race.
    told(&here, 1).races("etl_calls_total", "numbers").text()
}

#[test]
fn a_guest_that_traps() {
    assert_golden("trap", &misbehaving("trap", ""));
}

#[test]
fn a_guest_that_runs_out_of_fuel() {
    assert_golden("out-of-fuel", &misbehaving("loop-in-process", "fuel = 1000000"));
}

#[test]
fn a_guest_that_wants_too_much_memory() {
    assert_golden("over-memory", &misbehaving("alloc-bomb", "memory = \"4MiB\""));
}

#[test]
fn a_guest_that_takes_too_long() {
    assert_golden("timeout", &misbehaving("loop-in-process", "timeout = \"100ms\""));
}

/// A stage that says in its own words that it cannot go on: its instance is usable, the run is over nevertheless.
#[test]
fn a_guest_that_gives_up() {
    assert_golden("gives-up", &misbehaving("error-data", ""));
}

#[test]
fn rows_that_are_rejected() {
    assert_golden("rejected", &told(&example("rejections"), 0).text());
}

/// The last row of a file is cut off in the middle, which nobody knows before it is read.
#[test]
fn a_source_that_cannot_be_read() {
    let here = folder();
    let rows: String = (0..30_000).map(|n| format!("{{\"n\": {n}}}\n")).collect();
    fs::write(here.path().join("rows.jsonl"), rows + "{\"n\": 1").unwrap();
    let collect = components::path("testing/collect").display().to_string();
    let text = format!(
        r#"name = "unreadable"
        [extract.rows]
        component = "std:read"
        config = {{ path = "rows.jsonl", schema = {{ n = "int64" }} }}
        grants = {{ read = ["."] }}
        [load.out]
        component = "{collect}"
        inputs = ["rows"]"#
    );
    pipeline(&here, &text);
    let mut told =
        told(&here, 1).leaves_out("etl_rows_processed_total", "out").races("", "out").races("etl_telemetry_exported_total", "spans");
    // How far the batches before came is a race with the failure.
    let failed = told.spans.iter().find(|span| span.name == "batch" && span.error.is_some()).expect("a batch that failed").trace.clone();
    told.spans.retain(|span| span.name == "run" || span.trace == failed);
    assert_golden("unreadable", &told.text());
}
