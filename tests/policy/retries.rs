//! Calls that are made again because they may go well later.

use super::{pipeline, run};

const FAST: &str = "backoff = \"1ms\", backoff_max = \"2ms\"";

fn away(component: &str, times: u64, policy: &str) -> String {
    format!("component = \"@{component}\"\nconfig = {{ misbehave = \"unavailable\", after = 3, times = {times} }}\non_error = {policy}\n")
}

/// Protects a run against a store that is away for a moment.
#[test]
fn what_is_away_for_a_moment_is_waited_for() {
    let ended = run(&pipeline(1_000, 100, &away("stamp", 2, &format!("{{ retry = 3, {FAST} }}"))));
    ended.assert_completed();
    ended.assert_balanced();
    assert_eq!(ended.rows, (0..1_000).collect::<Vec<i64>>());
    let stage = ended.stage("stage");
    assert_eq!((stage.failures.retries, stage.failures.bisections, stage.rows.failed), (2, 0, 0));
    assert_eq!((stage.calls.failed, stage.batches_in, stage.rows.r#in), (2, 10, 1_000), "a batch goes in once, however often it is tried");
}

/// Protects whoever reads why a run failed: what had been done about it is there, too.
#[test]
fn retries_come_to_an_end() {
    let ended = run(&pipeline(1_000, 100, &away("stamp", 9, &format!("{{ retry = 2, {FAST} }}"))));
    let message = ended.message();
    assert!(message.contains("misbehaves (tried 3 times)"), "{message}");
    assert_eq!(ended.report.error.as_ref().unwrap().reason, "unavailable");
    assert_eq!(ended.stage("stage").failures.retries, 2);
    ended.assert_balanced();
}

/// Protects the calls that would be in vain: what does not answer is not found by halving a batch.
#[test]
fn what_is_away_is_no_fault_of_a_row() {
    let ended = run(&pipeline(1_000, 100, &away("stamp", 3, &format!("{{ retry = 1, then = \"dead-letter\", {FAST} }}"))));
    ended.assert_completed();
    ended.assert_balanced();
    let failures = &ended.stage("stage").failures;
    // The fourth batch fails twice, the fifth once: then the store is back.
    assert_eq!((failures.retries, failures.bisections, failures.dead_lettered), (2, 0, 100));
    assert!(ended.letters().values().all(|letter| letter.error == "unavailable" && !letter.alone && letter.batch == 3));
}

/// Protects against retries that cannot help: a trap on the same rows is a trap again.
#[test]
fn a_trap_is_not_tried_again() {
    let trap = "component = \"@stamp\"\nconfig = { misbehave = \"trap\", after = 3 }\non_error = { retry = 5 }\n";
    let ended = run(&pipeline(1_000, 100, trap));
    assert!(ended.message().contains("the component trapped"));
    assert_eq!((ended.stage("stage").failures.retries, ended.stage("stage").calls.failed), (0, 1));
}

/// Protects a stage that fails by accident: the batch goes well when it is halved, and nothing is set aside.
#[test]
fn a_trap_that_does_not_come_back_sets_nothing_aside() {
    let trap = "component = \"@running\"\nconfig = { misbehave = \"trap\", after = 3 }\non_error = \"dead-letter\"\n";
    let ended = run(&pipeline(1_000, 100, trap));
    ended.assert_completed();
    assert_eq!(ended.rows, (0..1_000).collect::<Vec<i64>>());
    assert!(ended.letter_files().is_empty() && ended.stage("stage").failures.restarts["trap"] > 1);
}
