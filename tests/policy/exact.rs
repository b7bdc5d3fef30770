//! The rows at fault are found, exactly, whatever a guest does on them, and all others go on in order.

use super::{Ended, Letter, pipeline, poison, run};

const ROWS: i64 = 20_000;

/// A stage that does this wrong where a row is poison.
fn stage(component: &str, misbehave: &str, every: i64, policy: &str) -> String {
    format!("component = \"@{component}\"\nconfig = {{ misbehave = \"{misbehave}\", every = {every}, at = 5 }}\non_error = {policy}\n")
}

/// All rows but these came to the load, in order.
#[track_caller]
fn assert_without(ended: &Ended, rows: i64, poison: &[i64]) {
    ended.assert_completed();
    ended.assert_balanced();
    let expected: Vec<i64> = (0..rows).filter(|number| !poison.contains(number)).collect();
    assert_eq!(ended.rows.len(), expected.len());
    assert!(ended.rows == expected, "rows came in another order");
    let stage = ended.stage("stage");
    assert_eq!((stage.rows.r#in, stage.rows.failed), (rows as u64, poison.len() as u64));
}

/// Protects every row that is not at fault, and the word of the letters, for each way in which a call can fail.
#[test]
fn rows_at_fault_are_set_aside_and_no_others() {
    for component in ["stamp", "running"] {
        for (misbehave, error, reason) in
            [("trap", "unreachable", "trap"), ("data", "data", "error"), ("error", "internal", "error"), ("lie", "malformed", "malformed")]
        {
            let ended = run(&pipeline(ROWS as u64, 1_000, &stage(component, misbehave, 997, "\"dead-letter\"")));
            let poison = poison(ROWS, 997, 5);
            assert_without(&ended, ROWS, &poison);
            let letters = ended.letters();
            assert_eq!(letters.keys().copied().collect::<Vec<_>>(), poison, "{component} {misbehave}");
            for (number, letter) in &letters {
                let expected = Letter { error: error.into(), alone: true, batch: (number / 1_000) as u64 };
                assert_eq!(*letter, expected, "{component} {misbehave}: row {number}");
            }
            let failures = &ended.stage("stage").failures;
            assert_eq!(failures.dead_lettered, poison.len() as u64);
            // Twenty batches with a row or two each: twice 10 or 11 calls for each.
            assert!((20..=22 * poison.len() as u64).contains(&failures.bisections), "{} calls", failures.bisections);
            let restarts = failures.restarts.get(reason).copied().unwrap_or(0);
            // A stage that remembers nothing goes on after an error that it told in its own words.
            assert_eq!(restarts > 0, component == "running" || reason != "error", "{component} {misbehave}: {:?}", failures.restarts);
        }
    }
}

/// Protects against a limit that is exceeded: memory at once, a deadline after its time.
#[test]
fn limits_are_exceeded_by_rows_too() {
    let memory = stage("stamp", "bomb", 9_973, "\"dead-letter\"") + "limits = { memory = \"8MiB\" }\n";
    let ended = run(&pipeline(ROWS as u64, 1_000, &memory));
    assert_without(&ended, ROWS, &poison(ROWS, 9_973, 5));
    assert!(ended.letters().values().all(|letter| letter.error == "memory"));
    let time = stage("stamp", "loop", 1_000, "\"skip\"") + "limits = { timeout = \"400ms\" }\n";
    let ended = run(&pipeline(32, 16, &time));
    assert_without(&ended, 32, &[5]);
    let failures = &ended.stage("stage").failures;
    assert_eq!((failures.skipped, failures.dead_lettered, failures.restarts.get("limit").copied()), (1, 0, Some(5)), "{failures:?}");
    assert!(ended.letter_files().is_empty());
}

/// Protects the order of rows where several instances work side by side, each with failures of its own.
#[test]
fn parallel_instances_keep_their_order() {
    let ended = run(&pipeline(ROWS as u64, 100, &(stage("stamp", "trap", 301, "\"dead-letter\"") + "instances = 4\n")));
    let poison = poison(ROWS, 301, 5);
    assert_without(&ended, ROWS, &poison);
    assert_eq!(ended.letters().into_keys().collect::<Vec<_>>(), poison);
}

/// Protects what a stage remembers: its totals are those of the rows that went well, although its instance was replaced for every one that
/// did not, before, within and after a batch.
#[test]
fn totals_are_those_of_the_rows_that_went_well() {
    for queue in ["1KiB", "8MiB"] {
        let total = format!(
            "queue = \"{queue}\"\n[load.total]\ncomponent = \"std:write\"\ninputs = [\"stage.total\"]\nconfig = {{ to = \"total.csv\" }}\n\
             grants = {{ write = [\".\"] }}\n"
        );
        let text = pipeline(ROWS as u64, 500, &(stage("running", "trap", 731, "\"dead-letter\"") + &total));
        // `running` has two ports: the rows leave by the first.
        let ended = run(&text);
        let poison = poison(ROWS, 731, 5);
        ended.assert_completed();
        let sum: i64 = (0..ROWS).sum::<i64>() - poison.iter().sum::<i64>();
        let totals = std::fs::read_to_string(ended.folder.path().join("total.csv")).unwrap();
        assert_eq!(totals.lines().nth(1), Some(format!("{},{sum}", ROWS as usize - poison.len()).as_str()), "queue {queue}");
        assert_eq!(ended.letters().into_keys().collect::<Vec<_>>(), poison);
        let kept: Vec<i64> = (0..ROWS).filter(|number| !poison.contains(number)).collect();
        assert!(ended.rows == kept, "rows came in another order");
    }
}

/// Protects the machine against batches of which no row goes well, and whoever pays for it against a run that goes on so.
#[test]
fn a_circuit_ends_a_run_of_failures() {
    let ended = run(&pipeline(
        100_000,
        100,
        &stage("stamp", "trap", 1, "{ then = \"skip\", circuit = 3, bisect = 20 }").replace("at = 5", "at = 0"),
    ));
    let message = ended.message();
    assert!(message.contains("the component trapped") && message.contains("of 3 batches in a row no row went well"), "{message}");
    let stage = ended.stage("stage");
    assert_eq!((stage.rows.failed, stage.failures.skipped), (300, 300));
    assert!(stage.failures.bisections <= 3 * (20 + 7), "{} calls", stage.failures.bisections);
    assert!(ended.rows.is_empty());
}

/// Protects a run in which every batch has a row at fault: it is no circuit as long as others go well.
#[test]
fn a_row_at_fault_in_every_batch_is_no_circuit() {
    let ended = run(&pipeline(2_000, 20, &stage("stamp", "trap", 20, "{ then = \"skip\", circuit = 1 }")));
    assert_without(&ended, 2_000, &poison(2_000, 20, 5));
}

/// Protects the bound: what is not told apart by then is set aside together, and said to be.
#[test]
fn without_a_search_the_batch_is_set_aside() {
    let ended = run(&pipeline(1_000, 100, &stage("stamp", "trap", 1_000, "{ then = \"dead-letter\", bisect = 0 }")));
    assert_without(&ended, 1_000, &(0..100).collect::<Vec<_>>());
    assert!(ended.letters().values().all(|letter| !letter.alone));
    assert_eq!(ended.stage("stage").failures.bisections, 0);
}

/// Protects the disk: there are no more dead letters than the file says, and the run says why it failed.
#[test]
fn full_dead_letters_end_the_run() {
    for (bound, says) in [("rows = 3", "`rows` in [dead_letters] allows 3"), ("bytes = \"4KiB\"", "`bytes` in [dead_letters] allows 4096")]
    {
        let text = pipeline(ROWS as u64, 1_000, &stage("stamp", "trap", 100, "\"dead-letter\""))
            .replace("name = \"policy\"", &format!("name = \"policy\"\ndead_letters = {{ folder = \"here\", {bound} }}"));
        let ended = run(&text);
        let message = ended.message();
        assert!(message.contains("the component trapped") && message.contains(says), "{message}");
        ended.assert_balanced();
        assert!(super::files(&ended.folder.path().join("here")).len() == 1);
    }
}
