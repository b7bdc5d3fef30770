//! Options are checked, and their errors help.

use super::{Bench, assert_error, people};
use crate::words::tables::TableError;

/// Protects against: misspelt, misplaced or absurd options that are silently without effect.
#[test]
fn wrong_options_are_refused_with_advice() {
    let bench = Bench::new();
    bench.put("data/a.csv", "id,name\n1,x\n");
    for (options, parts) in [
        (r#"{"colums":["id"]}"#, vec!["\"colums\"", "did you mean \"columns\"?"]),
        (r#"{"csv":{"delimitor":";"}}"#, vec!["csv.delimitor", "\"delimiter\""]),
        (r#"{"csv":{"delimiter":";;"}}"#, vec!["csv.delimiter", "one ASCII character"]),
        (r#"{"csv":{"delimiter":"\""}}"#, vec!["must differ"]),
        (r#"{"format":"parkett"}"#, vec!["parkett", "did you mean \"parquet\"?"]),
        (r#"{"batch_rows":0}"#, vec!["batch_rows", "between 1"]),
        (r#"{"batch_rows":99999999999}"#, vec!["batch_rows", "between 1"]),
        (r#"{"batch_rows":-1}"#, vec!["batch_rows"]),
        (r#"{"batch_rows":"many"}"#, vec!["batch_rows", "string"]),
        (r#"{"columns":[]}"#, vec!["columns", "leave it out"]),
        (r#"{"columns":["id","id"]}"#, vec!["\"id\" twice"]),
        (r#"{"schema":{"id":"int46"}}"#, vec!["\"id\"", "int46", "did you mean \"int64\"?"]),
        (r#"{"schema":{"id":"timestamp[usec]"}}"#, vec!["usec", "us"]),
        (r#"{"schema":{"id":7}}"#, vec!["\"id\"", "type name"]),
        (r#"{"schema":{"idd":"int64"}}"#, vec!["\"idd\"", "did you mean \"id\"?"]),
        (r#"{"table":"t"}"#, vec!["\"table\"", "csv"]),
        (r#"["id"]"#, vec!["JSON object"]),
        (r#"{"columns""#, vec!["no JSON"]),
    ] {
        assert_error(bench.reader("data/a.csv", options).map(drop), TableError::Options, &parts);
    }
    assert_eq!(bench.read("data/a.csv", r#"{"columns":null,"schema":null}"#).unwrap().num_columns(), 2);
    for (location, options, parts) in [
        ("data/b.csv", r#"{"compression":"zstd"}"#, vec!["compression", "csv"]),
        ("data/b.parquet", r#"{"compression":"zsdt"}"#, vec!["did you mean \"zstd\"?"]),
        ("data/b.parquet", r#"{"mode":"apend"}"#, vec!["did you mean \"append\"?"]),
        ("data/b.parquet", r#"{"columns":["id"]}"#, vec!["\"columns\""]),
        ("data/b.txt", "{}", vec!["only read"]),
        ("data/b", "{}", vec!["\"format\""]),
        ("data", r#"{"format":"csv"}"#, vec!["folder"]),
        ("sqlite:data/x.db", r#"{"format":"csv","table":"t"}"#, vec!["csv"]),
    ] {
        assert_error(bench.writer(location, people(0, 1).schema(), options).map(drop), TableError::Options, &parts);
    }
}

/// Protects against: names of types that are shown in one way and read in another.
#[test]
fn type_names_are_read_as_they_are_shown() {
    use super::super::type_names::{parse, show};
    for name in [
        "null",
        "bool",
        "int8",
        "uint64",
        "float16",
        "float64",
        "utf8",
        "large_utf8",
        "binary",
        "date32",
        "date64",
        "time32[ms]",
        "time64[ns]",
        "timestamp[s]",
        "timestamp[us, UTC]",
        "timestamp[ns, +02:00]",
        "duration[ms]",
        "decimal128(38, 10)",
        "decimal256(76, 0)",
        "list<list<int64>>",
        "struct<a: int64, b: list<utf8>>",
        "interval[month_day_nano]",
    ] {
        assert_eq!(show(&parse(name).unwrap()), name);
    }
    assert_eq!(show(&parse(" Decimal128(10,2) ").unwrap()), "decimal128(10, 2)");
    for wrong in [
        "",
        "int",
        "list<",
        "list<>",
        "list<int64",
        "decimal128(39, 0)",
        "decimal128(10)",
        "timestamp[d]",
        "struct<a>",
        "time32[us]",
        "x[y]",
    ] {
        parse(wrong).expect_err(wrong);
    }
    parse(&"list<".repeat(500)).expect_err("unclosed");
    parse(&format!("{}int64{}", "list<".repeat(500), ">".repeat(500))).expect_err("too deep");
}
