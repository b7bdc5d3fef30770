//! A collector that is not ours, in good times and bad: up, down, hanging, refusing, back. Skipped, with a reason, where
//! `tests/servers/install python` has not put it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use parshall::{
    pipeline::run::Outcome,
    telemetry::{
        health::{Health, Signal},
        otlp::Environment,
        traces::Settings,
    },
};
use serde_json::Value;
use tempfile::TempDir;

use super::{Watched, batches, watch};
use crate::binary::{folder, project};

/// The receiver of OTLP, running.
struct Receiver {
    child: Child,
    file: PathBuf,
    http: u16,
    grpc: Option<u16>,
    /// With TLS.
    https: Option<u16>,
    grpcs: Option<u16>,
}

impl Receiver {
    /// Starts it, if it is there.
    fn start(folder: &TempDir) -> Option<Self> {
        Self::start_with(folder, &[])
    }

    fn start_with(folder: &TempDir, arguments: &[&str]) -> Option<Self> {
        let servers = std::env::var_os("PARSHALL_SERVERS").map_or_else(|| project("target/servers"), PathBuf::from);
        let (python, script) = (servers.join("python/bin/python"), project("tests/servers/receiver.py"));
        if !python.exists() || !script.exists() {
            println!("skipped: no receiver of OTLP; `tests/servers/install python` brings one");
            return None;
        }
        let file = folder.path().join("received.jsonl");
        let mut child = Command::new(python).arg(script).arg(&file).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ports: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let port = |name: &str| ports[name].as_u64().map(|port| port as u16);
        Some(Receiver { child, file, http: port("http").unwrap(), grpc: port("grpc"), https: port("https"), grpcs: port("grpcs") })
    }

    /// Tells it how to behave.
    fn behave(&self, how: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http)).unwrap();
        write!(stream, "POST /control HTTP/1.0\r\nContent-Length: {}\r\n\r\n{how}", how.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("200"), "{answer}");
    }

    /// The requests that it took.
    fn requests(&self) -> Vec<Value> {
        fs::read_to_string(&self.file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The names of the spans that it took.
    fn spans(&self) -> Vec<String> {
        let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
        let requests = self.requests().into_iter().flat_map(|line| list(&line["request"], "resourceSpans"));
        let spans = requests.flat_map(|resource| list(&resource, "scopeSpans")).flat_map(|scope| list(&scope, "spans"));
        spans.map(|span| span["name"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Settings that export to a port and write no file.
fn to<const N: usize>(port: u16, more: [(&str, &str); N]) -> Settings {
    let endpoint = format!("http://127.0.0.1:{port}");
    let mut variables = [("", ""); 8];
    variables[0] = ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
    variables[1..=N].copy_from_slice(&more);
    Settings::read(&Environment::of(variables)).unwrap_or_else(|error| panic!("{error}"))
}

/// Sent, dropped for want of room, dropped because they could not be delivered.
fn told(watched: &Watched) -> (u64, u64, u64) {
    let health: &Health = watched.healths.of(Signal::Spans);
    (health.exported.load(Relaxed), health.dropped_full.load(Relaxed), health.dropped_failed.load(Relaxed))
}

/// Spans of a run of so many batches: each with its three calls, the run, its commit.
fn recorded(batches: u64) -> u64 {
    batches * 4 + 2
}

fn assert_all_rows(watched: &Watched, batches: u64) {
    assert_eq!(watched.report.outcome, Outcome::Completed);
    assert_eq!(watched.report.stages[2].receipt.as_ref().unwrap().rows, batches * 10, "every row is there");
}

#[test]
fn spans_arrive_over_http_and_grpc() {
    let here = folder();
    let Some(receiver) = Receiver::start(&here) else { return };
    let wires = [("http/protobuf", Some(receiver.http)), ("grpc", receiver.grpc)];
    for (at, (protocol, port)) in wires.into_iter().enumerate() {
        let Some(port) = port else {
            println!("skipped: the receiver has no {protocol}");
            continue;
        };
        let more = [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=blue"),
            ("OTEL_SERVICE_NAME", "under-test"),
        ];
        let watched = watch(here.path(), &batches(500, ""), to(port, more));
        assert_all_rows(&watched, 500);
        assert_eq!(told(&watched), (recorded(500), 0, 0), "{protocol}");
        assert_eq!(receiver.spans().len() as u64, recorded(500) * (at as u64 + 1), "{protocol}");
        let last = receiver.requests().pop().unwrap();
        assert_eq!(last["transport"], protocol.split('/').next().unwrap());
        assert!(last["request"].to_string().contains("under-test"), "the resource travels with the spans");
        if protocol != "grpc" {
            assert_eq!(last["headers"]["x-tenant"], "blue");
            assert_eq!(last["headers"]["content-encoding"], "gzip");
        }
    }
}

/// Protects against exporting in the clear, or to a server that merely claims to be the one.
#[test]
fn spans_arrive_over_tls_and_only_at_a_server_that_is_trusted() {
    let here = folder();
    let path = |name: &str| here.path().join(name).display().to_string();
    let (certificate, key) = (path("certificate.pem"), path("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", &key, "-out", &certificate])
        .stderr(Stdio::null())
        .status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: no openssl makes a certificate");
        return;
    }
    let Some(receiver) = Receiver::start_with(&here, &["--tls", &certificate, &key]) else { return };
    for (protocol, port) in [("http/protobuf", receiver.https), ("grpc", receiver.grpcs)] {
        let Some(port) = port else { continue };
        let endpoint = format!("https://127.0.0.1:{port}");
        let before = receiver.spans().len() as u64;
        let settings = |one: (&str, &str)| {
            let told = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol), one];
            Settings::read(&Environment::of(told)).unwrap_or_else(|error| panic!("{error}"))
        };
        let watched = watch(here.path(), &batches(100, ""), settings(("OTEL_EXPORTER_OTLP_CERTIFICATE", &certificate)));
        assert_eq!(told(&watched), (recorded(100), 0, 0), "{protocol}");
        assert_eq!(receiver.spans().len() as u64, before + recorded(100), "{protocol}");
        // Nobody that the machine trusts has signed it.
        let watched = watch(here.path(), &batches(10, ""), settings(("PARSHALL_TELEMETRY_FLUSH", "2000")));
        assert_all_rows(&watched, 10);
        assert_eq!(told(&watched), (0, 0, recorded(10)), "{protocol}");
        assert_eq!(receiver.spans().len() as u64, before + recorded(100), "{protocol}");
    }
}

/// Protects against a collector that is down costing rows, time or memory, or drops that are not counted.
#[test]
fn a_collector_that_is_down_costs_nothing_but_its_spans() {
    let here = folder();
    // Nobody listens on the port of discard.
    let began = Instant::now();
    let watched = watch(here.path(), &batches(3_000, ""), to(9, [("OTEL_BSP_MAX_QUEUE_SIZE", "2000")]));
    assert_all_rows(&watched, 3_000);
    let (sent, full, failed) = told(&watched);
    assert_eq!((sent, full + failed), (0, recorded(3_000)), "{full} found no room, {failed} were not delivered");
    assert!(full > 0 && failed > 0 && failed <= 2_000 + 512, "no more than the queue holds waited: {failed}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

/// Protects against an export that never ends holding up calls, or the end of the process.
#[test]
fn a_collector_that_hangs_holds_up_nobody() {
    let here = folder();
    let Some(receiver) = Receiver::start(&here) else { return };
    receiver.behave(r#"{"hang": true}"#);
    let more = [("PARSHALL_TELEMETRY_FLUSH", "500"), ("OTEL_BSP_MAX_QUEUE_SIZE", "1000"), ("OTEL_BSP_SCHEDULE_DELAY", "10")];
    let watched = watch(here.path(), &batches(3_000, ""), to(receiver.http, more));
    assert_all_rows(&watched, 3_000);
    let (sent, full, failed) = told(&watched);
    assert_eq!((sent, full + failed), (0, recorded(3_000)));
    assert!(full > 0 && failed <= 1_512, "{full} found no room, {failed} were under way or waited");
    assert!(watched.report.seconds < 10.0, "the run itself took {} s", watched.report.seconds);
}

/// Protects against an exporter that gives a collector up for good.
#[test]
fn a_collector_that_comes_back_gets_what_comes_then() {
    let here = folder();
    let Some(receiver) = Receiver::start(&here) else { return };
    // 400 is nobody's moment of trouble: these spans are lost, and the next request comes half a second later.
    receiver.behave(r#"{"status": 400, "times": 1}"#);
    let more = [("OTEL_BSP_SCHEDULE_DELAY", "1"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "200"), ("PARSHALL_TELEMETRY_FLUSH", "60000")];
    // Long enough for the pause after a failure, half a second, to be over.
    let watched = watch(here.path(), &batches(20_000, ""), to(receiver.http, more));
    let (sent, full, failed) = told(&watched);
    assert_eq!(sent + full + failed, recorded(20_000), "{sent} + {full} + {failed}");
    assert_eq!(receiver.spans().len() as u64, sent);
    assert!(failed >= 1 && sent > 0, "{sent} sent, {failed} failed");
    assert_eq!(watched.healths.of(Signal::Spans).queue.load(Relaxed), 0);
}

/// Protects against spans that are lost because of a moment's trouble: the exporter asks again.
#[test]
fn a_collector_that_is_busy_is_asked_again() {
    let here = folder();
    let Some(receiver) = Receiver::start(&here) else { return };
    receiver.behave(r#"{"status": 503, "times": 1}"#);
    let watched = watch(here.path(), &batches(100, ""), to(receiver.http, []));
    assert_eq!(told(&watched), (recorded(100), 0, 0));
    assert_eq!(receiver.spans().len() as u64, recorded(100));
}
