//! Patterns, folders and names find the right files in the right order.

use super::{Bench, assert_error, people};
use crate::words::tables::TableError;

fn numbers(bench: &Bench, location: &str, options: &str) -> Vec<i64> {
    let table = bench.read(location, options).unwrap();
    table.column(0).as_any().downcast_ref::<arrow::array::Int64Array>().unwrap().values().to_vec()
}

/// Protects against: an order that depends on the file system, and patterns that match too much or too little.
#[test]
fn patterns_match_in_the_order_of_names() {
    let bench = Bench::new();
    for (file, number) in [("b", 2), ("a", 1), ("c10", 4), ("c1", 3), ("deep/a", 5), ("deep/er/z", 6), (".hidden", 99)] {
        bench.put(&format!("data/{file}.csv"), format!("n\n{number}\n"));
    }
    bench.put("data/a.txt", "text");
    for (pattern, expected) in [
        ("data/*.csv", vec![1, 2, 3, 4]),
        ("data/?.csv", vec![1, 2]),
        ("data/c*.csv", vec![3, 4]),
        ("data/*1*.csv", vec![3, 4]),
        ("data/**/*.csv", vec![1, 2, 3, 4, 5, 6]),
        ("data/**/z.csv", vec![6]),
        ("data/*/*.csv", vec![5]),
        ("data/deep/**", vec![5, 6]),
        ("data/.h*.csv", vec![99]),
        ("data", vec![1, 2, 3, 4]),
        ("data/", vec![1, 2, 3, 4]),
    ] {
        assert_eq!(numbers(&bench, pattern, r#"{"format":"csv"}"#), expected, "{pattern}");
    }
    assert_error(bench.reader("data/x*.csv", "{}").map(drop), TableError::NotFound, &["data/x*.csv"]);
    assert_error(bench.reader("data/none.csv", "{}").map(drop), TableError::NotFound, &["data/none.csv"]);
}

/// Protects against: a format guessed from the first of several.
#[test]
fn a_folder_of_several_formats_asks_which() {
    let bench = Bench::new();
    bench.put("data/a.csv", "n\n1\n");
    bench.write("data/b.parquet", &[people(0, 1)], "{}").unwrap();
    assert_error(bench.reader("data", "{}").map(drop), TableError::Options, &["data/a.csv", "data/b.parquet", "\"format\""]);
    assert_eq!(bench.read("data", r#"{"format":"parquet"}"#).unwrap(), people(0, 1));
    bench.put("data/x.what", "n\n1\n");
    assert_error(bench.reader("data/x.what", "{}").map(drop), TableError::Options, &["\"format\"", "json_lines"]);
    assert_error(bench.reader("data", r#"{"format":"arrow_ipc"}"#).map(drop), TableError::NotFound, &["arrow_ipc"]);
}

/// Protects against: files of one table whose columns differ, found only when their turn comes.
#[test]
fn files_of_one_table_have_equal_columns() {
    let bench = Bench::new();
    bench.put("data/a.csv", "id,name\n1,x\n");
    bench.put("data/b.csv", "id,nick\n2,y\n");
    let parts = ["column 2", "\"name\"", "\"data/a.csv\"", "\"nick\"", "\"data/b.csv\""];
    assert_error(bench.reader("data/*.csv", "{}").map(drop), TableError::Format, &parts);
    bench.write("data/p/a.parquet", &[people(0, 1)], "{}").unwrap();
    bench.write("data/p/b.parquet", &[people(0, 1).project(&[0]).unwrap()], "{}").unwrap();
    assert_error(bench.reader("data/p", "{}").map(drop), TableError::Format, &["column 2", "missing", "data/p/b.parquet"]);
}

/// Protects against: schemes that are taken for paths, and an s3 location that fails without saying why.
#[test]
fn unknown_schemes_say_what_is_known() {
    let mut bench = Bench::new();
    bench.grants.read = ["gs://b/", "s3://b/"].map(|url| crate::words::grants::Place::Url(url.into())).to_vec();
    assert_error(bench.reader("gs://b/x.csv", "{}").map(drop), TableError::Options, &["gs://", "s3://", "sqlite:"]);
    #[cfg(not(feature = "s3"))]
    assert_error(bench.reader("s3://b/x.csv", "{}").map(drop), TableError::Options, &["--features s3"]);
    assert_error(bench.reader("", "{}").map(drop), TableError::Options, &["empty"]);
    assert_error(bench.reader("file://server/share.csv", "{}").map(drop), TableError::Options, &["file:///"]);
    let schema = people(0, 1).schema();
    assert_error(bench.writer("data/*.csv", schema, "{}").map(drop), TableError::Options, &["pattern"]);
}

/// Protects against: names that object stores encode and file systems do not.
#[test]
fn odd_names_are_names() {
    let bench = Bench::new();
    for name in ["a b.csv", "ü€.csv", "100%.csv", "a%20b.csv", "q#x.csv", "[1].csv"] {
        let location = format!("data/{name}");
        bench.write(&location, &[people(1, 2)], "{}").unwrap();
        assert_eq!(bench.read(&location, "{}").unwrap(), people(1, 2), "{name}");
    }
    assert_eq!(bench.read("data/*.csv", "{}").unwrap().num_rows(), 12);
}
