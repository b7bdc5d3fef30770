//! `std:validate` through the host: which rows are kept, what is said of the others, what is read, what is remembered.

use std::sync::Arc;

use arrow::{array::*, datatypes::*};
use parshall::words::{
    call::{Call, CallError, StageError},
    stage::{Component as _, Transform, Transformed},
};
use serde_json::{Value, json};

use crate::components;

fn batch(columns: Vec<(&str, ArrayRef)>) -> Arc<RecordBatch> {
    Arc::new(RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap())
}

/// People, and a column that nobody asks about.
fn people() -> Arc<RecordBatch> {
    batch(vec![
        ("id", Arc::new(Int64Array::from(vec![Some(1), None, Some(2), Some(1), Some(3), Some(4)]))),
        ("age", Arc::new(Int32Array::from(vec![Some(30), Some(40), Some(-3), Some(50), None, Some(151)]))),
        ("country", Arc::new(StringArray::from(vec![Some("GB"), Some("FR"), Some("US"), Some("GB"), Some("DE"), Some("US")]))),
        ("note", Arc::new(StringArray::from(vec!["a", "b", "c", "d", "e", "f"]))),
    ])
}

fn open(config: &Value, schema: &SchemaRef) -> Box<dyn Transform> {
    components::transform("validate", config.clone(), schema).0
}

/// What comes out of the only output, and what is said of the rows that do not.
fn judged(call: Call<Transformed>) -> (Arc<RecordBatch>, Vec<(u32, String)>) {
    let transformed = call.outcome.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(transformed.outputs.len(), 1, "a stateful stage answers each batch, or its rows count as held");
    let rejections = transformed.rejections.iter().map(|rejection| (rejection.row, rejection.reason.clone())).collect();
    (Arc::clone(&transformed.outputs[0].1), rejections)
}

fn told(rows: &[(u32, &str)]) -> Vec<(u32, String)> {
    rows.iter().map(|(row, reason)| (*row, reason.to_string())).collect()
}

fn rules() -> Value {
    json!({ "rules": [
        { "column": "id", "not_null": true, "unique": true },
        { "column": "age", "min": 0, "max": 150, "name": "implausible age" },
        { "column": "country", "in": ["GB", "US"] },
    ] })
}

/// Protects against rows that are kept or rejected wrongly, for a reason that is not the first, or for more than one.
#[test]
fn validate_rejects_with_the_first_reason() {
    let people = people();
    let mut stage = open(&rules(), &people.schema());
    let call = stage.process(0, &people);
    assert_eq!(call.usage.columns_read, [0, 1, 2], "only the columns that have rules are read");
    let (kept, rejections) = judged(call);
    assert_eq!(*kept, people.slice(0, 1));
    let expected = [
        (1, "`id` is null"),
        (2, "implausible age: `age` is -3, less than 0"),
        (3, "`id` repeats 1"),
        (4, "`country` is \"DE\", not one of \"GB\", \"US\""),
        (5, "implausible age: `age` is 151, greater than 150"),
    ];
    assert_eq!(rejections, told(&expected));
}

/// Protects against a batch that passes being copied, and against one of no rows, or of no good ones, counting as held.
#[test]
fn validate_passes_batches_on() {
    let people = people();
    let mut stage = open(&json!({ "rules": [{ "column": "country", "not_null": true }] }), &people.schema());
    let (kept, rejections) = judged(stage.process(0, &people));
    assert!(rejections.is_empty());
    assert!(people.columns().iter().zip(kept.columns()).all(|(before, after)| before.to_data().ptr_eq(&after.to_data())));
    let (kept, rejections) = judged(stage.process(0, &Arc::new(people.slice(0, 0))));
    assert_eq!((kept.num_rows(), rejections.len()), (0, 0));

    let mut stage = open(&json!({ "rules": [{ "column": "note", "min_length": 2 }] }), &people.schema());
    let (kept, rejections) = judged(stage.process(0, &people));
    assert_eq!((kept.num_rows(), rejections.len()), (0, 6));
    assert_eq!(rejections[2].1, "`note` is \"c\", shorter than 2 characters");
}

/// Protects against values being forgotten from one batch to the next, over a snapshot, or between inputs.
#[test]
fn validate_remembers_over_batches_and_snapshots() {
    let config = json!({ "rules": [{ "column": "k", "unique": true }, { "column": "s", "unique": true }] });
    let keys = |from: i64| {
        let texts: StringArray = (from..from + 1_000).map(|n| (n % 5 != 0).then(|| format!("text {n}"))).collect();
        batch(vec![("k", Arc::new(Int64Array::from_iter_values(from..from + 1_000)) as ArrayRef), ("s", Arc::new(texts))])
    };
    let schema = keys(0).schema();
    let mut first = open(&config, &schema);
    assert_eq!(judged(first.process(0, &keys(0))).0.num_rows(), 1_000);
    let saved = first.snapshot().outcome.unwrap();
    for stage in [None, Some(saved.clone())] {
        let mut opening = components::opening(config.clone(), &[Arc::clone(&schema), Arc::clone(&schema)]);
        let fresh = stage.is_none();
        opening.restore = stage;
        let (mut stage, _) = components::load("validate").open_transform(&opening).outcome.unwrap();
        if fresh {
            judged(stage.process(0, &keys(0)));
        }
        let (kept, rejections) = judged(stage.process(1, &keys(900)));
        assert_eq!((kept.num_rows(), rejections.len()), (900, 100));
        assert_eq!(rejections[99], (99, "`k` repeats 999".into()));
    }
    let mut cut = saved.clone();
    cut.pop();
    let mut flipped = saved.clone();
    flipped[40] ^= 1;
    for damaged in [cut, flipped, b"not a snapshot".to_vec(), Vec::new()] {
        let mut opening = components::opening(config.clone(), &[Arc::clone(&schema)]);
        opening.restore = Some(damaged);
        match components::load("validate").open_transform(&opening).outcome {
            Err(CallError::Stage(StageError::Data(message))) => assert!(message.contains("damaged"), "{message}"),
            other => panic!("{:?}", other.map(|_| ())),
        }
    }
    let mut opening = components::opening(json!({ "rules": [{ "column": "s", "unique": true }] }), &[schema]);
    opening.restore = Some(saved);
    match components::load("validate").open_transform(&opening).outcome {
        Err(CallError::Stage(StageError::Data(message))) => assert!(message.contains("other `unique` columns"), "{message}"),
        other => panic!("{:?}", other.map(|_| ())),
    }
}

/// Protects against a mistake in the pipeline file that is not told where it is.
#[test]
fn validate_points_at_mistakes() {
    let mistakes = [
        (json!({ "column": "agee", "not_null": true }), "/rules/0/column", "there is no column `agee`", "did you mean `age`?"),
        (json!({ "column": "age" }), "/rules/0", "the rule asks for nothing", "checks are"),
        (json!({ "column": "age", "min": "x" }), "/rules/0/min", "\"x\" is not a number", ""),
        (json!({ "column": "age", "min": 2, "max": 1.5 }), "/rules/0/min", "no value is at least 2 and at most 1.5", ""),
        (json!({ "column": "age", "in": [] }), "/rules/0/in", "no value is allowed", ""),
        (json!({ "column": "age", "in": [1, true] }), "/rules/0/in/1", "true is not a number", ""),
        (json!({ "column": "age", "pattern": "a" }), "/rules/0/pattern", "column `age` is of type Int32", "it is for strings"),
        (json!({ "column": "note", "pattern": "^(a|b" }), "/rules/0/pattern", "", ""),
        (json!({ "column": "note", "minn": 1 }), "/rules/0/minn", "unknown field `minn`", "did you mean `min`?"),
    ];
    let schema = people().schema();
    let component = components::load("validate");
    for (rule, at, says, helps) in mistakes {
        match component.open_transform(&components::opening(json!({ "rules": [rule] }), &[Arc::clone(&schema)])).outcome {
            Err(CallError::Stage(StageError::Config { pointer, offset, message, help })) => {
                assert_eq!(pointer, at, "{message}");
                assert!(message.starts_with(says), "{message}");
                assert!(help.unwrap_or_default().starts_with(helps));
                assert_eq!(offset, rule["pattern"].as_str().filter(|pattern| pattern.starts_with('^')).map(|_| 1));
            }
            other => panic!("{rule}: {:?}", other.map(|_| ())),
        }
    }
}

/// Not a test: rows per second that pass. `cargo test --release … -- --ignored --nocapture validate_speed`.
#[test]
#[ignore = "a measurement"]
fn validate_speed() {
    let rows = 8_192;
    let whole: Int64Array = (0..rows).map(|n| (n % 4_096 != 7).then_some(n)).collect();
    let text: StringArray = (0..rows).map(|n| Some(format!("customer-{n}@example.org"))).collect();
    let table = batch(vec![("whole", Arc::new(whole)), ("text", Arc::new(text))]);
    for rule in [
        json!({ "column": "whole", "not_null": true }),
        json!({ "column": "whole", "min": 0, "max": 100_000 }),
        json!({ "column": "text", "max_length": 200 }),
        json!({ "column": "text", "pattern": "^[^@ ]+@[^@ ]+$" }),
    ] {
        let mut stage = open(&json!({ "rules": [rule] }), &table.schema());
        let start = std::time::Instant::now();
        let mut calls = 0;
        while start.elapsed().as_millis() < 300 {
            judged(stage.process(0, &table));
            calls += 1;
        }
        let rate = f64::from(calls) * rows as f64 / start.elapsed().as_secs_f64();
        println!("{:.1} million rows/s: {rule}", rate / 1e6);
    }
}
