//! What metrics add to a call: everything that is counted and observed of it, and of a batch; and what a scrape costs.
//!
//! Cost model of one call, by which to read the numbers:
//!
//! ```text
//! call  = 5 histograms × (bit length → bucket, two additions) + 5 counters + a virtual call
//! batch = a look at the clock + two locked additions
//! ```
//!
//! `prometheus` is the same call counted by the crate's own counters and histograms, children cached: what its locked instructions
//! and its walks along the buckets cost.
//!
//! No number is shared by two threads that write, so the cost does not grow with their number: `two threads` measures a call while
//! another thread counts its own.

use std::{
    hint::black_box,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use parshall::{
    telemetry::{
        Telemetry,
        health::Healths,
        metrics::{Metrics, exposition::Form},
    },
    words::{
        observe::{
            BatchTrace, CallFacts, CallObserver, Export, Observer as _, Probe, RunFacts, RunObserver, Settings, StageFacts, StageLevel,
            WorkerFacts,
        },
        stage::Kind,
        trace::SpanContext,
        usage::Usage,
    },
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn stage(name: &str, kind: Kind) -> StageFacts {
    StageFacts {
        name: name.into(),
        kind,
        component: format!("std:{name}"),
        version: "0.1.0".into(),
        digest: String::new(),
        instances: 2,
        sources: vec!["read".into()],
        columns: Vec::new(),
        datasets: Vec::new(),
        queue_bound: Some(64 << 20),
        memory_limit: 256 << 20,
    }
}

fn usage() -> Usage {
    Usage {
        started: Some(Instant::now()),
        fuel: 1_234_567,
        memory: 4 << 20,
        guest: Duration::from_micros(310),
        copy: Duration::from_micros(42),
        host: Duration::from_micros(3),
        bytes_read: 65_536,
        bytes_made: 1_024,
        bytes_stayed: 1 << 20,
        rows_in: 8_192,
        rows_out: 4_096,
        rows_kept: 4_096,
        rows_filtered: 4_096,
        ..Usage::default()
    }
}

/// A run that stands still.
struct Still;

impl Probe for Still {
    fn stage(&self, _: usize) -> StageLevel {
        StageLevel::default()
    }
}

fn start(metrics: &Metrics, probe: Weak<dyn Probe>) -> Arc<dyn RunObserver> {
    let stages = vec![stage("read", Kind::Extract), stage("filter", Kind::Transform), stage("write", Kind::Load)];
    let observer = Telemetry { traces: None, metrics: Some(metrics.clone()) };
    observer.run(&RunFacts { pipeline: "bench".into(), stages, settings: Settings::default() }, probe)
}

fn worker(run: &Arc<dyn RunObserver>, instance: usize) -> Box<dyn CallObserver> {
    run.worker(&WorkerFacts { stage: 1, instance, generation: 1 })
}

fn count(calls: &mut dyn CallObserver, batch: &Arc<BatchTrace>, context: SpanContext, usage: &Usage) {
    calls.end(&CallFacts {
        context,
        export: Export::Process,
        batch: Some(batch),
        input: 0,
        usage,
        error: None,
        waited: Duration::from_micros(17),
        batches_out: 1,
        again: None,
        handled: false,
    });
}

/// The same numbers in the `prometheus` crate's own metrics.
struct Theirs {
    histograms: [prometheus::Histogram; 5],
    counters: [prometheus::IntCounter; 6],
}

impl Theirs {
    fn new() -> Self {
        let seconds = vec![
            1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
        ];
        let fuel = vec![1e3, 1e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9, 1e10, 1e11];
        let memory = (0..9).map(|n| 65_536.0 * 4f64.powi(n)).collect();
        let histogram = |buckets: Vec<f64>| {
            let opts = prometheus::HistogramOpts::new("bench", "bench").buckets(buckets);
            prometheus::Histogram::with_opts(opts).unwrap()
        };
        let histograms = [seconds.clone(), seconds.clone(), seconds, fuel, memory].map(histogram);
        Theirs { histograms, counters: std::array::from_fn(|_| prometheus::IntCounter::new("bench", "bench").unwrap()) }
    }

    fn count(&self, usage: &Usage) {
        let observed = [usage.duration().as_secs_f64(), usage.copy.as_secs_f64(), 17e-6, usage.fuel as f64, usage.memory as f64];
        self.histograms.iter().zip(observed).for_each(|(histogram, value)| histogram.observe(value));
        let counted = [usage.rows_in, usage.memory, usage.memory_growth, usage.bytes_read, usage.bytes_made, usage.bytes_stayed];
        self.counters.iter().zip(counted).for_each(|(counter, by)| counter.inc_by(by));
    }
}

fn metrics(criterion: &mut Criterion) {
    let metrics = Metrics::new(&Healths::default());
    let probe: Arc<dyn Probe> = Arc::new(Still);
    let run = start(&metrics, Arc::downgrade(&probe));
    let (context, usage) = (SpanContext::root(false), usage());
    let batch = Arc::new(BatchTrace::begin(&run, 0, 0, Vec::new()));
    let mut calls = worker(&run, 0);
    let mut group = criterion.benchmark_group("metrics");
    group.bench_function("call", |bencher| bencher.iter(|| count(&mut *calls, black_box(&batch), context, black_box(&usage))));
    group.bench_function("call, two threads", |bencher| {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut others = worker(&run, 1);
                while !over.load(Ordering::Relaxed) {
                    count(&mut *others, black_box(&batch), context, black_box(&usage));
                }
            });
            bencher.iter(|| count(&mut *calls, black_box(&batch), context, black_box(&usage)));
            over.store(true, Ordering::Relaxed);
        });
    });
    let theirs = Theirs::new();
    group.bench_function("call, prometheus", |bencher| bencher.iter(|| theirs.count(black_box(&usage))));
    group.bench_function("batch", |bencher| bencher.iter(|| run.batch(black_box(&batch))));
    for form in [Form::Prometheus, Form::OpenMetrics] {
        group.bench_function(format!("scrape, {form:?}"), |bencher| bencher.iter(|| metrics.gather().text(form).len()));
    }
    group.finish();
}

criterion_group!(benches, metrics);
criterion_main!(benches);
