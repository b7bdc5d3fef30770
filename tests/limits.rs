//! What loading a component may cost, and where limits are told. That every limit of a call holds is the hostile suite's.

use std::{fs, sync::Arc, time::Duration};

use parshall::{
    wasm::{Cache, LoadError, Runtime},
    words::limits::{Limits, Loading},
};

use crate::{binary, components};

fn runtime() -> Runtime {
    Runtime::new(Cache::off(), Arc::new(components::NoTables)).unwrap()
}

/// Protects the host against a component that takes for ever to compile, or that somebody made so large: it is told by the limit's
/// name, and others are compiled as if nothing had been.
#[test]
fn loading_is_bounded_in_bytes_and_in_time() {
    let (runtime, large) = (runtime(), fs::read(components::path("testing/kernels")).unwrap());
    let load = |limits: Loading| runtime.load_within(&large, limits).map(drop).unwrap_err();
    let error = load(Loading { bytes: large.len() as u64 - 1, ..Loading::default() });
    assert_eq!(error.limit(), Some("component_bytes"));
    let told = format!("limit `component_bytes` exceeded by the component: {} requested, {} allowed (bytes)", large.len(), large.len() - 1);
    assert_eq!(error.to_string(), told);
    let error = load(Loading { time: Duration::from_millis(1), ..Loading::default() });
    assert!(matches!(error, LoadError::Limit { limit: "compile_time", .. }), "{error}");
    assert!(error.to_string().contains("not done after 1ms"), "{error}");
    // The one that was given up goes on beside this one.
    assert!(runtime.load(&fs::read(components::path("testing/noop")).unwrap()).is_ok());
}

/// Protects the author of a pipeline: what is too large is told where the component is named, with the limit to raise, and the file
/// is not read.
#[test]
fn a_component_that_is_too_large_is_told_at_its_place() {
    let here = binary::folder();
    let noop = components::path("testing/noop").canonicalize().unwrap();
    let file = |limits: &str| {
        let stages = format!(
            "[extract.n]\ncomponent = \"std:generate\"\nconfig = {{ rows = 1, columns = {{ n = {{ kind = \"sequence\" }} }} }}\n\
             [transform.t]\ninputs = [\"n\"]\ncomponent = {noop:?}\nlimits = {{ {limits} }}\n\
             [load.l]\ninputs = [\"t\"]\ncomponent = \"std:write\"\nconfig = {{ to = \"o.csv\" }}\ngrants = {{ write = [\"o.csv\"] }}\n"
        );
        fs::write(here.path().join("pipeline.toml"), stages).unwrap();
        binary::run(here.path(), &["check", "pipeline.toml"])
    };
    let told = file("component_bytes = \"1KiB\"").fails(2);
    for part in ["pipeline.toml:6:13", "this component is at fault", "1024 allowed", "raise `limits.component_bytes` of [transform.t]"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let told = file("memory = \"8MiB\", compile_time = \"90s\"").ok();
    assert!(told.contains("limit memory: 8MiB (default 256MiB)") && told.contains("limit compile_time: 90s (default 120s)"), "{told}");
    assert!(!told.contains("limit fuel"), "{told}");
    let told = binary::run(here.path(), &["check", "--limits", "pipeline.toml"]).ok();
    assert!(told.contains("limit fuel: 20_000_000_000\n"), "{told}");
}

#[test]
fn inspect_tells_every_limit() {
    let here = binary::folder();
    let told = binary::run(here.path(), &["inspect", "--limits"]).ok();
    let json = binary::run(here.path(), &["inspect", "--limits", "--json"]).json();
    let debug = format!("{:?}", Limits::default());
    // All but how calls are metered, which is a key of the stage.
    let fields = debug.matches(": ").count() - 1;
    assert_eq!(json.as_array().unwrap().len(), fields);
    for limit in json.as_array().unwrap() {
        let parts = ["limit", "default", "unit", "beyond", "description", "reason"].map(|part| limit[part].as_str().unwrap());
        assert!(parts.iter().all(|part| !part.is_empty() && told.contains(part)), "{limit}");
    }
}
