//! Spans: what a run leaves in `--trace-out` and at a collector, in good times and bad.

mod collector;
pub mod golden;
mod requests;
mod schema;
mod throughput;
pub mod tree;

use std::{fs, path::Path, sync::Arc};

use parshall::{
    catalog::Catalog,
    pipeline::{
        plan::Plan,
        run::{Report, Run},
        spec::Spec,
    },
    tables::NativeTables,
    telemetry::{
        Telemetry,
        health::Healths,
        otlp::Environment,
        traces::{Left, Recording, Settings},
    },
    wasm::{Cache, Runtime},
};

use self::tree::Span;
use crate::{
    binary::{example, folder, parshall, run},
    components,
};

/// What came of a run that was watched.
struct Watched {
    report: Report,
    /// Those in the file.
    spans: Vec<Span>,
    healths: Healths,
    left: Left,
}

/// A plan in a folder; `@NAME` stands for the path of the test component NAME.
pub fn plan(folder: &Path, text: &str) -> Plan {
    let mut text = text.to_owned();
    for name in ["noop", "counter", "generate", "collect", "hostile", "stamp", "flood"] {
        text = text.replace(&format!("@{name}"), &components::path(&format!("testing/{name}")).display().to_string());
    }
    let spec = Spec::parse("pipeline.toml", folder, &text, &|_| None).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
    let cache = Cache::at(std::env::temp_dir().join("parshall-test-components"));
    let catalog = Catalog::new(Runtime::new(cache, Arc::new(NativeTables::default())).unwrap());
    Plan::make(&spec, &catalog).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)))
}

/// Settings with a file, under these variables.
pub fn settings<const N: usize>(folder: &Path, variables: [(&str, &str); N]) -> Settings {
    let settings = Settings::read(&Environment::of(variables)).unwrap_or_else(|error| panic!("{error}"));
    Settings { file: Some(folder.join("spans.jsonl")), ..settings }
}

/// Runs a pipeline, watched.
fn watch(folder: &Path, text: &str, settings: Settings) -> Watched {
    let healths = Healths::default();
    let file = settings.file.clone();
    let recording = Recording::start(settings, &healths).unwrap_or_else(|error| panic!("{error}"));
    let observer = Telemetry { traces: Some(recording.traces()), metrics: None };
    let report = Run::observed(plan(folder, text), &observer).unwrap_or_else(|failure| panic!("{failure}")).wait();
    drop(observer);
    let left = recording.finish();
    let spans = file.map_or_else(Vec::new, |file| tree::read(&fs::read_to_string(file).unwrap()));
    Watched { report, spans, healths, left }
}

/// Runs a pipeline and answers its spans.
fn spans(folder: &Path, text: &str) -> Vec<Span> {
    watch(folder, text, settings(folder, [])).spans
}

/// A source of so many batches and a load that takes them.
fn batches(count: u64, more: &str) -> String {
    format!(
        r#"name = "batches"
        {more}
        [extract.numbers]
        component = "@generate"
        config = {{ rows = {}, batch_rows = 10 }}
        [transform.pass]
        component = "@noop"
        inputs = ["numbers"]
        [load.out]
        component = "@collect"
        inputs = ["pass"]"#,
        count * 10
    )
}

fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

/// Protects against records that are lost or told twice on their way through buffers, groups and lines.
#[test]
fn every_call_of_every_batch_becomes_one_span() {
    let here = folder();
    let Watched { report, spans, left, .. } = watch(here.path(), &batches(3_000, ""), settings(here.path(), []));
    let calls = |stage: usize| report.stages[stage].calls.count as usize;
    assert_eq!(named(&spans, "batch").len(), 3_000);
    // The call that finds the end brings no batch about.
    assert_eq!(named(&spans, "next numbers").len(), calls(0) - 1);
    assert_eq!(named(&spans, "process pass").len(), 3_000);
    assert_eq!(named(&spans, "write out").len() + named(&spans, "commit out").len(), calls(2));
    let mut ids: Vec<_> = spans.iter().map(|span| span.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), spans.len(), "no span twice");
    let root = |span: &Span| spans.iter().any(|parent| parent.id == span.parent && parent.trace == span.trace);
    assert!(spans.iter().filter(|span| !["run", "batch"].contains(&span.name.as_str())).all(root), "every call has its parent");
    assert!(left.slow.batches.is_empty(), "nobody asked for the slowest");
}

/// Protects against tail rules that drop what matters or keep what does not.
#[test]
fn tail_rules_decide_when_the_fate_of_a_batch_is_known() {
    let here = folder();
    let roots = |keep: &str| {
        let spans = spans(here.path(), &batches(1_000, &format!("telemetry.keep = {keep}")));
        let roots = named(&spans, "batch").len();
        assert_eq!(named(&spans, "process pass").len(), roots, "a batch is kept whole or not at all");
        assert_eq!(named(&spans, "run").len(), 1);
        roots
    };
    assert_eq!(roots("{ ratio = 0.0 }"), 0);
    assert_eq!(roots("{ ratio = 0.0, slower_than = \"1us\" }"), 1_000);
    assert!((150..350).contains(&roots("{ ratio = 0.25 }")));
    let orders = example("rejections");
    let text = fs::read_to_string(orders.path().join("pipeline.toml")).unwrap();
    let text = text.replacen("name = ", "telemetry.keep = { ratio = 0.0 }\nname = ", 1);
    let kept = spans(orders.path(), &text);
    assert!(!named(&kept, "batch").is_empty(), "a batch of which rows were rejected is kept");
    assert!(named(&kept, "batch").iter().all(|batch| batch.text("etl.batch.outcome") == "rejected"));
}

/// Protects against samplers that are read and not obeyed.
#[test]
fn the_sampler_decides_when_a_batch_begins() {
    let here = folder();
    let count = |sampler: &str, ratio: &str, parent: Option<bool>| {
        let variables = [("OTEL_TRACES_SAMPLER", sampler), ("OTEL_TRACES_SAMPLER_ARG", ratio)];
        let parent = parent.map(parshall::words::trace::SpanContext::root);
        let spans = watch(here.path(), &batches(1_000, ""), Settings { parent, ..settings(here.path(), variables) }).spans;
        if let (Some(parent), [run]) = (parent, named(&spans, "run").as_slice()) {
            assert_eq!((run.trace.clone(), run.parent.clone()), (parent.trace.to_string(), parent.span.to_string()));
        }
        (named(&spans, "run").len(), named(&spans, "batch").len())
    };
    assert_eq!(count("always_on", "", Some(false)), (1, 1_000));
    assert_eq!(count("always_off", "", None), (0, 0));
    assert_eq!(count("parentbased_always_on", "", Some(true)), (1, 1_000));
    assert_eq!(count("parentbased_always_on", "", Some(false)), (0, 0));
    assert_eq!(count("parentbased_always_off", "", Some(true)), (1, 0));
    assert!((150..350).contains(&count("traceidratio", "0.25", None).1));
}

/// Protects against memory that grows with the number of batches, and drops that nobody is told of.
#[test]
fn what_does_not_fit_is_dropped_and_counted() {
    use std::sync::atomic::Ordering::Relaxed;
    let here = folder();
    let tight = [("PARSHALL_TRACE_BUFFER", "2"), ("PARSHALL_TRACE_PENDING", "3")];
    let Watched { report, spans, healths, .. } = watch(here.path(), &batches(2_000, ""), settings(here.path(), tight));
    let health = healths.of(parshall::telemetry::health::Signal::Spans);
    let (kept, dropped) = (health.exported.load(Relaxed), health.dropped_full.load(Relaxed));
    assert_eq!(kept as usize, spans.len());
    // Every call, every batch and the run; but for the two calls that bring no batch about, the last `next` and `finish`: they
    // are recorded and become nothing, unless they were dropped before anybody knew.
    let calls: u64 = report.stages.iter().map(|stage| stage.calls.count).sum();
    let recorded = calls + 2_000 + 1;
    assert!(dropped > 0 && (recorded - 2..=recorded).contains(&(kept + dropped)), "{kept} + {dropped} of {recorded}");
}

/// Protects against a run that says nothing without a server.
#[test]
fn a_run_shows_its_slowest_batches() {
    let sales = example("sales");
    let told = run(sales.path(), &["run", "pipeline.toml", "--slowest", "1"]).ok();
    let section = told.split("and where its time went\n").nth(1).unwrap_or_else(|| panic!("no section in:\n{told}"));
    assert!(section.contains("queue   guest   copy   host") && section.matches(" #").count() == 1, "{section}");
    assert!(section.contains(" %"), "{section}");
    let none = run(sales.path(), &["run", "pipeline.toml", "--slowest", "0"]).ok();
    assert!(!none.contains("where its time went"), "{none}");
}

/// Protects against vendors' state that is lost on its way through: it goes with the spans of its trace, and with no others.
#[test]
fn the_parents_trace_state_goes_with_the_spans_of_its_trace() {
    let sales = example("sales");
    let (file, parent) = (sales.path().join("spans.jsonl"), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let mut command = parshall();
    command.current_dir(sales.path()).args(["run", "pipeline.toml", "--trace-out"]).arg(&file);
    assert!(command.env("TRACEPARENT", parent).env("TRACESTATE", "vendor=abc,other=1").output().unwrap().status.success());
    let mut stated = 0;
    for line in fs::read_to_string(file).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let list = |value: &serde_json::Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
        let scopes = list(&line, "resourceSpans").into_iter().flat_map(|resource| list(&resource, "scopeSpans"));
        for span in scopes.flat_map(|scope| list(&scope, "spans")) {
            let own = span["traceId"] == "0af7651916cd43dd8448eb211c80319c";
            let state = span["traceState"].as_str().unwrap_or_default();
            assert_eq!(state, if own { "vendor=abc,other=1" } else { "" }, "{span}");
            stated += usize::from(own);
        }
    }
    assert!(stated >= 2, "the run and its commit, at least: {stated}");
}

/// Protects against credentials in logs and on terminals: a collector that is not there is named without them, with the cause.
#[test]
fn a_collector_that_is_not_there_is_named_without_credentials() {
    let sales = example("sales");
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://user:secret@127.0.0.1:{gone}/x?token=secret");
    let mut command = parshall();
    command.current_dir(sales.path()).args(["run", "pipeline.toml", "--metrics-addr", "off", "--log-format", "text"]);
    let ran = command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("PARSHALL_TELEMETRY_FLUSH", "2000").output().unwrap();
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success() && !told.contains("secret"), "{told}");
    let warnings: Vec<_> = told.lines().filter(|line| line.starts_with("warning: ")).collect();
    let [warning] = warnings[..] else { panic!("one message for one collector: {told}") };
    let to = format!("were not delivered to http://127.0.0.1:{gone}/x: connection refused (is one running there?");
    assert!(warning.contains(&to) && warning.contains("spans") && warning.contains("the last metrics"), "{told}");
}

/// Protects against runs that begin although what was asked for cannot be had.
#[test]
fn what_is_wrong_is_said_before_the_run() {
    let sales = example("sales");
    let file = run(sales.path(), &["run", "pipeline.toml", "--trace-out", "no/such/folder/t.jsonl"]).fails(2);
    assert!(file.contains("--trace-out: nothing can be written to `no/such/folder`"), "{file}");
    for (variable, value) in [("OTEL_TRACES_SAMPLER", "now-and-then"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector")] {
        let ran = parshall().current_dir(sales.path()).args(["run", "pipeline.toml"]).env(variable, value).output().unwrap();
        let told = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(2), "{told}");
        assert!(told.contains(&format!("`{variable}` is `{value}`")), "{told}");
    }
    assert!(!sales.path().join("out").exists(), "nothing was run");
}
