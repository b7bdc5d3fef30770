//! Object stores: the same tables through ranges and parts, with a store in memory.

use std::sync::Arc;

use object_store::{ObjectStoreExt, memory::InMemory, path::Path};

use super::{super::store::wait, Bench, all, assert_error, people};
use crate::words::{grants::Place, tables::TableError};

fn bench() -> (Bench, Arc<InMemory>) {
    let mut bench = Bench::new();
    let store = Arc::new(InMemory::new());
    bench.tables.stores.insert("s3://b", store.clone());
    bench.grants.read = vec![Place::Url("s3://b/data/".into())];
    bench.grants.write = bench.grants.read.clone();
    (bench, store)
}

/// Protects against: formats that work on files only, and patterns in buckets.
#[test]
fn objects_are_tables() {
    let (bench, _store) = bench();
    for (extension, options) in [("parquet", r#"{"row_group_rows":40}"#), ("arrow", "{}"), ("csv.gz", "{}"), ("jsonl", "{}")] {
        bench.write(&format!("s3://b/data/{extension}/b.{extension}"), &[people(100, 100)], options).unwrap();
        bench.write(&format!("s3://b/data/{extension}/a.{extension}"), &[people(0, 100)], options).unwrap();
        for location in [format!("s3://b/data/{extension}/*"), format!("s3://b/data/{extension}/"), format!("s3://b/data/**/?.{extension}")]
        {
            let mut reader = bench.reader(&location, r#"{"batch_rows":30,"columns":["name","id"]}"#).unwrap();
            let table = people(0, 200).project(&[1, 0]).unwrap();
            let first = reader.next().unwrap().unwrap();
            let position = reader.position();
            assert_eq!(all(&mut *reader).unwrap(), table.slice(first.num_rows(), 200 - first.num_rows()), "{location}");
            reader.seek(&position).unwrap();
            assert_eq!(all(&mut *reader).unwrap(), table.slice(first.num_rows(), 200 - first.num_rows()), "{location}");
        }
    }
    assert_error(bench.reader("s3://b/data/none.csv", "{}").map(drop), TableError::NotFound, &["s3://b/data/none.csv"]);
    assert_error(bench.reader("s3://b/*.csv", "{}").map(drop), TableError::Denied, &["s3://b/data/"]);
}

/// Protects against: objects visible before the commit, and large ones that are cut at a part.
#[test]
fn objects_appear_at_commit() {
    let (bench, store) = bench();
    let location = "s3://b/data/a.csv";
    let mut writer = bench.writer(location, people(0, 1).schema(), "{}").unwrap();
    // More than two parts.
    let rows = 3_000_000;
    for from in (0..rows).step_by(500_000) {
        writer.write(&people(from, 500_000)).unwrap();
    }
    assert!(wait(store.head(&Path::from("data/a.csv"))).is_err(), "visible before the commit");
    assert_eq!(writer.commit(true).unwrap(), rows as u64);
    drop(writer);
    assert!(wait(store.head(&Path::from("data/a.csv"))).unwrap().size > 32 << 20);
    assert_eq!(bench.read(location, "{}").unwrap(), people(0, rows));
    let mut writer = bench.writer("s3://b/data/dropped.csv", people(0, 1).schema(), "{}").unwrap();
    writer.write(&people(0, 1_500_000)).unwrap();
    drop(writer);
    assert!(wait(store.head(&Path::from("data/dropped.csv"))).is_err());
    let schema = people(0, 1).schema();
    assert_error(bench.writer(location, schema.clone(), r#"{"mode":"fail"}"#).map(drop), TableError::Options, &["exists"]);
    assert_error(bench.writer(location, schema, r#"{"mode":"append"}"#).map(drop), TableError::Options, &["bucket"]);
}

/// Protects against: being called from within an async runtime, where blocking on one panics.
#[test]
fn runtimes_around_do_not_matter() {
    let bench = Bench::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        bench.write("data/a.parquet", &[people(0, 10)], "{}").unwrap();
        assert_eq!(bench.read("data/*.parquet", "{}").unwrap(), people(0, 10));
    });
}

/// Protects against: two round trips per page, and whole objects in memory. A row group is fetched at once.
#[test]
fn parquet_is_fetched_by_row_groups() {
    let (bench, store) = bench();
    bench.write("s3://b/data/a.parquet", &[people(0, 1000)], r#"{"row_group_rows":250}"#).unwrap();
    let mut reader = bench.reader("s3://b/data/a.parquet", r#"{"batch_rows":10}"#).unwrap();
    reader.next().unwrap();
    wait(store.delete(&Path::from("data/a.parquet"))).unwrap();
    for from in (10..250).step_by(10) {
        assert_eq!(reader.next().unwrap().unwrap(), people(from, 10), "the row group was not fetched as a whole");
    }
    assert_error(reader.next(), TableError::NotFound, &["s3://b/data/a.parquet"]);
    // A batch that would span row groups ends with the group: no group is fetched twice, none held beside another.
    bench.write("s3://b/data/a.parquet", &[people(0, 1000)], r#"{"row_group_rows":250}"#).unwrap();
    let mut reader = bench.reader("s3://b/data/a.parquet", "{}").unwrap();
    assert_eq!(reader.next().unwrap().unwrap(), people(0, 250));
}

/// Protects against: an S3 client that has no reactor, or waits for ever. Needs a server: `AWS_ENDPOINT`,
/// `AWS_ALLOW_HTTP=true`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, and a bucket `parshall-test`.
#[cfg(feature = "s3")]
#[test]
#[ignore = "needs an S3 server"]
fn s3_is_spoken() {
    let mut bench = Bench::new();
    bench.grants.read = vec![Place::Url("s3://parshall-test/".into())];
    bench.grants.write = bench.grants.read.clone();
    let location = "s3://parshall-test/tables/a.parquet";
    let check = || {
        bench.write(location, &[people(0, 1000)], r#"{"row_group_rows":250}"#).unwrap();
        assert_eq!(bench.read(location, "{}").unwrap(), people(0, 1000));
        assert_eq!(bench.read("s3://parshall-test/tables/*.parquet", "{}").unwrap(), people(0, 1000));
        assert_error(bench.reader("s3://parshall-test/none.csv", "{}").map(drop), TableError::NotFound, &["none.csv"]);
    };
    check();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { check() });
}
