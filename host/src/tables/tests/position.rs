//! A reader goes on exactly where another stood.

use super::{Bench, all, assert_error, people};
use crate::words::tables::TableError;

/// Protects against: rows lost or repeated by a restart, in any format, within and between files.
#[test]
fn every_format_goes_on_where_it_stood() {
    let bench = Bench::new();
    let table = people(0, 250);
    for (extension, write) in
        [("parquet", r#"{"row_group_rows":40}"#), ("arrow", "{}"), ("csv", "{}"), ("csv.gz", "{}"), ("jsonl", "{}"), ("jsonl.gz", "{}")]
    {
        for (file, part) in [("a", table.slice(0, 100)), ("b", table.slice(100, 1)), ("c", table.slice(101, 149))] {
            bench.write(&format!("data/{extension}/{file}.{extension}"), &[part], write).unwrap();
        }
        check(&bench, &format!("data/{extension}/*"), r#"{"batch_rows":30}"#, &table);
    }
    bench.write("sqlite:data/a.db", std::slice::from_ref(&table), r#"{"table":"t"}"#).unwrap();
    check(&bench, "sqlite:data/a.db", r#"{"table":"t","batch_rows":30}"#, &table);
    let connection = rusqlite::Connection::open(bench.path("data/a.db")).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE k (id INTEGER PRIMARY KEY, name TEXT) WITHOUT ROWID; INSERT INTO k SELECT * FROM t;
        CREATE TABLE shadowed (_rowid_ INTEGER, rowid TEXT); INSERT INTO shadowed SELECT * FROM t ORDER BY id DESC",
        )
        .unwrap();
    check(&bench, "sqlite:data/a.db", r#"{"table":"k","batch_rows":30}"#, &table);
    assert_eq!(bench.read("sqlite:data/a.db", r#"{"table":"shadowed","batch_rows":30}"#).unwrap().num_rows(), 250);
    let lines = (0..250).map(|n| format!("line {n}\n")).collect::<String>();
    bench.put("data/a.txt", lines);
    let whole = bench.read("data/a.txt", "{}").unwrap();
    check(&bench, "data/a.txt", r#"{"batch_rows":30}"#, &whole);
}

fn check(bench: &Bench, location: &str, options: &str, table: &arrow::array::RecordBatch) {
    let mut reader = bench.reader(location, options).unwrap();
    let mut read = 0;
    loop {
        let mut other = bench.reader(location, options).unwrap();
        other.seek(&reader.position()).unwrap();
        assert_eq!(other.position(), reader.position(), "{location}");
        let rest = all(&mut *other).unwrap();
        assert_eq!(rest.columns(), table.slice(read, table.num_rows() - read).columns(), "{location} after {read} rows");
        let Some(batch) = reader.next().unwrap() else { break };
        assert!(batch.num_rows() <= 30, "{location}: larger than batch_rows");
        read += batch.num_rows();
    }
    assert_eq!(read, table.num_rows(), "{location}");
    // Back to the beginning, with a reader that is at its end.
    let start = bench.reader(location, options).unwrap().position();
    reader.seek(&start).unwrap();
    assert_eq!(all(&mut *reader).unwrap().columns(), table.columns(), "{location} from the beginning");
}

/// Protects against: a position that is trusted although the files have changed.
#[test]
fn positions_survive_new_files_and_notice_lost_ones() {
    let bench = Bench::new();
    bench.write("data/b.parquet", &[people(0, 10)], "{}").unwrap();
    let mut reader = bench.reader("data/*.parquet", r#"{"batch_rows":4}"#).unwrap();
    reader.next().unwrap();
    let position = reader.position();
    bench.write("data/a.parquet", &[people(90, 1)], "{}").unwrap();
    bench.write("data/c.parquet", &[people(10, 2)], "{}").unwrap();
    let mut reader = bench.reader("data/*.parquet", "{}").unwrap();
    reader.seek(&position).unwrap();
    assert_eq!(all(&mut *reader).unwrap(), people(4, 8));
    bench.write("data/b.parquet", &[people(0, 2)], "{}").unwrap();
    let mut reader = bench.reader("data/*.parquet", "{}").unwrap();
    assert_error(reader.seek(&position), TableError::Format, &["row 4", "only 2"]);
    std::fs::remove_file(bench.path("data/b.parquet")).unwrap();
    let mut reader = bench.reader("data/*.parquet", "{}").unwrap();
    assert_error(reader.seek(&position), TableError::NotFound, &["data/b.parquet"]);
}

/// Protects against: foreign bytes taken for a position.
#[test]
fn foreign_positions_are_refused() {
    let bench = Bench::new();
    bench.put("data/a.csv", "a\n1\n");
    let mut reader = bench.reader("data/a.csv", "{}").unwrap();
    for bytes in [&b""[..], b"\x01", b"\x02\0\0a", b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0", b"\x01\0\0\xff\xfe"] {
        assert_error(reader.seek(bytes), TableError::Options, &["position"]);
    }
    assert!(reader.position().len() <= 16, "positions go into every checkpoint");
}

/// Protects against: a seek that reads everything before it.
#[test]
fn seeking_in_parquet_skips_row_groups() {
    let bench = Bench::new();
    bench.write("data/a.parquet", &[people(0, 1000)], r#"{"row_group_rows":100,"compression":"none"}"#).unwrap();
    let mut reader = bench.reader("data/a.parquet", r#"{"batch_rows":950}"#).unwrap();
    reader.next().unwrap();
    let position = reader.position();
    // Whatever lies before is destroyed; whoever decodes it notices.
    let mut bytes = std::fs::read(bench.path("data/a.parquet")).unwrap();
    let half = bytes.len() / 2;
    bytes[4..half].fill(0xff);
    bench.put("data/a.parquet", &bytes);
    assert!(bench.read("data/a.parquet", "{}").is_err());
    let mut reader = bench.reader("data/a.parquet", "{}").unwrap();
    reader.seek(&position).unwrap();
    assert_eq!(all(&mut *reader).unwrap(), people(950, 50));
}
