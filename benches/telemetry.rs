//! What watching a call adds to it.
//!
//! Cost model. A call of a stage costs the host 2 µs and more (`boundary`). Watching it adds, on the thread that makes the call:
//!
//! - an id, made before the call (splitmix64, thread-local): some 2 ns;
//! - when it is recorded, one record of some 220 bytes into a buffer of the thread's own, under a lock that nobody else wants but
//!   the background, for three words, every 50 ms: some 25 ns for the lock and 30 ns for the bytes, which are mostly read from a
//!   `Usage` that has just been written;
//! - metrics: five histograms and five counters that nobody else writes (`metrics`);
//! - no clock: the usage holds when the call began and how long its parts took;
//! - no allocation, and nothing that depends on the number of attributes: they are made behind, on another thread, if anybody is
//!   going to see them.
//!
//! The SDK's own span allocates its attributes in the call (a `Vec` of 72-byte pairs, and what the strings need), reads the clock,
//! and goes through a channel; through `tracing`, every field is also visited, formatted or copied, and kept in a registry.
//!
//! How to read `call` and `batch`: every row does the same work, so its figure less that of `nothing` is what it adds to a call, or
//! to a batch. It watches one call with the attributes of TELEMETRY.md. They come in bursts that fit into everybody's buffers, with
//! pauses (not measured) in which backgrounds catch up: a buffer that is full is cheap and proves nothing, so each row also says
//! what became of its spans. `everything` is spans sampled, metrics, and export to a live receiver: the project's
//! (`tests/servers/install python`), or the one that `OTEL_EXPORTER_OTLP_ENDPOINT` names. Without either it is left out, and says so.
//!
//! `share` (its file says more) puts all of it beside what it watches: one ratio for a batch of 8,192 rows, printed at the end.

#[path = "telemetry/receiver.rs"]
mod receiver;
#[path = "telemetry/share.rs"]
mod share;
#[path = "telemetry/spans.rs"]
mod spans;
#[path = "work.rs"]
mod work;

use std::{
    hint::black_box,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use criterion::{Criterion, SamplingMode, criterion_group};
use parshall::{
    bench::watch::{Layers, PAUSE, Spans, Watch},
    words::observe::{BatchTrace, CallFacts, Export, RunObserver, WorkerFacts},
};

use self::{
    receiver::Receiver,
    spans::{Sdk, Tracing, facts, traced, usage},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Calls between two pauses: less than half of any buffer.
const BURST: u64 = 1_000;

/// A burst of something as often as criterion wants; answers the time of one, on average over each burst.
fn bursts(times: u64, pause: impl Fn(), mut burst: impl FnMut(u64)) -> Duration {
    let mut took = Duration::ZERO;
    for _ in 0..times {
        let began = Instant::now();
        burst(BURST);
        took += began.elapsed();
        pause();
    }
    took / BURST as u32
}

/// Calls, each burst of one batch.
fn calls(times: u64, observer: &Arc<dyn RunObserver>, pause: impl Fn()) -> Duration {
    let mut worker = observer.worker(&WorkerFacts { stage: 0, instance: 0, generation: 1 });
    let usage = usage();
    let mut sequence = 0;
    bursts(times, pause, |burst| {
        sequence += 1;
        let batch = Arc::new(BatchTrace::begin(observer, sequence, 0, Vec::new()));
        for _ in 0..burst {
            let context = worker.begin(Export::Process, black_box(Some(&batch)));
            let (usage, waited) = (black_box(&usage), Duration::from_micros(7));
            let export = Export::Process;
            worker.end(&CallFacts {
                context,
                export,
                batch: Some(&batch),
                input: 0,
                usage,
                error: None,
                waited,
                batches_out: 1,
                again: None,
                handled: false,
            });
        }
    })
}

/// Batches: the root's name, the root's end.
fn batches(times: u64, observer: &Arc<dyn RunObserver>, pause: impl Fn()) -> Duration {
    bursts(times, pause, |burst| (0..burst).for_each(|n| drop(black_box(Arc::new(BatchTrace::begin(observer, n, 0, Vec::new()))))))
}

/// A row of the comparison of calls, or of batches.
fn row(c: &mut Criterion, of: &str, name: &str, mut measure: impl FnMut(u64) -> Duration) {
    let mut group = c.benchmark_group(of);
    group.sampling_mode(SamplingMode::Flat).bench_function(name, |b| b.iter_custom(&mut measure));
}

/// Calls and batches, watched.
fn rows(c: &mut Criterion, name: &str, watch: Watch) {
    row(c, "call", name, |times| calls(times, &watch.observer, || watch.settle()));
    row(c, "batch", name, |times| batches(times, &watch.observer, || watch.settle()));
    finish(watch, name);
}

/// Layers over that stage.
fn watch(spans: Option<Spans>, metrics: bool) -> Watch {
    Watch::start(facts(), &Layers { spans, metrics }).expect("it starts")
}

/// Ends, and says what became of the spans: drops are cheap, and a row that drops proves nothing.
fn finish(watch: Watch, name: &str) {
    let (fate, why) = watch.finish();
    println!("{name}: {fate:?} {}", why.unwrap_or_default());
}

fn layers(c: &mut Criterion) {
    let sampled = || Some(Spans::sampled(1.0).slowest(5));
    rows(c, "nothing", Watch::nothing());
    rows(c, "spans unsampled", watch(Some(Spans::sampled(0.0)), false));
    rows(c, "spans unsampled, slowest batches", watch(Some(Spans::sampled(0.0).slowest(5)), false));
    rows(c, "spans sampled", watch(sampled(), false));
    rows(c, "metrics", watch(None, true));
    rows(c, "spans sampled + metrics", watch(sampled(), true));
    match Receiver::start() {
        Ok(receiver) => rows(c, "everything", watch(Some(Spans::to(&receiver.endpoint).slowest(5)), true)),
        Err(why) => println!("skipped: everything: {why}"),
    }
}

/// The same span by the SDK.
fn sdk(c: &mut Criterion) {
    let (sdk, usage) = (Sdk::start(), usage());
    row(c, "call", "the SDK's batch processor", |times| {
        bursts(times, || thread::sleep(PAUSE), |burst| (0..burst).for_each(|_| sdk.span(black_box(&usage))))
    });
    println!("the SDK's batch processor: {} exported", sdk.finish());
}

/// The same span by `tracing`.
fn tracing_layer(c: &mut Criterion) {
    let (tracing, usage) = (Tracing::start(), usage());
    row(c, "call", "tracing-opentelemetry", |times| {
        tracing::dispatcher::with_default(&tracing.subscriber, || {
            bursts(times, || thread::sleep(PAUSE), |burst| (0..burst).for_each(|_| traced(black_box(&usage))))
        })
    });
    println!("tracing-opentelemetry: {} exported", tracing.finish());
}

criterion_group! {
    name = benches;
    // A burst each, fifty times: criterion would plan by the time of one call, and a burst with its pause is a million of them.
    config = Criterion::default().sample_size(50).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_nanos(1));
    targets = layers, sdk, tracing_layer, share::share
}

fn main() {
    receiver::be_one();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
