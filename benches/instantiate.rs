//! What it costs until a stage can be called.
//!
//! Cost model, by which to read the numbers:
//!
//! ```text
//! cold   = hash the bytes + compile (Cranelift; all processors) + link + instantiate + open
//! cached = hash the bytes + map machine code + link + instantiate + open
//! open   = link + instantiate (map memory, copy data segments) + the guest's open
//! ```
//!
//! `open` is what a second instance of a stage costs, and a swap to a version that is loaded. `pooled` is `open` with memories out of
//! wasmtime's pool: slots that are reserved once, and set back instead of unmapped. The host has none: a stage is opened once a run.

#[path = "work.rs"]
mod work;

use std::{path::Path, sync::Arc, time::Duration};

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use parshall::{
    tables::NativeTables,
    wasm::{Cache, Runtime},
};

use self::work::Work;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn runtime(cache: Cache) -> Runtime {
    Runtime::new(cache, Arc::new(NativeTables::default())).expect("an engine")
}

fn instantiate(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let cached = |path: &Path| runtime(Cache::at(path));
    let schema = work::batch(1).schema();
    for work in Work::ALL {
        let mut group = criterion.benchmark_group(format!("instantiate/{}", work.name()));
        group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1)).sample_size(10);
        group.sampling_mode(SamplingMode::Flat);
        let cold = runtime(Cache::off());
        group.bench_function("cold", |bencher| bencher.iter(|| work.open(&cold, &schema)));
        let warm = cached(folder.path());
        work.open(&warm, &schema);
        group.bench_function("cached", |bencher| bencher.iter(|| work.open(&warm, &schema)));
        let loaded = work::load(&warm, work.component());
        group.bench_function("open", |bencher| bencher.iter(|| work::open(&loaded, work.config(), &schema)));
        let pool = Runtime::pooled(Cache::off(), Arc::new(NativeTables::default())).expect("an engine with a pool");
        let pooled = work::load(&pool, work.component());
        group.bench_function("pooled", |bencher| bencher.iter(|| work::open(&pooled, work.config(), &schema)));
        group.finish();
    }
}

criterion_group!(benches, instantiate);
criterion_main!(benches);
