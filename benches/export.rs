//! Spans that can be exported, second by second, as long as one likes.
//!
//! Cost model, by which to read the numbers:
//!
//! ```text
//! span = group by batch + encode (names, 20 attributes) + its share of a request (512 spans) + send
//! ```
//!
//! One thread behind does all of it. Calls are made in bursts, a burst every `EVERY`, with pauses where the queue is fuller than a quarter:
//! what is exported is what is offered, or the most that there is. The receiver is in this process and does nothing with what it reads: a slower one is what one would measure.

#[path = "work.rs"]
mod work;

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use parshall::{
    bench::watch::{Layers, Spans, Watch},
    telemetry::otlp::sink,
    words::{
        observe::{BatchTrace, CallFacts, Export, WorkerFacts},
        usage::Usage,
    },
};

use self::work::Work;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TIME: Duration = Duration::from_secs(5);
/// Batches of a burst, of five calls each: a pipeline of five stages.
const BURST: u64 = 600;
const CALLS: usize = 5;
/// 3,600 spans every so often, beside what making them takes: 900 thousand a second at most.
const EVERY: Duration = Duration::from_millis(4);

/// Time on a processor that the background has had, where the kernel tells it to the nanosecond.
fn background() -> Option<Duration> {
    let mut threads = fs::read_dir("/proc/self/task").ok()?.map_while(Result::ok);
    // The kernel cuts names after fifteen letters.
    let named = |thread: &fs::DirEntry| fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| name.starts_with("telemetry"));
    let told = fs::read_to_string(threads.find(named)?.path().join("schedstat")).ok()?;
    told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn main() {
    // `cargo test --benches` asks benches whether they run, not what they measure.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let facts = Work::Filter.facts(&work::batch(1).schema());
    let spans = Spans::to(&sink::listen().expect("a port"));
    let watch = Watch::start(facts, &Layers { spans: Some(spans), metrics: false }).expect("it starts");
    let mut worker = watch.observer.worker(&WorkerFacts { stage: 0, instance: 0, generation: 1 });
    let usage = Usage { started: Some(Instant::now()), rows_in: 8_192, columns_read: vec![0, 3, 7], ..Usage::default() };
    let (began, mut sequence) = (Instant::now(), 0);
    while began.elapsed() < TIME {
        for _ in 0..BURST {
            sequence += 1;
            let batch = Arc::new(BatchTrace::begin(&watch.observer, sequence, 0, Vec::new()));
            for _ in 0..CALLS {
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
        }
        std::thread::sleep(EVERY);
        if watch.is_full() {
            watch.settle();
        }
    }
    watch.drain();
    let (took, processor) = (began.elapsed(), background());
    let (fate, why) = watch.finish();
    assert!(why.is_none(), "{why:?}");
    println!(
        "{} spans in {:.1} s: {:.0} thousand a second sustained, {} found no room",
        fate.exported,
        took.as_secs_f64(),
        fate.exported as f64 / took.as_secs_f64() / 1e3,
        fate.dropped_full
    );
    if let Some(processor) = processor {
        println!("{:.2} µs of a processor for each", processor.as_secs_f64() * 1e6 / fate.exported as f64);
    }
}
