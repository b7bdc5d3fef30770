//! `std:filter` and `std:derive` as they are run: what comes out, what crosses, and what is said of a wrong expression.

use std::sync::Arc;

use arrow::{array::*, datatypes::*};
use parshall::words::{
    call::{Call, CallError, StageError},
    stage::{Component as _, Transformed},
};
use serde_json::{Value, json};

use crate::components;

/// Flights: what is delayed, by whom, and columns that nobody mentions.
fn flights() -> Arc<RecordBatch> {
    let rows = 0..100i64;
    let carriers = ["AA", "UA", "DL"];
    let delay: Int32Array = rows.clone().map(|n| (n % 10 != 3).then_some(n as i32 - 50)).collect();
    let carrier: StringArray = rows.clone().map(|n| Some(carriers[n as usize % 3])).collect();
    let distance: Float64Array = rows.clone().map(|n| Some(n as f64 * 10.0)).collect();
    let tags = Int64Array::from_iter_values(rows.clone());
    let times = TimestampMicrosecondArray::from_iter_values(rows.map(|n| n * 3_600_000_000)).with_timezone("UTC");
    let columns: [(&str, ArrayRef, bool); 5] = [
        ("tag", Arc::new(tags), false),
        ("dep_delay", Arc::new(delay), true),
        ("carrier", Arc::new(carrier), true),
        ("distance", Arc::new(distance), true),
        ("time", Arc::new(times), false),
    ];
    Arc::new(RecordBatch::try_from_iter_with_nullable(columns).unwrap())
}

fn run(name: &str, config: Value) -> (Call<Transformed>, SchemaRef) {
    let batch = flights();
    let (mut stage, ports) = components::transform(name, config, &batch.schema());
    (stage.process(0, &batch), Arc::clone(&ports[0].schema))
}

/// What is said when a stage is opened with this configuration: pointer, offset, message, help.
fn mistake(name: &str, config: Value) -> (String, Option<u32>, String, String) {
    let opening = components::opening(config, &[flights().schema()]);
    match components::load(name).open_transform(&opening).outcome {
        Err(CallError::Stage(StageError::Config { pointer, offset, message, help })) => {
            (pointer, offset, message, help.unwrap_or_default())
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("a wrong expression is accepted"),
    }
}

/// Protects against a wrong row, against null counted as true, and against columns that cross unasked.
#[test]
fn expressions_filter_reads_what_it_mentions_and_keeps_what_is_true() {
    let (call, schema) = run("filter", json!({ "where": "dep_delay > 15 AND carrier <> 'DL'" }));
    assert_eq!(call.usage.columns_read, [1, 2]);
    assert_eq!((call.usage.rows_in, call.usage.bytes_made), (100, 0), "a bitmap is answered and nothing is made");
    let batch = components::only_batch(call);
    assert_eq!(batch.schema(), schema);
    let expected: Vec<i64> = (66..100).filter(|n| n % 10 != 3 && n % 3 != 2).collect();
    assert_eq!(batch["tag"].as_primitive::<Int64Type>().values(), &expected[..]);
}

/// Protects against a constant condition that reads, or keeps, the wrong rows.
#[test]
fn expressions_filter_takes_constant_conditions() {
    for (condition, rows) in [("1 + 1 = 2", 100), ("NULL", 0), ("'a' > 'b'", 0)] {
        let (call, _) = run("filter", json!({ "where": condition }));
        assert!(call.usage.columns_read.is_empty(), "{condition}");
        let outputs = call.outcome.unwrap().outputs;
        assert_eq!(outputs.iter().map(|(_, batch)| batch.num_rows()).sum::<usize>(), rows, "{condition}");
    }
}

/// Protects against columns out of order, types other than declared, and against reading what is only passed on.
#[test]
fn expressions_derive_adds_and_replaces_in_order() {
    let columns = json!({
        "late": "COALESCE(dep_delay, 0) > 15",
        "dep_delay": "dep_delay + 1",
        "later": "dep_delay > 15",
        "miles": "distance",
        "one": "1",
        "two": "one + one",
        "carrier": "lower(carrier)",
        "hour": "date_part('hour', time)",
        "day": "date_trunc('day', time)",
    });
    let (call, schema) = run("derive", json!({ "columns": columns }));
    assert_eq!(call.usage.columns_read, [1, 2, 4], "neither what passes nor what is merely renamed");
    let batch = components::only_batch(call);
    assert_eq!(batch.schema(), schema);
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["tag", "dep_delay", "carrier", "distance", "time", "late", "later", "miles", "one", "two", "hour", "day"]);
    let nullable: Vec<_> = schema.fields().iter().filter(|field| field.is_nullable()).map(|field| field.name().as_str()).collect();
    assert_eq!(nullable, ["dep_delay", "carrier", "distance", "later", "miles"]);
    assert_eq!(schema.field_with_name("day").unwrap().data_type(), &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
    let (late, later) = (batch["late"].as_boolean(), batch["later"].as_boolean());
    assert_eq!((late.value(65), later.value(65)), (false, true), "a later expression sees the column as it has become");
    assert_eq!((late.is_valid(3), later.is_valid(3)), (true, false));
    assert_eq!(batch["dep_delay"].as_primitive::<Int64Type>().value(99), 50);
    assert_eq!(batch["carrier"].as_string::<i32>().value(1), "ua");
    assert_eq!(&batch["miles"], &batch["distance"]);
    assert_eq!(batch["two"].as_primitive::<Int64Type>().values(), &[2; 100]);
    assert_eq!(batch["hour"].as_primitive::<Int64Type>().value(25), 1);
    assert_eq!(batch["day"].as_primitive::<TimestampMicrosecondType>().value(25), 86_400_000_000);
}

/// Protects against a mistake that is found late, or reported without its place.
#[test]
fn expressions_mistakes_have_a_place_and_advice() {
    let said = mistake("filter", json!({ "where": "tag > 0 AND dep_dellay > 15" }));
    let expected = ("/where", Some(12), "there is no column `dep_dellay`", "did you mean `dep_delay`?");
    assert_eq!((said.0.as_str(), said.1, said.2.as_str(), said.3.as_str()), expected);
    let said = mistake("filter", json!({ "where": "'ö' = carrier AND dep_delay" }));
    assert_eq!((said.1, said.2.as_str()), (Some(19), "AND takes boolean operands, and this is int64"));
    let said = mistake("filter", json!({ "where": "tag" }));
    assert_eq!((said.1, said.2.as_str()), (Some(0), "a condition is boolean, and this is int64"));
    let said = mistake("derive", json!({ "columns": { "a": "tag", "b/c": "a + lowre(carrier)" } }));
    let expected = ("/columns/b~1c", Some(4), "there is no function `lowre`", "did you mean `lower`?");
    assert_eq!((said.0.as_str(), said.1, said.2.as_str(), said.3.as_str()), expected);
    let said = mistake("filter", json!({ "were": "tag > 1" }));
    assert_eq!((said.0.as_str(), said.3.as_str()), ("/were", "did you mean `where`?"));
}

/// Protects against integers that wrap around unnoticed.
#[test]
fn expressions_beyond_int64_name_the_row() {
    let (call, _) = run("derive", json!({ "columns": { "x": "(tag + 9223372036854775800) * 1" } }));
    let Err(CallError::Stage(StageError::Data(message))) = call.outcome else { panic!("it wraps around") };
    assert_eq!(message, "row 8: 8 + 9223372036854775800 is beyond int64 at byte 5 of `(tag + 9223372036854775800) * 1`");
}

/// Protects against whole numbers that become other floats in a component, where vectors convert them, than anywhere else: both ends, around
/// the 53 bits that a float keeps, ties, and every number of rows that is left over.
#[test]
fn expressions_make_whole_numbers_the_nearest_floats() {
    let mut numbers: Vec<i64> =
        vec![0, 1, -1, i64::MAX, i64::MIN, i64::MAX - 511, i64::MAX - 512, i64::MIN + 513, u32::MAX.into(), 1 << 32, -1 << 32];
    for power in 52..63 {
        let around = [-(1 << (power - 52)), -1, 0, 1, 1 << (power - 53).max(0)];
        numbers.extend(around.iter().flat_map(|more| [(1i64 << power) + more, -(1i64 << power) + more]));
    }
    numbers.extend((0..4_000i64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64) >> (n % 64)));
    for rows in (0..20).chain([numbers.len()]) {
        let (some, halves) = (&numbers[..rows], numbers[..rows].iter().map(|n| *n as f64 / 2.0).collect::<Vec<_>>());
        let columns: [(&str, ArrayRef); 2] =
            [("n", Arc::new(Int64Array::from(some.to_vec()))), ("h", Arc::new(Float64Array::from(halves.clone())))];
        let batch = Arc::new(RecordBatch::try_from_iter(columns).unwrap());
        let expressions = [
            ("cast", "CAST(n AS float64)"),
            ("both", "CAST(n AS float64) - n * 0.5"),
            ("left", "n / h"),
            ("right", "h - n"),
            ("one", "n * 0.1"),
            ("other", "1.5 - n"),
        ];
        let columns: serde_json::Map<String, Value> = expressions.iter().map(|(name, text)| ((*name).to_owned(), json!(text))).collect();
        let (mut stage, _) = components::transform("derive", json!({ "columns": columns }), &batch.schema());
        let made = components::only_batch(stage.process(0, &batch));
        let of = |n: &i64, h: &f64| {
            let f = *n as f64;
            [Some(f), Some(f - f * 0.5), (*h != 0.0).then(|| f / h), Some(h - f), Some(f * 0.1), Some(1.5 - f)]
        };
        for (index, (name, text)) in expressions.iter().enumerate() {
            let expected: Float64Array = some.iter().zip(&halves).map(|(n, h)| of(n, h)[index]).collect();
            assert_eq!(made[*name].as_primitive::<Float64Type>(), &expected, "{text} of {rows} rows");
        }
    }
}

/// Protects against a text, however it nests, that overruns the component's stack.
#[test]
fn expressions_as_deep_as_allowed_are_computed() {
    let chain = vec!["tag >= 0"; 127].join(" AND ");
    let (call, _) = run("filter", json!({ "where": chain }));
    assert_eq!(components::only_batch(call).num_rows(), 100);
    let nested = format!("{}tag > 0{}", "NOT (".repeat(60), ")".repeat(60));
    let (call, _) = run("filter", json!({ "where": nested }));
    assert_eq!(components::only_batch(call).num_rows(), 99);
    let cases = format!("{}tag{} >= 0", "CASE WHEN tag >= 0 THEN ".repeat(60), " END".repeat(60));
    let (call, _) = run("filter", json!({ "where": cases }));
    assert_eq!(components::only_batch(call).num_rows(), 100);
    let nests = [("coalesce(", ")", 125), ("CAST(", " AS int)", 125), ("1 + (", ")", 62), ("1 + CASE 1 WHEN 1 THEN ", " END", 62)];
    for (begin, end, times) in nests {
        let (call, _) = run("filter", json!({ "where": format!("{}tag{} >= 0", begin.repeat(times), end.repeat(times)) }));
        assert_eq!(components::only_batch(call).num_rows(), 100, "{begin}");
    }
    let said = mistake("filter", json!({ "where": "(".repeat(100_000) }));
    assert!(said.2.contains("nested more than"), "{}", said.2);
}

/// Protects the vector kernels, which only run in the sandbox: all six operators, integers and floats with NaN, against a
/// constant and a column, at lengths that leave each possible rest of eight rows.
#[test]
fn vector_comparisons_agree_with_rows_compared_one_by_one() {
    for rows in 0..20_i64 {
        let ints: Vec<i64> = (0..rows).map(|n| n * 7 % 5 - 2).collect();
        let floats: Vec<f64> = (0..rows).map(|n| if n % 6 == 5 { f64::NAN } else { (n * 7 % 5 - 2) as f64 }).collect();
        let others: Vec<i64> = (0..rows).map(|n| n * 3 % 5 - 2).collect();
        let schema = Arc::new(Schema::new(vec![
            Field::new("i", DataType::Int64, false),
            Field::new("f", DataType::Float64, false),
            Field::new("o", DataType::Int64, false),
        ]));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(ints.clone())),
            Arc::new(Float64Array::from(floats.clone())),
            Arc::new(Int64Array::from(others.clone())),
        ];
        let batch = Arc::new(RecordBatch::try_new(Arc::clone(&schema), columns).unwrap());
        // NaN is greater than every number.
        let ordered = |value: f64| if value.is_nan() { f64::INFINITY } else { value };
        type Holds = fn(std::cmp::Ordering) -> bool;
        let operators: [(&str, Holds); 6] = [
            ("<", |o| o.is_lt()),
            ("<=", |o| o.is_le()),
            (">", |o| o.is_gt()),
            (">=", |o| o.is_ge()),
            ("=", |o| o.is_eq()),
            ("<>", |o| o.is_ne()),
        ];
        for (operator, holds) in operators {
            let count = |expression: &str| {
                let (mut filter, _) = components::transform("filter", json!({ "where": expression }), &schema);
                components::only_batch(filter.process(0, &batch)).num_rows()
            };
            let expected = |compare: &dyn Fn(usize) -> std::cmp::Ordering| (0..rows as usize).filter(|row| holds(compare(*row))).count();
            assert_eq!(count(&format!("i {operator} 1")), expected(&|row| ints[row].cmp(&1)), "i {operator} 1, {rows} rows");
            assert_eq!(count(&format!("i {operator} o")), expected(&|row| ints[row].cmp(&others[row])), "i {operator} o, {rows} rows");
            let floating = expected(&|row| ordered(floats[row]).partial_cmp(&1.0).unwrap());
            assert_eq!(count(&format!("f {operator} 1.0")), floating, "f {operator} 1.0, {rows} rows");
        }
    }
}
