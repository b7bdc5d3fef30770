//! Loads: what they cannot take is set aside; what they took and did not commit is never lost in silence.

use super::{pipeline, run};

fn keep(config: &str, policy: &str) -> String {
    let load = format!("component = \"std:keep\"\nconfig = {{ {config} }}\non_error = {policy}\n");
    pipeline(1_000, 100, "component = \"@noop\"\n").replace("component = \"std:keep\"\n", &load)
}

#[test]
fn rows_that_a_load_cannot_take_are_dead_letters() {
    let ended = run(&keep("every = 150", "\"dead-letter\""));
    ended.assert_completed();
    ended.assert_balanced();
    let poison: Vec<i64> = (0..1_000).filter(|number| number % 150 == 0).collect();
    assert_eq!(ended.rows, (0..1_000).filter(|number| !poison.contains(number)).collect::<Vec<i64>>());
    assert_eq!(ended.letters().into_keys().collect::<Vec<_>>(), poison);
    let sink = ended.stage("sink");
    assert_eq!((sink.rows.failed, sink.failures.dead_lettered), (7, 7));
    assert_eq!(sink.receipt.as_ref().unwrap().rows, 993);
}

#[test]
fn a_store_that_is_away_is_waited_for() {
    let ended = run(&keep("away = 3", "{ retry = 5, backoff = \"1ms\" }"));
    ended.assert_completed();
    assert_eq!(ended.rows, (0..1_000).collect::<Vec<i64>>());
    assert_eq!((ended.stage("sink").failures.retries, ended.stage("sink").batches_in), (3, 10));
}
