//! What is written comes back equal, in every format.

use std::{io::Write as _, sync::Arc};

use arrow::{
    array::{Array, Int64Array, ListArray, RecordBatch, StringArray, UInt64Array},
    datatypes::{DataType, Field, Int64Type, Schema},
};

use super::{Bench, assert_error, batch, blobs, kinds, people};
use crate::words::tables::TableError;

fn with_blobs() -> RecordBatch {
    let kinds = kinds();
    let names = kinds.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    let mut columns = names.iter().map(String::as_str).zip(kinds.columns().iter().cloned()).collect::<Vec<_>>();
    columns.push(("blob", blobs()));
    batch(columns)
}

/// Protects against: a value, null or type changed by the binary formats, with each compression.
#[test]
fn binary_formats_keep_everything() {
    let bench = Bench::new();
    let table = with_blobs();
    for (file, options) in [
        ("data/a.parquet", "{}"),
        ("data/b.parquet", r#"{"compression":"zstd","row_group_rows":2}"#),
        ("data/c.parquet", r#"{"compression":"lz4"}"#),
        ("data/d.parquet", r#"{"compression":"none"}"#),
        ("data/e.arrow", ""),
        ("data/f.bin", r#"{"format":"arrow_ipc"}"#),
    ] {
        assert_eq!(bench.write(file, &[table.clone(), table.clone()], options).unwrap(), 6);
        let options = if file.ends_with("bin") { options } else { "{}" };
        let back = bench.read(file, options).unwrap();
        assert_eq!(back.slice(0, 3), table, "{file}");
        assert_eq!(back.slice(3, 3), table, "{file}");
    }
}

/// Protects against: text formats that lose what their types can express once the types are stated.
#[test]
fn text_formats_keep_stated_types() {
    let bench = Bench::new();
    let table = kinds();
    let schema = r#"{"schema":{"int":"int64","small":"int32","float":"float64","flag":"bool","text":"utf8","day":"date32",
        "time":"timestamp[us]","instant":"timestamp[us, UTC]","money":"decimal128(10,2)"}}"#;
    for file in ["data/a.csv", "data/a.tsv", "data/a.csv.gz", "data/a.jsonl", "data/a.ndjson.gz"] {
        bench.write(file, std::slice::from_ref(&table), "{}").unwrap();
        assert_eq!(bench.read(file, schema).unwrap(), table, "{file}");
    }
    let packed = std::fs::read(bench.path("data/a.csv.gz")).unwrap();
    assert_eq!(packed[..2], [0x1f, 0x8b], "named .gz, but not compressed");
    assert!(std::fs::read_to_string(bench.path("data/a.tsv")).unwrap().contains("int\tsmall"));
}

/// Protects against: wrong storage classes, lost nulls, values altered by SQLite's affinities.
#[test]
fn sqlite_keeps_values() {
    let bench = Bench::new();
    let table = with_blobs();
    assert_eq!(bench.write("sqlite:data/shop.db", std::slice::from_ref(&table), r#"{"table":"t"}"#).unwrap(), 3);
    let back = bench.read("sqlite:data/shop.db", r#"{"table":"t"}"#).unwrap();
    for same in ["int", "float", "text", "blob"] {
        assert_eq!(&back[same], &table[same], "{same}");
    }
    let text = |name: &str| back[name].as_any().downcast_ref::<StringArray>().unwrap().clone();
    assert_eq!(text("day").value(0), "2022-01-08");
    assert_eq!(text("time").value(0), "2023-11-14T22:13:20.123456");
    assert_eq!(text("instant").value(0), "2023-11-14T22:13:20.123456Z");
    assert_eq!(text("money").value(0), "123.45");
    assert_eq!(back["flag"].as_any().downcast_ref::<Int64Array>().unwrap().value(0), 1);
    assert!(["day", "time", "instant", "money", "flag", "small"].iter().all(|name| back[*name].is_null(1)));
}

/// Protects against: names that end a statement.
#[test]
fn sqlite_names_are_only_names() {
    let bench = Bench::new();
    let evil = r#"x"); DROP TABLE t; --"#;
    let table = batch(vec![(evil, Arc::new(Int64Array::from(vec![1, 2])) as _), ("select", Arc::new(Int64Array::from(vec![3, 4])) as _)]);
    let options = serde_json::json!({ "table": evil }).to_string();
    bench.write("sqlite:data/t.db", std::slice::from_ref(&table), &options).unwrap();
    assert_eq!(bench.read("sqlite:data/t.db", &options).unwrap(), table);
}

/// Protects against: wrapped-around integers.
#[test]
fn sqlite_refuses_what_it_cannot_count_to() {
    let bench = Bench::new();
    let table = batch(vec![("big", Arc::new(UInt64Array::from(vec![1, u64::MAX])))]);
    assert_error(bench.write("sqlite:data/t.db", &[table], r#"{"table":"t"}"#), TableError::Format, &["\"big\"", "18446744073709551615"]);
    assert_eq!(bench.files(), ["data"], "a failed write leaves nothing");
}

/// Protects against: empty runs that leave no table, or one without its columns.
#[test]
fn a_table_without_rows_is_a_table() {
    let bench = Bench::new();
    let empty = RecordBatch::new_empty(people(0, 1).schema());
    for (location, options) in [
        ("data/a.parquet", "{}"),
        ("data/a.arrow", "{}"),
        ("data/a.csv", "{}"),
        ("data/a.csv.gz", "{}"),
        ("sqlite:data/a.db", r#"{"table":"t"}"#),
    ] {
        let mut writer = bench.writer(location, empty.schema(), options).unwrap();
        assert_eq!(writer.commit(true).unwrap(), 0);
        drop(writer);
        let back = bench.read(location, options).unwrap();
        assert_eq!(back.num_rows(), 0, "{location}");
        let names = back.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        assert_eq!(names, ["id", "name"], "{location}");
    }
    bench.write("data/a.jsonl", &[empty], "{}").unwrap();
    let stated = bench.read("data/a.jsonl", r#"{"schema":{"id":"int64"}}"#).unwrap();
    assert_eq!((stated.num_rows(), stated.num_columns()), (0, 1));
}

/// Protects against: projection that answers the wrong column, order or schema.
#[test]
fn columns_come_in_the_order_asked_for() {
    let bench = Bench::new();
    let table = kinds();
    let ints = table.project(&[2, 0]).unwrap();
    for (location, write, read) in [
        ("data/a.parquet", "{}", r#"{"columns":["float","int"]}"#),
        ("data/a.arrow", "{}", r#"{"columns":["float","int"]}"#),
        ("data/a.csv", "{}", r#"{"columns":["float","int"]}"#),
        ("data/a.jsonl", "{}", r#"{"columns":["float","int"]}"#),
        ("sqlite:data/a.db", r#"{"table":"t"}"#, r#"{"table":"t","columns":["float","int"]}"#),
    ] {
        bench.write(location, std::slice::from_ref(&table), write).unwrap();
        let reader = bench.reader(location, read).unwrap();
        assert_eq!(reader.schema(), ints.schema(), "{location}");
        assert_eq!(bench.read(location, read).unwrap(), ints, "{location}");
        let wrong = read.replace("\"int\"", "\"flaot\"");
        assert_error(bench.reader(location, &wrong).map(drop), TableError::Options, &["flaot", "did you mean \"float\"?"]);
    }
}

/// Protects against: an Arrow stream taken for a file, and projection of streams.
#[test]
fn arrow_streams_are_told_from_files() {
    let bench = Bench::new();
    let table = with_blobs();
    let mut bytes = Vec::new();
    let mut stream = arrow::ipc::writer::StreamWriter::try_new(&mut bytes, &table.schema()).unwrap();
    stream.write(&table).unwrap();
    stream.write(&table).unwrap();
    stream.finish().unwrap();
    drop(stream);
    bench.put("data/a.arrows", &bytes);
    assert_eq!(bench.read("data/a.arrows", r#"{"batch_rows":2}"#).unwrap().num_rows(), 6);
    assert_eq!(bench.read("data/a.arrows", r#"{"columns":["text","int"]}"#).unwrap().slice(3, 3), table.project(&[4, 0]).unwrap());
    // A stream may end without its mark, but not within a message.
    bench.put("data/b.arrows", &bytes[..bytes.len() - 8]);
    assert_eq!(bench.read("data/b.arrows", "{}").unwrap().num_rows(), 6);
    bench.put("data/c.arrows", &bytes[..bytes.len() - 40]);
    assert_error(bench.read("data/c.arrows", "{}"), TableError::Format, &["data/c.arrows", "cut short"]);
}

/// Protects against: dictionaries and nested columns flattened or refused by formats that hold them.
#[test]
fn nested_columns_survive_where_they_can() {
    let bench = Bench::new();
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![])]);
    let words: arrow::array::DictionaryArray<arrow::datatypes::Int32Type> = [Some("a"), None, Some("a")].into_iter().collect();
    let table = batch(vec![("list", Arc::new(list)), ("word", Arc::new(words))]);
    for file in ["data/a.parquet", "data/a.arrow"] {
        bench.write(file, std::slice::from_ref(&table), "{}").unwrap();
        assert_eq!(bench.read(file, "{}").unwrap(), table, "{file}");
    }
    bench.write("data/a.jsonl", std::slice::from_ref(&table), "{}").unwrap();
    let back = bench.read("data/a.jsonl", r#"{"schema":{"list":"list<int64>"}}"#).unwrap();
    assert_eq!(&back["list"], &table["list"]);
    for (location, options, format) in [("data/b.csv", "{}", "csv"), ("sqlite:data/b.db", r#"{"table":"t"}"#, "sqlite")] {
        assert_error(
            bench.writer(location, table.schema(), options).map(drop),
            TableError::Format,
            &[format, "\"list\"", "list<int64>", "parquet"],
        );
    }
}

/// Protects against: types that an encoder panics on, or a zone that only fails at the first row.
#[test]
fn what_a_format_cannot_hold_is_refused_when_opened() {
    let bench = Bench::new();
    let of = |data_type: DataType| Arc::new(Schema::new(vec![Field::new("odd", data_type, true)]));
    let parse = |text: &str| super::super::type_names::parse(text).unwrap();
    for (location, data_type) in [
        ("data/a.csv", parse("binary")),
        ("data/a.csv", parse("duration[us]")),
        ("data/a.parquet", DataType::new_union()),
        ("data/a.jsonl", DataType::new_union()),
    ] {
        assert_error(bench.writer(location, of(data_type), "{}").map(drop), TableError::Format, &["\"odd\"", "cannot hold"]);
    }
    assert_eq!(bench.files(), ["data"]);
}

trait NewUnion {
    fn new_union() -> DataType;
}

impl NewUnion for DataType {
    fn new_union() -> DataType {
        let fields = arrow::datatypes::UnionFields::from_fields([Field::new("a", DataType::Int64, true)]);
        DataType::Union(fields, arrow::datatypes::UnionMode::Sparse)
    }
}

/// Protects against: instants shifted by their zone, and zones that fail at the first row.
#[test]
fn text_holds_instants_in_utc() {
    let bench = Bench::new();
    let times = arrow::array::TimestampMicrosecondArray::from(vec![1_700_000_000_000_000]);
    let table = batch(vec![("at", Arc::new(times.clone().with_timezone("Europe/Berlin")))]);
    let utc = batch(vec![("at", Arc::new(times.with_timezone("UTC")))]);
    for location in ["data/a.csv", "data/a.jsonl"] {
        bench.write(location, std::slice::from_ref(&table), "{}").unwrap();
        let text = std::fs::read_to_string(bench.path(location)).unwrap();
        assert!(text.contains("2023-11-14T22:13:20Z"), "{text}");
        assert_eq!(bench.read(location, r#"{"schema":{"at":"timestamp[us, UTC]"}}"#).unwrap(), utc);
        let zone = r#"{"schema":{"at":"timestamp[us, Europe/Berlin]"}}"#;
        assert_error(bench.reader(location, zone).map(drop), TableError::Options, &["Europe/Berlin", "UTC"]);
    }
}

/// Protects against: a batch that does not have the columns the table was opened with.
#[test]
fn a_foreign_batch_is_refused() {
    let bench = Bench::new();
    let mut writer = bench.writer("data/a.parquet", people(0, 1).schema(), "{}").unwrap();
    let other = batch(vec![("id", Arc::new(Int64Array::from(vec![1]))), ("nam", Arc::new(StringArray::from(vec!["x"])))]);
    assert_error(writer.write(&other), TableError::Format, &["\"nam\"", "\"name\""]);
}

/// Protects against: corrupt files that panic, hang, exhaust memory or pass as good.
#[test]
fn corrupt_files_are_errors() {
    let bench = Bench::new();
    let table = people(0, 5000);
    for (file, options) in [("parquet", "{}"), ("arrow", "{}"), ("csv.gz", "{}"), ("db", r#"{"table":"t"}"#)] {
        let location = format!("data/good.{file}");
        bench.write(&location, std::slice::from_ref(&table), options).unwrap();
        let good = std::fs::read(bench.path(&location)).unwrap();
        let mut refused = 0;
        for step in 0..60 {
            let at = good.len() * step / 60;
            let mut bad = good.clone();
            bad[at..(at + 7).min(good.len())].fill(0xe5);
            let bad_location = format!("data/bad.{file}");
            bench.put(&bad_location, &bad);
            refused += usize::from(matches!(bench.read(&bad_location, options), Err(TableError::Format(_))));
            bench.put(&bad_location, &good[..at]);
            let cut = bench.read(&bad_location, options);
            assert!(cut.is_err() || file == "csv.gz" && at == 0, "{file} cut at {at} passes as good");
        }
        // A changed value cannot be noticed; broken structure must be.
        assert!(refused > 0, "{file}: no corruption was noticed");
    }
}

/// Protects against: data whose file is in reality of another format.
#[test]
fn the_wrong_format_is_named() {
    let bench = Bench::new();
    for file in ["data/a.parquet", "data/a.arrow"] {
        let mut bytes = Vec::new();
        writeln!(bytes, "id,name\n1,x").unwrap();
        bench.put(file, bytes);
        assert_error(bench.read(file, "{}"), TableError::Format, &[file]);
    }
    bench.put("data/a.db", "id,name\n1,x\n".repeat(100));
    assert_error(bench.read("sqlite:data/a.db", r#"{"table":"t"}"#), TableError::Format, &["data/a.db"]);
}
