//! Tables appear whole, at commit, or not at all.

use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array, StringArray};

use super::{Bench, assert_error, batch, people};
use crate::words::tables::TableError;

const TARGETS: [(&str, &str); 6] = [
    ("data/new/deep/a.parquet", "{}"),
    ("data/new/a.csv", "{}"),
    ("data/new/a.csv.gz", "{}"),
    ("data/new/a.jsonl", "{}"),
    ("data/new/a.arrow", "{}"),
    ("sqlite:data/new/a.db", r#"{"table":"t"}"#),
];

/// Protects against: opening that touches the storage, and drops that leave files or folders behind.
#[test]
fn dropped_without_commit_nothing_is_left() {
    for (location, options) in TARGETS {
        let bench = Bench::new();
        let mut writer = bench.writer(location, people(0, 1).schema(), options).unwrap();
        assert_eq!(bench.files(), ["data"], "{location}: opening touched the storage");
        writer.write(&people(0, 100)).unwrap();
        assert!(bench.files().len() > 2, "{location}: the first write begins");
        drop(writer);
        assert_eq!(bench.files(), ["data"], "{location}");
    }
}

/// Protects against: a replaced table that is gone or half new after a failed run.
#[test]
fn replacing_happens_at_commit() {
    for (location, options) in TARGETS {
        let bench = Bench::new();
        bench.write(location, &[people(0, 10)], options).unwrap();
        let before = bench.files();
        let mut writer = bench.writer(location, people(0, 1).schema(), options).unwrap();
        writer.write(&people(50, 5)).unwrap();
        assert_eq!(bench.read(location, options).unwrap(), people(0, 10), "{location}: visible before the commit");
        drop(writer);
        assert_eq!(bench.read(location, options).unwrap(), people(0, 10), "{location}");
        assert_eq!(bench.files(), before, "{location}");
        bench.write(location, &[people(50, 5)], options).unwrap();
        assert_eq!(bench.read(location, options).unwrap(), people(50, 5), "{location}");
        assert_eq!(bench.files(), before, "{location}");
    }
}

/// Protects against: overwriting what was to be kept, also when it appears between opening and commit.
#[test]
fn fail_never_overwrites() {
    for (location, options) in TARGETS {
        let mut bench = Bench::new();
        let fail = options.replace('{', r#"{"mode":"fail","#).replace(",}", "}");
        let mut early = bench.writer(location, people(0, 1).schema(), &fail).unwrap();
        // From here on as another process: within one, a target has one writer.
        bench.tables = super::NativeTables::default();
        bench.write(location, &[people(0, 3)], options).unwrap();
        assert_error(bench.writer(location, people(0, 1).schema(), &fail).map(drop), TableError::Options, &["fail", "replace"]);
        assert!(early.write(&people(7, 1)).and_then(|()| early.commit(true)).is_err(), "{location}");
        drop(early);
        assert_eq!(bench.read(location, options).unwrap(), people(0, 3), "{location}");
    }
}

/// Protects against: appended rows that replace, repeat the header, or join the last line.
#[test]
fn appending_adds() {
    let bench = Bench::new();
    for (location, options) in [
        ("data/a.csv", r#"{"mode":"append"}"#),
        ("data/a.jsonl", r#"{"mode":"append"}"#),
        ("sqlite:data/a.db", r#"{"mode":"append","table":"t"}"#),
    ] {
        let read = if location.starts_with("sqlite") { r#"{"table":"t"}"# } else { "{}" };
        bench.write(location, &[people(1, 2)], options).unwrap();
        assert_eq!(bench.write(location, &[people(3, 3)], options).unwrap(), 3, "{location}");
        assert_eq!(bench.read(location, read).unwrap(), people(1, 5), "{location}");
        // An empty run changes nothing.
        let mut writer = bench.writer(location, people(0, 1).schema(), options).unwrap();
        assert_eq!(writer.commit(true).unwrap(), 0);
        assert_eq!(bench.read(location, read).unwrap(), people(1, 5), "{location}");
    }
    bench.put("data/open.csv", "id,name\n1,n1");
    bench.write("data/open.csv", &[people(2, 1)], r#"{"mode":"append"}"#).unwrap();
    assert_eq!(bench.read("data/open.csv", "{}").unwrap(), people(1, 2));
}

/// Protects against: appending to what has other columns, or cannot be appended to.
#[test]
fn appending_is_checked_when_opened() {
    let bench = Bench::new();
    let schema = people(0, 1).schema();
    let append = r#"{"mode":"append"}"#;
    bench.put("data/a.csv", "id,nick\n1,x\n");
    assert_error(bench.writer("data/a.csv", schema.clone(), append).map(drop), TableError::Format, &["nick", "name"]);
    for location in ["data/a.parquet", "data/a.arrow", "data/a.csv.gz"] {
        assert_error(bench.writer(location, schema.clone(), append).map(drop), TableError::Options, &[location, "folder"]);
    }
    let table = r#"{"mode":"append","table":"t"}"#;
    bench.write("sqlite:data/a.db", &[people(0, 1)], table).unwrap();
    let other = batch(vec![("id", Arc::new(Int64Array::from(vec![1]))), ("nam", Arc::new(StringArray::from(vec!["x"])))]);
    assert_error(
        bench.writer("sqlite:data/a.db", other.schema(), table).map(drop),
        TableError::Format,
        &["\"nam\"", "did you mean \"name\"?"],
    );
    let other = batch(vec![("id", Arc::new(Float64Array::from(vec![1.5])))]);
    assert_error(bench.writer("sqlite:data/a.db", other.schema(), table).map(drop), TableError::Format, &["\"id\"", "INTEGER", "float64"]);
}

/// Protects against: rows of an uncommitted part made durable, or committed ones lost.
#[test]
fn sqlite_commits_one_transaction_at_a_time() {
    let bench = Bench::new();
    let (location, options) = ("sqlite:data/a.db", r#"{"table":"t"}"#);
    bench.write(location, &[people(900, 9)], options).unwrap();
    let mut writer = bench.writer(location, people(0, 1).schema(), options).unwrap();
    assert_eq!(writer.commit(false).unwrap(), 0);
    assert_eq!(bench.read(location, options).unwrap(), people(900, 9), "nothing was written yet");
    writer.write(&people(0, 4)).unwrap();
    assert_eq!(writer.commit(false).unwrap(), 4);
    assert_eq!(bench.read(location, options).unwrap(), people(0, 4));
    writer.write(&people(4, 2)).unwrap();
    assert_eq!(writer.commit(false).unwrap(), 2);
    writer.write(&people(6, 1)).unwrap();
    drop(writer);
    assert_eq!(bench.read(location, options).unwrap(), people(0, 6));
}

/// Protects against: half a file that others see, and a pipeline that believes it durable.
#[test]
fn files_are_durable_with_the_last_commit_only() {
    let bench = Bench::new();
    let mut writer = bench.writer("data/a.parquet", people(0, 1).schema(), "{}").unwrap();
    writer.write(&people(0, 4)).unwrap();
    assert_eq!(writer.commit(false).unwrap(), 0);
    assert!(!bench.path("data/a.parquet").exists());
    writer.write(&people(4, 1)).unwrap();
    assert_eq!(writer.commit(true).unwrap(), 5);
    assert_error(writer.write(&people(5, 1)), TableError::Options, &["last commit"]);
    assert_error(writer.commit(true), TableError::Options, &["last commit"]);
    assert_eq!(bench.read("data/a.parquet", "{}").unwrap(), people(0, 5));
    assert_eq!(bench.files(), ["data", "data/a.parquet"]);
    use std::os::unix::fs::PermissionsExt;
    let mode = bench.path("data/a.parquet").metadata().unwrap().permissions().mode();
    let usual = tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o666)).tempfile().unwrap();
    assert_eq!(mode, usual.as_file().metadata().unwrap().permissions().mode(), "others cannot read it");
}

/// Protects against: a bad row in the middle of a batch that leaves its first half in the table.
#[test]
fn a_failed_batch_poisons_the_transaction() {
    let bench = Bench::new();
    let connection = rusqlite::Connection::open(bench.path("data/a.db")).unwrap();
    connection.execute_batch("CREATE TABLE t (id INTEGER CHECK (id < 5), name TEXT)").unwrap();
    let mut writer = bench.writer("sqlite:data/a.db", people(0, 1).schema(), r#"{"table":"t","mode":"append"}"#).unwrap();
    assert_error(writer.write(&people(0, 9)), TableError::Format, &["CHECK", "\"t\""]);
    assert_error(writer.commit(true), TableError::Options, &["earlier write failed"]);
    assert_eq!(bench.read("sqlite:data/a.db", r#"{"table":"t"}"#).unwrap().num_rows(), 0);
}

/// Protects against: a busy database taken for a broken one. Takes as long as the program waits.
#[test]
fn a_busy_database_is_unavailable() {
    let bench = Bench::new();
    let (location, options) = ("sqlite:data/a.db", r#"{"table":"t","mode":"append"}"#);
    bench.write(location, &[people(0, 1)], options).unwrap();
    let other = rusqlite::Connection::open(bench.path("data/a.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut writer = bench.writer(location, people(0, 1).schema(), options).unwrap();
    assert_error(writer.write(&people(1, 1)), TableError::Unavailable, &["locked"]);
    other.execute_batch("COMMIT").unwrap();
    writer.write(&people(1, 1)).unwrap();
    assert_eq!(writer.commit(true).unwrap(), 1);
}

/// Protects against: views replaced by tables, and readers that do not say which tables there are.
#[test]
fn sqlite_says_what_there_is() {
    let bench = Bench::new();
    let connection = rusqlite::Connection::open(bench.path("data/a.db")).unwrap();
    connection.execute_batch("CREATE TABLE orders (id INTEGER); CREATE VIEW v AS SELECT 1 AS one, 'x' AS text").unwrap();
    let schema = people(0, 1).schema();
    assert_error(bench.writer("sqlite:data/a.db", schema.clone(), r#"{"table":"v"}"#).map(drop), TableError::Options, &["view"]);
    assert_error(bench.writer("sqlite:data/a.db", schema, "{}").map(drop), TableError::Options, &["\"table\""]);
    assert_error(bench.reader("sqlite:data/a.db", "{}").map(drop), TableError::Options, &["orders, v"]);
    assert_error(bench.reader("sqlite:data/a.db", r#"{"table":"ordres"}"#).map(drop), TableError::NotFound, &["did you mean \"orders\"?"]);
    assert_error(bench.reader("sqlite:data/b.db", r#"{"table":"t"}"#).map(drop), TableError::NotFound, &["data/b.db"]);
    assert_eq!(bench.read("sqlite:data/a.db", r#"{"table":"v"}"#).unwrap().num_rows(), 1);
}
