//! `/metrics` and its neighbours, while a pipeline runs.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use super::{Running, command, endless, generated, http, stage, text::Scraped};
use crate::binary::Ran;
use crate::server;

const STAGES: [&str; 3] = ["numbers", "doubled", "end"];

/// Protects the ledger: while everything moves, at every scrape, each row that arrived is accounted for.
#[test]
fn every_row_is_accounted_for_at_every_scrape() {
    let here = endless();
    let running = Running::start(&mut command(&here));
    let mut before = 0.0;
    for _ in 0..20 {
        let scraped = running.scrape();
        for stage in STAGES {
            let of = [("stage", stage)];
            let went: f64 = scraped.find("etl_rows_total", &of).iter().sum();
            let arrived = scraped.value("etl_rows_arrived_total", &of);
            assert_eq!(arrived, went + scraped.value("etl_rows_in_flight", &of), "{stage}");
            assert_eq!(scraped.value("etl_ledger_imbalance_rows", &of), 0.0, "{stage}");
            assert!((0.0..=1.0).contains(&scraped.value("etl_stage_utilization_ratio", &of)));
        }
        let bottlenecks: f64 = scraped.find("etl_stage_bottleneck", &[]).iter().sum();
        assert_eq!(bottlenecks, 1.0, "exactly one stage is the bottleneck");
        let bound = scraped.value("etl_queue_limit_bytes", &[("stage", "end")]);
        assert!(scraped.value("etl_queue_bytes", &[("stage", "end")]) <= bound);
        let rows = scraped.find("etl_rows_processed_total", &[("stage", "end"), ("source", "numbers")]).first().copied().unwrap_or(0.0);
        assert!(rows >= before, "a counter does not fall");
        before = rows;
        std::thread::sleep(Duration::from_millis(25));
    }
    assert!(before > 0.0, "rows flow");
    running.stop();
}

/// Protects scrapers, load balancers and people with a browser.
#[test]
fn http_is_spoken_as_everybody_expects() {
    let here = endless();
    let running = Running::start(&mut command(&here));
    let ask = |method, path, headers| http::request(&running.addr, method, path, headers).unwrap();
    for (method, path, status) in
        [("GET", "/", 200), ("GET", "/healthz", 200), ("GET", "/readyz", 200), ("GET", "/metric", 404), ("POST", "/metrics", 405)]
    {
        assert_eq!(ask(method, path, "").status, status, "{method} {path}");
    }
    assert!(ask("POST", "/metrics", "").headers.contains("allow: get,head"));
    let head = ask("HEAD", "/metrics", "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(ask("GET", "/", "").body.contains("/metrics"));
    let plain = ask("GET", "/metrics", "");
    assert!(plain.headers.contains("content-type: text/plain; version=0.0.4"), "{}", plain.headers);
    server::promtool(&plain.body);
    let open = ask("GET", "/metrics", "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n");
    assert!(open.headers.contains("content-type: application/openmetrics-text; version=1.0.0"), "{}", open.headers);
    assert!(open.body.ends_with("# EOF\n") && open.body.contains("# UNIT etl_call_seconds seconds"));
    assert!(open.body.contains("# TYPE etl_calls counter\n") && open.body.contains("# TYPE etl_build info\n"));
    server::parse_openmetrics(&open.body);
    running.stop();
}

/// Protects the run from strangers: requests that never end, and ones that are too large.
#[test]
fn connections_are_bounded() {
    let here = endless();
    let running = Running::start(&mut command(&here));
    let mut large = TcpStream::connect(&running.addr).unwrap();
    let _ = large.write_all(format!("GET / HTTP/1.1\r\nX-Large: {}\r\n", "x".repeat(1 << 20)).as_bytes());
    let mut answer = String::new();
    large.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = large.read_to_string(&mut answer);
    assert!(!answer.contains(" 200 "), "{answer}");
    // More than may be connected: those that came first and say nothing do not keep others out for ever.
    let idle: Vec<_> = (0..70).map(|_| TcpStream::connect(&running.addr).unwrap()).collect();
    assert_eq!(super::until("an answer", || Some(http::get(&running.addr, "/healthz").0).filter(|status| *status != 0)), 200);
    drop(idle);
    running.stop();
}

/// Protects two runs on one machine from each other, and whoever chose a port from metrics that are elsewhere.
#[test]
fn the_default_port_may_be_taken_and_a_chosen_one_may_not() {
    let here = generated(1_000, &stage("load", "end", "numbers", "collect", ""));
    // If somebody else has it, it is taken all the same.
    let _taken = TcpListener::bind("127.0.0.1:8000");
    let ran = Ran(command(&here).output().unwrap());
    assert_eq!(ran.code(), 0, "{}", ran.err());
    let told = ran.err();
    assert!(told.contains("metrics are at http://127.0.0.1:") && told.contains("127.0.0.1:8000 cannot be had"), "{told}");
    let chosen = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = chosen.local_addr().unwrap().to_string();
    let told = Ran(command(&here).args(["--metrics-addr", &addr]).output().unwrap()).fails(2);
    assert!(told.contains(&format!("metrics cannot be served at `{addr}`")), "{told}");
    let told = Ran(command(&here).env("PARSHALL_METRICS_ADDR", &addr).output().unwrap()).fails(2);
    assert!(told.contains(&addr), "{told}");
    assert!(told.contains("PARSHALL_METRICS_ADDR") && told.contains("`--metrics-addr 127.0.0.1:0` picks a free port"), "{told}");
    for wrong in ["nowhere", "8001", ":8001", "localhost:", "localhost:99999"] {
        let told = Ran(command(&here).args(["--metrics-addr", wrong]).output().unwrap()).fails(2);
        let expected = format!("`--metrics-addr` is `{wrong}`: expected HOST:PORT, such as `127.0.0.1:8000`, or `off`");
        assert!(told.contains(&expected), "{told}");
        let told = Ran(command(&here).env("PARSHALL_METRICS_ADDR", wrong).output().unwrap()).fails(2);
        assert!(told.contains("`PARSHALL_METRICS_ADDR` is"), "{told}");
    }
    for quiet in ["off", "OFF", "127.0.0.1:0"] {
        let ran = Ran(command(&here).args(["--metrics-addr", quiet]).output().unwrap());
        assert_eq!((ran.code(), ran.err().as_str()), (0, ""), "a short run says nothing of it");
    }
}

/// Protects every backend from a guest that invents names: it counts 10,000 of them for every batch.
#[test]
fn a_hostile_guest_makes_no_more_series_than_it_may() {
    let flood = stage("transform", "flood", "numbers", "flood", "times = 10_000") + "grants = { telemetry = true }\n";
    let here = generated(4_096, &(flood + &stage("load", "end", "flood", "collect", "")));
    let mut command = command(&here);
    let options = ["--metrics-addr", "off", "--metrics-file", "m.prom", "--report-file", "report.json"];
    let ran = Ran(command.env("PARSHALL_LOG", "error").args(options).output().unwrap());
    assert_eq!(ran.code(), 0, "{}", ran.err());
    let scraped = Scraped::read(&std::fs::read_to_string(here.path().join("m.prom")).unwrap());
    let names = scraped.labels("etl_guest_count_total", "name");
    assert!((1..=64).contains(&names.len()), "{names:?}");
    let dropped = scraped.value("etl_guest_telemetry_dropped_total", &[("stage", "flood")]);
    assert!(dropped > 9_000.0);
    let report: serde_json::Value = serde_json::from_reader(std::fs::File::open(here.path().join("report.json")).unwrap()).unwrap();
    let flood = report["stages"].as_array().unwrap().iter().find(|stage| stage["name"] == "flood").unwrap();
    assert_eq!(flood["telemetry_dropped"].as_f64(), Some(dropped), "report and metric agree");
    assert!(flood["calls"]["host_seconds"].as_f64() > Some(0.0), "{flood:#}");
    let told = ran.err();
    assert_eq!(told.matches("logs, metrics and spans of its own exceeded a limit and were dropped").count(), 1, "{told}");
    assert!(scraped.series.len() < 2_000, "{} series", scraped.series.len());
    assert!(scraped.find("etl_guest_observation_count", &[]).is_empty(), "what is no number is not observed");
}

/// Protects who knows their latencies better than the defaults do.
#[test]
fn the_pipeline_file_chooses_the_buckets_of_durations() {
    let here = generated(2_048, &(stage("load", "end", "numbers", "collect", "") + "[telemetry]\nbuckets = [0.001, 5]\n"));
    Ran(command(&here).args(["--metrics-addr", "off", "--metrics-file", "m.prom"]).output().unwrap()).ok();
    let scraped = Scraped::read(&std::fs::read_to_string(here.path().join("m.prom")).unwrap());
    for name in ["etl_processing_seconds_bucket", "etl_call_seconds_bucket", "etl_batch_seconds_bucket", "etl_queue_wait_seconds_bucket"] {
        assert_eq!(scraped.labels(name, "le").into_iter().collect::<Vec<_>>(), ["+Inf", "0.001", "5"], "{name}");
    }
}
