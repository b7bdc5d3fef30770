//! The share of a real batch's time that all telemetry together takes: `std:filter` over 8,192 rows of 16 int64 columns, called
//! as a worker calls it, with everything and with nothing, turn by turn.
//!
//! ```text
//! without = batch begun + call + batch let go
//! with    = the same + a trace (root and call span) recorded, encoded, exported to a live receiver + metrics + slowest batches
//! ```
//!
//! Everybody takes turns, and everything is a ratio to `nothing` of the same round: median and quartiles over all rounds. `nothing,
//! again` is the same as `nothing`: how far it is from 1 is what this machine cannot tell apart.
//!
//! - `bursts` are short (0.5 ms), so that all arms meet the same disturbances, the background that encodes and exports among them: what
//!   the thread that makes the call pays. They say which layer it is.
//! - `phases` are long (250 ms), and everything has left before the next begins: what the batch waits for, with all that the background
//!   does to memory and to the other processor. The goal is below 1.01.
//! - `processor` is the time that the background had on a processor, wherever it ran, for a span: sending included, and the receiver
//!   not, which is another process.
//!
//! One root and one call a batch is the worst case: a pipeline of five stages shares the root among five calls.

use std::{
    fs,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use arrow::array::RecordBatch;
use criterion::Criterion;
use parshall::{
    bench::watch::{Spans, Watch},
    wasm::Accounting,
    words::{
        observe::{BatchTrace, CallFacts, CallObserver, Export, WorkerFacts},
        stage::Transform,
        trace,
    },
};

use crate::{
    finish,
    receiver::Receiver,
    watch,
    work::{self, Work},
};

const ROWS: usize = 8_192;
/// Calls in a burst, and the rounds of bursts.
const BURST: u32 = 16;
const BURSTS: usize = 4_000;
/// How long a phase is, and the rounds of phases.
const PHASE: Duration = Duration::from_millis(250);
const PHASES: usize = 41;

/// The stage, and one way of watching it.
struct Side<'a> {
    watch: &'a Watch,
    calls: Box<dyn CallObserver>,
    sequence: u64,
}

impl<'a> Side<'a> {
    fn new(watch: &'a Watch) -> Self {
        let calls = watch.observer.worker(&WorkerFacts { stage: 0, instance: 0, generation: 1 });
        Side { watch, calls, sequence: 0 }
    }

    /// A batch, from its beginning until nobody holds it any more, as a worker would have it.
    fn call(&mut self, stage: &mut dyn Transform, batch: &Arc<RecordBatch>) {
        self.sequence += 1;
        let batch_trace = Arc::new(BatchTrace::begin(&self.watch.observer, self.sequence, 0, Vec::new()));
        let (export, waited) = (Export::Process, Duration::from_micros(7));
        let context = self.calls.begin(export, Some(&batch_trace));
        let call = {
            let _within = trace::within(context);
            stage.process(0, black_box(batch))
        };
        let (usage, error) = (&call.usage, call.outcome.as_ref().err());
        self.calls.end(&CallFacts {
            context,
            export,
            batch: Some(&batch_trace),
            input: 0,
            usage,
            error,
            waited,
            batches_out: 1,
            again: None,
            handled: false,
        });
        black_box(call.outcome.unwrap());
    }

    fn burst(&mut self, calls: u32, stage: &mut dyn Transform, batch: &Arc<RecordBatch>) -> Duration {
        let began = Instant::now();
        (0..calls).for_each(|_| self.call(stage, batch));
        began.elapsed()
    }
}

/// Time on a processor that the background has had, where the kernel tells it to the nanosecond.
fn background() -> Option<Duration> {
    let mut threads = fs::read_dir("/proc/self/task").ok()?.map_while(Result::ok);
    // The kernel cuts names after fifteen letters; this program's own name begins with the same word.
    let named = |thread: &fs::DirEntry| fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| name.trim() == "telemetry spans");
    let told = fs::read_to_string(threads.find(named)?.path().join("schedstat")).ok()?;
    told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// A quarter, a half, three quarters of all values are below these.
fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}

/// Seconds of a batch, by round and arm; the first arm is what the others are compared with.
fn print(what: &str, names: &[&str], rounds: &[Vec<f64>]) {
    for (arm, name) in names.iter().enumerate() {
        let [.., time, _] = quartiles(rounds.iter().map(|round| round[arm]).collect());
        let [low, median, high] = quartiles(rounds.iter().map(|round| round[arm] / round[0]).collect());
        let time = time * 1e6;
        println!("share/{what}: {name:<16} {median:.4} × nothing, quartiles {low:.4} to {high:.4}; {time:.2} µs a batch");
    }
}

/// Rounds in which every side has its turn, each time in another order; answers the seconds of a batch.
fn rounds(count: usize, sides: &mut [Side<'_>], mut turn: impl FnMut(&mut Side<'_>) -> f64) -> Vec<Vec<f64>> {
    let round = |at: usize| {
        let mut took = vec![0.0; sides.len()];
        for place in 0..sides.len() {
            // Whoever comes second finds warmer caches. Forwards and backwards, so that everybody follows everybody.
            let place = if (at / sides.len()).is_multiple_of(2) { place } else { sides.len() - 1 - place };
            let arm = (place + at) % sides.len();
            took[arm] = turn(&mut sides[arm]);
        }
        took
    };
    (0..count).map(round).collect()
}

fn bursts(sides: &mut [Side<'_>], stage: &mut dyn Transform, batch: &Arc<RecordBatch>) -> Vec<Vec<f64>> {
    let mut turns = 0;
    rounds(BURSTS, sides, |side| {
        turns += 1;
        if turns % 256 == 0 {
            side.watch.settle();
        }
        side.burst(BURST, stage, batch).as_secs_f64() / f64::from(BURST)
    })
}

fn phases(sides: &mut [Side<'_>], stage: &mut dyn Transform, batch: &Arc<RecordBatch>) -> Vec<Vec<f64>> {
    rounds(PHASES, sides, |side| {
        let (began, mut calls) = (Instant::now(), 0);
        while began.elapsed() < PHASE {
            side.burst(BURST, stage, batch);
            calls += BURST;
        }
        let took = began.elapsed();
        side.watch.drain();
        took.as_secs_f64() / f64::from(calls)
    })
}

pub fn share(_: &mut Criterion) {
    // Criterion measures one thing after the other; here everything has to be measured beside everything else.
    let mut arguments = std::env::args().skip(1);
    if arguments.any(|argument| ["--list", "--test"].contains(&&*argument) || !(argument.starts_with('-') || "share".contains(&argument))) {
        return;
    }
    let receiver = match Receiver::light() {
        Ok(receiver) => receiver,
        Err(why) => return println!("skipped: share: {why}"),
    };
    let spans = || Some(Spans::to(&receiver.endpoint).slowest(5));
    let names = ["nothing", "nothing, again", "metrics", "slowest batches", "spans exported", "everything"];
    let watches = [
        Watch::nothing(),
        Watch::nothing(),
        watch(None, true),
        watch(Some(Spans::sampled(0.0).slowest(5)), false),
        watch(spans(), false),
        watch(spans(), true),
    ];
    let batch = work::batch(ROWS);
    let mut stage = Work::Filter.open(&work::runtime(Accounting::default()), &batch.schema());
    let mut sides: Vec<_> = watches.iter().map(Side::new).collect();
    sides.iter_mut().for_each(|side| _ = side.burst(512, &mut *stage, &batch));
    print("bursts", &names, &bursts(&mut sides, &mut *stage, &batch));
    drop(sides);
    let [nothing, again, metrics, slowest, exported, everything] = watches;
    // Each has a background: that of `everything` is the only one left.
    drop((metrics, slowest, exported));
    let mut sides: Vec<_> = [&nothing, &again, &everything].into_iter().map(Side::new).collect();
    let (before, told) = (background(), everything.recorded());
    print("phases", &["nothing", "nothing, again", "everything"], &phases(&mut sides, &mut *stage, &batch));
    if let (Some(before), Some(after)) = (before, background()) {
        let spans = everything.recorded() - told;
        println!(
            "share/processor: {:.0} ns of the background for each of {spans} spans",
            (after - before).as_nanos() as f64 / spans as f64
        );
    }
    drop(sides);
    finish(everything, "share, everything");
}
