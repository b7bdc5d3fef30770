//! `std:aggregate` against values computed here in the plainest way, over batches, nulls, snapshots and no rows at all.

use std::sync::Arc;

use arrow::{
    array::*,
    compute::{cast, concat_batches},
    datatypes::*,
};
use parshall::words::{
    call::{CallError, StageError},
    stage::{Component as _, Transform},
};
use serde_json::{Value, json};

use crate::components;

/// What the made-up table is made of, row by row.
type Row = (Option<&'static str>, Option<i64>, Option<f64>);

fn rows(count: usize) -> Vec<Row> {
    let names = ["AA", "a carrier with a long name", "", "UA", "ü"];
    let row = |n: usize| {
        let name = (n % 7 != 3).then(|| names[n * n % 5]);
        (name, (!n.is_multiple_of(11)).then_some(n as i64 * 37 % 200 - 50), (n % 13 != 5).then_some(n as f64 / 8.0))
    };
    (0..count).map(row).collect()
}

fn batch(rows: &[Row]) -> Arc<RecordBatch> {
    let name: StringArray = rows.iter().map(|row| row.0).collect();
    let whole: Int64Array = rows.iter().map(|row| row.1).collect();
    let float: Float64Array = rows.iter().map(|row| row.2).collect();
    let columns: [(&str, ArrayRef, bool); 3] =
        [("name", Arc::new(name), true), ("whole", Arc::new(whole), true), ("float", Arc::new(float), true)];
    Arc::new(RecordBatch::try_from_iter_with_nullable(columns).unwrap())
}

fn open(config: &Value, schema: &SchemaRef) -> Box<dyn Transform> {
    components::transform("aggregate", config.clone(), schema).0
}

fn feed(stage: &mut dyn Transform, batch: &Arc<RecordBatch>) {
    let transformed = stage.process(0, batch).outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(transformed.outputs.is_empty() && transformed.rejections.is_empty(), "nothing comes out before the end");
}

/// Everything that comes out at the end, as one batch, and how many there were.
fn drain(stage: &mut dyn Transform) -> (Option<RecordBatch>, usize) {
    let mut batches: Vec<RecordBatch> = Vec::new();
    while let Some(transformed) = stage.finish().outcome.unwrap_or_else(|error| panic!("{error}")) {
        batches.extend(transformed.outputs.iter().map(|(_, batch)| RecordBatch::clone(batch)));
        assert!(batches.last().unwrap().num_rows() <= 8_192);
    }
    let all = batches.first().map(|first| concat_batches(&first.schema(), &batches).unwrap());
    (all, batches.len())
}

fn aggregated(config: &Value, batches: &[Arc<RecordBatch>]) -> Option<RecordBatch> {
    let mut stage = open(config, &batches[0].schema());
    batches.iter().for_each(|batch| feed(stage.as_mut(), batch));
    drain(stage.as_mut()).0
}

fn config() -> Value {
    json!({ "group_by": ["name"], "aggregates": {
        "z_rows": "count()", "values": "count(whole)", "total": "sum(whole)", "sum": "sum(float)", "mean": "mean(whole)",
        "least": "min(whole)", "last": "max(name)", "greatest": "max(float)", "distinct": "count_distinct(whole)",
        "median": "median(whole)", "p95": "quantile(whole, 0.95)",
    } })
}

/// Protects against any function being wrong: every one is computed again from the rows, in the plainest way.
#[test]
fn aggregate_computes_what_the_rows_say() {
    let rows = rows(5_000);
    let batches: Vec<_> = rows.chunks(777).map(batch).collect();
    let out = aggregated(&config(), &batches).unwrap();
    let names: Vec<_> = out.schema().fields().iter().map(|field| field.name().clone()).collect();
    let expected = ["name", "z_rows", "values", "total", "sum", "mean", "least", "last", "greatest", "distinct", "median", "p95"];
    assert_eq!(names, expected, "columns stand in the order in which they were written");

    let mut groups: Vec<(Option<&str>, Vec<Row>)> = Vec::new();
    for row in rows {
        match groups.iter_mut().find(|(name, _)| *name == row.0) {
            Some((_, group)) => group.push(row),
            None => groups.push((row.0, vec![row])),
        }
    }
    assert_eq!(out.num_rows(), groups.len());
    let whole = |column: &str, row: usize| out[column].as_primitive::<Int64Type>().value(row);
    let float = |column: &str, row: usize| out[column].as_primitive::<Float64Type>().value(row);
    for (at, (name, group)) in groups.iter().enumerate() {
        let key = out["name"].as_string::<i32>();
        assert_eq!(key.is_valid(at).then(|| key.value(at)), *name, "groups stand in order of first appearance");
        let mut wholes: Vec<i64> = group.iter().filter_map(|row| row.1).collect();
        wholes.sort_unstable();
        let floats: Vec<f64> = group.iter().filter_map(|row| row.2).collect();
        assert_eq!(whole("z_rows", at), group.len() as i64);
        assert_eq!(whole("values", at), wholes.len() as i64);
        assert_eq!(whole("total", at), wholes.iter().sum::<i64>());
        assert_eq!(float("sum", at), floats.iter().sum::<f64>());
        assert!((float("mean", at) - wholes.iter().sum::<i64>() as f64 / wholes.len() as f64).abs() < 1e-9);
        assert_eq!(whole("least", at), wholes[0]);
        assert_eq!(float("greatest", at), floats.iter().copied().fold(f64::MIN, f64::max));
        let last = out["last"].as_string::<i32>();
        assert_eq!(last.is_valid(at).then(|| last.value(at)), *name);
        let quantile = |share: f64| {
            let rank = share * (wholes.len() - 1) as f64;
            let (lower, upper) = (wholes[rank.floor() as usize] as f64, wholes[rank.ceil() as usize] as f64);
            lower + (rank - rank.floor()) * (upper - lower)
        };
        // Integers up to 255 are exact.
        assert!((float("median", at) - quantile(0.5)).abs() < 1e-9);
        assert!((float("p95", at) - quantile(0.95)).abs() < 1e-9);
        wholes.dedup();
        assert_eq!(whole("distinct", at), wholes.len() as i64);
    }
}

/// Protects against a run that was cut short and taken up again giving other results than one that was not.
#[test]
fn aggregate_goes_on_from_a_snapshot() {
    let rows = rows(3_000);
    let batches: Vec<_> = rows.chunks(500).map(batch).collect();
    let schema = batches[0].schema();
    let whole = aggregated(&config(), &batches).unwrap();
    for cut in 0..=batches.len() {
        let mut first = open(&config(), &schema);
        batches[..cut].iter().for_each(|batch| feed(first.as_mut(), batch));
        let mut opening = components::opening(config(), &[Arc::clone(&schema)]);
        opening.restore = Some(first.snapshot().outcome.unwrap());
        let (mut second, _) = components::load("aggregate").open_transform(&opening).outcome.unwrap();
        batches[cut..].iter().for_each(|batch| feed(second.as_mut(), batch));
        assert_eq!(drain(second.as_mut()).0.unwrap(), whole, "cut after {cut} batches");
    }
    let mut opening = components::opening(config(), &[schema]);
    opening.restore = Some(b"not a snapshot".to_vec());
    match components::load("aggregate").open_transform(&opening).outcome {
        Err(CallError::Stage(StageError::Data(message))) => assert!(message.contains("damaged"), "{message}"),
        other => panic!("{:?}", other.map(|_| ())),
    }
}

/// Protects against no input being an error, or one row too many or too few.
#[test]
fn aggregate_of_nothing() {
    let schema = batch(&[]).schema();
    assert_eq!(drain(open(&config(), &schema).as_mut()), (None, 0), "no groups");
    let all =
        json!({ "aggregates": { "n": "count()", "s": "sum(whole)", "d": "count_distinct(name)", "q": "median(float)", "m": "min(name)" } });
    for batches in [vec![], vec![batch(&[])], vec![batch(&[(None, None, None)])]] {
        let mut stage = open(&all, &schema);
        batches.iter().for_each(|batch| feed(stage.as_mut(), batch));
        let out = drain(stage.as_mut()).0.expect("without groups there is one row always");
        assert_eq!(out.num_rows(), 1);
        let rows = batches.iter().map(|batch| batch.num_rows()).sum::<usize>() as i64;
        assert_eq!(out["n"].as_primitive::<Int64Type>().value(0), rows);
        assert_eq!(out["d"].as_primitive::<Int64Type>().value(0), 0);
        assert!(["s", "q", "m"].iter().all(|name| out[name].is_null(0)));
    }
}

/// Protects against groups that get lost when there are more than fit one batch.
#[test]
fn aggregate_puts_out_many_groups_in_batches() {
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values((0..50_000).chain(0..50_000).map(|n| n * 1_000_003)));
    let table = Arc::new(RecordBatch::try_from_iter([("k", Arc::clone(&keys))]).unwrap());
    let mut stage = open(&json!({ "group_by": ["k"], "aggregates": { "n": "count()" } }), &table.schema());
    feed(stage.as_mut(), &table);
    let (out, batches) = drain(stage.as_mut());
    let out = out.unwrap();
    assert_eq!((out.num_rows(), batches), (50_000, 7));
    assert_eq!(out["k"].as_ref(), keys.slice(0, 50_000).as_ref());
    assert!(out["n"].as_primitive::<Int64Type>().values().iter().all(|n| *n == 2));
}

/// Protects against a type that cannot be grouped by although it should be, or that changes on its way.
#[test]
fn aggregate_groups_by_every_type_it_says() {
    use DataType::*;
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(0), Some(1), None, Some(0), Some(1)]));
    let unit = TimeUnit::Millisecond;
    let types = [
        Boolean,
        Int8,
        Int16,
        Int32,
        Int64,
        UInt8,
        UInt16,
        UInt32,
        UInt64,
        Float32,
        Float64,
        Utf8,
        LargeUtf8,
        Utf8View,
        Date32,
        Date64,
        Time32(unit),
        Time64(TimeUnit::Microsecond),
        Timestamp(unit, Some("UTC".into())),
        Duration(unit),
        Decimal128(20, 2),
        Decimal256(50, 3),
        Dictionary(Box::new(Int8), Box::new(Utf8)),
    ];
    for data_type in types {
        let through = if matches!(data_type, Time32(_)) { Int32 } else { Int64 };
        let values = cast(&cast(&numbers, &through).unwrap(), &data_type).unwrap_or_else(|error| panic!("{data_type}: {error}"));
        let table = Arc::new(RecordBatch::try_from_iter_with_nullable([("k", values, true)]).unwrap()).slice(1, 6);
        let out = aggregated(
            &json!({ "group_by": ["k"], "aggregates": { "n": "count()", "d": "count_distinct(k)" } }),
            &[Arc::new(table.clone())],
        );
        let out = out.unwrap();
        let declared = if let Dictionary(_, values) = &data_type { (**values).clone() } else { data_type };
        let expected = cast(table.column(0), &declared).unwrap();
        assert_eq!(out["k"].as_ref(), expected.slice(0, 3).as_ref(), "{declared}");
        assert_eq!(out["n"].as_primitive::<Int64Type>().values(), &[2, 2, 2], "{declared}");
        assert_eq!(out["d"].as_primitive::<Int64Type>().values(), &[0, 1, 1], "{declared}");
    }
}

/// Protects against extremes that change type, sign or order on their way.
#[test]
fn aggregate_finds_extremes_of_every_type_it_says() {
    use DataType::*;
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(9), None, Some(100), Some(7)]));
    let unit = TimeUnit::Nanosecond;
    for data_type in [
        Int8,
        Int16,
        Int32,
        Int64,
        UInt8,
        UInt16,
        UInt32,
        UInt64,
        Float32,
        Float64,
        Utf8,
        LargeUtf8,
        Utf8View,
        Date32,
        Timestamp(unit, None),
    ] {
        let through = if data_type == Date32 { cast(&numbers, &Int32).unwrap() } else { Arc::clone(&numbers) };
        let values = cast(&through, &data_type).unwrap();
        let table = Arc::new(RecordBatch::try_from_iter([("x", Arc::clone(&values))]).unwrap());
        let out = aggregated(&json!({ "aggregates": { "least": "min(x)", "greatest": "max(x)" } }), &[table]).unwrap();
        // As strings "100" comes before "7" and "9".
        let (least, greatest) = if values.data_type().is_numeric() || values.data_type().is_temporal() { (3, 2) } else { (2, 0) };
        assert_eq!(out["least"].as_ref(), values.slice(least, 1).as_ref());
        assert_eq!(out["greatest"].as_ref(), values.slice(greatest, 1).as_ref());
    }
}

/// Protects against a mistake in the pipeline file that is not told where it is.
#[test]
fn aggregate_points_at_mistakes() {
    let schema = batch(&[]).schema();
    let config = json!({ "group_by": ["name"], "aggregates": { "m": "mean(wohle)" } });
    let opening = components::opening(config, &[schema]);
    match components::load("aggregate").open_transform(&opening).outcome {
        Err(CallError::Stage(StageError::Config { pointer, offset, message, help })) => {
            assert_eq!((pointer.as_str(), offset), ("/aggregates/m", Some(5)));
            assert_eq!((message.as_str(), help.as_deref()), ("there is no column `wohle`", Some("did you mean `whole`?")));
        }
        other => panic!("{:?}", other.map(|_| ())),
    }
}

/// Not a test: rows per second, grouped by two columns of strings. `cargo test --release … -- --ignored --nocapture speed`.
#[test]
#[ignore = "a measurement"]
fn aggregate_speed() {
    let rows = 65_536;
    let pick = |n: usize, of: u64| ((n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) % of;
    let origin: StringArray = (0..rows).map(|n| Some(["EWR", "JFK", "LGA"][pick(n, 3) as usize])).collect();
    let carrier: StringArray = (0..rows).map(|n| Some(format!("C{}", pick(n + 7, 16)))).collect();
    let delay: Int64Array = (0..rows).map(|n| (n % 40 != 0).then(|| pick(n + 9, 300) as i64 - 30)).collect();
    let columns: [(&str, ArrayRef); 3] = [("origin", Arc::new(origin)), ("carrier", Arc::new(carrier)), ("delay", Arc::new(delay))];
    let table = RecordBatch::try_from_iter(columns).unwrap();
    let batches: Vec<_> = (0..8).map(|n| Arc::new(table.slice(n * 8_192, 8_192))).collect();
    for aggregates in [
        json!({ "n": "count()", "mean": "mean(delay)" }),
        json!({ "p95": "quantile(delay, 0.95)" }),
        json!({ "d": "count_distinct(delay)" }),
    ] {
        let mut stage = open(&json!({ "group_by": ["origin", "carrier"], "aggregates": aggregates }), &table.schema());
        let start = std::time::Instant::now();
        (0..10).for_each(|_| batches.iter().for_each(|batch| feed(stage.as_mut(), batch)));
        let rate = 10.0 * rows as f64 / start.elapsed().as_secs_f64();
        println!("{:.1} million rows/s: {aggregates}", rate / 1e6);
    }
}
