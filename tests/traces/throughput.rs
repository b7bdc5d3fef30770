//! Not a test: what a collector costs a run that is up, down, or hanging. `cargo test --release … -- --ignored --nocapture throughput`.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use parshall::measure::{Comparison, Rounds, floor, median};
use serde_json::Value;

use crate::{
    binary::{folder, parshall, pipeline},
    components,
    receiver::Receiver,
};

/// Of each kind, turn by turn, so that all of them meet the same machine; fewer, where they take too long.
const ROUNDS: usize = 41;
const LONGEST: Duration = Duration::from_secs(270);
/// Long enough for what comes once a run, such as a connection that fails, to be no share of it.
const BATCHES: u64 = 60_000;
const BATCH_ROWS: u64 = 8_192;
const MIB: u64 = 1 << 20;
/// What telemetry may have waiting, and twice that: 65,536 + 32,768 records of 240 bytes, requests, TLS, a thread.
const MORE_MEMORY: u64 = 96 * MIB;

/// How the collector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Collector {
    /// None, and nothing is recorded but what the slowest batches are told by.
    Nobody,
    /// The same: what the machine itself makes of a difference.
    NobodyAgain,
    /// None, and spans are recorded: sampled like those below, and dropped because there is no room for a single batch.
    Recorded,
    /// The same.
    RecordedAgain,
    Down,
    Hanging,
    /// It takes everything, and next to none of this machine's processors.
    Up,
}

use Collector::{Down, Hanging, Nobody, NobodyAgain, Recorded, RecordedAgain, Up};

const ALL: [Collector; 7] = [Nobody, NobodyAgain, Recorded, RecordedAgain, Down, Hanging, Up];

/// What came of one run.
struct Round {
    /// From the start of the run to its end.
    seconds: f64,
    /// Seconds of processor, of all threads.
    processor: f64,
    peak: u64,
    exported: u64,
    dropped: u64,
}

/// Most memory that a process has had, as long as it is there.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Time on a processor that all threads of a process have had, in seconds. A tick is a hundredth on every Linux.
fn processor(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}

/// Series of spans in a textfile that have this name, added up.
fn spans(text: &str, name: &str) -> u64 {
    let lines = text.lines().filter(|line| line.starts_with(&format!("{name}{{")) && line.contains("signal=\"spans\""));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() as u64).sum()
}

/// Runs it, with its metrics in a file, and checks what does not depend on the machine.
fn round(collector: Collector, receiver: &Receiver, sink: &str) -> Round {
    let here = folder();
    let [generate, noop, collect] = ["generate", "noop", "collect"].map(|name| components::path(&format!("testing/{name}")));
    let [generate, noop, collect] = [generate.display(), noop.display(), collect.display()];
    let rows = BATCHES * BATCH_ROWS;
    pipeline(
        &here,
        &format!(
            r#"
            name = "many"
            [extract.numbers]
            component = "{generate}"
            config = {{ rows = {rows}, batch_rows = {BATCH_ROWS} }}
            [transform.pass]
            component = "{noop}"
            inputs = ["numbers"]
            [load.out]
            component = "{collect}"
            inputs = ["pass"]"#
        ),
    );
    let mut command = parshall();
    command.current_dir(here.path()).args(["run", "pipeline.toml", "--report", "none", "--progress", "never"]);
    command.args(["--report-file", "report.json", "--metrics-file", "m.prom"]).env("PARSHALL_TELEMETRY_FLUSH", "500");
    receiver.control(match collector {
        Hanging => r#"{"hang": true}"#,
        _ => "{}",
    });
    // Spans only: log records and metrics go where they go in every run.
    let to = |endpoint: &str| ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("{endpoint}/v1/traces"));
    match collector {
        Nobody | NobodyAgain => command.env_remove("OTEL_EXPORTER_OTLP_ENDPOINT"),
        // Nobody listens on the port of discard.
        Recorded | RecordedAgain => command.envs([to("http://127.0.0.1:9")]).env("OTEL_BSP_MAX_QUEUE_SIZE", "1"),
        Down => command.envs([to("http://127.0.0.1:9")]),
        Hanging => command.envs([to(&receiver.endpoint())]),
        Up => command.envs([to(sink)]),
    };
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    let (mut most, mut took) = (0, 0.0);
    let status = loop {
        most = most.max(peak(child.id()).unwrap_or(0));
        took = processor(child.id()).unwrap_or(0.0).max(took);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        thread::sleep(Duration::from_millis(10));
    };
    assert!(status.success(), "{collector:?}");
    let report: Value = serde_json::from_str(&fs::read_to_string(here.path().join("report.json")).unwrap()).unwrap();
    let metrics = fs::read_to_string(here.path().join("m.prom")).unwrap();
    assert_eq!((&report["outcome"], &report["stages"][2]["receipt"]["rows"]), (&"completed".into(), &rows.into()), "{collector:?}");
    let [exported, dropped] = ["etl_telemetry_exported_total", "etl_telemetry_dropped_total"].map(|name| spans(&metrics, name));
    let calls: u64 = report["stages"].as_array().unwrap().iter().map(|stage| stage["calls"]["count"].as_u64().unwrap()).sum();
    check(collector, calls + BATCHES + 1, exported, dropped);
    let seconds = report["seconds"].as_f64().unwrap();
    Round { seconds, processor: took, peak: most, exported, dropped }
}

/// Every span that was recorded was exported or counted. Two calls bring no batch about, the last `next` and `finish`: they become
/// nothing, unless they were dropped before anybody knew.
fn check(collector: Collector, recorded: u64, exported: u64, dropped: u64) {
    if [Nobody, NobodyAgain].contains(&collector) {
        assert_eq!((exported, dropped), (0, 0));
        return;
    }
    assert!((recorded - 2..=recorded).contains(&(exported + dropped)), "{collector:?}: {exported} + {dropped} of {recorded}");
    assert_eq!(exported > 0, collector == Up, "{collector:?}: {exported} exported");
}

/// Protects runs from collectors; what depends on the machine is printed, and what does not is asserted.
#[test]
#[ignore = "a measurement"]
fn throughput_with_a_collector_that_is_down_or_hangs() {
    let Some(receiver) = Receiver::start() else { return };
    // A collector is on another machine, most often.
    let _ = Command::new("renice").args(["-n", "19", "-p", &receiver.id().to_string()]).output();
    let sink = parshall::telemetry::otlp::sink::listen().unwrap();
    let mut all: BTreeMap<Collector, Vec<Round>> = BTreeMap::new();
    // The first one of all compiles components and warms caches.
    round(Nobody, &receiver, &sink);
    let began = Instant::now();
    let rounds = Rounds::take(
        ALL.len(),
        |at| at < ROUNDS && began.elapsed() < LONGEST,
        |arm| {
            let took = round(ALL[arm], &receiver, &sink);
            let seconds = took.seconds;
            all.entry(ALL[arm]).or_default().push(took);
            Ok::<_, Infallible>(seconds)
        },
    );
    let Ok(rounds) = rounds;
    let at = |collector| ALL.iter().position(|one| *one == collector).unwrap();
    let most = |collector| all[&collector].iter().map(|round| round.peak).max().unwrap();
    println!("{} rounds of {BATCHES} batches of {BATCH_ROWS} rows; times, as multiples, with their 95 % intervals", rounds.len());
    for (base, again) in [(Nobody, NobodyAgain), (Recorded, RecordedAgain)] {
        let floor = floor(&rounds, at(base), at(again), 0);
        println!("of {base:?}: the same again differs by up to {:.1} %", floor * 100.0);
        for collector in ALL {
            let Comparison { ratio, verdict, .. } = Comparison::new(&rounds, at(base), at(collector), floor, 0);
            let ratio = ratio.interval();
            println!("  {collector:?}: {:.3} ({:.3} to {:.3}), {verdict:?}", ratio.median, ratio.low, ratio.high);
        }
    }
    for (collector, of) in &all {
        let (exported, dropped) = of.iter().fold((0, 0), |(exported, dropped), round| (exported + round.exported, dropped + round.dropped));
        let rows = (BATCHES * BATCH_ROWS) as f64 / median(&mut of.iter().map(|round| round.seconds).collect::<Vec<_>>()) / 1e6;
        let processor = median(&mut of.iter().map(|round| round.processor).collect::<Vec<_>>());
        println!(
            "{collector:?}: {rows:.1} million rows/s, {processor:.2} s of processor, at most {} MiB resident; {exported} spans exported, {dropped} dropped",
            most(*collector) / MIB,
        );
        assert!(most(*collector) <= most(Nobody) + MORE_MEMORY, "{collector:?}");
    }
}
