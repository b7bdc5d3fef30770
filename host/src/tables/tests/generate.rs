//! Rows that are made: the same whatever the cuts, distributed as they say, refused where they make no sense.

use arrow::{
    array::{Array, AsArray, RecordBatch},
    compute::concat_batches,
    datatypes::{Float64Type, Int64Type, TimestampMicrosecondType},
};

use super::{Bench, all, assert_error};
use crate::words::{
    grants::Place,
    tables::{GENERATOR, TableError, TableReader},
};

/// One column of each kind.
const ALL: &str = r#""n":"sequence","back":{"kind":"sequence","start":100,"step":-3},"u":"uniform","wide":{"kind":"uniform","min":-5,"max":5},
    "i":{"kind":"integer","min":-2,"max":3},"any":{"kind":"integer","min":-9223372036854775808,"max":9223372036854775807},
    "g":{"kind":"normal","mean":10,"deviation":2},"c":{"kind":"choice","values":["a","b","c"],"weights":[6,3,1]},
    "w":{"kind":"words","length":25},"s":{"kind":"string","length":30},"t":{"kind":"timestamp","start":"2025-06-01T00:00:00Z","step":"250ms"},
    "b":{"kind":"boolean","share":0.2},"holes":{"kind":"integer","null_share":0.25}"#;

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.grants.read.push(Place::Url(GENERATOR.into()));
    bench
}

fn reader(bench: &Bench, options: &str) -> Box<dyn TableReader> {
    bench.reader(GENERATOR, options).unwrap()
}

fn made(rows: u64, batch_rows: u64, seed: i64, columns: &str) -> RecordBatch {
    let options = format!(r#"{{"rows":{rows},"batch_rows":{batch_rows},"seed":{seed},"columns":{{{columns}}}}}"#);
    all(&mut *reader(&bench(), &options)).unwrap()
}

/// Protects against rows that depend on where batches were cut, or on which columns stand beside them.
#[test]
fn a_value_follows_from_seed_column_and_row_alone() {
    let table = made(1000, 8192, 7, ALL);
    assert_eq!(table, made(1000, 1, 7, ALL));
    assert_eq!(table, made(1000, 333, 7, ALL));
    assert_ne!(table["u"].to_data(), made(1000, 8192, 8, ALL)["u"].to_data(), "another seed, the same values");
    assert_eq!(table["g"].to_data(), made(1000, 10, 7, r#""g":{"kind":"normal","mean":10,"deviation":2}"#)["g"].to_data());
    let two = made(1000, 8192, 7, r#""x":"uniform","y":"uniform""#);
    assert_ne!(two["x"].to_data(), two["y"].to_data(), "two columns, the same values");
}

/// Protects against rows that are lost, repeated or different after a resume.
#[test]
fn goes_on_from_every_position() {
    let bench = bench();
    let options = format!(r#"{{"rows":500,"batch_rows":70,"columns":{{{ALL}}}}}"#);
    let table = all(&mut *reader(&bench, &options)).unwrap();
    let mut first = reader(&bench, &options);
    let mut read = 0;
    loop {
        // Batches of the second are cut elsewhere.
        let mut second = reader(&bench, &options.replace("70", "90"));
        second.seek(&first.position()).unwrap();
        assert_eq!(all(&mut *second).unwrap(), table.slice(read, 500 - read), "after {read} rows");
        let Some(batch) = first.next().unwrap() else { break };
        read += batch.num_rows();
    }
    assert_eq!(read, 500);
    let beyond = [&[1][..], &501u64.to_le_bytes()].concat();
    for (position, part) in [(&beyond[..], "there are 500 rows"), (b"", "unusable"), (b"\x01\0", "unusable"), (b"\x07", "unusable")] {
        assert_error(reader(&bench, &options).seek(position), TableError::Options, &["position", part]);
    }
}

/// Protects against distributions that are not what they are called.
#[test]
fn values_are_distributed_as_they_say() {
    const ROWS: usize = 100_000;
    let table = made(ROWS as u64, 8192, 1, ALL);
    let floats = |name: &str| table[name].as_primitive::<Float64Type>().values().to_vec();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let near = |found: f64, expected: f64, within: f64| assert!((found - expected).abs() < within, "{found}, expected {expected}");

    let numbers = table["n"].as_primitive::<Int64Type>().values().to_vec();
    assert!(numbers.iter().copied().eq(0..ROWS as i64));
    assert_eq!(&table["back"].as_primitive::<Int64Type>().values()[..3], &[100, 97, 94]);

    // By deciles, so that a lump would show.
    let uniform = floats("u");
    let deciles = (0..10).map(|decile| uniform.iter().filter(|value| (**value * 10.0) as i32 == decile).count());
    deciles.for_each(|count| near(count as f64 / ROWS as f64, 0.1, 0.005));
    assert!(floats("wide").iter().all(|value| (-5.0..5.0).contains(value)));
    near(mean(&floats("wide")), 0.0, 0.05);

    let integers = table["i"].as_primitive::<Int64Type>().values().to_vec();
    (-2..=3).for_each(|value| near(integers.iter().filter(|found| **found == value).count() as f64 / ROWS as f64, 1.0 / 6.0, 0.01));
    assert!(integers.iter().all(|value| (-2..=3).contains(value)));

    let normal = floats("g");
    near(mean(&normal), 10.0, 0.05);
    near(mean(&normal.iter().map(|value| (value - 10.0).powi(2)).collect::<Vec<_>>()).sqrt(), 2.0, 0.05);
    near(normal.iter().filter(|value| (**value - 10.0).abs() < 2.0).count() as f64 / ROWS as f64, 0.6827, 0.01);

    let chosen = table["c"].as_string::<i32>();
    let share = |word: &str| chosen.iter().filter(|value| *value == Some(word)).count() as f64 / ROWS as f64;
    near(share("a"), 0.6, 0.01);
    near(share("b"), 0.3, 0.01);
    near(share("c"), 0.1, 0.01);

    near(table["b"].as_boolean().true_count() as f64 / ROWS as f64, 0.2, 0.01);
    near(table["holes"].null_count() as f64 / ROWS as f64, 0.25, 0.01);
    assert!(table.schema().field_with_name("holes").unwrap().is_nullable() && !table.schema().field_with_name("n").unwrap().is_nullable());

    let texts = table["s"].as_string::<i32>();
    let distinct = texts.iter().collect::<std::collections::HashSet<_>>();
    assert!(distinct.len() == ROWS && texts.iter().all(|text| text.unwrap().len() == 30), "30 characters of 32 do not repeat");
    assert!(table["w"].as_string::<i32>().iter().all(|text| text.unwrap().split(' ').count() == 25));
    let times = table["t"].as_primitive::<TimestampMicrosecondType>().values().to_vec();
    assert_eq!(times[..2], [1_748_736_000_000_000, 1_748_736_000_250_000]);
}

/// Protects against a generator that ends although nothing says so, and against one that fills the memory.
#[test]
fn it_does_not_end_and_stays_small() {
    let bench = bench();
    let mut endless = reader(&bench, r#"{"columns":{"n":"sequence"}}"#);
    let batches = (0..50).map(|_| endless.next().unwrap().unwrap()).collect::<Vec<_>>();
    let table = concat_batches(&endless.schema(), &batches).unwrap();
    assert_eq!(table["n"].as_primitive::<Int64Type>().values()[50 * 8192 - 1], 50 * 8192 - 1);
    let wide = r#"{"batch_rows":1000000,"columns":{"s":{"kind":"string","length":10000}}}"#;
    let batch = reader(&bench, wide).next().unwrap().unwrap();
    assert!((1..=6710).contains(&batch.num_rows()), "{} rows of 10 kB in a batch", batch.num_rows());
}

/// Protects against a rate that is not kept. Slack on the slow side is wide: this machine may be busy.
#[test]
fn a_rate_is_kept_without_blocking() {
    let mut paced = reader(&bench(), r#"{"rate":50000,"columns":{"n":"sequence"}}"#);
    let began = std::time::Instant::now();
    let (mut rows, mut empty) = (0, 0);
    while began.elapsed().as_millis() < 300 {
        let before = began.elapsed();
        let batch = paced.next().unwrap().unwrap();
        rows += batch.num_rows() as u64;
        empty += usize::from(batch.num_rows() == 0);
        assert!(rows as f64 <= 50_000.0 * began.elapsed().as_secs_f64(), "{rows} rows after {before:?}: faster than the rate");
    }
    assert!(empty > 0, "nothing was waited for");
    // What is late is made up for: at most a hundredth of a second of rows is missing.
    let due = 50_000.0 * began.elapsed().as_secs_f64();
    while paced.next().unwrap().unwrap().num_rows() > 0 {}
    assert!(rows as f64 > due * 0.5, "{rows} rows of {due}");
}

/// Protects against mistakes that are told without saying where they are.
#[test]
fn mistakes_name_the_value() {
    let bench = bench();
    let refused = |options: &str, parts: &[&str]| assert_error(bench.reader(GENERATOR, options).map(drop), TableError::Options, parts);
    let column = |column: &str, parts: &[&str]| refused(&format!(r#"{{"columns":{{"a/b":{column}}}}}"#), parts);
    refused("{}", &["no columns", "sequence"]);
    refused(r#"{"columns":7}"#, &["/columns: 7"]);
    refused(r#"{"raet":1,"columns":{"n":"sequence"}}"#, &["/raet: ", "did you mean \"rate\"?"]);
    refused(r#"{"rate":0,"columns":{"n":"sequence"}}"#, &["/rate: 0"]);
    refused(r#"{"rows":"many","columns":{"n":"sequence"}}"#, &["/rows: \"many\""]);
    refused(r#"{"rows":-1,"columns":{"n":"sequence"}}"#, &["/rows: -1"]);
    refused(r#"{"batch_rows":0,"columns":{"n":"sequence"}}"#, &["/batch_rows: 0", "1048576"]);
    column(r#""sequense""#, &["/columns/a~1b: \"sequense\"", "did you mean \"sequence\"?"]);
    column("5", &["/columns/a~1b: 5", "uniform"]);
    column(r#"{"min":1}"#, &["/columns/a~1b: ", "kind"]);
    column(r#"{"kind":"sequence","min":1}"#, &["/columns/a~1b/min: ", "start, step"]);
    column(r#"{"kind":"integer","min":3,"max":2}"#, &["/columns/a~1b/max: "]);
    column(r#"{"kind":"uniform","min":"x"}"#, &["/columns/a~1b/min: \"x\""]);
    column(r#"{"kind":"normal","deviation":-1}"#, &["/columns/a~1b/deviation: -1"]);
    column(r#""choice""#, &["/columns/a~1b: ", "values"]);
    column(r#"{"kind":"choice","values":[]}"#, &["/columns/a~1b/values: "]);
    column(r#"{"kind":"choice","values":["x"],"weights":[1,2]}"#, &["/columns/a~1b/weights: 1 numbers"]);
    column(r#"{"kind":"timestamp","step":"1 fortnight"}"#, &["/columns/a~1b/step: ", "ms"]);
    column(r#"{"kind":"timestamp","start":"soon"}"#, &["/columns/a~1b/start: \"soon\""]);
    column(r#"{"kind":"timestamp","now":true,"step":"1s"}"#, &["/columns/a~1b/now: "]);
    column(r#"{"kind":"boolean","share":1.5}"#, &["/columns/a~1b/share: 1.5"]);
    column(r#"{"kind":"string","length":0}"#, &["/columns/a~1b/length: 0"]);
}

/// Protects against a component that is granted nothing and has the host make rows, and against writing to nowhere.
#[test]
fn it_is_granted_like_any_other_place() {
    let plain = Bench::new();
    assert_error(plain.reader(GENERATOR, "{}").map(drop), TableError::Denied, &["generate:", "read = ["]);
    let schema = reader(&bench(), r#"{"columns":{"n":"sequence"}}"#).schema();
    assert_error(plain.writer(GENERATOR, schema, "{}").map(drop), TableError::Options, &["generate:"]);
}

/// Protects against variables of a pipeline file that cannot say how many rows there are: they stand in strings only.
#[test]
fn numbers_may_stand_in_strings() {
    let bench = bench();
    let rows = |rows: &str| all(&mut *reader(&bench, &format!(r#"{{"rows":"{rows}","columns":{{"n":"sequence"}}}}"#))).unwrap().num_rows();
    assert_eq!((rows("12"), rows(" 7 ")), (12, 7));
    let mut endless = reader(&bench, r#"{"rows":"","rate":"","columns":{"n":"sequence"}}"#);
    assert_eq!(endless.next().unwrap().unwrap().num_rows(), 8192);
}
