//! What it costs a column to cross, by type and by bytes: in alone, and in and out again.
//!
//! Cost model, by which to read the numbers:
//!
//! ```text
//! in  = buffers × (realloc of the guest + bytes / memcpy)           validity, values; for text: validity, offsets, bytes
//! out = buffers × (allocation of the host + bytes / memcpy) + checks     text: UTF-8 and offsets of every value
//! ```
//!
//! A buffer that the host has just been given is not mapped yet: from some 100 KiB on, page faults cost more than copying. `in and out`
//! is `testing/remake`, which reads all columns and makes them anew; `memcpy` is the same bytes copied once on this machine.

#[path = "work.rs"]
mod work;

use std::{hint::black_box, sync::Arc, time::Duration};

use arrow::{
    array::{ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray},
    error::ArrowError,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use parshall::{wasm::Accounting, words::batch};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: [usize; 3] = [100, 8_192, 65_536];

/// A batch of one column of this type.
fn column(of: &str, rows: usize) -> Result<Arc<RecordBatch>, ArrowError> {
    let numbers = 0..rows as i64;
    let column: ArrayRef = match of {
        "boolean" => Arc::new(numbers.map(|n| Some(n % 3 == 0)).collect::<BooleanArray>()),
        "int32" => Arc::new(numbers.map(|n| n as i32).collect::<Int32Array>()),
        "int64" => Arc::new(numbers.collect::<Int64Array>()),
        "float64" => Arc::new(numbers.map(|n| n as f64).collect::<Float64Array>()),
        "int64 with nulls" => Arc::new(numbers.map(|n| (n % 3 != 0).then_some(n)).collect::<Int64Array>()),
        _ => Arc::new(numbers.map(|n| Some(format!("text-{n:08}"))).collect::<StringArray>()),
    };
    Ok(Arc::new(RecordBatch::try_from_iter_with_nullable([("c", column, true)])?))
}

fn frames(criterion: &mut Criterion) {
    let runtime = work::runtime(Accounting::default());
    let remake = work::load(&runtime, "testing/remake");
    for of in ["boolean", "int32", "int64", "float64", "int64 with nulls", "text"] {
        let mut group = criterion.benchmark_group(format!("frames/{of}"));
        group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(600)).sample_size(20);
        for rows in ROWS {
            let batch = column(of, rows).expect("a column");
            let bytes = batch::size(&batch);
            group.throughput(Throughput::Bytes(bytes));
            let mut stage = work::open(&remake, json!({}), &batch.schema());
            group.bench_function(BenchmarkId::new("in and out", rows), |bencher| {
                bencher.iter(|| stage.process(0, black_box(&batch)).outcome.expect("it answers").outputs.len());
            });
            let (from, mut to) = (vec![1_u8; bytes as usize], vec![0_u8; bytes as usize]);
            group.bench_function(BenchmarkId::new("memcpy", rows), |bencher| {
                bencher.iter(|| black_box(&mut to).copy_from_slice(black_box(&from)));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, frames);
criterion_main!(benches);
