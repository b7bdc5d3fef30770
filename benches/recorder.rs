//! The recorder of spans: what threads cost each other, and what happens when there is no room.
//!
//! Cost model, by which to read the numbers:
//!
//! ```text
//! call = an id + a record into a buffer of the thread's own, under a lock that only the background wants, for three words
//! full = an id + a count: what finds no room is dropped and counted
//! ```
//!
//! No buffer is shared by two threads, so the first table shall be flat as long as every thread has a processor; what is more than
//! that waits for one. The second calls without a pause, faster than anybody can export: it says how much was dropped, that
//! nothing was lost uncounted, and that a drop costs less than a record.

#[path = "work.rs"]
mod work;

use std::{
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use parshall::{
    bench::watch::{Layers, PAUSE, Spans, Watch},
    measure::{Estimate, Interval},
    words::{
        observe::{BatchTrace, CallFacts, Export, WorkerFacts},
        usage::Usage,
    },
};

use self::work::Work;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Calls of a burst: less than a quarter of a buffer.
const BURST: usize = 1_000;
const ROUNDS: usize = 40;
const THREADS: [usize; 4] = [1, 2, 4, 8];
/// Calls without a pause.
const FLOOD: usize = 2_000_000;

fn main() {
    // `cargo test --benches` asks benches whether they run, not what they measure.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!("| threads | ns of a call, spans sampled |\n|---|---|");
    for threads in THREADS {
        let Interval { low, median, high } = contention(threads);
        println!("| {threads} | {:.0} ({:.0}–{:.0}) |", median * 1e9, low * 1e9, high * 1e9);
    }
    flood();
}

fn start() -> Watch {
    let facts = Work::Filter.facts(&work::batch(1).schema());
    Watch::start(facts, &Layers { spans: Some(Spans::sampled(1.0)), metrics: false }).expect("it starts")
}

/// So many calls of one batch; answers the seconds of one.
fn burst(watch: &Watch, instance: usize, calls: usize) -> f64 {
    let mut worker = watch.observer.worker(&WorkerFacts { stage: 0, instance, generation: 1 });
    let usage = Usage { started: Some(Instant::now()), rows_in: 8_192, columns_read: vec![0], ..Usage::default() };
    let batch = Arc::new(BatchTrace::begin(&watch.observer, 0, 0, Vec::new()));
    let began = Instant::now();
    for _ in 0..calls {
        let (export, waited) = (Export::Process, Duration::ZERO);
        let context = worker.begin(export, Some(&batch));
        worker.end(&CallFacts {
            context,
            export,
            batch: Some(&batch),
            input: 0,
            usage: &usage,
            error: None,
            waited,
            batches_out: 1,
            again: None,
            handled: false,
        });
    }
    began.elapsed().as_secs_f64() / calls as f64
}

/// A burst on each of so many threads at once.
fn contention(threads: usize) -> Interval {
    let watch = start();
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let barrier = Barrier::new(threads);
        thread::scope(|scope| {
            let (watch, barrier) = (&watch, &barrier);
            let threads = (0..threads).map(|instance| {
                scope.spawn(move || {
                    barrier.wait();
                    burst(watch, instance, BURST)
                })
            });
            let threads: Vec<_> = threads.collect();
            took.extend(threads.into_iter().map(|thread| thread.join().expect("a thread that ends")));
        });
        // One background for all of them.
        thread::sleep(PAUSE * threads as u32);
    }
    let (fate, _) = watch.finish();
    assert_eq!(fate.dropped_full, 0, "bursts fit");
    Estimate::median(&took, threads as u64).interval()
}

fn flood() {
    let watch = start();
    let flooded = burst(&watch, 0, FLOOD);
    let (fate, _) = watch.finish();
    // The calls and the batch.
    let told = fate.exported + fate.dropped_full + fate.dropped_failed;
    assert_eq!(told, FLOOD as u64 + 1, "every span is accounted for");
    println!(
        "\n{FLOOD} calls without a pause: {:.0} ns each; {} spans exported, {} found no room, none lost uncounted",
        flooded * 1e9,
        fate.exported,
        fate.dropped_full
    );
}
