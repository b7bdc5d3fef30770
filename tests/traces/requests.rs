//! A guest's outgoing requests: spans of their own, whose context went along.

use std::fs;

use super::{Span, named, tree};
use crate::{
    binary::{folder, parshall},
    components,
    wasi_http::Server,
};

const FOUND: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
const MISSING: &[u8] = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";

/// Spans of a run whose stage asks a server once, and what the server heard.
pub fn asking(answer: &'static [u8], propagators: &str) -> (Vec<Span>, String) {
    let (here, server) = (folder(), Server::answering(answer));
    let host = server.address.to_string();
    let path = |name: &str| components::path(&format!("testing/{name}")).display().to_string();
    let text = format!(
        r#"name = "asking"
        [extract.numbers]
        component = "{}"
        config = {{ rows = 10, batch_rows = 10 }}
        [transform.ask]
        component = "{}"
        inputs = ["numbers"]
        config = {{ mode = "get", url = "http://{host}/a/b?secret=c" }}
        grants = {{ clocks = true, random = true, http = ["{host}"] }}
        [load.out]
        component = "{}"
        inputs = ["ask"]"#,
        path("generate"),
        path("outside"),
        path("collect"),
    );
    fs::write(here.path().join("pipeline.toml"), text).unwrap();
    let mut command = parshall();
    command.current_dir(here.path()).args(["run", "pipeline.toml", "--trace-out", "spans.jsonl"]).env("OTEL_PROPAGATORS", propagators);
    // The stage tells what it found as an error of its data.
    assert_eq!(command.output().unwrap().status.code(), Some(1));
    let spans = tree::read(&fs::read_to_string(here.path().join("spans.jsonl")).unwrap());
    let heard = server.heard.lock().unwrap().to_lowercase();
    (spans, heard)
}

/// Spans of requests that end well and of others.
pub fn all() -> Vec<Span> {
    [FOUND, MISSING].into_iter().flat_map(|answer| asking(answer, "tracecontext").0).filter(|span| span.name == "GET").collect()
}

/// Protects against a trace that ends at the sandbox: the server must be told of the very span that is exported.
#[test]
fn a_request_is_a_client_span_whose_context_the_server_gets() {
    let (spans, heard) = asking(FOUND, "tracecontext,b3");
    let [request] = named(&spans, "GET")[..] else { panic!("one span: {spans:?}") };
    let [call] = named(&spans, "process ask")[..] else { panic!("one call: {spans:?}") };
    assert_eq!((request.kind, &request.parent, &request.trace), (3, &call.id, &call.trace));
    assert!(heard.contains(&format!("\r\ntraceparent: 00-{}-{}-01\r\n", request.trace, request.id)), "{heard}");
    assert!(heard.contains(&format!("\r\nb3: {}-{}-1", request.trace, request.id)), "{heard}");
    assert_eq!(request.text("url.path"), "/a/b", "a query may hold secrets");
    assert_eq!(request.error, None);
}

/// Protects against failures of others that look like success.
#[test]
fn a_request_that_fails_is_a_span_that_failed() {
    let (spans, _) = asking(MISSING, "none");
    let [request] = named(&spans, "GET")[..] else { panic!("one span: {spans:?}") };
    assert_eq!(request.text("error.type"), "404");
    assert!(request.error.is_some());
}
