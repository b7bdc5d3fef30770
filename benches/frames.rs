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
//! is `testing/remake`, which reads all columns and makes them anew, with everything metered; `memcpy` is the same bytes copied twice on this
//! machine, as they are on their way in and on their way out. Arms take turns, and `in and out` is there twice: the noise floor.

#[path = "work.rs"]
mod work;

use std::{convert::Infallible, hint::black_box, sync::Arc, time::Instant};

use arrow::{
    array::{ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray},
    error::ArrowError,
};
use parshall::{
    measure::{Estimate, Rounds, floor},
    wasm::{Accounting, WasmComponent},
    words::batch,
};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TYPES: [&str; 6] = ["boolean", "int32", "int64", "float64", "int64 with nulls", "text"];
const ROWS: [usize; 4] = [1, 100, 8_192, 65_536];
const ROUNDS: usize = 60;
/// Of a turn, about.
const SECONDS: f64 = 1e-3;

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

fn main() {
    // `cargo test --benches` asks benches whether they run, not what they measure.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let remake = work::load(&work::runtime(Accounting::default()), "testing/remake");
    println!("| in and out | {} |", ROWS.map(|rows| format!("{rows} rows | × memcpy")).join(" | "));
    println!("|---|{}", "---|---|".repeat(ROWS.len()));
    let mut worst: f64 = 0.0;
    for of in TYPES {
        let cells = ROWS.map(|rows| {
            let rounds = measured(&remake, &column(of, rows).expect("a column"));
            worst = worst.max(floor(&rounds, 1, 2, 0));
            let crossed = Estimate::median(rounds.arm(1), 1).interval();
            let ratio = Estimate::median(&rounds.paired(1, 0, |crossed, copied| crossed / copied), 2).interval();
            format!("{:.2} µs ({:.2}–{:.2}) | {:.1}", 1e6 * crossed.median, 1e6 * crossed.low, 1e6 * crossed.high, ratio.median)
        });
        println!("| {of} | {} |", cells.join(" | "));
    }
    println!("\nnoise floor: ± {:.1} % at most; {ROUNDS} rounds", 100.0 * worst);
}

/// Copying, crossing, and crossing once more, turn by turn.
fn measured(remake: &WasmComponent, batch: &Arc<RecordBatch>) -> Rounds {
    let bytes = batch::size(batch) as usize;
    let (from, mut between, mut to) = (vec![1_u8; bytes], vec![0_u8; bytes], vec![0_u8; bytes]);
    let copy = move || {
        black_box(&mut between).copy_from_slice(black_box(&from));
        black_box(&mut to).copy_from_slice(black_box(&between));
    };
    let cross = || {
        let mut stage = work::open(remake, json!({}), &batch.schema());
        move || {
            black_box(stage.process(0, black_box(batch)).outcome.expect("it answers"));
        }
    };
    let mut arms: [(usize, Box<dyn FnMut()>); 3] = [(0, Box::new(copy)), (0, Box::new(cross())), (0, Box::new(cross()))];
    for (calls, arm) in &mut arms {
        let seconds = seconds(100, arm.as_mut()).max(1e-9);
        *calls = (SECONDS / seconds).ceil() as usize;
    }
    let turn = |arm: usize| {
        let (calls, call) = &mut arms[arm];
        // Whoever had the turn before has left other things in the caches.
        call();
        Ok::<_, Infallible>(seconds(*calls, call.as_mut()))
    };
    Rounds::take(3, |round| round < ROUNDS, turn).unwrap_or_else(|never| match never {})
}

/// Of one call.
fn seconds(calls: usize, call: &mut dyn FnMut()) -> f64 {
    let began = Instant::now();
    (0..calls).for_each(|_| call());
    began.elapsed().as_secs_f64() / calls as f64
}
