//! Instances that leak are replaced before they reach their limit, with what they remember.

use super::{pipeline, run};

fn leaking(component: &str, leak: u64, more: &str) -> String {
    format!("component = \"@{component}\"\nconfig = {{ leak = {leak} }}\n{more}\n")
}

/// Runs a stage that leaks on every call, and answers how often its instance was replaced.
fn soak(component: &str, calls: u64, leak: u64) -> u64 {
    let more = "limits = { memory = \"8MiB\" }\n[load.total]\ncomponent = \"std:write\"\ninputs = [\"stage.total\"]\n\
                config = { to = \"total.csv\" }\ngrants = { write = [\".\"] }";
    let more = if component == "running" { more } else { "limits = { memory = \"8MiB\" }" };
    let ended = run(&pipeline(calls * 10, 10, &leaking(component, leak, more)));
    ended.assert_completed();
    ended.assert_balanced();
    let rows = calls as i64 * 10;
    assert!(ended.rows.len() as i64 == rows && ended.rows.iter().copied().eq(0..rows), "every row, once, in order");
    let stage = ended.stage("stage");
    assert!(stage.calls.memory_peak_bytes <= 8 << 20);
    assert_eq!(stage.calls.failed, 0);
    if component == "running" {
        let totals = std::fs::read_to_string(ended.folder.path().join("total.csv")).unwrap();
        assert_eq!(totals.lines().nth(1), Some(format!("{rows},{}", (0..rows).sum::<i64>()).as_str()), "as without a leak");
    }
    assert_eq!(stage.failures.restarts.keys().collect::<Vec<_>>(), ["recycle"]);
    stage.failures.restarts["recycle"]
}

/// Protects long runs of stages whose language runtime leaks: without another instance it would be over after 8 MiB.
#[test]
fn a_stage_that_leaks_runs_on() {
    // 64 KiB a call, as some runtimes do: 6 MiB are reached after some 80 calls.
    for component in ["stamp", "running"] {
        let replaced = soak(component, 3_000, 64 << 10);
        assert!((25..=60).contains(&replaced), "{component}: {replaced} times");
    }
}

/// The same for 100,000 calls: 6.1 GiB through instances of 8 MiB.
#[test]
fn a_hundred_thousand_calls_of_a_stage_that_leaks() {
    for component in ["stamp", "running"] {
        let replaced = soak(component, 100_000, 64 << 10);
        println!("{component}: replaced {replaced} times in 100,000 calls");
        assert!((900..=2_000).contains(&replaced), "{component}: {replaced} times");
    }
}

/// Protects a stage that needs its memory: what another instance would have soon, too, is no reason to replace it again and again.
#[test]
fn a_stage_that_needs_its_memory_is_not_replaced_for_ever() {
    let ended = run(&pipeline(1_000, 10, &leaking("stamp", 1, "recycle = \"64KiB\"")));
    ended.assert_completed();
    let restarts = &ended.stage("stage").failures.restarts;
    assert_eq!(restarts.get("recycle"), Some(&1), "{restarts:?}");
}

/// Protects an extract's place: the next instance goes on where the last one was.
#[test]
fn an_extract_goes_on_from_its_position() {
    let text = pipeline(200_000, 20_000, "component = \"@noop\"\n").replacen("[load.sink]", "recycle = \"1200KiB\"\n[load.sink]", 1);
    let ended = run(&text);
    ended.assert_completed();
    assert!(ended.rows.iter().copied().eq(0..200_000), "every row, once, in order");
}
