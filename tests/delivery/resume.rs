//! What a run goes on from, and what it refuses to.

use std::{fs, thread, time::Duration};

use super::{ROWS, command, everything_is_there, nothing_is_half_visible, ran, runs, text};
use crate::{
    binary::{folder, parshall, pipeline, run, signal},
    traces::tree::{self, Span},
};

/// Rows of a source that takes seconds.
const MANY: i64 = 6_000_000;

/// Runs it until it has taken some checkpoints, then sends it a signal.
fn until_checkpoints(here: &std::path::Path, name: &str) -> std::process::Output {
    let child = command(here).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    while !runs_or_none(here).first().is_some_and(|run| run["checkpoints"].as_u64() >= Some(2) || run["state"] != "running") {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(signal(child.id(), name));
    child.wait_with_output().unwrap()
}

fn runs_or_none(here: &std::path::Path) -> Vec<serde_json::Value> {
    if here.join("state/state.sqlite").exists() { runs(here) } else { Vec::new() }
}

/// Protects an aggregate against putting out half of what it knows when it is stopped, and the rest when it goes on; and everybody
/// against rows that were in flight.
#[test]
fn a_stopped_run_goes_on_as_if_nothing_had_been() {
    let here = folder();
    pipeline(&here, &text(MANY, "50ms"));
    let stopped = until_checkpoints(here.path(), "-INT");
    let err = String::from_utf8_lossy(&stopped.stderr).into_owned();
    assert_eq!(stopped.status.code(), Some(0), "{err}");
    let report: serde_json::Value = serde_json::from_slice(&stopped.stdout).unwrap();
    assert_eq!(report["outcome"], "stopped", "{report:#}");
    nothing_is_half_visible(here.path());
    assert!(!here.path().join("out/sum").exists(), "what it holds is no result");
    let first = &runs(here.path())[0];
    assert_eq!((&first["state"], &first["error"]), (&"stopped".into(), &serde_json::Value::Null));
    // The rest, of a source that is as long; a limit that is free to change.
    let longer = fs::read_to_string(here.path().join("pipeline.toml")).unwrap();
    fs::write(here.path().join("pipeline.toml"), longer.replace("instances = 2", "instances = 1")).unwrap();
    let ended = ran(command(here.path()));
    let err = ended.err();
    let report = ended.json();
    assert!(err.contains("going on from checkpoint"), "{err}");
    let brought = report["stages"][0]["rows"]["out"].as_i64().unwrap();
    assert_eq!(brought + first["rows_in"].as_i64().unwrap(), MANY, "no row was brought twice");
    everything_is_there(here.path(), MANY);
    // It came to its end: the next begins anew, and replaces what there is.
    fs::write(here.path().join("pipeline.toml"), text(1_000, "50ms")).unwrap();
    let err = ran(command(here.path())).err();
    assert!(!err.contains("going on"), "{err}");
    everything_is_there(here.path(), 1_000);
}

/// Protects positions and states against a pipeline in which they mean something else.
#[test]
fn what_does_not_fit_is_refused_with_the_way_out() {
    let here = folder();
    pipeline(&here, &text(MANY, "50ms"));
    until_checkpoints(here.path(), "-KILL");
    assert_eq!(runs(here.path())[0]["state"], "killed");
    fs::write(here.path().join("pipeline.toml"), text(1_000, "50ms")).unwrap();
    let err = ran(command(here.path())).fails(2);
    assert!(err.contains("stage `numbers` has another configuration") && err.contains("`--restart`"), "{err}");
    let mut anew = command(here.path());
    anew.arg("--restart");
    ran(anew).json();
    everything_is_there(here.path(), 1_000);
}

/// Protects a pipeline against two processes that write the same.
#[test]
fn a_second_run_beside_the_first_is_refused() {
    let here = folder();
    pipeline(&here, &text(MANY, "50ms"));
    let mut first = command(here.path()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    while runs_or_none(here.path()).is_empty() {
        thread::sleep(Duration::from_millis(10));
    }
    let err = ran(command(here.path())).fails(1);
    assert!(err.contains(&format!("process {} runs `pipeline`", first.id())), "{err}");
    first.kill().unwrap();
    first.wait().unwrap();
}

/// Protects against a checkpoint that promises what its sink cannot keep.
#[test]
fn one_file_and_checkpoints_do_not_go_together() {
    let here = folder();
    pipeline(&here, &text(10, "50ms").replace("out/sum/\", format = \"csv\"", "out/sum.csv\""));
    for command in ["check", "run"] {
        let mut parshall = parshall();
        parshall.current_dir(here.path()).env("PARSHALL_STATE_DIR", here.path().join("state"));
        let err = ran({
            parshall.args([command, "pipeline.toml"]);
            parshall
        })
        .fails(2);
        assert!(err.contains("name a folder (\"out/sum.csv/\") for a part at each"), "{err}");
    }
}

/// Protects runs that take no checkpoints against anything but being recorded: they end as ever, also where nothing can be recorded.
#[test]
fn a_run_without_checkpoints_is_recorded_and_nothing_else() {
    let here = folder();
    let plain = text(1_000, "50ms").replace("checkpoint = \"50ms\"", "runs = 2");
    pipeline(&here, &plain);
    for _ in 0..3 {
        let err = ran(command(here.path())).err();
        assert_eq!(err, "");
        everything_is_there_but_the_control_table(here.path());
    }
    fs::write(here.path().join("pipeline.toml"), plain.replace("n >= 0", "n / (n - n) > 0")).unwrap();
    let _ = ran(command(here.path()));
    let runs = runs(here.path());
    assert_eq!(runs.len(), 2, "as many as shall be");
    assert_eq!((&runs[1]["state"], &runs[1]["rows_in"], &runs[1]["rows_out"]), (&"completed".into(), &1_000.into(), &2_001.into()));
    // A state that cannot be had.
    fs::write(here.path().join("pipeline.toml"), &plain).unwrap();
    let mut nowhere = command(here.path());
    nowhere.env("PARSHALL_STATE_DIR", here.path().join("pipeline.toml"));
    let ended = ran(nowhere);
    assert_eq!(ended.code(), 0);
    assert!(ended.err().starts_with("warning: this run is not recorded: "), "{}", ended.err());
    assert!(run(here.path(), &["runs"]).fails(2).contains("`off`"));
}

fn everything_is_there_but_the_control_table(here: &std::path::Path) {
    everything_is_there(here, 1_000);
    let connection = rusqlite::Connection::open(here.join("out/all.db")).unwrap();
    let ours = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'parshall%'";
    assert_eq!(connection.query_row(ours, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

/// Protects against checkpoints that nobody sees: each is a span of the run with its phases, in the order in which they are done.
#[test]
fn checkpoints_are_spans_of_the_run() {
    let here = folder();
    let spans = traced(here.path(), &text(ROWS, "20ms"), 0);
    let taken = runs(here.path())[0]["checkpoints"].as_u64().unwrap();
    let run = spans.iter().find(|span| span.name == "run").unwrap();
    let checkpoints: Vec<_> = spans.iter().filter(|span| span.name == "checkpoint").collect();
    assert_eq!(checkpoints.len() as u64, taken);
    for (index, checkpoint) in checkpoints.iter().enumerate() {
        assert_eq!((&checkpoint.parent, &checkpoint.trace), (&run.id, &run.trace));
        assert_eq!(checkpoint.text("etl.checkpoint.outcome"), "taken");
        assert_eq!(checkpoint.attributes["etl.checkpoint.number"]["intValue"], (index + 1).to_string());
        let phases: Vec<_> = spans.iter().filter(|span| span.parent == checkpoint.id).collect();
        let names: Vec<_> = phases.iter().map(|span| span.name.strip_prefix("checkpoint ").unwrap()).collect();
        let all = ["hold", "drain", "states", "prepare", "decide", "settle"];
        assert_eq!(names, if index + 1 == checkpoints.len() { &all[4..] } else { &all[..] });
        assert!(phases.windows(2).all(|two| two[0].ended == two[1].started), "without gaps: {phases:?}");
    }
}

/// Protects against states without a bound, and against a failed checkpoint that is told of as if somebody else had failed.
#[test]
fn a_checkpoint_that_remembers_too_much_fails_the_run() {
    let here = folder();
    let spans = traced(here.path(), &narrow(), 1);
    let failed = spans.iter().find(|span| span.name == "checkpoint").unwrap();
    assert_eq!((failed.text("etl.checkpoint.outcome"), failed.text("error.type")), ("failed", "delivery.snapshot"));
    assert!(failed.error.as_ref().unwrap().contains("delivery.snapshot"), "{failed:?}");
    nothing_is_half_visible(here.path());
    let last = &runs(here.path())[0];
    assert_eq!((&last["state"], &last["checkpoints"]), (&"failed".into(), &0.into()));
}

/// A source that takes a while, of which a checkpoint may remember a byte.
fn narrow() -> String {
    text(MANY, "20ms").replace("[delivery]", "[delivery]\n        snapshot = \"1B\"")
}

/// What a run leaves in `--trace-out`, which ends with this code.
fn traced(here: &std::path::Path, text: &str, code: i32) -> Vec<Span> {
    fs::write(here.join("pipeline.toml"), text).unwrap();
    let mut command = command(here);
    command.args(["--trace-out", "spans.jsonl"]);
    let ran = ran(command);
    assert_eq!(ran.code(), code, "{}", ran.err());
    tree::read(&fs::read_to_string(here.join("spans.jsonl")).unwrap())
}

/// Spans of checkpoints that end in every way.
pub fn spans() -> Vec<Span> {
    let (here, there) = (folder(), folder());
    [traced(here.path(), &text(ROWS, "20ms"), 0), traced(there.path(), &narrow(), 1)].concat()
}
