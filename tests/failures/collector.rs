//! A collector that is down, hangs, is slow, or comes back: what is told of telemetry's own health. The run completes in each.

use regex::Regex;

use super::{assert_golden, command, told::Told};
use crate::{
    binary::{Ran, folder, pipeline},
    components,
    receiver::Receiver,
};

const BATCHES: u64 = 20;
/// Of each batch its root, three calls and the guest's own span; the run and its commit.
const SPANS: u64 = BATCHES * 5 + 2;
/// Three of each batch.
const LOGS: u64 = BATCHES * 3;

/// Runs batches of ten rows through a stage, with telemetry that goes to a port. All rows are where they should be.
fn export(batches: u64, stage: &str, port: u16, more: &[(&str, &str)], arguments: &[&str]) -> Told {
    let here = folder();
    let path = |name: &str| components::path(&format!("testing/{name}")).display().to_string();
    let (generate, collect) = (path("generate"), path("collect"));
    let text = format!(
        r#"name = "exports"
        [extract.numbers]
        component = "{generate}"
        config = {{ rows = {}, batch_rows = 10 }}
        [transform.passes]
        inputs = ["numbers"]
        {stage}
        [load.out]
        component = "{collect}"
        inputs = ["passes"]"#,
        batches * 10
    );
    pipeline(&here, &text);
    let mut command = command(&here);
    command.args(arguments).env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}")).envs(more.iter().copied());
    let ran = Ran(command.output().unwrap());
    assert_eq!(ran.code(), 0, "{}", ran.err());
    let told = Told::read(here.path(), &ran.err());
    let rows = told.metrics.find("etl_rows_processed_total", &[("stage", "out")]);
    assert_eq!(rows, [batches as f64 * 10.0], "every row is there");
    told
}

/// Of a guest that logs and opens spans, with the spans in a file as well.
fn talk(port: u16, more: &[(&str, &str)]) -> Told {
    let flood = components::path("testing/flood").display().to_string();
    let stage = format!("component = \"{flood}\"\nconfig = {{ say = \"hello\" }}\ngrants = {{ telemetry = true }}");
    let told = export(BATCHES, &stage, port, more, &["--trace-out", "spans.jsonl"]);
    assert_eq!(told.spans.len() as u64, SPANS, "every span is in the file, whatever the collector does");
    assert_counted(&told, "spans", SPANS);
    // What the host says of the collector is a record like any other, while records are taken.
    let of_host = told.logs.iter().filter(|record| record["scope"] == "parshall::telemetry").count() as u64;
    assert_counted(&told, "logs", LOGS + of_host);
    told
}

/// Nothing is lost without being counted: what was exported and what was dropped is what was recorded.
fn assert_counted(told: &Told, signal: &str, recorded: u64) {
    let of = |name: &str| told.metrics.find(name, &[("signal", signal)]).iter().sum::<f64>();
    let (exported, dropped) = (of("etl_telemetry_exported_total"), of("etl_telemetry_dropped_total"));
    assert_eq!(exported + dropped, recorded as f64, "{signal}: {exported} exported, {dropped} dropped");
}

/// The health, the records of the host about it, and what people are told.
fn health(mut told: Told) -> String {
    told.spans.clear();
    told.logs.retain(|record| record["scope"] != "guest");
    let text = told.text();
    let metrics = |line: &str| ["etl_telemetry", "etl_runs", "etl_last_success"].iter().any(|family| line.starts_with(family));
    let lines = text.lines().skip_while(|line| *line != "# metrics").filter(|line| !line.starts_with("etl_") || metrics(line));
    lines.map(|line| line.to_owned() + "\n").collect()
}

/// Short, so that giving up does not take long.
const BRIEF: [(&str, &str); 2] = [("OTEL_EXPORTER_OTLP_TIMEOUT", "300"), ("PARSHALL_TELEMETRY_FLUSH", "3000")];
/// Long, so that a loaded machine has the time to deliver.
const PATIENT: (&str, &str) = ("PARSHALL_TELEMETRY_FLUSH", "60000");
const FAILURES: &str = "etl_telemetry_export_failures_total";

#[test]
fn a_collector_that_is_down() {
    // Nobody listens on the port of discard.
    let told = talk(9, &BRIEF).more_than_none(FAILURES, "spans").more_than_none(FAILURES, "logs");
    assert_golden("collector-down", &health(told));
}

#[test]
fn a_collector_that_hangs() {
    let Some(receiver) = Receiver::start() else { return };
    receiver.control(r#"{"hang": true}"#);
    let told = talk(receiver.http, &BRIEF).more_than_none(FAILURES, "spans").more_than_none(FAILURES, "logs");
    // Who notices first that the time is over, the client or whoever waits for the end, is a race, and each has words for it.
    let why = Regex::new(r"( \([^()]*\))|((delivered to \S+): .*)").unwrap();
    assert_golden("collector-hangs", &why.replace_all(&health(told), "$3"));
}

#[test]
fn a_collector_that_is_slow() {
    let Some(receiver) = Receiver::start() else { return };
    receiver.control(r#"{"delay": 0.3}"#);
    assert_golden("collector-slow", &health(talk(receiver.http, &[PATIENT])));
    assert_eq!(receiver.logs().len() as u64, LOGS);
}

/// The first request is refused for good, and those that come after it are taken.
#[test]
fn a_collector_that_comes_back() {
    let Some(receiver) = Receiver::start() else { return };
    receiver.control(r#"{"status": 400, "times": 1}"#);
    let noop = format!("component = \"{}\"", components::path("testing/noop").display());
    let more = [
        PATIENT,
        ("OTEL_LOGS_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_BSP_SCHEDULE_DELAY", "1"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "200"),
    ];
    // Long enough for a first request while it runs, with spans that come after it.
    let batches = 80_000;
    let told = export(batches, &noop, receiver.http, &more, &[]);
    // Two calls bring no batch about, and are no spans; where there is no room for them, that is not known yet.
    let of = |name: &str| told.metrics.find(name, &[("signal", "spans")]).iter().sum::<f64>() as u64;
    let counted = of("etl_telemetry_exported_total") + of("etl_telemetry_dropped_total");
    assert!((batches * 4 + 2..=batches * 4 + 4).contains(&counted), "{counted}");
    let told = told.more_than_none(FAILURES, "spans").more_than_none("etl_telemetry_exported_total", "spans");
    // Spans that found no room while the exporter paused are more or fewer.
    let text = health(told.races("etl_telemetry_dropped_total", "spans"));
    let counts = Regex::new(r"[0-9][0-9,]* (spans|of)").unwrap();
    // Which bounds were reached in the meantime depends on the machine.
    let why = Regex::new(r"(were not delivered to \S+): .*").unwrap();
    assert_golden("collector-back", &why.replace_all(&counts.replace_all(&text, "* $1"), "$1: *"));
}
