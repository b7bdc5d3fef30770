//! How a run leaves when somebody watches: what it says comes first, then what is for collectors, and Ctrl-C waits for neither.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    binary::{example, folder, parshall, run, signal},
    traces::tree,
};

/// A collector that takes connections and never answers; for all three signals.
fn hanging(flush: &str) -> (TcpListener, Command) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = parshall();
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", listener.local_addr().unwrap()));
    command.env("PARSHALL_TELEMETRY_FLUSH", flush).stdout(Stdio::piped()).stderr(Stdio::piped());
    (listener, command)
}

/// Starts a run and reads what it prints until its last line about the run.
fn started(command: &mut Command) -> Child {
    let mut child = command.args(["run", "pipeline.toml", "-v", "--slowest", "0"]).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let told = out.lines().map_while(Result::ok).any(|line| line.contains(" completed: "));
    assert!(told, "the report");
    child
}

/// Protects against a collector that keeps people waiting for the outcome, and against a Ctrl-C that says what is not so.
#[test]
fn the_report_comes_first_and_an_interrupt_ends_the_wait_for_telemetry() {
    let here = example("sales");
    let (_listener, mut command) = hanging("60000");
    let mut child = started(command.current_dir(here.path()));
    assert_eq!(child.try_wait().unwrap(), None, "it waits for the collector");
    assert!(signal(child.id(), "-INT"));
    let status = child.wait().unwrap();
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(status.code(), Some(0), "the run had completed: {err}");
    assert!(err.contains("the run is over; telemetry that has not left yet is lost"), "{err}");
    assert!(!err.contains("committed"), "{err}");
}

/// Protects against deadlines that add up, one for each signal.
#[test]
fn all_signals_leave_within_one_deadline() {
    let here = example("sales");
    let (_listener, mut command) = hanging("4000");
    let mut child = started(command.current_dir(here.path()));
    let began = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

/// Protects against a nightly run that fails in silence because its input is missing.
#[test]
fn a_run_that_cannot_begin_is_a_failed_run_for_whoever_watches() {
    let here = example("sales");
    fs::remove_file(here.path().join("data/sales.parquet")).unwrap();
    let err = run(here.path(), &["--log-format", "json", "run", "pipeline.toml", "--metrics-file", "run.prom", "--trace-out", "run.jsonl"])
        .fails(2);
    assert!(err.contains("\"scope\":\"parshall::run\""), "{err}");
    let metrics = fs::read_to_string(here.path().join("run.prom")).unwrap();
    assert!(metrics.contains("etl_runs_total{pipeline=\"pipeline\",outcome=\"failed\"} 1"), "{metrics}");
    let spans = tree::read(&fs::read_to_string(here.path().join("run.jsonl")).unwrap());
    assert_eq!(spans.iter().map(|span| (span.name.as_str(), span.text("etl.run.outcome"))).collect::<Vec<_>>(), [("run", "failed")]);
}

/// Protects against outputs that are written over each other, or over what the pipeline reads or writes.
#[test]
fn no_output_is_somebody_elses_file() {
    let here = example("sales");
    let read = |name: &str| fs::read(here.path().join(name)).unwrap();
    let before = (read("pipeline.toml"), read("data/sales.parquet"));
    for (arguments, expected) in [
        (&["--trace-out", "pipeline.toml"][..], "--trace-out: `pipeline.toml` is the pipeline file"),
        (&["--report-file", "./pipeline.toml"], "--report-file: `./pipeline.toml` is the pipeline file"),
        (&["--trace-out", "data/sales.parquet"], "reads `data/sales.parquet`"),
        (&["--report-file", "data/sales.parquet"], "reads `data/sales.parquet`"),
        (&["--trace-out", "a.jsonl", "--report-file", "a.jsonl"], "--report-file: `a.jsonl` is what --trace-out writes to"),
        (&["--report-file", "none/report.json"], "--report-file: nothing can be written to `none`"),
        (&["--trace-out", "."], "--trace-out: `.` is a folder"),
    ] {
        let err = run(here.path(), &[&["run", "pipeline.toml"], arguments].concat()).fails(2);
        assert!(err.contains(expected), "{arguments:?}: {err}");
    }
    assert_eq!((read("pipeline.toml"), read("data/sales.parquet")), before);
    assert!(!here.path().join("out").exists(), "nothing was run");
    let empty = folder();
    fs::write(empty.path().join("spans.jsonl"), "of an earlier run").unwrap();
    run(empty.path(), &["run", "none.toml", "--slowest", "0", "--report-file", "."]).fails(2);
    assert_eq!(fs::read_to_string(empty.path().join("spans.jsonl")).unwrap(), "of an earlier run");
}
