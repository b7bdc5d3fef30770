//! What crossing the sandbox costs: a stage as a component against the same Arrow kernels run natively, in one run.
//!
//! Cost model of one call, by which to read the numbers:
//!
//! ```text
//! component = call + columns read × (buffers × realloc + bytes / memcpy) + guest kernel + made × (bytes / memcpy + validate)
//!           + recipe (the same filter kernel as native)
//! native    = kernel + filter kernel
//! ```
//!
//! The call and the reallocs do not depend on the number of rows; at 100 rows they are most of what there is, at 8,192
//! they vanish behind the filter of 16 columns. A derived column alone shows the boundary bare: natively it is one pass
//! over memory, and a component copies its two inputs in and its result out.
//!
//! `arrow-ipc` is how others do it: the whole batch as an Arrow IPC stream in, parsed, filtered, and a stream back.
//! Everything is metered as in a run: fuel, epoch deadline, memory limiter, clock.

use std::{hint::black_box, sync::Arc, time::Duration};

use arrow::{
    array::{ArrayRef, AsArray as _, Float64Array, Int64Array, RecordBatch},
    compute::{filter_record_batch, kernels},
    datatypes::{DataType, Field, Int64Type, Schema, SchemaRef},
    ipc::{reader::StreamReader, writer::StreamWriter},
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use parshall::{
    tables::NativeTables,
    wasm::{Cache, Runtime},
    words::{
        grants::Grants,
        limits::Limits,
        stage::{Component as _, Input, Opening, Transform},
    },
};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const COLUMNS: usize = 16;
const ROWS: [usize; 4] = [100, 1_000, 8_192, 65_536];

/// 16 int64 columns of pseudo-random values, half of which exceed 0.
fn batch(rows: usize) -> Arc<RecordBatch> {
    let column = |seed: usize| {
        let mut state = seed as u64 + 1;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i64 - (1 << 30)
        };
        Arc::new(Int64Array::from_iter_values((0..rows).map(next))) as ArrayRef
    };
    let fields: Vec<_> = (0..COLUMNS).map(|n| Field::new(format!("c{n}"), DataType::Int64, true)).collect();
    let columns = (0..COLUMNS).map(column).collect();
    Arc::new(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap())
}

fn component(name: &str, config: serde_json::Value, schema: &SchemaRef) -> Box<dyn Transform> {
    let path = format!("{}/../plugins/dist/{name}.wasm", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}; run plugins/build"));
    let runtime =
        Runtime::new(Cache::at(std::env::temp_dir().join("parshall-bench-components")), Arc::new(NativeTables::default())).unwrap();
    let opening = Opening {
        stage: "bench".into(),
        config,
        inputs: vec![Input { name: "in".into(), schema: Arc::clone(schema) }],
        limits: Limits::default(),
        grants: Grants::default(),
        restore: None,
    };
    runtime.load(&bytes).unwrap().open_transform(&opening).outcome.unwrap().0
}

/// The stage of each kind of work: the standard ones, and for both at once a plugin of the SDK with Arrow's kernels.
fn stage(work: &str, schema: &SchemaRef) -> Box<dyn Transform> {
    match work {
        "filter" => component("filter", json!({ "where": "c0 > 0" }), schema),
        "derive" => component("derive", json!({ "columns": { "sum": "CAST(c0 AS float64) + CAST(c1 AS float64)" } }), schema),
        _ => component("testing/kernels", json!({ "work": work }), schema),
    }
}

fn call(stage: &mut Box<dyn Transform>, batch: &Arc<RecordBatch>) -> usize {
    let transformed = stage.process(0, black_box(batch)).outcome.unwrap();
    transformed.outputs[0].1.num_rows()
}

fn native_filter(batch: &RecordBatch) -> RecordBatch {
    let threshold = Int64Array::new_scalar(0);
    let mask = kernels::cmp::gt(batch.column(0), &threshold).unwrap();
    filter_record_batch(batch, &mask).unwrap()
}

fn native_sum(batch: &RecordBatch) -> ArrayRef {
    let float = |column: usize| -> Float64Array { batch.column(column).as_primitive::<Int64Type>().unary(|value| value as f64) };
    kernels::numeric::add(&float(0), &float(1)).unwrap()
}

fn native_derive(batch: &RecordBatch, schema: &SchemaRef) -> RecordBatch {
    let mut columns = batch.columns().to_vec();
    columns.push(native_sum(batch));
    RecordBatch::try_new(Arc::clone(schema), columns).unwrap()
}

fn native_both(batch: &RecordBatch, schema: &SchemaRef) -> RecordBatch {
    let threshold = Int64Array::new_scalar(0);
    let mask = kernels::cmp::gt(batch.column(0), &threshold).unwrap();
    filter_record_batch(&native_derive(batch, schema), &mask).unwrap()
}

fn with_sum(schema: &SchemaRef) -> SchemaRef {
    let mut fields = schema.fields().to_vec();
    fields.push(Arc::new(Field::new("sum", DataType::Float64, true)));
    Arc::new(Schema::new(fields))
}

fn boundary(criterion: &mut Criterion) {
    for work in ["filter", "derive", "both"] {
        let mut group = criterion.benchmark_group(format!("boundary/{work}"));
        group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
        for rows in ROWS {
            let batch = batch(rows);
            let schema = batch.schema();
            let wider = with_sum(&schema);
            group.throughput(Throughput::Elements(rows as u64));
            group.bench_function(BenchmarkId::new("native", rows), |bencher| {
                bencher.iter(|| match work {
                    "filter" => native_filter(black_box(&batch)),
                    "derive" => native_derive(black_box(&batch), &wider),
                    _ => native_both(black_box(&batch), &wider),
                });
            });
            let mut stage = stage(work, &schema);
            group.bench_function(BenchmarkId::new("component", rows), |bencher| bencher.iter(|| call(&mut stage, &batch)));
        }
        group.finish();
    }
}

/// The way of `arrow-ipc`: bytes in, parsed, filtered, bytes out, parsed. Compiled with the same accounting.
fn ipc(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("boundary/filter");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    let mut guest = IpcGuest::new();
    for rows in ROWS {
        let batch = batch(rows);
        group.throughput(Throughput::Elements(rows as u64));
        group.bench_function(BenchmarkId::new("arrow-ipc", rows), |bencher| bencher.iter(|| guest.filter(black_box(&batch))));
    }
    group.finish();
}

/// `plugins/testing/ipc`, which knows nothing of our contract.
struct IpcGuest {
    store: wasmtime::Store<()>,
    run: wasmtime::component::TypedFunc<(Vec<u8>,), (Vec<u8>,)>,
}

impl IpcGuest {
    fn new() -> Self {
        let mut config = wasmtime::Config::new();
        config.consume_fuel(true).epoch_interruption(true);
        let engine = wasmtime::Engine::new(&config).unwrap();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/dist/testing/ipc.wasm");
        let component = wasmtime::component::Component::from_file(&engine, path).unwrap();
        let mut store = wasmtime::Store::new(&engine, ());
        store.set_hostcall_fuel(1 << 30);
        store.set_fuel(u64::MAX).unwrap();
        store.set_epoch_deadline(u64::MAX / 2);
        let instance = wasmtime::component::Linker::new(&engine).instantiate(&mut store, &component).unwrap();
        let run = instance.get_typed_func(&mut store, "run").unwrap();
        IpcGuest { store, run }
    }

    fn filter(&mut self, batch: &RecordBatch) -> RecordBatch {
        self.store.set_fuel(20_000_000_000).unwrap();
        let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref()).unwrap();
        writer.write(batch).unwrap();
        let bytes = writer.into_inner().unwrap();
        let (answer,) = self.run.call(&mut self.store, (bytes,)).unwrap();
        StreamReader::try_new(answer.as_slice(), None).unwrap().next().unwrap().unwrap()
    }
}

/// A call that reads nothing and passes everything: the floor under every other.
fn floor(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("boundary/noop");
    let batch = batch(8_192);
    let mut stage = component("testing/noop", json!({}), &batch.schema());
    group.bench_function("component", |bencher| bencher.iter(|| call(&mut stage, &batch)));
    group.finish();
}

criterion_group!(benches, floor, boundary, ipc);
criterion_main!(benches);
