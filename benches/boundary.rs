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

#[path = "work.rs"]
mod work;

use std::{hint::black_box, sync::Arc, time::Duration};

use arrow::{
    array::RecordBatch,
    datatypes::SchemaRef,
    ipc::{reader::StreamReader, writer::StreamWriter},
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use parshall::{wasm::Accounting, words::stage::Transform};
use serde_json::json;

use self::work::{Work, batch};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: [usize; 4] = [100, 1_000, 8_192, 65_536];

/// The stage of each kind of work: the standard ones, and for both at once a plugin of the SDK with Arrow's kernels.
fn stage(work: &str, schema: &SchemaRef) -> Box<dyn Transform> {
    let runtime = work::runtime(Accounting::default());
    match work {
        "noop" => Work::Noop.open(&runtime, schema),
        "filter" => Work::Filter.open(&runtime, schema),
        "derive" => Work::Derive.open(&runtime, schema),
        _ => work::open(&work::load(&runtime, "testing/kernels"), json!({ "work": work }), schema),
    }
}

fn call(stage: &mut Box<dyn Transform>, batch: &Arc<RecordBatch>) -> usize {
    let transformed = stage.process(0, black_box(batch)).outcome.unwrap();
    transformed.outputs[0].1.num_rows()
}

fn boundary(criterion: &mut Criterion) {
    for work in ["filter", "derive", "both"] {
        let mut group = criterion.benchmark_group(format!("boundary/{work}"));
        group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
        for rows in ROWS {
            let batch = batch(rows);
            let schema = batch.schema();
            group.throughput(Throughput::Elements(rows as u64));
            group.bench_function(BenchmarkId::new("native", rows), |bencher| {
                bencher.iter(|| match work {
                    "filter" => work::filter(black_box(&batch)),
                    "derive" => work::derive(black_box(&batch)),
                    _ => work::filter(&work::derive(black_box(&batch))),
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
    let mut stage = stage("noop", &batch.schema());
    group.bench_function("component", |bencher| bencher.iter(|| call(&mut stage, &batch)));
    group.finish();
}

criterion_group!(benches, floor, boundary, ipc);
criterion_main!(benches);
