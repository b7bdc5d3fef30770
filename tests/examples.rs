//! The examples, run as a newcomer would run them, give what DuckDB computes from the same data
//! (`tests/golden/examples/recompute.py`).

use std::{fs, path::Path};

use arrow::{
    array::RecordBatch,
    util::display::{ArrayFormatter, FormatOptions},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::binary::{Ran, example, parshall, project, run};

/// Rows of cells as text; an empty text is a null.
type Rows = Vec<Vec<String>>;

/// How a golden file is put together: header and rows.
fn golden(name: &str) -> (Vec<String>, Rows) {
    csv(&project("tests/golden/examples").join(format!("{name}.csv")))
}

/// Compares rows of these columns with the golden file. Neither the order of rows nor the last digits of a floating-point
/// number are promised.
fn assert_golden(name: &str, mut rows: Rows) {
    let (_, mut expected) = golden(name);
    assert_eq!(rows.len(), expected.len(), "{name}: number of rows");
    rows.sort();
    expected.sort();
    for (row, expected) in rows.iter().zip(&expected) {
        assert!(row.len() == expected.len() && row.iter().zip(expected).all(|(a, b)| same(a, b)), "{name}: {row:?}, expected {expected:?}");
    }
}

fn same(found: &str, expected: &str) -> bool {
    let numbers = || Some((found.parse::<f64>().ok()?, expected.parse::<f64>().ok()?));
    let near = |(a, b): (f64, f64)| (a - b).abs() <= 1e-9 * b.abs();
    found == expected || (expected.contains('.') && numbers().is_some_and(near))
}

/// A CSV file without line breaks in values.
fn csv(path: &Path) -> (Vec<String>, Rows) {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut rows = text.lines().map(cells);
    (rows.next().expect("a header"), rows.collect())
}

fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted, mut characters) = (vec![String::new()], false, line.chars().peekable());
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => cells.last_mut().unwrap().extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

/// Columns of a JSON Lines file.
fn json_lines(path: &Path, columns: &[&str]) -> Rows {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let row = |line: &str| {
        let object: Value = serde_json::from_str(line).unwrap();
        columns.iter().map(|column| cell(&object[column])).collect()
    };
    text.lines().map(row).collect()
}

fn parquet(path: &Path) -> Rows {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap().build().unwrap();
    reader.flat_map(|batch| rows_of(&batch.unwrap())).collect()
}

fn rows_of(batch: &RecordBatch) -> Rows {
    let options = FormatOptions::default();
    let columns: Vec<_> = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    (0..batch.num_rows()).map(|row| columns.iter().map(|column| column.value(row).to_string()).collect()).collect()
}

fn sqlite(path: &Path, query: &str) -> Rows {
    use rusqlite::types::ValueRef;
    let database = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = database.prepare(query).unwrap();
    let columns = statement.column_count();
    let cell = |value: ValueRef| match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    };
    let rows = statement.query_map([], |row| (0..columns).map(|column| Ok(cell(row.get_ref(column)?))).collect::<Result<Vec<_>, _>>());
    rows.unwrap().map(Result::unwrap).collect()
}

/// The stage of a report.
fn stage<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["stages"].as_array().unwrap().iter().find(|stage| stage["name"] == name).unwrap_or_else(|| panic!("no stage `{name}`"))
}

/// For every stage that passes rows on, in = out + filtered + rejected.
fn assert_ledger(report: &Value) {
    for stage in report["stages"].as_array().unwrap() {
        let rows = |key: &str| stage["rows"][key].as_u64().unwrap();
        if stage["kind"] == "load" || (stage["kind"] == "transform" && stage["component"] != "std:aggregate") {
            assert_eq!(rows("in"), rows("out") + rows("filtered") + rows("rejected"), "{stage:#}");
        }
    }
}

#[test]
fn flights() {
    let folder = example("flights");
    let report = run(folder.path(), &["run", "pipeline.toml", "--report", "json"]).json();
    let out = folder.path().join("out");
    assert_golden("flights-by-carrier", sqlite(&out.join("flights.db"), "SELECT * FROM by_carrier"));
    assert_golden("flights-by-carrier", parquet(&out.join("by-carrier.parquet")));
    let (header, rejected) = csv(&out.join("cancelled.csv"));
    assert_eq!(header[19..], ["rejected_by", "rejected_reason"]);
    let because = |mut row: Vec<String>| {
        let (reason, by) = (row.pop().unwrap(), row.pop().unwrap());
        assert_eq!(by, "flown");
        row.push(["dep_time", "air_time"].into_iter().find(|column| reason.contains(column)).unwrap_or(&reason).to_owned());
        row
    };
    assert_golden("flights-cancelled", rejected.into_iter().map(because).collect());
    assert_eq!(stage(&report, "flights")["rows"]["out"], 27_004);
    assert_eq!((&stage(&report, "flown")["rows"]["out"], &stage(&report, "flown")["rows"]["rejected"]), (&26_398.into(), &606.into()));
    assert_ledger(&report);
    // What makes it fast: a row that nobody looks at stays where it is.
    assert_eq!(stage(&report, "flights")["calls"]["bytes_read"], 0);
    assert!(stage(&report, "flown")["calls"]["bytes_stayed"].as_u64() > Some(1_000_000));
}

#[test]
fn access_log() {
    let folder = example("access-log");
    let report = run(folder.path(), &["run", "pipeline.toml", "--report", "json"]).json();
    let out = folder.path().join("out");
    assert_golden("access-log-by-status", csv(&out.join("by-status.csv")).1.into_iter().map(seconds).collect());
    assert_golden("access-log-by-path", json_lines(&out.join("by-path.jsonl"), &["method", "path", "requests", "hosts", "mean_bytes"]));
    assert_golden("access-log-rejected", json_lines(&out.join("rejected.jsonl"), &["line"]));
    assert_eq!(stage(&report, "requests")["rows"]["rejected"], 20);
    assert_ledger(&report);
}

/// Times without a fraction of a second that is none.
fn seconds(row: Vec<String>) -> Vec<String> {
    row.into_iter().map(|cell| cell.replace(".000000Z", "Z")).collect()
}

#[test]
fn sales() {
    let folder = example("sales");
    run(folder.path(), &["run", "pipeline.toml"]).ok();
    let rows = || sqlite(&folder.path().join("out/summary.db"), "SELECT * FROM summary");
    assert_golden("sales-summary", rows());
    // Again: the table is replaced, not added to.
    run(folder.path(), &["run", "pipeline.toml"]).ok();
    assert_golden("sales-summary", rows());
}

#[test]
fn rejections() {
    let folder = example("rejections");
    let report = run(folder.path(), &["run", "pipeline.toml", "--report", "json"]).json();
    let (_, accepted) = csv(&folder.path().join("out/orders.csv"));
    assert_golden("rejections-orders", accepted);
    let mut reasons = json_lines(&folder.path().join("out/rejected.jsonl"), &["id", "rejected_reason"]);
    reasons.sort();
    let told = |id: &str| &reasons.iter().find(|row| row[0] == id).unwrap_or_else(|| panic!("{id} is not among {reasons:?}"))[1];
    assert_eq!(reasons.len(), 8);
    assert!(told("1002").contains("duplicate order"), "{reasons:?}");
    assert!(told("1003").contains("bad address"), "{reasons:?}");
    assert!(told("1005").contains("quantity"), "{reasons:?}");
    assert_ledger(&report);
}

#[test]
fn fan_in() {
    let folder = example("fan-in");
    run(folder.path(), &["run", "pipeline.toml"]).ok();
    assert_golden("fan-in-products", csv(&folder.path().join("out/products.csv")).1);
}

/// Rows of the seed are the same everywhere, so the sums are known: DuckDB has nothing to read them from.
#[test]
fn live() {
    let folder = example("live");
    let mut command = parshall();
    command.current_dir(folder.path()).args(["run", "pipeline.toml", "--report", "json"]).env("ROWS", "100000").env("RATE", "10000000");
    let report = Ran(command.output().unwrap()).json();
    assert_eq!(stage(&report, "orders")["rows"]["out"], 100_000);
    assert_ledger(&report);
    let (header, rows) = csv(&folder.path().join("out/by-region.csv"));
    assert_eq!(header, ["region", "state", "orders", "pieces", "value", "large", "last_id"]);
    let number = |row: &Vec<String>, column: usize| row[column].parse::<f64>().unwrap();
    let orders = |region: &str, state: &str| number(rows.iter().find(|row| row[0] == region && row[1] == state).unwrap(), 2);
    assert_eq!(rows.len(), 8, "four regions, two states that are not cancelled: {rows:?}");
    assert!((orders("north", "paid") / 28_000.0 - 1.0).abs() < 0.03 && (orders("west", "open") / 2_000.0 - 1.0).abs() < 0.1, "{rows:?}");
    let value = rows.iter().map(|row| number(row, 4)).sum::<f64>() / rows.iter().map(|row| number(row, 3)).sum::<f64>();
    assert!((value - 40.0).abs() < 0.2, "a piece costs 40 on average, not {value}");
    // Without an end it is checked, not run.
    run(folder.path(), &["check", "pipeline.toml"]).ok();
}

/// Protects against an example without a word of what it shows, and one that nobody runs here.
#[test]
fn every_example_is_explained_and_tested() {
    for entry in fs::read_dir(project("examples")).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        let name = entry.file_name().into_string().unwrap();
        assert!(entry.path().join("README.md").exists(), "{name}");
        // What watches pipelines is not one; `tests/dashboards.rs` tests it.
        if name == "monitoring" {
            continue;
        }
        assert!(entry.path().join("pipeline.toml").exists(), "{name}");
        assert!(include_str!("examples.rs").contains(&format!("example(\"{name}\")")), "examples/{name} has no test in tests/examples.rs");
    }
}

/// Protects the example, and the claim that its trace shows all four languages.
#[test]
fn four_languages_in_one_graph() {
    let polyglot = example("polyglot");
    let file = polyglot.path().join("pipeline.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("../../plugins/dist/", &format!("{}/", project("plugins/dist").canonicalize().unwrap().display())))
        .unwrap();
    run(polyglot.path(), &["run", "pipeline.toml", "--report", "none", "--trace-out", "spans.jsonl"]).ok();

    let sums = |of: &str| csv(&polyglot.path().join("out").join(of)).1.into_iter().map(|row| row[2].parse::<f64>().unwrap()).sum::<f64>();
    let (_, orders) = csv(&polyglot.path().join("data/orders.csv"));
    let complete: Vec<_> = orders.iter().filter(|row| !row[2].is_empty()).collect();
    let dozens: f64 = complete.iter().map(|row| row[2].parse::<f64>().unwrap()).sum();
    let net: f64 = complete.iter().map(|row| row[3].parse::<f64>().unwrap()).sum();
    assert_eq!(sums("pieces.csv"), dozens * 12.0);
    assert!((sums("turnover.csv") - net * 1.19).abs() < 1e-6, "{} and {}", sums("turnover.csv"), net * 1.19);
    assert_eq!(csv(&polyglot.path().join("out/refused.csv")).1.len(), orders.len() - complete.len());

    let spans = fs::read_to_string(polyglot.path().join("spans.jsonl")).unwrap();
    for component in ["c/scale.wasm", "javascript/scale.wasm", "zig/total.wasm", "rust/total.wasm"] {
        assert!(spans.contains(&format!("languages/{component}")), "{component} is in no span");
    }
}
