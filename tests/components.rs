//! The components that tests run, and opening them.

use std::{path::PathBuf, sync::Arc};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use parshall::{
    wasm::{Cache, Runtime, WasmComponent},
    words::{
        call::Call,
        grants::Grants,
        limits::Limits,
        stage::{Component as _, Extract, Input, Load, Opening, Port, Transform},
        tables::{TableError, TableReader, TableWriter, Tables},
    },
};
use serde_json::Value;

/// A file of `plugins/dist`, or of the folder that `PARSHALL_DIST` names. Components of other languages are in the first only:
/// `plugins/build` has no part in them.
pub fn path(name: &str) -> PathBuf {
    let dist = std::env::var_os("PARSHALL_DIST").map(PathBuf::from).filter(|_| !name.starts_with("languages/"));
    let dist = dist.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/dist")));
    dist.join(format!("{name}.wasm"))
}

/// A component by its file name, such as `testing/remake`.
pub fn load(name: &str) -> WasmComponent {
    let path = path(name);
    let cache = Cache::at(std::env::temp_dir().join("parshall-test-components"));
    let runtime = Runtime::new(cache, Arc::new(NoTables)).unwrap();
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run plugins/build", path.display()));
    runtime.load(&bytes).unwrap()
}

/// What an instance is opened with, with everything at its default.
pub fn opening(config: Value, schemas: &[SchemaRef]) -> Opening {
    let input = |(index, schema): (usize, &SchemaRef)| Input { name: format!("in{index}"), schema: Arc::clone(schema) };
    Opening {
        stage: "under_test".into(),
        config,
        inputs: schemas.iter().enumerate().map(input).collect(),
        limits: Limits::default(),
        grants: Grants { telemetry: true, state: true, ..Grants::default() },
        restore: None,
    }
}

/// A transform, open, with its ports.
pub fn transform(name: &str, config: Value, schema: &SchemaRef) -> (Box<dyn Transform>, Vec<Port>) {
    load(name).open_transform(&opening(config, &[Arc::clone(schema)])).outcome.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// An extract, open.
#[allow(dead_code)]
pub fn extract(name: &str, config: Value) -> Box<dyn Extract> {
    load(name).open_extract(&opening(config, &[])).outcome.unwrap_or_else(|error| panic!("{name}: {error}")).0
}

/// A load, open.
#[allow(dead_code)]
pub fn loader(name: &str, config: Value, schema: &SchemaRef) -> Box<dyn Load> {
    load(name).open_load(&opening(config, &[Arc::clone(schema)])).outcome.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The only batch of a call that puts out one.
pub fn only_batch(call: Call<parshall::words::stage::Transformed>) -> Arc<RecordBatch> {
    let transformed = call.outcome.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(transformed.outputs.len(), 1, "one batch comes out");
    Arc::clone(&transformed.outputs[0].1)
}

/// No table is granted.
pub struct NoTables;

impl Tables for NoTables {
    fn reader(&self, _: &Grants, location: &str, _: &str) -> Result<Box<dyn TableReader>, TableError> {
        Err(TableError::Denied(location.into()))
    }

    fn writer(&self, _: &Grants, location: &str, _: SchemaRef, _: &str) -> Result<Box<dyn TableWriter>, TableError> {
        Err(TableError::Denied(location.into()))
    }
}
