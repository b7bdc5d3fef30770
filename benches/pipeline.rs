//! Whole runs: rows a second of a pipeline, by instances and by who watches.
//!
//! Cost model, by which to read the numbers:
//!
//! ```text
//! run = start + batches × max over stages (call / instances + queue + order) as long as there is a processor for each thread
//! ```
//!
//! Rows are made by `std:generate` in the host, pass `std:derive` and `std:filter`, and end in a load that only counts. Where the two do
//! next to nothing, four threads share the work about evenly; where `derive` works on texts, it is what all others wait for, and what more
//! instances are for. Checkpoints cost a graph that runs empty and fills again. Arms take turns, and the first is there twice: what the two
//! differ by is the noise floor.

use std::{convert::Infallible, process::Command, sync::Arc};

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

const ROUNDS: usize = 9;

/// Who watches a run.
#[derive(Clone, Copy, PartialEq)]
enum Watched {
    Not,
    Counted,
    Traced,
}

/// Runs that differ in one thing. The first two are the same.
struct Job {
    name: &'static str,
    rows: u64,
    arms: Vec<Arm>,
}

struct Arm {
    name: String,
    /// Nobody is told where the run is a process of its own: one that keeps a state.
    watched: Option<Watched>,
    /// The pipeline, but for the extract.
    rest: String,
}

fn jobs() -> [Job; 3] {
    let watched = |column: &str, condition: &str| {
        let arm = |name: &str, instances: usize, watched: Watched| {
            let collect = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/dist/testing/collect.wasm");
            let rest = format!(
                "[transform.derive]\ncomponent = \"std:derive\"\ninputs = [\"rows\"]\ninstances = {instances}\nconfig = {{ columns = {{ s = \"{column}\" }} }}\n\
                 [transform.filter]\ncomponent = \"std:filter\"\ninputs = [\"derive\"]\nconfig = {{ where = \"{condition}\" }}\n\
                 [load.count]\ncomponent = \"{collect}\"\ninputs = [\"filter\"]\n"
            );
            Arm { name: name.into(), watched: Some(watched), rest }
        };
        vec![
            arm("1 instance of derive, unwatched", 1, Watched::Not),
            arm("the same again", 1, Watched::Not),
            arm("+ metrics", 1, Watched::Counted),
            arm("+ spans, 100 %, exported", 1, Watched::Traced),
            arm("2 instances of derive, unwatched", 2, Watched::Not),
            arm("2 instances of derive, + metrics and spans", 2, Watched::Traced),
        ]
    };
    let every = [
        ("none", None),
        ("none once more", None),
        ("every 5 s", Some("5s")),
        ("every second", Some("1s")),
        ("every 200 ms", Some("200ms")),
    ];
    let loaded = every.map(|(name, every)| {
        let delivery = every.map(|every| format!("[delivery]\ncheckpoint = \"{every}\"\n")).unwrap_or_default();
        let rest = format!(
            "[transform.filter]\ncomponent = \"std:filter\"\ninputs = [\"rows\"]\nconfig = {{ where = \"a % 2 = 0\" }}\n\
             [load.parts]\ncomponent = \"std:write\"\ninputs = [\"filter\"]\nconfig = {{ to = \"parts/\", format = \"parquet\", mode = \"replace\" }}\n\
             grants = {{ write = [\"parts/\"] }}\n{delivery}"
        );
        Arm { name: name.into(), watched: None, rest }
    });
    [
        Job { name: "Little work in every stage", rows: 100_000_000, arms: watched("a + b", "s > 1000") },
        Job { name: "Much work in one stage", rows: 8_000_000, arms: watched("upper(CAST(a * 7919 AS varchar))", "s <> ''") },
        Job { name: "Checkpoints of parts of Parquet", rows: 12_000_000, arms: loaded.into() },
    ]
}

fn text(rows: u64, arm: &Arm) -> String {
    let columns = "{ a = { kind = \"sequence\" }, b = { kind = \"sequence\" } }";
    format!("[extract.rows]\ncomponent = \"std:generate\"\nconfig = {{ rows = {rows}, columns = {columns} }}\n{}", arm.rest)
}

fn main() {
    // `cargo test --benches` asks benches whether they run, not what they measure.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let cache = Cache::at(std::env::temp_dir().join("parshall-bench-components"));
    let catalog = Catalog::new(Runtime::new(cache, Arc::new(NativeTables::default())).expect("an engine"));
    let endpoint = sink::listen().expect("a port");
    for job in &jobs() {
        let turn = |arm: usize| {
            let arm = &job.arms[arm];
            let text = text(job.rows, arm);
            Ok::<_, Infallible>(arm.watched.map_or_else(|| apart(&text), |watched| here(&text, watched, &catalog, &endpoint)))
        };
        let rounds = Rounds::take(job.arms.len(), |round| round < ROUNDS, turn).unwrap_or_else(|never| match never {});
        show(job, &rounds);
    }
}

/// Seconds of a run in this process.
fn here(text: &str, watched: Watched, catalog: &Catalog, endpoint: &str) -> f64 {
    let spec = Spec::parse("pipeline.toml", &std::env::temp_dir(), text, &|_| None);
    let spec = spec.unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
    let plan = Plan::make(&spec, catalog).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
    let healths = Healths::default();
    let settings: traces::Settings = Spans::to(endpoint).into();
    let recording = (watched == Watched::Traced).then(|| Recording::start(settings, &healths).expect("it starts"));
    let metrics = (watched != Watched::Not).then(|| Metrics::new(&healths));
    let telemetry = Telemetry { traces: recording.as_ref().map(Recording::traces), metrics };
    let report = Run::observed(plan, &telemetry).unwrap_or_else(|failure| panic!("{failure}")).wait();
    assert_eq!(report.outcome, Outcome::Completed);
    report.seconds
}

/// Seconds of a run in a process and a folder of its own, as it tells them itself.
fn apart(text: &str) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("pipeline.toml"), text).expect("it is written");
    let mut run = Command::new(env!("CARGO_BIN_EXE_parshall"));
    run.current_dir(folder.path()).args(["run", "pipeline.toml", "--state-dir", "state", "--report", "json", "--slowest", "0"]);
    let output = run.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    report["seconds"].as_f64().expect("its seconds")
}

fn show(job: &Job, rounds: &Rounds) {
    println!("\n{}: {} rows\n", job.name, job.rows);
    println!("| | million rows/s | time, relative to the first |\n|---|---|---|");
    for (arm, Arm { name, .. }) in job.arms.iter().enumerate() {
        let seconds = Estimate::median(rounds.arm(arm), arm as u64).interval();
        let ratio = Estimate::median(&rounds.paired(arm, 0, |arm, first| arm / first), arm as u64).interval();
        let rate = |seconds: f64| job.rows as f64 / seconds / 1e6;
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
    println!("\nnoise floor: ± {:.1} %", 100.0 * floor(rounds, 0, 1, 0));
}
