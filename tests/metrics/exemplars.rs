//! Exemplars: from a bucket of a histogram to a trace. Fed by hand here, and read by those who would read them.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Weak},
    thread,
    time::{Duration, SystemTime},
};

use parshall::{
    telemetry::{
        health::Healths,
        metrics::{Metrics, RunMetrics, Swap, exposition::Form},
    },
    words::{
        call::CallError,
        observe::{
            BatchTrace, CallFacts, Export, Probe, RunFacts, RunObserver, RunOutcome, Settings, StageFacts, StageLevel, Unobserved,
            WorkerFacts,
        },
        stage::Kind,
        trace::{SpanContext, SpanId, TraceId},
        usage::Usage,
    },
};
use serde_json::Value;

use super::{http, text::Scraped, until};
use crate::server::{self, Server};

struct Nothing;

impl Probe for Nothing {
    fn stage(&self, _: usize) -> StageLevel {
        StageLevel::default()
    }
}

fn stage(name: &str, kind: Kind) -> StageFacts {
    StageFacts {
        name: name.into(),
        kind,
        component: "std:read".into(),
        version: "0.1.0".into(),
        digest: String::new(),
        instances: 1,
        sources: vec!["in".into()],
        columns: Vec::new(),
        datasets: Vec::new(),
        queue_bound: Some(1 << 20),
        memory_limit: 1 << 20,
    }
}

/// A run of one extract and one load that never was.
pub fn run(metrics: &Metrics, buckets: Vec<f64>) -> Arc<RunMetrics> {
    let settings = Settings { buckets, ..Settings::default() };
    let facts = RunFacts { pipeline: "by hand".into(), stages: vec![stage("in", Kind::Extract), stage("out", Kind::Load)], settings };
    metrics.run(&facts, Weak::<Nothing>::new())
}

/// Makes a call of stage `out` that took so long.
fn call(run: &Arc<RunMetrics>, guest: Duration, error: Option<&CallError>, usage: Usage) {
    let observer: Arc<dyn RunObserver> = Arc::new(Unobserved);
    let batch = Arc::new(BatchTrace::begin(&observer, 0, 0, Vec::new()));
    let usage = Usage { guest, fuel: 1_000, ..usage };
    let (context, waited) = (SpanContext::root(true), Duration::ZERO);
    run.worker(&WorkerFacts { stage: 1, instance: 0, generation: 1 }).end(&CallFacts {
        context,
        export: Export::Write,
        batch: Some(&batch),
        input: 0,
        usage: &usage,
        error,
        waited,
        batches_out: 0,
        again: None,
        handled: false,
    });
}

fn context() -> SpanContext {
    SpanContext {
        trace: TraceId::parse("0af7651916cd43dd8448eb211c80319c").unwrap(),
        span: SpanId::parse("00f067aa0ba902b7").unwrap(),
        sampled: true,
    }
}

/// What a run exposes whose calls of 20 ms and 2 s were kept.
fn exposed() -> String {
    let metrics = Metrics::new(&Healths::default());
    let run = run(&metrics, Vec::new());
    for (millis, before) in [(20, 10), (20, 5), (2_000, 5)] {
        let (took, at) = (Duration::from_millis(millis), SystemTime::now() - Duration::from_secs(before));
        call(&run, took, None, Usage { rows_in: 3, ..Usage::default() });
        run.kept(context(), at, Some((0, took)), [(1, took, context().span)].into_iter());
    }
    // What nobody knows is nobody's exemplar.
    run.kept(context(), SystemTime::now(), None, [(7, Duration::ZERO, context().span)].into_iter());
    metrics.gather().text(Form::OpenMetrics)
}

/// Protects dashboards that lead from a slow bucket to a trace: the latest kept observation of each bucket, and none anywhere else.
#[test]
fn a_bucket_has_the_latest_exemplar_that_fell_into_it() {
    let text = exposed();
    let with: Vec<_> = text.lines().filter(|line| line.contains(" # {")).collect();
    let exemplar = "# {trace_id=\"0af7651916cd43dd8448eb211c80319c\",span_id=\"00f067aa0ba902b7\"} ";
    for (series, value) in [
        ("etl_call_seconds_bucket{stage=\"out\",le=\"0.025\"} 2 ", "0.02 "),
        ("etl_call_seconds_bucket{stage=\"out\",le=\"2.5\"} 3 ", "2 "),
        ("etl_processing_seconds_bucket{operation=\"load\",le=\"0.025\"} 2 ", "0.02 "),
        ("etl_batch_seconds_bucket{source=\"in\",le=\"2.5\"} ", ""),
    ] {
        let line = with.iter().find(|line| line.starts_with(series)).unwrap_or_else(|| panic!("{series} has none:\n{}", with.join("\n")));
        assert!(line.contains(&format!("{exemplar}{value}")), "{line}");
    }
    assert!(with.iter().any(|line| line.starts_with("etl_stage_busy_seconds_total{stage=\"out\"}")), "{with:?}");
    assert_eq!(with.len(), 7, "two buckets of three histograms, and a counter:\n{}", with.join("\n"));
    server::parse_openmetrics(&text);
}

/// Protects the way to the trace: Prometheus stores the exemplars, and its API has them.
#[test]
fn prometheus_has_the_exemplars() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let Some(prometheus) = Server::start("prometheus", &["--scrape", &addr]) else { return };
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let (mut request, mut byte) = (Vec::new(), [0]);
            while !request.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
                request.push(byte[0]);
            }
            let request = String::from_utf8(request).unwrap();
            let accept = request.lines().find_map(|line| line.strip_prefix("Accept: ")).unwrap_or_default();
            assert_eq!(Form::asked_for(accept), Form::OpenMetrics, "{accept}");
            let (body, kind) = (exposed(), Form::OpenMetrics.content_type());
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    let labels = until("exemplars", || {
        let (_, body) = http::get(
            &prometheus.addr,
            &format!("/api/v1/query_exemplars?query={}&start=0&end=99999999999", http::encoded("etl_call_seconds_bucket{stage=\"out\"}")),
        );
        let answer: Value = serde_json::from_str(&body).ok()?;
        let labels = answer["data"][0]["exemplars"][0]["labels"].clone();
        labels.is_object().then_some(labels)
    });
    assert_eq!(labels["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(labels["span_id"], "00f067aa0ba902b7");
}

/// Protects counters: when a run is over and another begins, none of them falls, and levels are those of the newer.
#[test]
fn counters_go_on_from_run_to_run() {
    let metrics = Metrics::new(&Healths::default());
    assert!(!metrics.running());
    let ended = |run: &RunMetrics, outcome| run.ended(&RunOutcome { outcome, failure: None, rows: 0 });
    let read = || Scraped::read(&metrics.gather().text(Form::Prometheus));
    for (round, buckets) in [vec![], vec![], vec![0.5]].into_iter().enumerate() {
        let first = run(&metrics, buckets);
        assert!(metrics.running());
        call(&first, Duration::from_millis(1), None, Usage { rows_in: 3, memory: 65_536, ..Usage::default() });
        ended(&first, "completed");
        ended(&first, "completed");
        let scraped = read();
        let rounds = round as f64 + 1.0;
        assert_eq!(scraped.value("etl_rows_processed_total", &[("stage", "out")]), 3.0 * rounds);
        assert_eq!(scraped.value("etl_runs_total", &[("outcome", "completed")]), rounds);
        assert_eq!(scraped.value("etl_guest_memory_bytes", &[("stage", "out")]), 65_536.0);
    }
    assert!(!metrics.running());
    // Other buckets than before: there is no way to add them up, so those of now count.
    assert_eq!(read().value("etl_call_seconds_count", &[("stage", "out")]), 1.0);
}

/// Protects dashboards of a run whose stages change: what is told is what there is now, and no counter falls back.
#[test]
fn stages_that_change_come_and_go_are_told_as_they_are_now() {
    let metrics = Metrics::new(&Healths::default());
    let run = run(&metrics, Vec::new());
    call(&run, Duration::from_millis(1), None, Usage::default());
    let read = || Scraped::read(&metrics.gather().text(Form::Prometheus));
    let infos = |scraped: &Scraped| {
        let of =
            |name: &str| scraped.series.iter().filter(|(series, ..)| series == name).map(|(_, with, _)| with.clone()).collect::<Vec<_>>();
        of("etl_stage_info").into_iter().map(|with| (with["stage"].clone(), with["component"].clone())).collect::<Vec<_>>()
    };
    let pair = |stage: &str, component: &str| (stage.to_owned(), component.to_owned());
    run.version(1, 2, &StageFacts { component: "tried.wasm".into(), ..stage("out", Kind::Load) });
    assert_eq!(infos(&read()), [pair("in", "std:read"), pair("out", "std:read")], "what is tried does not run yet");
    let sources = vec!["in".to_owned(), "more".to_owned()];
    run.changed(1, 2, &StageFacts { component: "new.wasm".into(), queue_bound: Some(7), sources, ..stage("out", Kind::Load) });
    let changed = read();
    assert_eq!(infos(&changed), [pair("in", "std:read"), pair("out", "new.wasm")]);
    let out = [("stage", "out")];
    assert_eq!((changed.value("etl_stage_generation", &out), changed.value("etl_queue_limit_bytes", &out)), (2.0, 7.0));
    // Another stage of the same name takes its place.
    run.version(2, 3, &StageFacts { component: "third.wasm".into(), ..stage("out", Kind::Load) });
    run.removed(1);
    run.swapped(2, Swap::Replaced);
    run.worker(&WorkerFacts { stage: 2, instance: 0, generation: 3 });
    let replaced = read();
    assert_eq!(infos(&replaced), [pair("in", "std:read"), pair("out", "third.wasm")]);
    assert_eq!(replaced.value("etl_calls_total", &[("stage", "out"), ("outcome", "ok")]), 1.0, "what was counted stays");
    assert_eq!(replaced.value("etl_stage_generation", &out), 3.0);
    assert_eq!(replaced.value("etl_swaps_total", &[("stage", "out"), ("outcome", "replaced")]), 1.0);
    run.removed(2);
    let removed = read();
    assert_eq!(infos(&removed), [pair("in", "std:read")]);
    assert_eq!(removed.value("etl_calls_total", &[("stage", "out"), ("outcome", "ok")]), 1.0);
}

/// Protects alerts on traps and swaps, of which there are none yet.
#[test]
fn traps_restarts_and_swaps_are_counted() {
    let metrics = Metrics::new(&Healths::default());
    let run = run(&metrics, Vec::new());
    let trap = CallError::Trap { reason: "unreachable", message: String::new() };
    call(&run, Duration::from_millis(1), Some(&trap), Usage::default());
    run.restarted(1, "trap");
    run.changed(1, 2, &stage("out", Kind::Load));
    run.swapped(1, Swap::Swapped);
    run.swapped(1, Swap::Failed);
    // A failure outside of any call is counted when the run ends, and one of a call not again.
    let lost = CallError::Host("no thread".into());
    for error in [&lost, &trap] {
        run.ended(&RunOutcome { outcome: "failed", failure: Some(("out", error)), rows: 0 });
    }
    let scraped = Scraped::read(&metrics.gather().text(Form::Prometheus));
    let out = |more: &[(&'static str, &'static str)]| [&[("stage", "out")], more].concat();
    assert_eq!(scraped.value("etl_errors_total", &out(&[("error_type", "unreachable")])), 1.0);
    assert_eq!(scraped.value("etl_errors_total", &out(&[("error_type", "host")])), 1.0);
    assert_eq!(scraped.value("etl_traps_total", &out(&[("reason", "unreachable")])), 1.0);
    assert_eq!(scraped.value("etl_calls_total", &out(&[("outcome", "error")])), 1.0);
    assert_eq!(scraped.value("etl_instance_restarts_total", &out(&[("reason", "trap")])), 1.0);
    assert_eq!(scraped.value("etl_swaps_total", &out(&[("outcome", "swapped")])), 1.0);
    assert_eq!(scraped.value("etl_stage_generation", &out(&[])), 2.0);
    assert_eq!(scraped.value("etl_stage_generation", &[("stage", "in")]), 1.0);
    assert_eq!(scraped.value("etl_runs_total", &[("outcome", "failed")]), 1.0);
}
