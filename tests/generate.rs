//! `std:generate` through the sandbox: the same rows after a resume, mistakes shown where they are, no grant needed.

use std::{fs, sync::Arc};

use arrow::{array::RecordBatch, compute::concat_batches};
use parshall::{
    pipeline::{
        plan::Plan,
        run::{Outcome, Run},
        spec::Spec,
    },
    tables::NativeTables,
    wasm::{Cache, Runtime, WasmComponent},
    words::{
        grants::{Grants, Place},
        stage::{Component as _, Extract, Opening},
        tables::GENERATOR,
    },
};
use serde_json::{Value, json};

use crate::{
    binary::{folder, pipeline, project, run},
    components,
};

fn component() -> WasmComponent {
    let cache = Cache::at(std::env::temp_dir().join("parshall-test-components"));
    let runtime = Runtime::new(cache, Arc::new(NativeTables::default())).unwrap();
    runtime.load(&fs::read(components::path("generate")).unwrap()).unwrap()
}

fn open(component: &WasmComponent, config: &Value, restore: Option<Vec<u8>>) -> Box<dyn Extract> {
    let grants = Grants { read: vec![Place::Url(GENERATOR.into())], ..Grants::default() };
    let opening = Opening { restore, grants, ..components::opening(config.clone(), &[]) };
    component.open_extract(&opening).outcome.unwrap_or_else(|error| panic!("{error}")).0
}

/// Every batch with the position after it.
fn batches(mut stage: Box<dyn Extract>) -> Vec<(Arc<RecordBatch>, Vec<u8>)> {
    let next = || stage.next().outcome.unwrap_or_else(|error| panic!("{error}"));
    std::iter::from_fn(next).map(|extracted| (extracted.batch, extracted.position)).collect()
}

/// Protects against a run that goes on from a position and makes other rows than the first would have made.
#[test]
fn a_resume_makes_the_same_rows() {
    let config = json!({ "rows": 1000, "batch_rows": 130, "seed": 3, "columns": {
        "n": "sequence", "price": { "kind": "normal", "mean": 5 }, "who": { "kind": "words", "null_share": 0.1 }, "ok": "boolean"
    } });
    let component = component();
    let all = batches(open(&component, &config, None));
    let table =
        |batches: &[(Arc<RecordBatch>, Vec<u8>)]| concat_batches(&all[0].0.schema(), batches.iter().map(|batch| &*batch.0)).unwrap();
    assert_eq!((all.len(), table(&all).num_rows()), (8, 1000));
    for (index, (_, position)) in all.iter().enumerate() {
        let rest = batches(open(&component, &config, Some(position.clone())));
        assert_eq!(table(&rest), table(&all[index + 1..]), "after batch {index}");
    }
    assert_eq!(table(&batches(open(&component, &config, Some(all[3].1.clone())))).num_rows(), 1000 - 4 * 130);
}

/// Protects against rows that cross the boundary, and against a pace that keeps a call waiting.
#[test]
fn no_row_crosses_and_nothing_waits() {
    let mut stage = open(&component(), &json!({ "rate": 0.5, "columns": { "n": "sequence" } }), None);
    for _ in 0..3 {
        let call = stage.next();
        let extracted = call.outcome.unwrap().unwrap();
        assert_eq!(
            (extracted.batch.num_rows(), call.usage.bytes_read, call.usage.bytes_made),
            (0, 0, 0),
            "the first row is due after two seconds"
        );
    }
    let mut stage = open(&component(), &json!({ "columns": { "n": "sequence" } }), None);
    let call = stage.next();
    assert_eq!((call.outcome.unwrap().unwrap().batch.num_rows(), call.usage.bytes_made), (8192, 0));
}

/// Protects against a demonstration that needs a grant, and against other components that get the host's generator for nothing.
#[test]
fn it_needs_no_grant_and_others_do() {
    let here = folder();
    let text = |component: &str, grants: &str| {
        format!(
            "[extract.numbers]\ncomponent = \"{component}\"\n{grants}config = {{ rows = 10, columns = {{ n = \"sequence\" }} }}\n\
             [load.out]\ninputs = [\"numbers\"]\ncomponent = \"std:write\"\nconfig = {{ to = \"out.csv\" }}\ngrants = {{ write = [\".\"] }}\n"
        )
    };
    pipeline(&here, &text("std:generate", ""));
    run(here.path(), &["run", "pipeline.toml"]).ok();
    assert_eq!(fs::read_to_string(here.path().join("out.csv")).unwrap(), "n\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    fs::copy(components::path("generate"), here.path().join("mine.wasm")).unwrap();
    pipeline(&here, &text("mine.wasm", ""));
    let told = run(here.path(), &["check", "pipeline.toml"]).fails(2);
    assert!(told.contains("nothing here grants") && told.contains("tables"), "{told}");
    pipeline(&here, &text("mine.wasm", "grants = { read = [\".\"] }\n"));
    let told = run(here.path(), &["check", "pipeline.toml"]).fails(2);
    assert!(told.contains("\"generate:\" is not granted"), "{told}");
    pipeline(&here, &text("mine.wasm", "grants = { read = [\"generate:\"] }\n"));
    run(here.path(), &["check", "pipeline.toml"]).ok();
}

/// Protects against a mistake that is told at the wrong line.
#[test]
fn mistakes_are_shown_where_they_stand() {
    let here = folder();
    let columns = "[extract.numbers.config.columns]\nn = \"sequence\"\nkind = { kind = \"choice\", values = [\"a\"], wieghts = [1] }\n";
    pipeline(
        &here,
        &format!(
            "[extract.numbers]\ncomponent = \"std:generate\"\n{columns}[load.out]\ninputs = [\"numbers\"]\ncomponent = \"std:write\"\n\
             config = {{ to = \"out.csv\" }}\ngrants = {{ write = [\".\"] }}\n"
        ),
    );
    let told = run(here.path(), &["check", "pipeline.toml"]).fails(2);
    assert!(told.contains("pipeline.toml:5:") && told.contains("wieghts") && told.contains("did you mean \"weights\"?"), "{told}");
}

/// Protects against a published schema that names other kinds and options than the host takes.
#[test]
fn the_schema_names_what_the_host_takes() {
    let schema: Value = serde_json::from_str(&fs::read_to_string(project("plugins/generate/config.schema.json")).unwrap()).unwrap();
    let component = component();
    let told = |config: Value| {
        let grants = Grants { read: vec![Place::Url(GENERATOR.into())], ..Grants::default() };
        let opening = Opening { grants, ..components::opening(config, &[]) };
        component.open_extract(&opening).outcome.map(drop).map_err(|error| error.to_string())
    };
    let options = schema["properties"]["columns"]["additionalProperties"]["oneOf"][1]["properties"].as_object().unwrap();
    let mut taken = std::collections::BTreeSet::from(["kind".to_owned()]);
    for kind in schema["$defs"]["kind"]["enum"].as_array().unwrap() {
        let refusal = told(json!({ "columns": { "c": { "kind": kind, "values": ["a"], "none": 1 } } })).unwrap_err();
        let refusal = match refusal.contains("\"values\"") && !refusal.contains("values, ") {
            true => told(json!({ "columns": { "c": { "kind": kind, "none": 1 } } })).unwrap_err(),
            false => refusal,
        };
        let known = refusal.split("known are ").nth(1).unwrap_or_else(|| panic!("{refusal}"));
        let known = known.split([';', '\n']).next().unwrap().split(", ");
        taken.extend(known.map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_').to_owned()));
    }
    assert_eq!(taken, options.keys().cloned().collect());
    let all = json!({ "rows": 1, "rate": 1, "batch_rows": 1, "seed": 1, "columns": { "n": "sequence" } });
    assert_eq!(told(all.clone()), Ok(()));
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(keys(&schema["properties"]), keys(&all));
}

/// Protects against a generator that is what limits a pipeline. Far below what it does, for a busy machine.
#[test]
fn it_is_fast() {
    let here = folder();
    let text = format!(
        "[extract.numbers]\ncomponent = \"std:generate\"\nconfig = {{ rows = 20_000_000, batch_rows = 65536, columns = {{ n = \"sequence\" }} }}\n\
         [load.out]\ninputs = [\"numbers\"]\ncomponent = \"{}\"\n",
        components::path("testing/collect").display()
    );
    let spec = Spec::parse("pipeline.toml", here.path(), &text, &|_| None).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
    let cache = Cache::at(std::env::temp_dir().join("parshall-test-components"));
    let catalog = parshall::catalog::Catalog::new(Runtime::new(cache, Arc::new(NativeTables::default())).unwrap());
    let plan = Plan::make(&spec, &catalog).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
    let began = std::time::Instant::now();
    let report = Run::start(plan).unwrap().wait();
    assert_eq!(report.outcome, Outcome::Completed);
    let rate = 20.0 / began.elapsed().as_secs_f64();
    println!("{rate:.1} million rows a second");
    assert!(rate > 4.0, "{rate} million rows a second");
}
