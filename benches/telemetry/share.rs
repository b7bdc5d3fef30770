//! The share of a real batch's time that all telemetry together takes: `std:filter` over 8,192 rows of 16 int64 columns, called
//! as a worker calls it, with everything and with nothing, turn by turn.
//!
//! ```text
//! without = batch begun + call + batch let go
//! with    = the same + a trace (root and call span) recorded, expanded, exported to a live receiver + metrics + slowest batches
//! ```
//!
//! How to read it: `wall` is what the batch waits for, the ratio of two bursts that follow each other, median and quartiles over
//! all pairs; the goal is below 1.01. Where the whole process has one processor only (`taskset`), the background that expands and
//! exports takes its turns from the bursts, and is in there as well. `processor` is everything that a batch costs this process,
//! background included, wherever it runs.
//!
//! One root and one call a batch is the worst case: a pipeline of five stages shares the root among five calls.

use std::{
    cell::RefCell,
    fs,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch},
    datatypes::{DataType, Field, Schema},
};
use criterion::{Criterion, SamplingMode};
use parshall::{
    tables::NativeTables,
    wasm::{Cache, Runtime},
    words::{
        grants::Grants,
        limits::Limits,
        observe::{BatchTrace, CallFacts, CallObserver, Export, WorkerFacts},
        stage::{Component as _, Input, Opening, Transform},
        trace,
    },
};
use serde_json::json;

use crate::{
    receiver::Receiver,
    watch::{Layers, Spans, Watch},
};

const ROWS: usize = 8_192;
const COLUMNS: usize = 16;
/// Calls of one kind before it is the other's turn: short, so that both meet the same disturbances.
const BURST: u32 = 16;
/// Pairs of bursts in a sample of criterion's.
const PAIRS: u64 = 8;
/// Calls over which processor time is taken.
const LONG: u32 = 4_096;

/// The stage, and one way of watching it.
struct Side<'a> {
    watch: &'a Watch,
    calls: Box<dyn CallObserver>,
    sequence: u64,
}

/// Pseudo-random values, half of which exceed 0.
fn batch() -> Arc<RecordBatch> {
    let column = |seed: usize| {
        let mut state = seed as u64 + 1;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i64 - (1 << 30)
        };
        Arc::new(Int64Array::from_iter_values((0..ROWS).map(next))) as ArrayRef
    };
    let fields: Vec<_> = (0..COLUMNS).map(|n| Field::new(format!("c{n}"), DataType::Int64, true)).collect();
    Arc::new(RecordBatch::try_new(Arc::new(Schema::new(fields)), (0..COLUMNS).map(column).collect()).unwrap())
}

fn filter(batch: &RecordBatch) -> Box<dyn Transform> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/dist/filter.wasm");
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}; run plugins/build"));
    let cache = Cache::at(std::env::temp_dir().join("parshall-bench-components"));
    let opening = Opening {
        stage: "by_carrier".into(),
        config: json!({ "where": "c0 > 0" }),
        inputs: vec![Input { name: "in".into(), schema: batch.schema() }],
        limits: Limits::default(),
        grants: Grants::default(),
        restore: None,
    };
    Runtime::new(cache, Arc::new(NativeTables::default())).unwrap().load(&bytes).unwrap().open_transform(&opening).outcome.unwrap().0
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
        self.calls.end(&CallFacts { context, export, batch: Some(&batch_trace), input: 0, usage, error, waited, batches_out: 1 });
        black_box(call.outcome.unwrap());
    }

    fn burst(&mut self, calls: u32, stage: &mut dyn Transform, batch: &Arc<RecordBatch>) -> Duration {
        let began = Instant::now();
        (0..calls).for_each(|_| self.call(stage, batch));
        began.elapsed()
    }
}

/// Time on a processor that all threads of this process have had, where the kernel tells to the nanosecond.
fn processor() -> Option<Duration> {
    let threads = fs::read_dir("/proc/self/task").ok()?;
    let time = |thread: fs::DirEntry| {
        let told = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        told.split(' ').next()?.parse::<u64>().ok()
    };
    threads.map_while(Result::ok).map(time).sum::<Option<u64>>().map(Duration::from_nanos)
}

/// Processor time of one call, its consequences included.
fn cost(side: &mut Side<'_>, stage: &mut dyn Transform, batch: &Arc<RecordBatch>) -> Option<f64> {
    side.watch.drain();
    let before = processor()?;
    // Fewer at a time than a collector's queue holds.
    for _ in 0..LONG / 512 {
        side.burst(512, stage, batch);
        side.watch.settle();
    }
    side.watch.drain();
    Some((processor()? - before).as_secs_f64() / f64::from(LONG))
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}

pub fn share(criterion: &mut Criterion) {
    let receiver = match Receiver::start() {
        Ok(receiver) => receiver,
        Err(why) => return println!("skipped: share: {why}"),
    };
    let everything = Layers { spans: Some(Spans::to(&receiver.endpoint)), metrics: true };
    let (nothing, everything) = (Watch::nothing(), Watch::start(&everything));
    let (batch, pairs) = (batch(), RefCell::new(Vec::new()));
    let mut stage = filter(&batch);
    let (mut without, mut with) = (Side::new(&nothing), Side::new(&everything));
    let mut measure = |times: u64| {
        let mut took = [Duration::ZERO; 2];
        for pair in 0..times * PAIRS {
            // Whoever comes second finds warmer caches, so they take turns.
            let [a, b] = if pair % 2 == 0 {
                let a = without.burst(BURST, &mut *stage, &batch);
                [a, with.burst(BURST, &mut *stage, &batch)]
            } else {
                let b = with.burst(BURST, &mut *stage, &batch);
                [without.burst(BURST, &mut *stage, &batch), b]
            };
            pairs.borrow_mut().push([a, b].map(|burst| burst.as_secs_f64()));
            took = [took[0] + a, took[1] + b];
            if pair % PAIRS == 0 {
                everything.settle();
            }
        }
        took.map(|side| side / (BURST * PAIRS as u32))
    };
    let mut group = criterion.benchmark_group("share");
    group.sampling_mode(SamplingMode::Flat).sample_size(100);
    group.bench_function("a batch with nothing", |bencher| bencher.iter_custom(|times| measure(times)[0]));
    group.bench_function("a batch with everything", |bencher| bencher.iter_custom(|times| measure(times)[1]));
    group.finish();
    let pairs = pairs.take();
    if !pairs.is_empty() {
        let [low, median, high] = quartiles(pairs.iter().map(|[without, with]| with / without).collect());
        println!("share/wall: with everything {median:.4} × without, quartiles {low:.4} to {high:.4}, of {} pairs", pairs.len());
        if let (Some(without), Some(with)) = (cost(&mut without, &mut *stage, &batch), cost(&mut with, &mut *stage, &batch)) {
            let [a, b] = [without, with].map(|seconds| seconds * 1e6);
            println!("share/processor: {b:.2} µs a batch with everything, {a:.2} µs without: {:.3} ×", with / without);
        }
    }
    drop((without, with));
    nothing.finish("share, nothing");
    everything.finish("share, everything");
}
