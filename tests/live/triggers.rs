//! Triggers other than HTTP: files that change, and `SIGHUP`.

use std::{
    fs,
    io::Write as _,
    thread,
    time::{Duration, SystemTime},
};

use serde_json::Value;

use super::{Live, endless, version, wait, write_pipeline};

/// Time in which a watch would have noticed.
const LONG_ENOUGH: Duration = Duration::from_millis(1_200);

/// What was changed, and what was refused, so far.
fn audits(live: &Live) -> Vec<(String, String)> {
    let said = live.said();
    let records = said.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str::<Value>(line).unwrap());
    let audits = records.filter(|record| record["scope"] == "parshall::audit");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    audits.map(|record| (text(&record["attributes"]["trigger"]), text(&record["attributes"]["outcome"]))).collect()
}

fn outcome(trigger: &str, outcome: &str) -> (String, String) {
    (trigger.to_owned(), outcome.to_owned())
}

/// Protects against half a component: one that comes in two pieces with a pause is loaded once, whole.
#[test]
fn a_component_that_is_written_in_pieces_is_loaded_when_it_is_whole() {
    let here = endless();
    let live = Live::start(&here, &["--admin", "--watch"]);
    let (path, bytes) = (here.path().join("double.wasm"), version("testing/double", 2));
    let mut file = fs::File::create(&path).unwrap();
    for piece in bytes.chunks(bytes.len() / 4 + 1) {
        file.write_all(piece).unwrap();
        file.flush().unwrap();
        thread::sleep(Duration::from_millis(100));
    }
    drop(file);
    live.until("the new version runs", |status| status["stages"][1]["generation"] == 2);
    // It runs a moment before that is put on record.
    let audits = wait("a record", || Some(audits(&live)).filter(|audits| !audits.is_empty()).ok_or_else(|| live.said()));
    assert_eq!(audits, [outcome("watch", "swapped")], "no piece was ever tried");
    live.end();
}

/// Protects against half a component whose writer pauses for longer than we wait: it is refused, and then the whole is taken.
#[test]
fn a_half_written_component_that_lies_still_is_refused_and_the_whole_is_taken() {
    let here = endless();
    let live = Live::start(&here, &["--admin", "--watch"]);
    let (path, bytes) = (here.path().join("double.wasm"), version("testing/double", 2));
    let (half, rest) = bytes.split_at(bytes.len() / 2);
    fs::write(&path, half).unwrap();
    live.until_said("what runs goes on as it was");
    assert_eq!((live.generation(), audits(&live)), (1, vec![outcome("watch", "refused")]));
    assert!(live.said().contains("double.wasm"), "{}", live.said());
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(rest).unwrap();
    live.until("the new version runs", |status| status["stages"][1]["generation"] == 2);
    // By a rename, as many editors and compilers do.
    fs::write(here.path().join("next"), version("testing/double", 3)).unwrap();
    fs::rename(here.path().join("next"), &path).unwrap();
    live.until("the next version runs", |status| status["stages"][1]["generation"] == 3);
    live.end();
}

/// Protects what runs against files that were touched and are the same, and a pipeline file that is broken for a while.
#[test]
fn only_what_is_different_is_changed() {
    let here = endless();
    let live = Live::start(&here, &["--admin", "--watch"]);
    let (component, file) = (here.path().join("double.wasm"), here.path().join("pipeline.toml"));
    for path in [&component, &file] {
        fs::File::options().append(true).open(path).unwrap().set_modified(SystemTime::now()).unwrap();
        fs::write(path, fs::read(path).unwrap()).unwrap();
    }
    thread::sleep(LONG_ENOUGH);
    assert_eq!((live.generation(), audits(&live)), (1, Vec::new()));
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("inputs = [\"numbers\"]", "inputs = [\"nmubers\"]")).unwrap();
    live.until_said("what runs goes on as it was");
    assert!(live.said().contains("did you mean \"numbers\"?") && live.said().contains("pipeline.toml:"), "{}", live.said());
    assert_eq!((live.generation(), audits(&live)), (1, vec![outcome("watch", "refused")]));
    // Another configuration, and two instances, by one file.
    fs::write(here.path().join("other.wasm"), version("testing/double", 5)).unwrap();
    write_pipeline(&here, "other.wasm", "{ column = \"n\" }\ninstances = 2", "");
    let status = live.until("another component runs twice", |status| status["stages"][1]["instances"] == 2);
    let generations: Vec<_> = status["stages"].as_array().unwrap().iter().map(|stage| stage["generation"].as_u64().unwrap()).collect();
    assert_eq!(generations, [1, 2, 1], "the others were not touched");
    // The file that is watched now is the other one.
    fs::write(here.path().join("other.wasm"), version("testing/double", 6)).unwrap();
    live.until("its next version runs", |status| status["stages"][1]["generation"] == 3);
    live.end();
}

/// Protects daemons: SIGHUP reads the pipeline file again and does not end a run that can be changed.
#[test]
fn a_hangup_reloads() {
    let here = endless();
    let live = Live::start(&here, &["--admin"]);
    fs::write(here.path().join("double.wasm"), version("testing/double", 2)).unwrap();
    live.signal("-HUP");
    live.until("the new version runs", |status| status["stages"][1]["generation"] == 2);
    let text = fs::read_to_string(here.path().join("pipeline.toml")).unwrap();
    fs::write(here.path().join("pipeline.toml"), text.replace("column = \"n\"", "colunm = \"n\"")).unwrap();
    live.signal("-HUP");
    live.until_said("what runs goes on as it was");
    wait("the audit", || {
        let expected = [outcome("signal", "swapped"), outcome("signal", "refused")];
        if audits(&live) == expected { Ok(()) } else { Err(format!("{:?}", audits(&live))) }
    });
    assert!(live.ask(&["reload"]).fails(2).contains("colunm"), "the same by command");
    live.end();
}
