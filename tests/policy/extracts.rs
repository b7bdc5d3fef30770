//! Extracts: a source that does not answer is asked again.

use super::{pipeline, run};

fn away(config: &str, policy: &str) -> String {
    let source = format!("component = \"std:away\"\nconfig = {{ {config} }}\non_error = {policy}\n");
    let text = pipeline(0, 1, "component = \"@noop\"\n");
    let (before, after) = (text.find("component = \"@generate\"").unwrap(), text.find("[load.sink]").unwrap());
    format!("{}{source}{}", &text[..before], &text[after..])
}

/// Protects a run whose source is away at its beginning, and again in the middle.
#[test]
fn a_source_that_is_away_is_asked_again() {
    let ended = run(&away("rows = 500, away = [0, 1, 2, 7, 8]", "{ retry = 3, backoff = \"1ms\" }"));
    ended.assert_completed();
    assert!(ended.rows.iter().copied().eq(0..500), "every row, once, in order");
    assert_eq!(ended.stage("numbers").calls.failed, 5);
}

/// Protects whoever waits for the run: retries are counted from one answer to the next, and come to an end.
#[test]
fn a_source_that_stays_away_ends_the_run() {
    let ended = run(&away("rows = 500, away = [3, 4, 5]", "{ retry = 2, backoff = \"1ms\" }"));
    assert!(ended.message().contains("the source is away (tried 3 times)"), "{}", ended.message());
    assert_eq!(ended.stage("numbers").calls.failed, 3);
}

/// Protects rows against a source that is opened anew: it goes on from the position of the last batch.
#[test]
fn after_a_deadline_another_instance_goes_on() {
    let ended = run(&away("rows = 500, late = [2, 6]", "\"retry\""));
    ended.assert_completed();
    assert!(ended.rows.iter().copied().eq(0..500), "every row, once, in order");
    assert_eq!(ended.stage("numbers").failures.restarts.get("limit"), Some(&2));
}
