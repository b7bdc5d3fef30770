//! The span of one call, by everybody: what the thread that makes the call pays.
//!
//! Bursts of a thousand fit into everybody's buffers; pauses between them, in which backgrounds catch up, are not measured. (The same as
//! `cargo bench --bench telemetry` has it, but arms take turns here, and `fastrace` is there.) `nothing` is the loop with an observer that does
//! nothing: ours is measured behind that interface, so its cost is what it has more than `nothing`.

#[path = "../../telemetry/spans.rs"]
mod made;

use std::{
    convert::Infallible,
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use fastrace::{
    Span,
    collector::{Config, Reporter, SpanContext, SpanRecord},
    local::LocalSpan,
};
use parshall::{
    bench::watch::{Layers, PAUSE, Spans, Watch},
    measure::{Comparison, Estimate, Rounds, floor},
    words::{
        observe::{BatchTrace, CallFacts, CallObserver, Export, WorkerFacts},
        usage::Usage,
    },
};

use self::made::{Sdk, Tracing, facts, traced, usage};
use crate::functions::{times, told};

/// Spans between two pauses: less than half of any buffer.
const BURST: u64 = 1_000;
const ROUNDS: usize = 60;

const ARMS: [&str; 7] = [
    "nothing",
    "**Parshall**, recorded",
    "the same again",
    "the SDK's batch processor",
    "`tracing-opentelemetry`",
    "`fastrace`",
    "`fastrace`, without attributes",
];
const OURS: usize = 1;
const AGAIN: usize = 2;

pub fn run() -> Result<()> {
    let usage = usage();
    let recorded = || Watch::start(facts(), &Layers { spans: Some(Spans::sampled(1.0)), metrics: false });
    let watches = [Watch::nothing(), recorded()?, recorded()?];
    let mut ours: Vec<_> = watches.iter().map(Ours::new).collect();
    let (sdk, tracing, reported) = (Sdk::start(), Tracing::start(), Arc::<AtomicU64>::default());
    fastrace::set_reporter(Nowhere(Arc::clone(&reported)), Config::default().report_interval(PAUSE / 2));
    let rounds = Rounds::take(
        ARMS.len(),
        |round| round < ROUNDS,
        |arm| {
            let took = match arm {
                0..=2 => ours[arm].burst(&usage),
                3 => timed(|| sdk.span(black_box(&usage))),
                4 => tracing::dispatcher::with_default(&tracing.subscriber, || timed(|| traced(black_box(&usage)))),
                5 => fast(|| _ = black_box(attributed(black_box(&usage)))),
                _ => fast(|| _ = black_box(LocalSpan::enter_with_local_parent("process by_carrier"))),
            };
            match arm {
                0..=2 => watches[arm].settle(),
                _ => thread::sleep(PAUSE),
            }
            Ok::<_, Infallible>(took.as_secs_f64() / BURST as f64)
        },
    )?;
    drop(ours);
    fastrace::flush();
    let spans = ROUNDS as u64 * BURST;
    // A root for every burst, and each of fastrace's two.
    let reported = reported.load(Relaxed);
    ensure!(reported == 2 * (spans + ROUNDS as u64), "fastrace dropped spans: {reported} of {}", 2 * (spans + ROUNDS as u64));
    for (name, exported) in [("the SDK", sdk.finish()), ("tracing", tracing.finish())] {
        ensure!(exported >= spans, "{name} dropped spans: {exported} of {spans}");
    }
    for watch in watches.into_iter().filter(Watch::records) {
        let (fate, why) = watch.finish();
        ensure!(why.is_none() && fate.dropped_full == 0 && fate.exported >= spans, "ours dropped spans: {fate:?} {why:?}");
    }
    println!("\n| a span of 20 attributes | on the thread that makes the call | × Parshall |\n|---|---|---|");
    for (arm, name) in ARMS.iter().enumerate() {
        let ratio = Comparison::new(&rounds, OURS, arm, 0.0, 2).ratio.interval();
        println!("| {name} | {} | {} |", told(Estimate::median(rounds.arm(arm), 1).interval()), times(ratio));
    }
    println!("\nnoise floor: ± {:.1} %; {} rounds; nobody dropped a span", 100.0 * floor(&rounds, OURS, AGAIN, 1), rounds.len());
    Ok(())
}

fn timed(mut span: impl FnMut()) -> Duration {
    let began = Instant::now();
    (0..BURST).for_each(|_| span());
    began.elapsed()
}

// === ours ===

struct Ours<'a> {
    watch: &'a Watch,
    calls: Box<dyn CallObserver>,
    sequence: u64,
}

impl<'a> Ours<'a> {
    fn new(watch: &'a Watch) -> Self {
        Ours { watch, calls: watch.observer.worker(&WorkerFacts { stage: 0, instance: 0, generation: 1 }), sequence: 0 }
    }

    fn burst(&mut self, usage: &Usage) -> Duration {
        self.sequence += 1;
        let batch = Arc::new(BatchTrace::begin(&self.watch.observer, self.sequence, 0, Vec::new()));
        timed(|| {
            let export = Export::Process;
            let context = self.calls.begin(export, black_box(Some(&batch)));
            self.calls.end(&CallFacts {
                context,
                export,
                batch: Some(&batch),
                input: 0,
                usage: black_box(usage),
                error: None,
                waited: Duration::from_micros(7),
                batches_out: 1,
                again: None,
                handled: false,
            });
        })
    }
}

// === fastrace ===

/// Takes spans and counts them.
struct Nowhere(Arc<AtomicU64>);

impl Reporter for Nowhere {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        self.0.fetch_add(spans.len() as u64, Relaxed);
        black_box(spans);
    }
}

/// A burst within one trace; its root, and handing the burst over, are measured with it.
fn fast(span: impl FnMut()) -> Duration {
    let began = Instant::now();
    let root = Span::root("batch", SpanContext::random());
    let within = root.set_local_parent();
    timed(span);
    drop(within);
    drop(root);
    began.elapsed()
}

/// The same attributes. fastrace knows strings only.
fn attributed(usage: &Usage) -> LocalSpan {
    LocalSpan::enter_with_local_parent("process by_carrier").with_properties(|| {
        let constant = [
            ("etl.pipeline.name", "flights"),
            ("etl.stage.name", "by_carrier"),
            ("etl.stage.kind", "transform"),
            ("etl.component.name", "std:aggregate"),
            ("etl.component.version", "0.1.0"),
            ("etl.component.digest", "3de1251d7a5e"),
            ("etl.call.export", "process"),
            ("etl.call.outcome", "ok"),
            ("etl.batch.sequence", "7"),
        ];
        let numbers = [
            ("etl.rows.in", usage.rows_in),
            ("etl.rows.out", usage.rows_out),
            ("etl.rows.rejected", usage.rows_rejected),
            ("etl.bytes.read", usage.bytes_read),
            ("etl.bytes.made", usage.bytes_made),
            ("etl.bytes.stayed", usage.bytes_stayed),
            ("etl.fuel.used", usage.fuel),
            ("etl.memory.peak", usage.memory),
        ];
        let others = [
            ("etl.columns.read", format!("{:?}", usage.columns_read)),
            ("etl.time.guest", usage.guest.as_secs_f64().to_string()),
            ("etl.time.copy", usage.copy.as_secs_f64().to_string()),
        ];
        let constant = constant.into_iter().map(|(key, value)| (key, std::borrow::Cow::Borrowed(value)));
        let numbers = numbers.into_iter().map(|(key, number)| (key, number.to_string().into()));
        constant.chain(numbers).chain(others.into_iter().map(|(key, value)| (key, value.into())))
    })
}
