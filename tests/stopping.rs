//! Ctrl-C ends a run without losing what it has in hand.

use std::{
    fs,
    io::Read as _,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    binary::{folder, parshall, pipeline, signal},
    components,
};

/// A pipeline that would run for days.
fn endless(load: &str) -> TempDir {
    let here = folder();
    pipeline(
        &here,
        &format!(
            "[extract.numbers]\ncomponent = \"{}\"\nconfig = {{ rows = 1_000_000_000_000, batch_rows = 1024 }}\n\
         [transform.doubled]\ninputs = [\"numbers\"]\ncomponent = \"{}\"\nconfig = {{ column = \"n\" }}\ninstances = 2\n\
         [load.end]\ninputs = [\"doubled\"]\n{load}\n",
            components::path("testing/generate").display(),
            components::path("testing/double").display(),
        ),
    );
    here
}

fn start(folder: &TempDir) -> Child {
    let mut command = parshall();
    command.current_dir(folder.path()).args(["run", "pipeline.toml", "--report", "json", "--progress", "never"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What a terminal sends on Ctrl-C.
fn interrupt(child: &Child) {
    assert!(signal(child.id(), "-INT"));
}

/// Waits for the end, but not for ever.
fn end(mut child: Child) -> (Option<i32>, Value, String) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                child.kill().unwrap();
                panic!("the run did not stop within a minute");
            }
            None => thread::sleep(Duration::from_millis(10)),
        }
    };
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    (status.code(), serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")), err)
}

/// Protects against an interrupted run that leaves half a file, or none of what it had done.
#[test]
fn the_first_interrupt_finishes_and_commits_what_is_in_flight() {
    let here = endless("component = \"std:write\"\nconfig = { to = \"out/numbers.parquet\" }\ngrants = { write = [\"out/\"] }");
    let child = start(&here);
    thread::sleep(Duration::from_millis(2_500));
    interrupt(&child);
    let (code, report, err) = end(child);
    assert_eq!((code, report["outcome"].as_str()), (Some(0), Some("stopped")), "{err}");
    assert!(err.contains("stopping: finishing and committing what is in flight"), "{err}");
    let [numbers, doubled, load] = report["stages"].as_array().unwrap().as_slice() else { panic!("{report:#}") };
    let made = numbers["rows"]["out"].as_u64().unwrap();
    assert!(made > 0, "it had begun");
    assert_eq!((&doubled["rows"]["in"], &doubled["rows"]["out"], &load["receipt"]["rows"]), (&made.into(), &made.into(), &made.into()));
    let file = fs::File::open(here.path().join("out/numbers.parquet")).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows() as u64, made, "the file is whole");
    let mut expected = 0;
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        for value in batch.column(0).as_any().downcast_ref::<arrow::array::Int64Array>().unwrap().values() {
            assert_eq!(*value, 2 * expected, "in order, although two instances work side by side");
            expected += 1;
        }
    }
}

/// Protects against a run that cannot be given up: whoever presses Ctrl-C twice wants out.
#[test]
fn the_second_interrupt_gives_up_and_leaves_no_trace() {
    let here = endless("component = \"std:write\"\nconfig = { to = \"out/numbers.parquet\" }\ngrants = { write = [\"out/\"] }");
    // A stage that takes its time, so that the run is still finishing when the second interrupt comes.
    let text = fs::read_to_string(here.path().join("pipeline.toml")).unwrap();
    let slow = text.replace("rows = 1_000_000_000_000, batch_rows = 1024", "rows = 1_000_000_000_000, batch_rows = 4_000_000");
    fs::write(here.path().join("pipeline.toml"), slow.replace("instances = 2", "queue = \"1GiB\"")).unwrap();
    let child = start(&here);
    thread::sleep(Duration::from_millis(2_500));
    interrupt(&child);
    thread::sleep(Duration::from_millis(20));
    interrupt(&child);
    let (code, report, err) = end(child);
    if report["outcome"] == "stopped" {
        // It was faster than the second interrupt; then it must have ended well.
        return assert_eq!(code, Some(0), "{err}");
    }
    assert_eq!((code, report["outcome"].as_str()), (Some(1), Some("aborted")), "{err}");
    assert!(!here.path().join("out/numbers.parquet").exists(), "nothing was committed");
    let left = fs::read_dir(here.path().join("out")).map_or(0, |entries| entries.count());
    assert_eq!(left, 0, "no half-written file stays behind");
}
