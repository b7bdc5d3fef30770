//! The commands about runs, which find them without an address.

use std::{fs, io::Read as _, process::Stdio};

use serde_json::Value;

use super::{Live, TOKEN, command, endless, version};

/// Protects the three commands that a newcomer types, and their exit codes.
#[test]
fn a_stage_is_swapped_by_command_while_rows_flow() {
    let here = endless();
    let live = Live::start(&here, &["--admin"]);
    fs::write(here.path().join("second.wasm"), version("testing/double", 2)).unwrap();
    let told = live.ask(&["swap", "doubled", "second.wasm", "--shadow", "2", "--guard", "3", "--fuel", "5"]).ok();
    assert!(told.contains("doubled: swapped, generation 1 → 2"), "{told}");
    for part in ["old  generation 1  double.wasm", "new  generation 2", "shadow", "guard", "held up for"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(live.ask(&["swap", "doubled", "second.wasm"]).ok().contains("nothing has changed"));
    assert!(live.ask(&["swap", "dubled", "second.wasm"]).fails(2).contains("there are `numbers`, `doubled`, `end`"));
    assert!(live.ask(&["swap", "doubled", "missing.wasm"]).fails(2).contains("missing.wasm"));
    assert!(live.ask(&["swap", "doubled", "pipeline.toml"]).fails(2).contains("what runs goes on as it was"));
    // A thousandth of the fuel is asked for: nothing that does the same can keep to that.
    fs::write(here.path().join("third.wasm"), version("testing/double", 3)).unwrap();
    let slow = live.ask(&["swap", "doubled", "third.wasm", "--fuel", "0.001", "--guard", "5"]);
    assert_eq!(slow.code(), 1, "{}{}", slow.out(), slow.err());
    assert!(slow.out().contains("doubled: rolled back (fuel), generation 2 stays: it uses"), "{}", slow.out());
    assert_eq!(live.generation(), 2);
    assert!(live.ask(&["status"]).ok().contains("doubled: rolled back: it uses"), "the last error is shown");
    let report = live.end();
    assert_eq!(report["stages"][1]["versions"].as_array().unwrap().len(), 3);
}

/// Protects against looking into another run than was meant, and against a list of runs that are no more.
#[test]
fn runs_are_found_by_their_pipeline_and_forgotten_when_they_are_gone() {
    let (here, other) = (endless(), endless());
    let text = fs::read_to_string(other.path().join("pipeline.toml")).unwrap().replace("lively", "second");
    fs::write(here.path().join("second.toml"), text).unwrap();
    assert!(command(here.path(), &["status"]).output().unwrap().stderr.starts_with(b"error: no run of this user can be asked"));
    let first = Live::start(&here, &["--admin"]);
    let mut second = command(here.path(), &["run", "second.toml", "--admin", "--report", "none"]);
    let mut second = second.stderr(Stdio::null()).spawn().unwrap();
    let listed = || first.ask(&["ps", "--json"]).json()["runs"].clone();
    super::wait("both are listed", || if listed().as_array().unwrap().len() == 2 { Ok(()) } else { Err(listed().to_string()) });
    let runs = listed();
    assert_eq!(
        (&runs[0]["pipeline"], &runs[0]["pid"], &runs[0]["run"]["state"]),
        (&"lively".into(), &first.pid().into(), &"running".into())
    );
    assert!(!runs.to_string().contains(TOKEN), "a token is no news");
    let table = first.ask(&["ps"]).ok();
    assert!(table.contains("lively") && table.contains("second") && table.contains(&second.id().to_string()), "{table}");
    let several = first.ask(&["status"]).fails(2);
    assert!(several.contains("there are several runs") && several.contains("--run PID"), "{several}");
    assert!(first.ask(&["status", "--run", "second"]).ok().starts_with("second: running"));
    let pid = first.pid().to_string();
    assert_eq!(first.ask(&["status", "--json", "--run", &pid]).json()["run"]["pipeline"], "lively");
    let by_address = command(here.path(), &["status", "--run", &first.addr()]).env("PARSHALL_ADMIN_TOKEN", TOKEN).output().unwrap();
    assert!(by_address.status.success());
    // It leaves its file behind.
    second.kill().unwrap();
    second.wait().unwrap();
    assert_eq!(listed().as_array().unwrap().len(), 1);
    assert!(!here.path().join("runtime/parshall").join(format!("{}.json", second.id())).exists());
    first.end();
}

/// Protects a swap that takes longer than a request may take to arrive: its last word comes by the same connection.
#[test]
fn a_swap_that_takes_its_time_is_waited_for() {
    let here = endless();
    let live = Live::start(&here, &["--admin"]);
    fs::write(here.path().join("second.wasm"), version("testing/double", 2)).unwrap();
    let told = live.ask(&["swap", "doubled", "second.wasm", "--shadow", "1000000000", "--patience", "11s"]);
    assert_eq!(told.code(), 1, "{}{}", told.out(), told.err());
    assert!(told.out().contains("doubled: refused (patience), generation 1 stays: the shadow phase saw "), "{}", told.out());
    live.end();
}

/// Protects status and tap, for people and for programs.
#[test]
fn a_run_is_shown_as_a_table_and_as_json() {
    let here = endless();
    let live = Live::start(&here, &["--admin"]);
    let table = live.ask(&["status"]).ok();
    assert!(table.starts_with("lively: running for ") && table.contains("double.wasm"), "{table}");
    for stage in ["numbers", "doubled", "end"] {
        assert!(table.lines().any(|line| line.trim_start().starts_with(stage)), "{stage}: {table}");
    }
    let status = live.ask(&["status", "--json"]).json();
    let doubled = &status["stages"][1];
    assert_eq!((&doubled["name"], &doubled["generation"], &doubled["instances"]), (&"doubled".into(), &1.into(), &1.into()));
    assert!(doubled["call_seconds"]["p95"].as_f64() > Some(0.0) && doubled["fuel_per_row"].as_f64() > Some(1.0), "{doubled:#}");
    assert_eq!(doubled["queue"]["bound_bytes"], 8 << 20);

    let table = live.ask(&["tap", "doubled", "--limit", "2", "--rows", "3"]).ok();
    assert_eq!(table.matches("batch ").count(), 2, "{table}");
    assert!(table.lines().nth(1).unwrap().trim().starts_with("n ") && table.contains("1,024 rows"), "{table}");
    let lines = live.ask(&["tap", "numbers", "--limit", "1", "--rows", "3", "--format", "json"]).ok();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = lines.iter().map(|line| line.as_object().unwrap().keys().next().unwrap().as_str()).collect();
    assert_eq!(kinds, ["schema", "batch", "row", "row", "row"]);
    assert!(live.ask(&["tap", "doubled", "--port", "x"]).fails(2).contains("`out`, `rejected`"));
    assert!(live.ask(&["top"]).fails(2).contains("needs a terminal"));

    // A tap ends with its run, and says why where somebody listens.
    let mut tap = command(here.path(), &["tap", "end", "--format", "json", "--rows", "0", "--pause", "100ms"]);
    let mut tap = tap.stdout(Stdio::piped()).spawn().unwrap();
    live.until("a tap is open", |status| status["run"]["uptime_seconds"].as_f64() > Some(1.0));
    live.end();
    let mut out = String::new();
    tap.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert!(tap.wait().unwrap().success());
}
