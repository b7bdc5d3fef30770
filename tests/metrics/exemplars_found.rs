//! From a bucket to a trace, all the way: a run, a Prometheus that scrapes it, and the spans that the run left.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use super::{Running, command, endless, http, until};
use crate::server::Server;
use crate::traces::tree;

/// What Prometheus knows of one exemplar.
struct Exemplar {
    stage: String,
    /// Upper bound of its bucket.
    bound: f64,
    trace: String,
    span: String,
    seconds: f64,
}

/// Every exemplar of the stages' latency that it has stored.
fn exemplars(prometheus: &Server) -> Vec<Exemplar> {
    let path = "/api/v1/query_exemplars?query=etl_call_seconds_bucket&start=0&end=99999999999";
    let (status, body) = http::get(&prometheus.addr, path);
    let answer: Value = if status == 200 { serde_json::from_str(&body).unwrap() } else { Value::Null };
    let series = answer["data"].as_array().cloned().unwrap_or_default();
    series.iter().flat_map(of_series).collect()
}

fn of_series(series: &Value) -> Vec<Exemplar> {
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text in {series}")).to_owned();
    let exemplar = |exemplar: &Value| Exemplar {
        stage: text(&series["seriesLabels"]["stage"]),
        bound: text(&series["seriesLabels"]["le"]).replace("+Inf", "inf").parse().unwrap(),
        trace: text(&exemplar["labels"]["trace_id"]),
        span: text(&exemplar["labels"]["span_id"]),
        seconds: text(&exemplar["value"]).parse().unwrap(),
    };
    series["exemplars"].as_array().unwrap().iter().map(exemplar).collect()
}

/// Protects whoever clicks on a slow bucket: what Prometheus stores leads to a span that was exported, of that stage, and as long as
/// the bucket says.
#[test]
fn every_exemplar_that_prometheus_has_is_an_exported_span() {
    let here = endless();
    // One batch in a thousand: exemplars are of what is kept, and this run would keep a gigabyte.
    let sampler = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0.001")];
    let running = Running::start(command(&here).args(["--trace-out", "spans.jsonl"]).envs(sampler));
    let Some(prometheus) = Server::start("prometheus", &["--scrape", &running.addr]) else { return };
    let found = until("exemplars of every stage, from several traces", || {
        let found = exemplars(&prometheus);
        let stages: BTreeSet<_> = found.iter().map(|exemplar| exemplar.stage.as_str()).collect();
        let traces: BTreeSet<_> = found.iter().map(|exemplar| exemplar.trace.as_str()).collect();
        (stages.len() == 3 && traces.len() >= 5).then_some(found)
    });
    running.stop();
    let spans = tree::read(&fs::read_to_string(here.path().join("spans.jsonl")).unwrap());
    for exemplar in found {
        let Exemplar { stage, bound, trace, span, seconds } = &exemplar;
        let of_trace: Vec<_> = spans.iter().filter(|span| span.trace == *trace).collect();
        assert!(of_trace.iter().any(|span| span.name == "batch"), "trace {trace} of {stage} was not exported");
        let exported = of_trace.iter().find(|exported| exported.id == *span);
        let exported = exported.unwrap_or_else(|| panic!("span {span} of {stage} is not in its trace: {of_trace:?}"));
        assert_eq!(exported.text("etl.stage.name"), stage);
        let took = (exported.ended - exported.started) as f64 / 1e9;
        assert!((took - seconds).abs() < 1e-6 && *seconds <= *bound, "{took} s in the span, {seconds} s in the bucket up to {bound}");
    }
}
