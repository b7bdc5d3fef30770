//! Databases of somebody else's: a table with rows of its own, one whose rules refuse ours, one that is locked or may not be written.

use std::{fs, path::Path, process::Stdio, thread, time::Duration};

use rusqlite::Connection;

use super::{
    Random, command, everything_is_there,
    faults::{by_anybody, mode, open_to_anybody},
    is_a_beginning, nothing_is_half_visible, parts, ran, runs, text,
};
use crate::binary::{folder, pipeline};

const ROWS: i64 = 60_000;

/// A database with a table of this form and two rows of its own. Answers its pipeline, which appends.
fn beside_others(here: &Path, table: &str) -> String {
    fs::create_dir(here.join("out")).unwrap();
    let database = Connection::open(here.join("out/all.db")).unwrap();
    database.execute_batch(&format!("CREATE TABLE numbers ({table}); INSERT INTO numbers VALUES (-2, 'x'), (-1, 'y');")).unwrap();
    text(ROWS, "10ms").replace("table = \"numbers\"", "table = \"numbers\", mode = \"append\"")
}

/// The numbers of the table that are ours, in the order in which they came; those of others must be there.
fn ours(here: &Path) -> Vec<i64> {
    let numbers = super::table(&here.join("out/all.db"));
    assert_eq!(numbers[..2], [-2, -1], "rows of others stay");
    numbers[2..].to_vec()
}

/// Protects rows of others against a load that begins anew, and ours against coming twice, when the process ends at any moment.
#[test]
fn rows_join_those_of_others_each_once() {
    let (here, mut random) = (folder(), Random::seeded());
    let text = beside_others(here.path(), "n INTEGER PRIMARY KEY, of TEXT NOT NULL");
    pipeline(&here, &text);
    for _ in 0..6 {
        let mut child = command(here.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(random.below(400)));
        child.kill().unwrap();
        let ended = child.wait().unwrap().success();
        is_a_beginning(&ours(here.path()), "those of ours");
        if ended {
            break;
        }
    }
    if runs(here.path())[0]["state"] != "completed" {
        ran(command(here.path())).json();
    }
    let numbers = ours(here.path());
    is_a_beginning(&numbers, "those of ours");
    assert_eq!((numbers.len() as i64, parts(&here.path().join("out/parts")).len() as i64), (ROWS, ROWS));
}

/// Protects a checkpoint against being decided when a table will not take what it holds.
#[test]
fn what_the_rules_of_a_table_refuse_fails_the_run_before_it_is_decided() {
    let here = folder();
    let text = beside_others(here.path(), "n INTEGER CHECK (n < 40000), of TEXT NOT NULL");
    pipeline(&here, &text);
    let err = ran(command(here.path())).fails(1);
    assert!(err.contains("stage `table` failed") && err.contains("CHECK constraint failed"), "{err}");
    let numbers = ours(here.path());
    is_a_beginning(&numbers, "those of ours");
    assert!(numbers.len() < 40_000);
    // What the table and the folder show is one checkpoint.
    assert_eq!(parts(&here.path().join("out/parts")), numbers);
    let err = ran(command(here.path())).fails(1);
    assert!(err.contains("CHECK constraint failed"), "it is no better the second time: {err}");
    // The rule goes, and the run goes on.
    let database = Connection::open(here.path().join("out/all.db")).unwrap();
    let rule = "PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (n < 40000)', '') WHERE name = 'numbers'; PRAGMA writable_schema = RESET;";
    database.execute_batch(rule).unwrap();
    drop(database);
    ran(command(here.path())).json();
    is_a_beginning(&ours(here.path()), "those of ours");
    assert_eq!(ours(here.path()).len() as i64, ROWS);
}

/// Protects against a database that somebody else holds, when the run begins and while it runs: the run waits for a while, fails and
/// goes on later.
#[test]
fn a_database_that_is_locked_is_told_and_the_run_goes_on_afterwards() {
    for (at_first, what) in [(true, "from the beginning"), (false, "while it runs")] {
        let here = folder();
        pipeline(&here, &text(if at_first { ROWS } else { 40 * ROWS }, "10ms"));
        let database = here.path().join("out/all.db");
        if at_first {
            fs::create_dir(here.path().join("out")).unwrap();
        }
        let child = (!at_first).then(|| {
            let child = command(here.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            while super::table(&database).is_empty() {
                thread::sleep(Duration::from_millis(2));
            }
            child
        });
        let holder = Connection::open(&database).unwrap();
        // Between two transactions there is little time: whoever waits politely never has it.
        holder.busy_timeout(Duration::ZERO).unwrap();
        while holder.execute_batch("BEGIN EXCLUSIVE").is_err() {
            std::hint::spin_loop();
        }
        let ended = match child {
            Some(child) => crate::binary::Ran(child.wait_with_output().unwrap()),
            None => ran(command(here.path())),
        };
        let err = ended.err();
        assert!(ended.code() != 0 && err.contains("database is locked") && err.contains("held it for more than 5 s"), "{what}: {err}");
        holder.execute_batch("ROLLBACK").unwrap();
        drop(holder);
        nothing_is_half_visible(here.path());
        ran(command(here.path())).json();
        everything_is_there(here.path(), if at_first { ROWS } else { 40 * ROWS });
    }
}

/// Protects against a database that has become read-only between two runs.
#[test]
fn a_database_that_may_not_be_written_is_told_and_the_run_goes_on_afterwards() {
    let here = open_to_anybody();
    assert_eq!(by_anybody(here.path()).code(), 0);
    mode(&here.path().join("out/all.db"), 0o444);
    let ended = by_anybody(here.path());
    let err = ended.err();
    assert!(ended.code() != 0 && err.contains("out/all.db") && (err.contains("readonly") || err.contains("ermission denied")), "{err}");
    nothing_is_half_visible(here.path());
    mode(&here.path().join("out/all.db"), 0o644);
    let ended = by_anybody(here.path());
    assert_eq!(ended.code(), 0, "{}", ended.err());
    everything_is_there(here.path(), ROWS);
}
