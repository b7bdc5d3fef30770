//! Runs that are too short to be scraped: a Pushgateway, and the node exporter's textfile.

use std::{
    fs,
    io::Read as _,
    net::TcpListener,
    time::{Duration, Instant},
};

use super::{Running, command, endless, generated, http, stage, text::Scraped, until};
use crate::binary::Ran;
use crate::server::{self, Server};

fn short() -> tempfile::TempDir {
    generated(10_000, &stage("load", "end", "numbers", "collect", ""))
}

/// Protects one-shot runs: what they counted is where somebody can scrape it when they are gone.
#[test]
fn a_pushgateway_has_what_a_run_pushed_at_its_end() {
    let Some(gateway) = Server::start("pushgateway", &[]) else { return };
    let here = short();
    let url = format!("http://{}", gateway.addr);
    let ran = Ran(command(&here).args(["--metrics-addr", "off", "--push-gateway", &url]).output().unwrap());
    assert_eq!((ran.code(), ran.err().as_str()), (0, ""));
    let pushed = Scraped::read(&http::get(&gateway.addr, "/metrics").1);
    let group = [("job", "parshall"), ("pipeline", "generated")];
    let with = |more: &[(&'static str, &'static str)]| [&group[..], more].concat();
    assert_eq!(pushed.value("etl_rows_processed_total", &with(&[("stage", "end"), ("source", "numbers")])), 10_000.0);
    assert_eq!(pushed.value("etl_runs_total", &with(&[("outcome", "completed")])), 1.0);
    assert_eq!(pushed.value("push_failure_time_seconds", &group), 0.0);
    assert!(pushed.labels("etl_runs_total", "instance").iter().all(|name| !name.is_empty()));
    // Another run of the same pipeline takes the place of the first.
    Ran(command(&here).args(["--metrics-addr", "off", "--push-gateway", &url]).output().unwrap()).ok();
    let pushed = Scraped::read(&http::get(&gateway.addr, "/metrics").1);
    assert_eq!(pushed.value("etl_runs_total", &with(&[("outcome", "completed")])), 1.0);
}

#[test]
fn a_long_run_pushes_now_and_then_when_it_is_asked_to() {
    let Some(gateway) = Server::start("pushgateway", &[]) else { return };
    let here = endless();
    let url = format!("http://{}", gateway.addr);
    let running = Running::start(command(&here).args(["--push-gateway", &url, "--push-interval", "200ms", "--metrics-file", "m.prom"]));
    let rows = || Scraped::read(&http::get(&gateway.addr, "/metrics").1).find("etl_rows_processed_total", &[("stage", "end")]);
    let first = until("a push", || rows().first().copied().filter(|rows| *rows > 0.0));
    until("another push", || rows().first().copied().filter(|rows| *rows > first));
    let text = until("the file", || fs::read_to_string(here.path().join("m.prom")).ok());
    assert!(Scraped::read(&text).find("etl_runs_total", &[("outcome", "stopped")]) == [0.0]);
    running.stop();
    let text = fs::read_to_string(here.path().join("m.prom")).unwrap();
    assert!(Scraped::read(&text).find("etl_runs_total", &[("outcome", "stopped")]) == [1.0], "written for the last time at the end");
}

/// Protects the node exporter, which puts several files and its own metrics together: no series may be there twice.
#[test]
fn a_textfile_can_stand_beside_others() {
    let here = short();
    let options = ["--metrics-addr", "off", "--metrics-file", "m.prom"];
    Ran(command(&here).args(options).output().unwrap()).ok();
    let text = fs::read_to_string(here.path().join("m.prom")).unwrap();
    let scraped = Scraped::read(&text);
    let pipelines = scraped
        .series
        .iter()
        .all(|(name, labels, _)| labels.get("pipeline").is_some_and(|p| p == "generated") && !name.starts_with("process_"));
    assert!(pipelines, "{text}");
    server::promtool(&text);
    let left: Vec<_> = fs::read_dir(&here).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing is left aside: {left:?}");
    let told = Ran(command(&here).args(["--metrics-file", "m.txt"]).output().unwrap()).fails(2);
    assert!(told.contains(".prom"), "{told}");
    for (nowhere, why) in [("absent/m.prom", "nothing can be written to `absent`"), ("folder.prom", "`folder.prom` is a folder")] {
        fs::create_dir_all(here.path().join("folder.prom")).unwrap();
        let told = Ran(command(&here).args(["--metrics-file", nowhere]).output().unwrap()).fails(2);
        assert!(told.contains(&format!("--metrics-file: {why}")), "{told}");
    }
    let told = Ran(command(&here).args(["--metrics-file", "m.prom", "--push-interval", "5"]).output().unwrap()).fails(2);
    assert!(told.contains("`5s`"), "{told}");
    for wrong in [["--push-gateway", "localhost:9091"], ["--push-interval", "1s"], ["--push-interval", "1ms"]] {
        Ran(command(&here).args(wrong).output().unwrap()).fails(2);
    }
}

/// Protects the run: somewhere that nobody listens, or somebody who never answers, costs a warning and the deadline, no more.
#[test]
fn a_push_that_fails_fails_nothing() {
    let here = short();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let hangs = format!("http://{}", hanging.local_addr().unwrap());
    std::thread::spawn(move || hanging.incoming().for_each(|stream| drop(stream.map(|mut stream| stream.read(&mut [0; 1 << 16])))));
    for url in [format!("http://{closed}"), hangs.clone(), format!("{hangs}/below")] {
        let began = Instant::now();
        let mut command = command(&here);
        command.args(["--metrics-addr", "off", "--push-gateway", &url, "--metrics-file", "m.prom"]);
        let ran = Ran(command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &url).env("PARSHALL_TELEMETRY_FLUSH", "300").output().unwrap());
        assert_eq!(ran.code(), 0, "{}", ran.err());
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        let told = ran.err();
        assert_eq!(told.matches("metrics could not be pushed to").count(), 1, "the Pushgateway: {told}");
        assert_eq!(told.matches("were not delivered to").count(), 1, "the collector, of all signals: {told}");
    }
    assert!(fs::read_to_string(here.path().join("m.prom")).unwrap().contains("etl_runs_total"), "a target does not suffer from others");
}
