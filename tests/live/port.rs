//! The admin port: who may ask, what is answered, what is refused.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    time::Duration,
};

use serde_json::{Value, json};

use super::{Live, TOKEN, command, endless, version};
use crate::{
    binary::Ran,
    http::{request, request_with},
};

/// Protects a run against strangers: no token, another, a site that has its own name point here.
#[test]
fn whoever_has_no_token_is_told_nothing() {
    let here = endless();
    let live = Live::start(&here, &["--admin"]);
    let addr = live.addr();
    for headers in ["", "Authorization: Bearer wrong-token-of-some-length\r\n", &format!("Authorization: Basic {TOKEN}\r\n")] {
        for (method, path) in [("GET", "/v1/status"), ("POST", "/v1/reload"), ("GET", "/nothing")] {
            let answer = request(&addr, method, path, headers).unwrap();
            assert_eq!(answer.status, 401, "{method} {path} {headers}");
            assert!(answer.headers.contains("www-authenticate: bearer") && !answer.body.contains("lively"), "{}", answer.body);
        }
    }
    let port = addr.rsplit_once(':').unwrap().1;
    for (host, status) in [("evil.example", 403), ("localhost.evil.example", 403), ("localhost", 200), ("127.0.0.1", 200)] {
        let headers = format!("Host: {host}:{port}\r\nAuthorization: bearer {TOKEN}\r\n");
        assert_eq!(request_with(&addr, "GET", "/v1/status", &headers, "").unwrap().status, status, "{host}");
    }
    let mode = live.registered().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the token is in it");
    live.end();
}

/// Protects against a port that other machines can reach although nobody said so, and tokens that can be guessed.
#[test]
fn what_is_not_safe_must_be_asked_for() {
    let here = endless();
    let refused = |arguments: &[&str], token: &str| {
        let mut command = command(here.path(), &["run", "pipeline.toml"]);
        Ran(command.args(arguments).env("PARSHALL_ADMIN_TOKEN", token).output().unwrap()).fails(2)
    };
    assert!(refused(&["--admin-addr", "0.0.0.0:0"], TOKEN).contains("--admin-insecure-remote"));
    assert!(refused(&["--admin-addr", "nonsense"], TOKEN).contains("expected HOST:PORT"));
    assert!(refused(&["--admin"], "short").contains("at least 16 characters"));
    assert!(refused(&["--admin-token-file", "token"], TOKEN).contains("protects nothing"));
    assert!(refused(&["--admin", "--admin-token-file", "token"], TOKEN).contains("--admin-token-file token"));
}

/// Protects the swap by HTTP: it waits for the last word, loses nothing, and says why where it is refused.
#[test]
fn a_stage_is_swapped_by_http_while_rows_flow() {
    let here = endless();
    let live = Live::start(&here, &["--admin-addr", "127.0.0.1:0"]);
    let second = here.path().join("second.wasm");
    std::fs::write(&second, version("testing/double", 2)).unwrap();
    let swap = |stage: &str, body: Value| {
        let answer = live.http("POST", &format!("/v1/stages/{stage}/swap"), &body.to_string());
        (answer.status, serde_json::from_str::<Value>(&answer.body).unwrap())
    };
    let (status, answer) = swap("doubled", json!({ "component": second, "trying": { "shadow": 3, "guard": 2 } }));
    let record = &answer["record"];
    assert_eq!((status, record["outcome"].as_str(), record["trigger"].as_str()), (200, Some("swapped"), Some("http")), "{answer:#}");
    assert_eq!((&record["old"]["generation"], &record["new"]["generation"]), (&1.into(), &2.into()));
    let phases: Vec<_> = record["phases"].as_array().unwrap().iter().map(|phase| phase["phase"].as_str().unwrap()).collect();
    assert_eq!(phases, ["load", "check", "hand over", "shadow", "switch", "guard", "retire"]);
    assert_eq!(live.generation(), 2);
    let (status, answer) = swap("doubled", json!({ "component": second }));
    assert_eq!((status, &answer), (200, &json!({ "record": null })), "what runs already is no change");

    let noop = crate::components::path("testing/noop").canonicalize().unwrap();
    let not_wasm = here.path().join("pipeline.toml");
    for (stage, body, status, code, told) in [
        ("dubled", json!({ "component": second }), 404, "no_stage", "`doubled`"),
        ("doubled", json!({ "component": noop }), 422, "mistakes", "mistake"),
        ("doubled", json!({ "component": not_wasm }), 422, "mistakes", "mistake"),
        ("doubled", json!({ "component": "std:dubble" }), 422, "mistakes", "mistake"),
        ("doubled", json!({ "component": "relative.wasm" }), 400, "wrong_request", "absolute path"),
        ("doubled", json!({ "component": second, "trying": { "canary": 2 } }), 400, "wrong_request", "`canary` is a share"),
        ("doubled", json!({ "componant": second }), 400, "wrong_request", "componant"),
        ("end", json!({ "component": second }), 422, "mistakes", "mistake"),
    ] {
        let (was, answer) = swap(stage, body.clone());
        let error = &answer["error"];
        assert_eq!((was, error["code"].as_str()), (status, Some(code)), "{body}: {answer:#}");
        assert!(error["message"].as_str().unwrap().contains(told), "{body}: {answer:#}");
        assert_eq!(code == "mistakes", error["rendered"].is_string() && error["diagnostics"].is_array(), "{answer:#}");
    }
    assert_eq!(live.generation(), 2, "what was refused has changed nothing");
    assert_eq!(live.json("/v1/swaps")["records"].as_array().unwrap().len(), 1);
    live.until_said("refused: nothing was changed");
    let said = live.said();
    let audit = said.lines().find(|line| line.contains("generation 1 gave way to 2")).unwrap();
    let audit: Value = serde_json::from_str(audit).unwrap();
    let attributes = &audit["attributes"];
    assert_eq!(
        (&audit["scope"], &attributes["trigger"], &attributes["etl.stage.name"]),
        (&"parshall::audit".into(), &"http".into(), &"doubled".into())
    );
    assert_ne!(attributes["old.digest"], attributes["new.digest"]);
    assert_eq!(Some(attributes["old.last_batch"].as_u64().unwrap() + 1), attributes["new.first_batch"].as_u64());
    let report = live.end();
    assert_eq!(report["stages"][1]["versions"].as_array().unwrap().len(), 2);
}

/// Protects the run against whoever looks, and whoever looks against lines that are no JSON: a tap streams, misses, and ends.
#[test]
fn a_tap_streams_json_lines() {
    let here = endless();
    let live = Live::start(&here, &["--admin"]);
    let mut stream = TcpStream::connect(live.addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let path = "/v1/stages/doubled/tap?side=in&port=numbers&rows=2&every=3";
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n", live.addr()).unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().contains(" 200 "));
    let headers: Vec<_> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    assert!(headers.iter().any(|header| header == "content-type: application/x-ndjson"), "{headers:?}");
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap()).unwrap();
    let schema = next();
    assert_eq!((&schema["schema"]["port"], &schema["schema"]["columns"][0]["name"]), (&"numbers".into(), &"n".into()));
    for _ in 0..3 {
        let batch = next();
        let batch = &batch["batch"];
        assert_eq!((&batch["rows"], &batch["shown"], &batch["port"]), (&1024.into(), &2.into(), &"numbers".into()));
        for row in 0..2 {
            let number = batch["number"].as_u64().unwrap() * 1024 + row;
            assert_eq!(next()["row"]["n"], number, "the rows are those of the batch");
        }
    }
    drop(lines);
    for (path, told) in [
        ("doubled/tap?side=up", "`side`"),
        ("doubled/tap?port=nowhere", "`rejected`"),
        ("numbers/tap?side=in", "nothing goes into an extract"),
        ("end/tap?side=out", "nothing comes out of a load"),
        ("doubled/tap?every=0", "`every`"),
        ("doubled/tap?rows=1000000", "at most 1000"),
        ("doubled/tap?colour=red", "colour"),
    ] {
        let answer = live.http("GET", &format!("/v1/stages/{path}"), "");
        assert!(answer.status == 400 && answer.body.contains(told), "{path}: {}", answer.body);
    }
    live.end();
}
