//! Text formats: types told from rows, errors that point, odd files.

use std::sync::Arc;

use arrow::{
    array::{Array, AsArray, Int64Array, StringArray},
    datatypes::DataType,
};

use super::{Bench, assert_error, batch, people};
use crate::words::tables::TableError;

/// Protects against: types told wrongly, or columns without values that lose their rows.
#[test]
fn csv_types_are_told_from_rows() {
    let bench = Bench::new();
    bench.put("data/a.csv", "\u{feff}i,f,b,d,t,s,none\n1,1.5,true,2024-02-29,2024-02-29T10:00:00,x,\n,,,,,,\n");
    let table = bench.read("data/a.csv", "{}").unwrap();
    let types = table.schema().fields().iter().map(|field| super::super::type_names::show(field.data_type())).collect::<Vec<_>>();
    assert_eq!(types, ["int64", "float64", "bool", "date32", "timestamp[s]", "utf8", "utf8"]);
    assert_eq!(table.schema().field(0).name(), "i", "the byte order mark became part of a name");
    assert!(table.columns().iter().all(|column| column.is_null(1)));
    // Stated types override; the rest is told.
    let table = bench.read("data/a.csv", r#"{"schema":{"i":"utf8"}}"#).unwrap();
    assert_eq!(table.schema().field(0).data_type(), &DataType::Utf8);
    assert_eq!(table.schema().field(1).data_type(), &DataType::Float64);
}

/// Protects against: dialects that are read as one column, and header rows taken for data.
#[test]
fn csv_dialects() {
    let bench = Bench::new();
    bench.put("data/a.csv", "1;'a;b';NA\n2;NA;7\n");
    let options = r#"{"csv":{"header":false,"delimiter":";","quote":"'","null":"NA"},"schema":{"id":"int64","s":"utf8","n":"int32"}}"#;
    let table = bench.read("data/a.csv", options).unwrap();
    assert_eq!(table["s"].as_string::<i32>().value(0), "a;b");
    assert!(table["n"].is_null(0) && table["s"].is_null(1));
    let plain = bench.read("data/a.csv", r#"{"csv":{"header":false,"delimiter":";","quote":"'"}}"#).unwrap();
    assert_eq!(plain.schema().field(0).name(), "column_1");
    let few = r#"{"csv":{"header":false,"delimiter":";","quote":"'"},"schema":{"id":"int64"}}"#;
    assert_error(bench.reader("data/a.csv", few).map(drop), TableError::Options, &["names 1 columns", "3"]);
    let write = r#"{"csv":{"header":false,"delimiter":"|","null":"\\N"}}"#;
    bench.write("data/b.csv", &[people(3, 2)], write).unwrap();
    assert_eq!(std::fs::read_to_string(bench.path("data/b.csv")).unwrap(), "3|\\N\n4|n4\n");
}

/// Protects against: errors that leave the reader searching the file.
#[test]
fn csv_errors_name_line_and_column() {
    let bench = Bench::new();
    let mut text = "id,name\n".to_string();
    (0..3000).for_each(|n| text += &format!("{n},n{n}\n"));
    bench.put("data/a.csv", text.clone() + "oops,x\n");
    for options in ["{}", r#"{"batch_rows":7}"#] {
        assert_error(bench.read("data/a.csv", options), TableError::Format, &["data/a.csv", "line 3002", "\"id\"", "\"oops\"", "int64"]);
    }
    bench.put("data/b.csv", text + "1,x,3\n");
    assert_error(bench.read("data/b.csv", "{}"), TableError::Format, &["data/b.csv", "3002"]);
    bench.put("data/c.csv", b"id,name\n1,\xff\xfe\n");
    assert_error(bench.read("data/c.csv", "{}"), TableError::Format, &["data/c.csv"]);
}

/// Protects against: fields that appear late and are lost without a word.
#[test]
fn json_fields_are_not_lost() {
    let bench = Bench::new();
    bench.put("data/a.jsonl", "{\"a\":1}\n{\"a\":2,\"b\":\"x\"}\n");
    let late = r#"{"infer_rows":1}"#;
    assert_error(bench.read("data/a.jsonl", late), TableError::Format, &["row 2", "data/a.jsonl", "'b'", "infer_rows"]);
    assert_eq!(bench.read("data/a.jsonl", r#"{"infer_rows":1,"columns":["a"]}"#).unwrap().num_rows(), 2);
    let stated = bench.read("data/a.jsonl", r#"{"infer_rows":1,"schema":{"b":"utf8"}}"#).unwrap();
    assert_eq!((stated.num_columns(), stated["b"].is_null(0)), (2, true));
    let told = batch(vec![("a", Arc::new(Int64Array::from(vec![1, 2]))), ("b", Arc::new(StringArray::from(vec![None, Some("x")])))]);
    assert_eq!(bench.read("data/a.jsonl", "{}").unwrap(), told);
}

/// Protects against: JSON errors without a row.
#[test]
fn json_errors_name_the_row() {
    let bench = Bench::new();
    let good = (0..2500).map(|n| format!("{{\"a\":{n}}}\n")).collect::<String>();
    for bad in ["{\"a\":\"x\"}\n", "{\"a\":\n", "nonsense\n", "{\"a\":1.5}\n"] {
        bench.put("data/a.jsonl", good.clone() + bad);
        assert_error(bench.read("data/a.jsonl", "{}"), TableError::Format, &["data/a.jsonl", "row 2501"]);
    }
}

/// Protects against: line ends left in the text, last lines lost, lines of any length taken.
#[test]
fn lines_are_lines() {
    let bench = Bench::new();
    bench.put("data/a.log", "one\r\n\ntwo\nlast");
    let table = bench.read("data/a.log", "{}").unwrap();
    assert_eq!(table["line"].as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["one", "", "two", "last"]);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, b"one\ntwo\n").unwrap();
    let packed = packed.finish().unwrap();
    // Two members in one file, as log rotation concatenates them.
    bench.put("data/a.log.gz", [packed.clone(), packed].concat());
    assert_eq!(bench.read("data/a.log.gz", "{}").unwrap().num_rows(), 4);
    bench.put("data/b.log", b"fine\n\xff\n");
    assert_error(bench.read("data/b.log", "{}"), TableError::Format, &["data/b.log", "line 2", "UTF-8"]);
    bench.put("data/c.log", "x".repeat(super::super::lines::LINE_LIMIT + 1));
    assert_error(bench.read("data/c.log", "{}"), TableError::Format, &["line 1", "longer"]);
    bench.put("data/d.log", "");
    assert_eq!(bench.read("data/d.log", "{}").unwrap().num_rows(), 0);
}

/// Protects against: an empty file among others, which has no header to check.
#[test]
fn empty_text_files_do_no_harm() {
    let bench = Bench::new();
    bench.put("data/a.csv", "");
    bench.put("data/b.csv", "id,name\n1,n1\n");
    bench.put("data/c.csv", "");
    assert_eq!(bench.read("data/*.csv", "{}").unwrap(), people(1, 1));
    bench.put("data/a.jsonl", "");
    bench.put("data/b.jsonl", "\n{\"id\":1,\"name\":\"n1\"}\n\n");
    assert_eq!(bench.read("data/*.jsonl", "{}").unwrap(), people(1, 1));
}
