//! `std:select` as it is run: what comes out, what crosses, and which rows are refused.

use std::sync::Arc;

use arrow::{array::*, datatypes::*};
use parshall::words::{
    call::{CallError, StageError},
    stage::Component as _,
};
use serde_json::json;

use crate::components;

/// A text of numbers but for two rows, a date, and columns that nobody casts.
fn batch() -> Arc<RecordBatch> {
    let texts = StringArray::from(vec![Some("1"), Some("abc"), None, Some(" 4 "), Some("5.5"), Some("6")]);
    let days = Date32Array::from(vec![Some(0), Some(1), Some(2), None, Some(4), Some(19_782)]);
    let numbers = Int64Array::from_iter_values(10..16);
    let list = ListArray::from_iter_primitive::<Int8Type, _, _>((0..6).map(|n| Some(vec![Some(n), None])));
    let columns: [(&str, ArrayRef, bool); 4] = [
        ("text", Arc::new(texts), true),
        ("day", Arc::new(days), true),
        ("number", Arc::new(numbers), false),
        ("list", Arc::new(list), true),
    ];
    Arc::new(RecordBatch::try_from_iter_with_nullable(columns).unwrap())
}

/// Protects against columns that cross although nobody reads them, and against any that leave changed or out of order.
#[test]
fn select_passes_columns_that_it_does_not_cast() {
    let batch = batch();
    for (config, names) in [
        (json!({ "columns": ["list", { "name": "number", "as": "n" }, "text"] }), vec!["list", "n", "text"]),
        (json!({ "drop": ["number"], "rename": { "text": "day", "day": "text" } }), vec!["day", "text", "list"]),
        (json!({ "cast": { "number": "bigint" } }), vec!["text", "day", "number", "list"]),
    ] {
        let (mut stage, ports) = components::transform("select", config.clone(), &batch.schema());
        let call = stage.process(0, &batch);
        assert!(call.usage.columns_read.is_empty(), "{config}");
        assert_eq!(call.usage.bytes_made, 0, "{config}");
        let out = components::only_batch(call);
        assert_eq!(out.schema(), ports[0].schema);
        let left: Vec<_> = out.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(left, names, "{config}");
    }
    let (mut stage, _) = components::transform("select", json!({ "columns": ["list", { "name": "list", "as": "l" }] }), &batch.schema());
    let out = components::only_batch(stage.process(0, &batch));
    assert_eq!((&out["list"], &out["l"]), (&batch["list"], &batch["list"]));
}

/// Protects against a cast that reads more than its column, and against rows that shift where one is refused.
#[test]
fn select_refuses_the_rows_that_cannot_be_cast() {
    let batch = batch();
    let columns = json!({ "columns": [
        "list", { "name": "text", "as": "whole", "cast": "int64" }, { "name": "day", "cast": "utf8" }, { "name": "number", "cast": "int8" },
        { "name": "day", "as": "time", "cast": "timestamp[ms, UTC]" },
    ] });
    let (mut stage, ports) = components::transform("select", columns, &batch.schema());
    let types: Vec<_> = ports[0].schema.fields().iter().skip(1).map(|field| (field.data_type().clone(), field.is_nullable())).collect();
    let time = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    assert_eq!(types, [(DataType::Int64, true), (DataType::Utf8, true), (DataType::Int8, false), (time, true)]);

    let call = stage.process(0, &batch);
    assert_eq!(call.usage.columns_read, [0, 1, 2]);
    let transformed = call.outcome.unwrap();
    let said: Vec<_> = transformed.rejections.iter().map(|rejection| (rejection.row, rejection.reason.as_str())).collect();
    let expected = [(1, "column `text`: \"abc\" cannot be cast to int64"), (4, "column `text`: \"5.5\" cannot be cast to int64")];
    assert_eq!(said, expected);
    let out = &transformed.outputs[0].1;
    assert_eq!(out.schema(), ports[0].schema);
    assert_eq!(out["whole"].as_primitive::<Int64Type>(), &Int64Array::from(vec![Some(1), None, Some(4), Some(6)]));
    let days = StringArray::from(vec![Some("1970-01-01"), Some("1970-01-03"), None, Some("2024-02-29")]);
    assert_eq!(out["day"].as_string::<i32>(), &days);
    assert_eq!(out["number"].as_primitive::<Int8Type>().values(), &[10, 12, 13, 15]);
    assert_eq!(out["time"].as_primitive::<TimestampMillisecondType>().value(1), 2 * 86_400_000);
    let firsts: Vec<_> = out["list"].as_list::<i32>().iter().map(|list| list.unwrap().as_primitive::<Int8Type>().value(0)).collect();
    assert_eq!(firsts, [0, 2, 3, 5]);

    let call = stage.process(0, &Arc::new(batch.slice(5, 1)));
    assert_eq!(components::only_batch(call).num_rows(), 1, "the instance goes on");
    let all = stage.process(0, &Arc::new(batch.slice(1, 1))).outcome.unwrap();
    assert_eq!(all.outputs.iter().map(|(_, batch)| batch.num_rows()).sum::<usize>(), 0);
    assert_eq!(all.rejections.len(), 1);
    let none = stage.process(0, &Arc::new(batch.slice(0, 0))).outcome.unwrap();
    assert_eq!(none.rejections.len(), 0);
    assert_eq!(none.outputs.iter().map(|(_, batch)| batch.num_rows()).sum::<usize>(), 0);
}

/// Protects against a type that is promised and then made wrong: every cast goes there and back through the host.
#[test]
fn select_casts_to_every_type_it_says() {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None, Some(0), Some(100)]));
    let batch = Arc::new(RecordBatch::try_from_iter_with_nullable([("x", Arc::clone(&numbers), true)]).unwrap());
    let types = "int8 int16 int32 uint8 uint16 uint32 uint64 float32 float64 utf8 large_utf8 date32 timestamp timestamp[us,UTC]";
    for name in types.split(' ') {
        let (mut there, ports) = components::transform("select", json!({ "cast": { "x": name } }), &batch.schema());
        let cast = components::only_batch(there.process(0, &batch));
        assert_eq!(cast.schema(), ports[0].schema);
        let (mut back, _) = components::transform("select", json!({ "cast": { "x": "int64" } }), &cast.schema());
        assert_eq!(&components::only_batch(back.process(0, &cast))["x"], &numbers, "{name}");
    }
}

/// Protects against inputs that are alike being treated apart, and those that are not passing as alike.
#[test]
fn select_takes_several_inputs_of_one_schema() {
    let (batch, config) = (batch(), json!({ "columns": [{ "name": "number", "cast": "utf8" }] }));
    let component = components::load("select");
    let opening = components::opening(config.clone(), &[batch.schema(), batch.schema()]);
    let (mut stage, _) = component.open_transform(&opening).outcome.unwrap_or_else(|error| panic!("{error}"));
    for input in [1, 0, 1] {
        let out = components::only_batch(stage.process(input, &batch));
        assert_eq!(out["number"].as_string::<i32>().value(5), "15");
    }
    let other = Arc::new(Schema::new(vec![Field::new("number", DataType::Int64, true)]));
    let opening = components::opening(config, &[batch.schema(), other]);
    assert!(matches!(component.open_transform(&opening).outcome, Err(CallError::Stage(StageError::Schema { .. }))));
}

/// Protects against a mistake in the pipeline file that is found late, or told without its place.
#[test]
fn select_points_at_mistakes() {
    let component = components::load("select");
    for (config, pointer, message, help) in [
        (json!({ "columns": ["txet"] }), "/columns/0", "there is no column `txet`", Some("did you mean `text`?")),
        (json!({ "cast": { "text": "flaot64" } }), "/cast/text", "there is no type `flaot64`", Some("did you mean `float64`?")),
        (json!({ "cast": { "day": "float64" } }), "/cast/day", "`day` is of type Date32, which cannot be cast to float64", None),
        (
            json!({ "colums": ["text"] }),
            "/colums",
            "unknown field `colums`, expected one of `columns`, `drop`, `rename`, `cast`",
            Some("did you mean `columns`?"),
        ),
    ] {
        match component.open_transform(&components::opening(config, &[batch().schema()])).outcome {
            Err(CallError::Stage(StageError::Config { pointer: at, message: said, help: advice, .. })) => {
                assert_eq!((at.as_str(), said.as_str(), advice.as_deref()), (pointer, message, help));
            }
            other => panic!("{pointer}: {:?}", other.map(|_| ())),
        }
    }
}

/// Not a test: rows per second of a cast. `cargo test --release … -- --ignored --nocapture select_speed`.
#[test]
#[ignore = "a measurement"]
fn select_speed() {
    let rows = 65_536;
    let small = Int32Array::from_iter((0..rows).map(|n| (n % 40 != 0).then_some(n)));
    let text: StringArray = (0..rows).map(|n| Some(n.to_string())).collect();
    let columns: [(&str, ArrayRef); 2] = [("small", Arc::new(small)), ("text", Arc::new(text))];
    let batch = Arc::new(RecordBatch::try_from_iter(columns).unwrap());
    for (column, to) in [("small", "float64"), ("small", "int16"), ("small", "utf8"), ("text", "int64")] {
        let (mut stage, _) = components::transform("select", json!({ "cast": { column: to } }), &batch.schema());
        let start = std::time::Instant::now();
        (0..20).for_each(|_| assert!(stage.process(0, &batch).outcome.is_ok()));
        println!("{:.1} million rows/s: {column} to {to}", 20.0 * rows as f64 / start.elapsed().as_secs_f64() / 1e6);
    }
}
