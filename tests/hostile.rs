//! Guests are hostile until proven otherwise: whatever one says or does, the host answers with a typed error that blames
//! it, goes on serving others, and never calls the poisoned instance again. The suite fails when a misbehaviour that
//! `plugins/testing/hostile` knows is not listed here.

mod written;

use std::{path::Path, sync::Arc, time::Duration};

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
};
use parshall::words::{
    blame::Blame,
    call::CallError,
    limits::Limits,
    stage::{Opening, Transform},
};
use serde_json::json;

use crate::components;

/// When a misbehaviour shows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    Open,
    Process,
    /// It does not: the host copes.
    Never,
}

/// Every misbehaviour, when it shows, and the machine-readable reason.
const EXPECTED: &[(&str, When, &str)] = &[
    ("alloc-bomb", When::Process, "memory"),
    ("bad-dictionary-key", When::Process, "malformed"),
    ("bad-format", When::Open, "malformed"),
    ("bad-union-offsets", When::Process, "malformed"),
    ("bad-union-type-ids", When::Process, "malformed"),
    ("bitmap-too-short", When::Process, "malformed"),
    ("column-out-of-range", When::Process, "malformed"),
    ("deep-schema", When::Open, "schema_fields"),
    ("duplicate-rejection", When::Process, "malformed"),
    ("error-config", When::Open, "config"),
    ("error-data", When::Process, "data"),
    ("error-internal", When::Process, "internal"),
    ("error-schema", When::Open, "schema"),
    ("error-unavailable", When::Process, "unavailable"),
    ("fresh-untouched", When::Process, "malformed"),
    ("fresh-with-input-column", When::Process, "malformed"),
    ("huge-length", When::Process, "malformed"),
    ("huge-reason", When::Never, ""),
    ("index-out-of-range", When::Process, "malformed"),
    ("invalid-reason", When::Process, "abi"),
    ("invalid-utf8", When::Process, "malformed"),
    ("keeps-the-frame", When::Process, "abi"),
    ("list-offsets-out-of-range", When::Process, "malformed"),
    ("list-view-out-of-range", When::Process, "malformed"),
    ("loop-in-open", When::Open, "timeout"),
    ("loop-in-process", When::Process, "timeout"),
    ("made-count-mismatch", When::Process, "malformed"),
    ("missing-buffer", When::Process, "malformed"),
    ("missing-child", When::Open, "malformed"),
    ("missing-node", When::Process, "malformed"),
    ("null-in-required", When::Process, "malformed"),
    ("offsets-descending", When::Process, "malformed"),
    ("offsets-negative", When::Process, "malformed"),
    ("offsets-out-of-range", When::Process, "malformed"),
    ("out-of-bounds", When::Process, "memory_out_of_bounds"),
    ("port-named-rejected", When::Open, "malformed"),
    ("port-out-of-range", When::Process, "malformed"),
    ("recursion", When::Process, "memory_out_of_bounds"),
    ("rejection-out-of-range", When::Process, "malformed"),
    ("row-bomb", When::Process, "output_bytes"),
    ("row-kept-and-rejected", When::Process, "malformed"),
    ("run-ends-not-ascending", When::Process, "malformed"),
    ("run-ends-too-short", When::Process, "malformed"),
    ("short-validity", When::Process, "malformed"),
    ("split-character", When::Process, "malformed"),
    ("stray-pointer", When::Process, "abi"),
    ("surplus-buffer", When::Process, "malformed"),
    ("surplus-child", When::Open, "malformed"),
    ("surplus-node", When::Process, "malformed"),
    ("too-few-columns", When::Process, "malformed"),
    ("trap", When::Process, "unreachable"),
    ("two-ports-of-one-name", When::Open, "malformed"),
    ("view-index-out-of-range", When::Process, "malformed"),
    ("wrong-child-count", When::Open, "malformed"),
    ("wrong-length", When::Process, "malformed"),
    ("wrong-null-count", When::Process, "malformed"),
    ("wrong-view-prefix", When::Process, "malformed"),
];

/// The misbehaviours that show in a call on a batch.
pub fn in_calls() -> impl Iterator<Item = &'static str> {
    EXPECTED.iter().filter(|(_, when, _)| *when == When::Process).map(|(mode, ..)| *mode)
}

fn batch() -> Arc<RecordBatch> {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..20));
    let words: ArrayRef = Arc::new(StringArray::from_iter_values((0..20).map(|n| format!("word {n}"))));
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, true), Field::new("s", DataType::Utf8, true)]);
    Arc::new(RecordBatch::try_new(Arc::new(schema), vec![numbers, words]).unwrap())
}

fn opening(mode: &str) -> Opening {
    let limits =
        Limits { timeout: Duration::from_millis(300), memory: 32 << 20, output_rows: 1 << 20, output_bytes: 8 << 20, ..Limits::default() };
    Opening { limits, ..components::opening(json!({ "mode": mode }), &[batch().schema()]) }
}

/// When a misbehaviour shows, and how.
fn misbehave(component: &impl parshall::words::stage::Component, mode: &str) -> (When, Option<CallError>) {
    let mut stage: Box<dyn Transform> = match component.open_transform(&opening(mode)).outcome {
        Ok((stage, _)) => stage,
        Err(error) => return (When::Open, Some(error)),
    };
    match stage.process(0, &batch()).outcome {
        Ok(_) => (When::Never, None),
        Err(error) => {
            let again = stage.process(0, &batch()).outcome.err().map(|error| error.reason());
            match error {
                // What a stage reports in its own words leaves it usable.
                CallError::Stage(_) => assert_ne!(again, Some("poisoned"), "{mode}"),
                _ => assert_eq!(again, Some("poisoned"), "{mode}: a failed instance is never called again"),
            }
            (When::Process, Some(error))
        }
    }
}

#[test]
fn every_misbehaviour_is_contained_and_blamed() {
    let component = components::load("testing/hostile");
    let mut surprises = Vec::new();
    for mode in modes() {
        let (when, error) = misbehave(&component, &mode);
        let reason = error.as_ref().map_or("", |error| error.reason());
        let expected = EXPECTED.iter().find(|(known, ..)| *known == mode);
        if expected != Some(&(mode.as_str(), when, reason)) {
            surprises.push(format!(
                "(\"{mode}\", When::{when:?}, \"{reason}\"), // {}",
                error.as_ref().map_or(String::new(), |e| e.to_string())
            ));
        }
        if let Some(error) = error.filter(|error| !matches!(error, CallError::Stage(_))) {
            assert_eq!(error.blame(), Blame::Guest, "{mode}: {error}");
            assert!(error.to_string().len() < 2_000, "{mode}: a message of {} bytes", error.to_string().len());
        }
    }
    assert!(surprises.is_empty(), "not as listed:\n{}", surprises.join("\n"));
}

/// The misbehaviours that the component knows, read from its source, so that none is forgotten.
fn modes() -> Vec<String> {
    let mut modes = Vec::new();
    collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/testing/hostile/src")), &mut modes);
    modes.sort();
    assert!(modes.len() >= 40, "only {} misbehaviours were found in the source", modes.len());
    modes
}

fn collect(folder: &Path, modes: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, modes);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for marker in ["mode: \"", "about_recipe(\"", "about_schema(\""] {
            modes.extend(text.match_indices(marker).filter_map(|(at, _)| {
                let rest = &text[at + marker.len()..];
                Some(rest[..rest.find('"')?].to_owned())
            }));
        }
    }
}

/// Protects the others: an instance of the same component, opened before, works on after its neighbours went mad.
#[test]
fn neighbours_of_a_hostile_guest_work_on() {
    let batch = batch();
    let (mut good, _) = components::transform("testing/noop", json!({}), &batch.schema());
    let hostile = components::load("testing/hostile");
    for mode in ["loop-in-process", "alloc-bomb", "recursion"] {
        let _ = misbehave(&hostile, mode);
        assert_eq!(components::only_batch(good.process(0, &batch)).num_rows(), 20, "after {mode}");
    }
}
