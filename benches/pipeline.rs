//! Whole runs: rows a second of a pipeline, by instances and by who watches.
//!
//! Cost model, by which to read the numbers:
//!
//! ```text
//! run = start + batches × max over stages (call / instances + queue + order) as long as there is a processor for each thread
//! ```
//!
//! Rows are made by `std:generate` in the host, pass `std:derive` and `std:filter`, and end in a load that only counts. Arms take turns,
//! and the first is there twice: what the two differ by is the noise floor.

use std::{path::Path, sync::Arc};

use parshall::{
    bench::watch::Spans,
    catalog::Catalog,
    measure::{Estimate, Rounds, floor},
    pipeline::{
        plan::Plan,
        run::{Outcome, Run},
        spec::Spec,
    },
    tables::NativeTables,
    telemetry::{
        Telemetry,
        health::Healths,
        metrics::Metrics,
        otlp::sink,
        traces::{self, Recording},
    },
    wasm::{Cache, Runtime},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: u64 = 100_000_000;
const ROUNDS: usize = 9;

/// How a run is made.
#[derive(Clone, Copy, PartialEq)]
enum Watched {
    Not,
    Counted,
    Traced,
}

const ARMS: [(&str, usize, Watched); 6] = [
    ("1 instance each, unwatched", 1, Watched::Not),
    ("the same again", 1, Watched::Not),
    ("+ metrics", 1, Watched::Counted),
    ("+ spans, 100 %, exported", 1, Watched::Traced),
    ("2 instances each, unwatched", 2, Watched::Not),
    ("2 instances each, + metrics and spans", 2, Watched::Traced),
];

fn spec(instances: usize) -> Spec {
    let collect = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/dist/testing/collect.wasm");
    let text = format!(
        "[extract.rows]\ncomponent = \"std:generate\"\nconfig = {{ rows = {ROWS}, columns = {{ a = {{ kind = \"sequence\" }}, b = {{ kind = \"sequence\" }} }} }}\n\
         [transform.derive]\ncomponent = \"std:derive\"\ninputs = [\"rows\"]\ninstances = {instances}\nconfig = {{ columns = {{ s = \"a + b\" }} }}\n\
         [transform.filter]\ncomponent = \"std:filter\"\ninputs = [\"derive\"]\ninstances = {instances}\nconfig = {{ where = \"s > 1000\" }}\n\
         [load.count]\ncomponent = \"{}\"\ninputs = [\"filter\"]\n",
        collect.display()
    );
    Spec::parse("pipeline.toml", &std::env::temp_dir(), &text, &|_| None).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)))
}

fn main() {
    // `cargo test --benches` asks benches whether they run, not what they measure.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let cache = Cache::at(std::env::temp_dir().join("parshall-bench-components"));
    let catalog = Catalog::new(Runtime::new(cache, Arc::new(NativeTables::default())).expect("an engine"));
    let endpoint = sink::listen().expect("a port");
    let turn = |arm: usize| {
        let (_, instances, watched) = ARMS[arm];
        let plan = Plan::make(&spec(instances), &catalog).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
        let healths = Healths::default();
        let settings: traces::Settings = Spans::to(&endpoint).into();
        let recording = (watched == Watched::Traced).then(|| Recording::start(settings, &healths).expect("it starts"));
        let metrics = (watched != Watched::Not).then(|| Metrics::new(&healths));
        let telemetry = Telemetry { traces: recording.as_ref().map(Recording::traces), metrics };
        let report = Run::observed(plan, &telemetry).unwrap_or_else(|failure| panic!("{failure}")).wait();
        assert_eq!(report.outcome, Outcome::Completed);
        Ok::<_, std::convert::Infallible>(report.seconds)
    };
    let rounds = Rounds::take(ARMS.len(), |round| round < ROUNDS, turn).unwrap_or_else(|never| match never {});
    println!("| run of {ROWS} rows | million rows/s | time, relative to the first |\n|---|---|---|");
    for (arm, (name, ..)) in ARMS.iter().enumerate() {
        let seconds = Estimate::median(rounds.arm(arm), arm as u64).interval();
        let ratio = Estimate::median(&rounds.paired(arm, 0, |arm, first| arm / first), arm as u64).interval();
        let rate = |seconds: f64| ROWS as f64 / seconds / 1e6;
        println!(
            "| {name} | {:.1} ({:.1}–{:.1}) | {:.3} ({:.3}–{:.3}) |",
            rate(seconds.median),
            rate(seconds.high),
            rate(seconds.low),
            ratio.median,
            ratio.low,
            ratio.high
        );
    }
    println!("\nnoise floor: ± {:.1} %", 100.0 * floor(&rounds, 0, 1, 0));
}
