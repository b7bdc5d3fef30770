//! A target has one writer, and a run that was killed leaves nothing that stops the next.

use super::{Bench, assert_error, people};
use crate::words::tables::TableError;

/// Protects against: two loads into one file, of which one silently replaces what the other wrote.
#[test]
fn a_target_has_one_writer_at_a_time() {
    let bench = Bench::new();
    for (first, second) in [("data/a.csv", "data/x/../a.csv"), ("sqlite:data/a.db", "data/a.db")] {
        let options = if first.ends_with("db") { r#"{"table":"t"}"# } else { "{}" };
        let writer = bench.writer(first, people(0, 1).schema(), options).unwrap();
        let taken = bench.writer(second, people(0, 1).schema(), options).map(drop);
        assert_error(taken, TableError::Options, &["one writer", "another target"]);
        drop(writer);
        assert!(bench.writer(second, people(0, 1).schema(), options).is_ok(), "given back with the writer");
    }
}

/// Protects against: a database that no run can use again because a killed one left its journal.
#[test]
fn the_journal_of_a_killed_run_is_rolled_back() {
    let bench = Bench::new();
    bench.write("sqlite:data/a.db", &[people(0, 10)], r#"{"table":"t"}"#).unwrap();
    // What a kill in the middle of a transaction leaves: pages already in the database, and the journal to undo them.
    let connection = rusqlite::Connection::open(bench.path("data/a.db")).unwrap();
    connection.execute_batch("PRAGMA cache_size = 1; BEGIN; CREATE TABLE big (x); ").unwrap();
    for _ in 0..200 {
        connection.execute("INSERT INTO big VALUES (randomblob(4000))", []).unwrap();
    }
    for name in ["a.db", "a.db-journal"] {
        std::fs::copy(bench.path(&format!("data/{name}")), bench.path(&format!("data/killed-{name}"))).unwrap();
    }
    drop(connection);
    bench.write("sqlite:data/killed-a.db", &[people(50, 5)], r#"{"table":"t"}"#).unwrap();
    assert_eq!(bench.read("sqlite:data/killed-a.db", r#"{"table":"t"}"#).unwrap(), people(50, 5));
}
