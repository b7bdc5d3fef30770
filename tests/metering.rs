//! How calls are metered: by fuel, by the deadline alone, or one in so many by fuel.

use std::{fs, sync::Arc, time::Duration};

use arrow::array::RecordBatch;
use parshall::{
    wasm::{Accounting, WasmComponent},
    words::{
        call::CallError,
        limits::{Limits, Loading, Metering},
        stage::{Component as _, Opening, Transform},
    },
};
use serde_json::json;

use crate::{
    binary::{folder, pipeline, run},
    components,
    work::{self, Work},
};

const ROWS: usize = 1_000;

/// A component in both forms.
fn both_forms(name: &str) -> WasmComponent {
    let bytes = fs::read(components::path(name)).unwrap();
    work::runtime(Accounting::default()).load_within(&bytes, Loading { uncounted: true, ..Loading::default() }).unwrap()
}

fn open(component: &WasmComponent, opening: &Opening, limits: Limits) -> Box<dyn Transform> {
    component.open_transform(&Opening { limits, ..opening.clone() }).outcome.unwrap_or_else(|error| panic!("{error}")).0
}

/// What some calls put out, their fuel and whether it was counted.
fn calls(stage: &mut dyn Transform, batch: &Arc<RecordBatch>) -> Vec<(RecordBatch, u64, bool)> {
    let call = |_| {
        let call = stage.process(0, batch);
        let (_, out) = call.outcome.unwrap_or_else(|error| panic!("{error}")).outputs.remove(0);
        (RecordBatch::clone(&out), call.usage.fuel, call.usage.fuel_exact)
    };
    (0..9).map(call).collect()
}

/// Protects what a stage does and what is said of it against how it is metered: all three say the same of the rows, and of its fuel what
/// they know.
#[test]
fn however_a_stage_is_metered_it_does_the_same() {
    let (batch, component) = (work::batch(ROWS), both_forms(Work::Filter.component()));
    let opening = Work::Filter.opening(&batch.schema());
    let [fuel, epoch, sampled] = [Metering::Fuel, Metering::Epoch, Metering::Sampled(4)]
        .map(|metering| calls(&mut *open(&component, &opening, Limits { metering, ..Limits::default() }), &batch));
    for (((out, counted, exact), (other, none, no)), (another, estimated, sometimes)) in fuel.iter().zip(&epoch).zip(&sampled) {
        assert!(out == other && out == another);
        assert!(*exact && *counted > 0 && !no && *none == 0, "{counted} {none}");
        let off = estimated.abs_diff(*counted) as f64 / *counted as f64;
        assert!(off < 0.1, "{estimated} instead of {counted}, counted: {sometimes}");
    }
    let counted: Vec<_> = sampled.iter().map(|(_, _, exact)| *exact).collect();
    assert_eq!(counted, [true, false, false, false, true, false, false, false, true]);
}

/// Protects the host against a guest that never returns and counts no fuel, and the limit against being enforced where it does not hold.
#[test]
fn without_fuel_a_call_ends_at_its_deadline() {
    let component = both_forms("testing/hostile");
    let batch = work::batch(1);
    for metering in [Metering::Epoch, Metering::Sampled(3)] {
        let limits = Limits { metering, timeout: Duration::from_millis(100), ..Limits::default() };
        let opening = components::opening(json!({ "mode": "loop-in-process" }), &[batch.schema()]);
        let mut stage = open(&component, &opening, limits);
        let call = stage.process(0, &batch);
        let error = call.outcome.unwrap_err();
        assert!(matches!(error, CallError::Limit { limit: "timeout", .. }), "{metering:?}: {error}");
        assert!(!call.usage.fuel_exact);
    }
    let filter = both_forms(Work::Filter.component());
    let opening = Work::Filter.opening(&batch.schema());
    let limits = |metering| Limits { metering, fuel: 100_000, ..Limits::default() };
    let heavy = work::batch(65_536);
    let ends = |metering| open(&filter, &opening, limits(metering)).process(0, &heavy).outcome.err();
    assert!(matches!(ends(Metering::Fuel), Some(CallError::Limit { limit: "fuel", .. })), "{:?}", ends(Metering::Fuel));
    assert_eq!(ends(Metering::Epoch).map(|error| error.to_string()), None);
}

/// Protects a stage that was loaded in one form against being opened in the other, unseen.
#[test]
fn a_form_that_is_not_there_is_told() {
    let component = work::load(&work::runtime(Accounting::default()), Work::Noop.component());
    let opening = Work::Noop.opening(&work::batch(1).schema());
    let limits = Limits { metering: Metering::Epoch, ..Limits::default() };
    let error = component.open_transform(&Opening { limits, ..opening }).outcome.err().unwrap();
    assert!(error.to_string().contains("the form that counts no fuel"), "{error}");
}

const PIPELINE: &str = r#"
[extract.numbers]
component = "std:generate"
config = { rows = 10000, batch_rows = 100, columns = { n = "sequence" } }
[transform.kept]
component = "std:filter"
inputs = ["numbers"]
config = { where = "n >= 0" }
[transform.counted]
component = "std:aggregate"
inputs = ["kept"]
config = { aggregates = { total = "sum(n)" } }
[load.sum]
component = "std:write"
inputs = ["counted"]
config = { to = "out.csv" }
grants = { write = ["out.csv"] }
"#;

/// Protects stages that remember something, or are somewhere, against being halved; where it is only inherited, every call is counted.
#[test]
fn sampling_is_for_those_who_remember_nothing() {
    let here = folder();
    pipeline(&here, &format!("[defaults]\nmetering = \"sampled\"\nmetering_every = 10\n{PIPELINE}"));
    let report = run(here.path(), &["run", "pipeline.toml", "--report", "json"]).json();
    assert_eq!(fs::read_to_string(here.path().join("out.csv")).unwrap(), "total\n49995000\n");
    let exact: Vec<_> = report["stages"].as_array().unwrap().iter().map(|stage| stage["calls"]["fuel_exact"].as_bool().unwrap()).collect();
    assert_eq!(exact, [true, false, true, true]);
    assert!(report["stages"][1]["calls"]["fuel"].as_u64().unwrap() > 0, "it is estimated");
    pipeline(&here, &format!("[defaults]\nmetering = \"epoch\"\n{PIPELINE}"));
    let report = run(here.path(), &["run", "pipeline.toml", "--report", "json"]).json();
    assert_eq!(report["stages"].as_array().unwrap().iter().map(|stage| stage["calls"]["fuel"].as_u64().unwrap()).sum::<u64>(), 0);
    for (of, what, said) in [
        ("std:aggregate", "metering = \"sampled\"", "remembers something between batches"),
        ("std:generate", "metering = \"sampled\"", "extracts cannot be sampled"),
        ("std:write", "metering = \"sampled\"", "loads cannot be sampled"),
        ("std:filter", "metering = \"sample\"", "did you mean `sampled`"),
        ("std:filter", "metering_every = 10", "write `metering = \"sampled\"`, or leave it out"),
        ("std:filter", "metering = \"sampled\"\nmetering_every = 1", "expected 2 to 1000000"),
    ] {
        let of = format!("component = \"{of}\"\n");
        pipeline(&here, &PIPELINE.replace(&of, &format!("{of}{what}\n")));
        let err = run(here.path(), &["check", "pipeline.toml"]).fails(2);
        assert!(err.contains(said), "{what}: {err}");
    }
}
