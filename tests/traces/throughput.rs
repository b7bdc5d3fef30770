//! Not a test: what a collector costs a run that is up, down, or hanging. `cargo test --release … -- --ignored --nocapture throughput`.

use std::{collections::BTreeMap, fs, process::Command, thread, time::Duration};

use serde_json::Value;

use crate::{
    binary::{folder, parshall, pipeline},
    components,
    receiver::Receiver,
};

/// Of each kind, turn by turn, so that all of them meet the same machine. Odd, for the median.
const ROUNDS: usize = 17;
const BATCHES: u64 = 12_000;
const BATCH_ROWS: u64 = 8_192;
const MIB: u64 = 1 << 20;
/// What telemetry may have waiting, and twice that: 65,536 + 32,768 records of 240 bytes, requests, TLS, a thread.
const MORE_MEMORY: u64 = 96 * MIB;

/// How the collector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Collector {
    /// None, and nothing is recorded but what the slowest batches are told by.
    None,
    /// The same: what the machine itself makes of a difference.
    NoneAgain,
    /// None, and spans are recorded: sampled like those below, and dropped because there is no room for a single batch.
    Recorded,
    Down,
    Hanging,
    /// It answers after 300 ms.
    Slow,
    /// It takes everything, and next to none of this machine's processors.
    Up,
    /// It takes everything, and decodes it on this machine's processors.
    UpHere,
}

use Collector::{Down, Hanging, None as Nobody, NoneAgain, Recorded, Slow, Up, UpHere};

const ALL: [Collector; 8] = [Nobody, NoneAgain, Recorded, Down, Hanging, Slow, Up, UpHere];

/// What came of one run.
struct Round {
    rows_per_second: f64,
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
        Slow => r#"{"delay": 0.3}"#,
        _ => "{}",
    });
    // Spans only: log records and metrics go where they go in every run.
    let to = |endpoint: &str| ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("{endpoint}/v1/traces"));
    match collector {
        Nobody | NoneAgain => command.env_remove("OTEL_EXPORTER_OTLP_ENDPOINT"),
        // Nobody listens on the port of discard.
        Recorded => command.envs([to("http://127.0.0.1:9")]).env("OTEL_BSP_MAX_QUEUE_SIZE", "1"),
        Down => command.envs([to("http://127.0.0.1:9")]),
        Hanging | Slow | UpHere => command.envs([to(&receiver.endpoint())]),
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
    let rows_per_second = rows as f64 / report["seconds"].as_f64().unwrap();
    Round { rows_per_second, processor: took, peak: most, exported, dropped }
}

/// Every span that was recorded was exported or counted. Two calls bring no batch about, the last `next` and `finish`: they become
/// nothing, unless they were dropped before anybody knew.
fn check(collector: Collector, recorded: u64, exported: u64, dropped: u64) {
    if [Nobody, NoneAgain].contains(&collector) {
        assert_eq!((exported, dropped), (0, 0));
        return;
    }
    assert!((recorded - 2..=recorded).contains(&(exported + dropped)), "{collector:?}: {exported} + {dropped} of {recorded}");
    assert_eq!(exported > 0, [Up, UpHere, Slow].contains(&collector), "{collector:?}: {exported} exported");
}

/// The middle one, and those a quarter from below and from above.
fn spread(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    [2, 1, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}

/// Protects runs from collectors; what depends on the machine is printed, and what does not is asserted.
#[test]
#[ignore = "a measurement"]
fn throughput_with_a_collector_that_is_down_or_hangs() {
    let Some(receiver) = Receiver::start() else { return };
    // A collector is on another machine, most often.
    let _ = Command::new("renice").args(["-n", "19", "-p", &receiver.id().to_string()]).output();
    let sink = parshall::telemetry::otlp::sink::listen().unwrap();
    let mut rounds: BTreeMap<Collector, Vec<Round>> = BTreeMap::new();
    // The first one of all compiles components and warms caches.
    round(Nobody, &receiver, &sink);
    for at in 0..ROUNDS {
        // Whoever follows whom changes, too.
        let mut order = ALL;
        order.rotate_left(at * 3 % ALL.len());
        order.into_iter().for_each(|collector| rounds.entry(collector).or_default().push(round(collector, &receiver, &sink)));
    }
    let most = |collector| rounds[&collector].iter().map(|round: &Round| round.peak).max().unwrap();
    for (collector, of) in &rounds {
        let beside = of.iter().zip(&rounds[&Nobody]);
        let [median, low, high] = spread(beside.map(|(round, none)| round.rows_per_second / none.rows_per_second));
        let [rate, ..] = spread(of.iter().map(|round| round.rows_per_second));
        let of_recorded = of.iter().zip(&rounds[&Recorded]).map(|(round, recorded)| round.rows_per_second / recorded.rows_per_second);
        let [of_recorded, from, to] = spread(of_recorded);
        let [processor, ..] = spread(of.iter().map(|round| round.processor));
        let (exported, dropped) = of.iter().fold((0, 0), |(exported, dropped), round| (exported + round.exported, dropped + round.dropped));
        println!(
            "{collector:?}: {median:.3} × the throughput of the same round without (quartiles {low:.3} to {high:.3}), {of_recorded:.3} × of the \
             one that only records ({from:.3} to {to:.3}); {:.1} million rows/s, {processor:.2} s of processor; at most {} MiB resident; {exported} spans exported, {dropped} dropped",
            rate / 1e6,
            most(*collector) / MIB,
        );
        assert!(most(*collector) <= most(Nobody) + MORE_MEMORY, "{collector:?}");
    }
}
