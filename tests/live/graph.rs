//! A pipeline file that adds and removes stages while it runs, as whoever looks sees it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

use super::{Live, TOKEN, endless, wait};
use crate::components;

fn names(status: &Value) -> Vec<String> {
    status["stages"].as_array().unwrap().iter().map(|stage| stage["name"].as_str().unwrap().to_owned()).collect()
}

/// Protects whoever works by the file: what it says is what runs, by every trigger, and every tool shows the graph that there is.
#[test]
fn a_file_that_adds_and_removes_stages_is_what_runs() {
    let here = endless();
    let live = Live::start(&here, &["--admin", "--watch"]);
    let file = here.path().join("pipeline.toml");
    let base = fs::read_to_string(&file).unwrap();
    let branch = format!(
        "{base}[transform.hop]\ncomponent = \"{}\"\ninputs = [\"doubled\"]\ninstances = 2\n[load.copies]\ncomponent = \"{}\"\ninputs = [\"hop\"]\n",
        components::path("testing/noop").display(),
        components::path("testing/collect").display(),
    );
    fs::write(&file, &branch).unwrap();
    let flows = |status: &Value| {
        status["stages"].as_array().unwrap().iter().any(|stage| stage["name"] == "copies" && stage["rows_in"].as_u64() > Some(0))
    };
    let status = live.until("the branch flows", flows);
    assert_eq!(names(&status), ["numbers", "doubled", "end", "hop", "copies"]);
    assert_eq!((&status["stages"][3]["instances"], &status["stages"][3]["inputs"][0]), (&2.into(), &"doubled".into()));
    let table = live.ask(&["status"]).ok();
    assert!(table.contains("hop ×2") && table.contains("copies"), "{table}");

    let mut stream = TcpStream::connect(live.addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(stream, "GET /v1/stages/hop/tap?rows=1 HTTP/1.0\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n", live.addr()).unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("\"batch\"")), "the tap shows what passes");
    // By the command now; the watch may be quicker, and then there is nothing left to change.
    fs::write(&file, &base).unwrap();
    let told = live.ask(&["reload"]).ok();
    let both = ["hop: removed", "copies: removed"].iter().all(|part| told.contains(part));
    assert!(both || told.contains("nothing has changed"), "{told}");
    assert_eq!(lines.last().as_deref(), Some("{\"end\":\"the stage was removed\"}"));
    assert_eq!(names(&live.json("/v1/status")), ["numbers", "doubled", "end"]);
    let records = live.json("/v1/swaps")["records"].clone();
    let outcomes: Vec<_> =
        records.as_array().unwrap().iter().map(|record| (record["stage"].as_str().unwrap(), record["outcome"].as_str().unwrap())).collect();
    assert_eq!(outcomes, [("hop", "added"), ("copies", "added"), ("hop", "removed"), ("copies", "removed")]);
    assert!(records[0]["old"].is_null() && records[2]["new"].is_null(), "{records:#}");
    wait("the audit", || if live.said().contains("removed: it has ended with all that it had taken") { Ok(()) } else { Err(live.said()) });

    let wrong = base.replace("[load.end]", "[extract.end]").replace("inputs = [\"doubled\"]\n", "");
    fs::write(&file, wrong).unwrap();
    live.until_said("what runs goes on as it was");
    let report = live.end();
    let removed: Vec<_> = report["stages"].as_array().unwrap().iter().filter(|stage| stage["removed"] == true).collect();
    let [hop, copies] = removed[..] else { panic!("{report:#}") };
    assert_eq!((&hop["rows"]["out"], &copies["receipt"]["rows"]), (&copies["rows"]["in"], &copies["rows"]["in"]));
}
