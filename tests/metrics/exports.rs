//! Metrics by OTLP, at receivers that are not ours.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use super::{Running, command, endless, generated, http, stage, until};
use crate::binary::{Ran, folder};
use crate::server::Server;

/// Protects whoever queries what was pushed: a store of metrics has the values that the run had.
#[test]
fn victoria_metrics_answers_about_a_run_that_is_over() {
    let Some(victoria) = Server::start("victoria-metrics", &[]) else { return };
    let here = generated(10_000, &stage("load", "end", "numbers", "collect", ""));
    let url = format!("http://{}/opentelemetry/v1/metrics", victoria.addr);
    let mut command = command(&here);
    command.args(["--metrics-addr", "off"]).env("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", url);
    let ran = Ran(command.env("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "gzip").output().unwrap());
    assert_eq!((ran.code(), ran.err().as_str()), (0, ""));
    let query = |query: &str| {
        until(query, || {
            http::get(&victoria.addr, "/internal/force_flush");
            let (_, body) = http::get(&victoria.addr, &format!("/api/v1/query?query={}", http::encoded(query)));
            let answer: Value = serde_json::from_str(&body).ok()?;
            answer["data"]["result"][0]["value"][1].as_str()?.parse::<f64>().ok()
        })
    };
    assert_eq!(query("etl_rows_processed_total{stage=\"end\",source=\"numbers\"}"), 10_000.0);
    // Ten batches, and the call that finds nothing more.
    assert_eq!(query("etl_call_seconds_bucket{stage=\"numbers\",le=\"+Inf\"}"), 11.0);
    assert_eq!(query("sum(etl_stage_bottleneck)"), 1.0);
}

/// A request that the receiver took.
fn taken(file: &std::path::Path) -> Option<Value> {
    serde_json::from_str(fs::read_to_string(file).ok()?.lines().last()?).ok()
}

/// Protects both transports, with headers and compression, and that what is sent is what the data model wants.
#[test]
fn a_receiver_reads_what_is_exported_over_http_and_grpc() {
    let here = generated(10_000, &stage("load", "end", "numbers", "collect", ""));
    let folder = folder();
    for protocol in ["http/protobuf", "grpc"] {
        let file = folder.path().join(protocol.replace('/', "-"));
        let Some(receiver) = Server::start("receiver", &[file.to_str().unwrap()]) else { return };
        let ports: Value = serde_json::from_str(receiver.said.lines().next().unwrap()).unwrap();
        let port = if protocol == "grpc" { &ports["grpc"] } else { &ports["http"] };
        if port.is_null() {
            println!("skipped: the receiver has no gRPC");
            continue;
        }
        let mut command = command(&here);
        command.args(["--metrics-addr", "off"]).env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}"));
        command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol).env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
        command.env("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=a%20b").env("OTEL_SERVICE_NAME", "nightly").env("OTEL_TRACES_EXPORTER", "none");
        let ran = Ran(command.env("OTEL_LOGS_EXPORTER", "none").output().unwrap());
        assert_eq!((ran.code(), ran.err().as_str()), (0, ""), "{protocol}");
        let line = taken(&file).unwrap_or_else(|| panic!("{protocol}: nothing arrived"));
        assert_eq!((&line["signal"], &line["headers"]["x-tenant"]), (&"metrics".into(), &"a b".into()));
        let resource = &line["request"]["resourceMetrics"][0];
        let attributes = resource["resource"]["attributes"].as_array().unwrap();
        let service = attributes.iter().find(|pair| pair["key"] == "service.name").unwrap();
        assert_eq!(service["value"]["stringValue"], "nightly");
        check(resource["scopeMetrics"][0]["metrics"].as_array().unwrap());
    }
}

fn check(metrics: &[Value]) {
    let names: BTreeSet<_> = metrics.iter().map(|metric| metric["name"].as_str().unwrap()).collect();
    assert!(names.len() == metrics.len() && names.len() > 30, "{names:?}");
    let metric = |name: &str| metrics.iter().find(|metric| metric["name"] == name).unwrap();
    let sum = &metric("etl_rows_processed_total")["sum"];
    assert_eq!((&sum["isMonotonic"], &sum["aggregationTemporality"]), (&true.into(), &"AGGREGATION_TEMPORALITY_CUMULATIVE".into()));
    let histogram = metric("etl_call_seconds");
    assert_eq!(histogram["unit"], "s");
    for point in histogram["histogram"]["dataPoints"].as_array().unwrap() {
        let number = |value: &Value| value.as_str().map_or(0, |text| text.parse::<u64>().unwrap());
        let counts: Vec<u64> = point["bucketCounts"].as_array().unwrap().iter().map(number).collect();
        assert_eq!(counts.len(), point["explicitBounds"].as_array().unwrap().len() + 1);
        assert_eq!(counts.iter().sum::<u64>(), number(&point["count"]));
        assert!(number(&point["startTimeUnixNano"]) > 0 && number(&point["startTimeUnixNano"]) <= number(&point["timeUnixNano"]));
    }
    assert_eq!(metric("etl_memory_bytes")["unit"], "By");
    assert!(metric("etl_memory_bytes")["gauge"]["dataPoints"][0]["startTimeUnixNano"].is_null());
}

/// Protects whoever watches a long run: exports come as often as the variable says, and `none` means none.
#[test]
fn exports_come_as_often_as_they_should() {
    let (here, folder) = (endless(), folder());
    let file = folder.path().join("taken");
    let Some(receiver) = Server::start("receiver", &[file.to_str().unwrap()]) else { return };
    let url = format!("http://{}", receiver.addr);
    let requests = || fs::read_to_string(&file).map_or(0, |text| text.lines().filter(|line| line.contains("\"metrics\"")).count());
    let running = Running::start(command(&here).env("OTEL_EXPORTER_OTLP_ENDPOINT", &url).env("OTEL_METRIC_EXPORT_INTERVAL", "100"));
    until("three exports", || (requests() >= 3).then_some(()));
    let exported = running.scrape().find("etl_telemetry_exported_total", &[("signal", "metrics")]);
    assert!(exported[0] > 100.0, "{exported:?}");
    running.stop();
    let before = requests();
    let running = Running::start(command(&here).env("OTEL_EXPORTER_OTLP_ENDPOINT", &url).env("OTEL_METRICS_EXPORTER", "none"));
    running.stop();
    assert_eq!(requests(), before);
    let told =
        Ran(command(&here).env("OTEL_METRIC_EXPORT_INTERVAL", "10s").env("OTEL_METRICS_EXPORTER", "otlp").output().unwrap()).fails(2);
    assert!(told.contains("OTEL_METRIC_EXPORT_INTERVAL"), "{told}");
}
