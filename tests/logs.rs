//! What is logged: for people, for machines, and by OTLP to a receiver that is not ours.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    binary::{Ran, folder, parshall, pipeline, project},
    components,
    receiver::{Receiver, attribute, hex},
};

/// Three batches through a stage that does something.
fn speaking(stage: &str, component: &str, config: &str) -> TempDir {
    let here = folder();
    let (generate, stage_path) = (components::path("testing/generate"), components::path(component));
    pipeline(
        &here,
        &format!(
            "name = \"spoken\"\n[extract.numbers]\ncomponent = \"{}\"\nconfig = {{ rows = 30, batch_rows = 10 }}\n\
             [transform.{stage}]\ninputs = [\"numbers\"]\ncomponent = \"{}\"\nconfig = {config}\ngrants = {{ telemetry = true }}\n\
             [load.end]\ninputs = [\"{stage}\"]\ncomponent = \"std:write\"\nconfig = {{ to = \"out/end.csv\" }}\ngrants = {{ write = [\"out/\"] }}\n",
            generate.display(),
            stage_path.display()
        ),
    );
    here
}

/// A run with nothing in its environment that telemetry reads, except these.
fn command(here: &TempDir, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = parshall();
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_") || name.starts_with("TRACE")) {
        command.env_remove(name);
    }
    command.env_remove("PARSHALL_LOG_FORMAT").current_dir(here.path()).args(["run", "pipeline.toml", "--report", "none"]).args(arguments);
    command.envs(variables.iter().copied());
    command
}

fn run(here: &TempDir, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    Ran(command(here, arguments, variables).output().unwrap())
}

/// The log records among what was written to standard error.
fn records(text: &str) -> Vec<Value> {
    let lines = text.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

const HOSTILE: &str = r#"hello\n{\"body\":\"forged\"}\r\nERROR end: forged\u001b[31m\u202e"#;

fn hostile() -> TempDir {
    speaking("talker", "testing/flood", &format!("{{ say = \"{HOSTILE}\" }}"))
}

/// The first column of the tables of a section of TELEMETRY.md, whose header's first cell is `header`.
fn documented(header: &str) -> BTreeSet<String> {
    let page = fs::read_to_string(project("TELEMETRY.md")).unwrap();
    let section = page.split("\n## Logs\n").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("a section on logs");
    let table = section.split(&format!("| {header} |")).nth(1).expect("a table").lines().skip(2).take_while(|line| line.starts_with('|'));
    table.map(|line| line.split('`').nth(1).unwrap().to_owned()).collect()
}

/// Protects whoever parses the lines: the page names every field, and a run writes every field that the page names.
#[test]
fn json_lines_are_what_the_page_says() {
    let mut all = records(&run(&hostile(), &[], &[]).err());
    all.extend(records(&run(&speaking("breaks", "testing/hostile", "{ mode = \"trap\" }"), &[], &[]).fails(1)));
    // What became of rows that a stage cannot take.
    let skipped = speaking("breaks", "testing/hostile", "{ mode = \"trap\" }\non_error = \"skip\"");
    all.extend(records(&run(&skipped, &[], &[]).err()));
    // A record outside of any call.
    let unusable = [("PARSHALL_CACHE", "/dev/null/no-folder"), ("TRACEPARENT", "wrong")];
    all.extend(records(&run(&speaking("talker", "testing/flood", "{ say = \"x\" }"), &[], &unusable).err()));
    let fields: BTreeSet<_> = all.iter().flat_map(|record| record.as_object().unwrap().keys().cloned()).collect();
    assert_eq!(fields, documented("field"));
    let mut attributes: BTreeSet<_> = all.iter().flat_map(|record| record["attributes"].as_object().unwrap().keys().cloned()).collect();
    attributes.retain(|name| ["etl.", "exception.", "error.", "log."].iter().any(|prefix| name.starts_with(prefix)));
    // Streams come with guests that have WASI.
    attributes.insert("log.iostream".into());
    assert_eq!(attributes, documented("attribute"));
    for record in &all {
        for field in ["timestamp", "severity_text", "severity_number", "scope", "body", "attributes"] {
            assert!(!record[field].is_null(), "{field}: {record}");
        }
        let outside = record["trace_id"].is_null();
        assert_eq!((record["span_id"].is_null(), record["trace_flags"].is_null()), (outside, outside), "{record}");
    }
    assert!(all.iter().any(|record| record["trace_id"].is_null()), "some record was made outside of a call");
}

/// Protects the link between a log and its span, and against a guest that forges either.
#[test]
fn a_record_names_the_span_that_its_guest_was_told() {
    let here = hostile();
    let all = records(&run(&here, &["--log-format", "json"], &[]).err());
    assert_eq!(all.len(), 9, "three records for each of three batches: {all:#?}");
    let mut traces = BTreeSet::new();
    for batch in all.chunks(3) {
        let [said, call, span] = batch else { panic!("three") };
        for (record, place) in [(call, "call"), (span, "span")] {
            let told = format!("{place} {} {}", record["trace_id"].as_str().unwrap(), record["span_id"].as_str().unwrap());
            assert_eq!(record["body"].as_str(), Some(told.as_str()), "what `current` answers is what the record carries");
        }
        assert_eq!((&said["trace_id"], &said["span_id"]), (&call["trace_id"], &call["span_id"]));
        assert_eq!(said["trace_id"], span["trace_id"]);
        traces.insert(said["trace_id"].as_str().unwrap().to_owned());
        let attributes = &said["attributes"];
        assert_eq!((&attributes["etl.pipeline.name"], &attributes["etl.stage.name"]), (&"spoken".into(), &"talker".into()));
        assert_eq!(attributes["guest.etl.stage.name"], "forged");
        assert_eq!(attributes["trace_id"], "00000000000000000000000000000bad", "an attribute is no field");
        assert_eq!((&attributes["rows"], &attributes["nan"], &attributes["true"]), (&(-3).into(), &"NaN".into(), &true.into()));
        assert_eq!((&said["severity_text"], &said["severity_number"], &said["scope"]), (&"INFO".into(), &9.into(), &"guest".into()));
        let body = said["body"].as_str().unwrap();
        assert!(body.starts_with("hello {") && !body.contains(['\n', '\r', '\u{1b}']), "{body:?}");
    }
    assert_eq!(traces.len(), 3, "each batch is a trace");
}

/// Protects people at a terminal against lines that a guest made up.
#[test]
fn text_is_a_line_a_record_and_begins_with_the_hosts_words() {
    let here = hostile();
    let text = run(&here, &["--log-format", "text"], &[]).err();
    assert_eq!(text.lines().count(), 9, "{text}");
    assert!(text.lines().all(|line| line.starts_with(" INFO talker: ")), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text}");
    let verbose = run(&here, &["-v", "--log-format", "text"], &[]).err();
    let call = verbose.lines().find(|line| line.contains(": call ")).unwrap();
    let words: Vec<_> = call.split_whitespace().collect();
    let short = |at: usize| &words[at][..8];
    assert!(call.starts_with(&format!(" INFO talker [{} {}]: call ", short(5), short(6))), "{call}");
}

/// Protects against the same failure told twice to a person, or not at all to a machine.
#[test]
fn a_failed_call_is_logged_once_and_told_once() {
    let here = speaking("breaks", "testing/hostile", "{ mode = \"trap\" }");
    let told = "error: stage `breaks` failed in `process`, batch 0";
    let text = run(&here, &["--log-format", "text"], &[]).fails(1);
    assert!(text.contains(told) && !text.contains("parshall::call"), "{text}");
    let verbose = run(&here, &["--log-format", "text", "-v"], &[]).fails(1);
    assert_eq!(verbose.matches("ERROR parshall::call for breaks [").count(), 1, "{verbose}");
    let json = run(&here, &[], &[]).fails(1);
    assert!(json.contains(told), "{json}");
    let [record] = records(&json).try_into().unwrap_or_else(|all| panic!("one record: {all:#?}"));
    assert_eq!((record["severity_text"].as_str(), record["scope"].as_str()), (Some("ERROR"), Some("parshall::call")));
    let attributes = &record["attributes"];
    for (name, value) in [
        ("etl.pipeline.name", "spoken"),
        ("etl.stage.name", "breaks"),
        ("etl.call.export", "process"),
        ("etl.call.blame", "guest"),
        ("error.type", "unreachable"),
        ("exception.type", "unreachable"),
    ] {
        assert_eq!(attributes[name], value, "{name}");
    }
    assert!(attributes["exception.message"].as_str().unwrap().starts_with("the component trapped"));
    assert_eq!(attributes["etl.batch.sequence"], 0);
    assert_eq!(record["trace_id"].as_str().unwrap().len(), 32);
}

#[test]
fn the_form_is_chosen_by_argument_then_variable_then_where_it_goes() {
    let here = speaking("talker", "testing/flood", "{ say = \"x\" }");
    let count = |arguments: &[&str], variables: &[(&str, &str)]| records(&run(&here, arguments, variables).err()).len();
    assert_eq!(count(&[], &[]), 9, "standard error is no terminal");
    assert_eq!(count(&[], &[("PARSHALL_LOG_FORMAT", "text")]), 0);
    assert_eq!(count(&["--log-format", "json"], &[("PARSHALL_LOG_FORMAT", "text")]), 9);
    assert_eq!(count(&[], &[("PARSHALL_LOG", "warn")]), 0);
    for wrong in [("PARSHALL_LOG_FORMAT", "xml"), ("PARSHALL_LOG", "guest=loud"), ("PARSHALL_LOG", "wran")] {
        let told = run(&here, &[], &[wrong]).fails(2);
        assert!(told.contains(wrong.0) && told.contains(wrong.1), "{told}");
    }
    for wrong in [("OTEL_LOGS_EXPORTER", "zipkin"), ("OTEL_BLRP_MAX_QUEUE_SIZE", "0"), ("OTEL_PROPAGATORS", "tracecontext,jaeger")] {
        let told = run(&here, &[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), wrong]).fails(2);
        assert!(told.contains(wrong.0) && told.contains(wrong.1), "{told}");
    }
}

/// What is said of a record, in the words of both: standard error and OTLP.
fn essence(trace: String, span: String, body: &str, stage: &str) -> String {
    format!("{trace} {span} {stage} {body}")
}

/// Protects against records that are lost at the end, or arrive without what makes them findable.
#[test]
fn every_record_arrives_by_otlp_as_it_was_written() {
    let Some(receiver) = Receiver::start() else { return };
    let here = hostile();
    let grpc = receiver.grpc.map(|port| format!("http://127.0.0.1:{port}"));
    let transports = [("http/protobuf", Some(receiver.endpoint())), ("grpc", grpc)];
    let mut before = 0;
    for (protocol, endpoint) in transports {
        let Some(endpoint) = endpoint else {
            println!("skipped: the receiver has no {protocol}");
            continue;
        };
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_SERVICE_NAME", "under-test"),
        ];
        let err = run(&here, &[], &variables).err();
        assert!(!err.contains("not delivered"), "{err}");
        let written = records(&err);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let of_line = |record: &Value| {
            essence(
                text(&record["trace_id"]),
                text(&record["span_id"]),
                &text(&record["body"]),
                &text(&record["attributes"]["etl.stage.name"]),
            )
        };
        let expected: BTreeMap<_, _> = written.iter().map(|record| (of_line(record), record)).collect();
        let received = receiver.logs().split_off(before);
        before += received.len();
        assert_eq!((written.len(), received.len()), (9, 9), "{protocol}");
        for record in &received {
            let of_otlp = essence(
                hex(&record["traceId"]),
                hex(&record["spanId"]),
                record["body"]["stringValue"].as_str().unwrap(),
                &attribute(record, "etl.stage.name").unwrap(),
            );
            assert!(expected.contains_key(&of_otlp), "{protocol}: {of_otlp} was not written: {:#?}", expected.keys());
            assert_eq!(attribute(&record["resource"], "service.name").as_deref(), Some("under-test"));
            assert_eq!(attribute(record, "etl.pipeline.name").as_deref(), Some("spoken"));
            assert_eq!((&record["scope"]["name"], &record["severityText"]), (&"guest".into(), &"INFO".into()));
            assert_eq!(record["severityNumber"], "SEVERITY_NUMBER_INFO");
        }
        assert_eq!(attribute(&received[0], "guest.etl.stage.name").as_deref(), Some("forged"));
    }
}

/// Protects the exception as a log record, and a run that fails before or while it runs: its last words arrive, too.
#[test]
fn a_failed_call_arrives_as_an_exception() {
    let Some(receiver) = Receiver::start() else { return };
    let here = speaking("breaks", "testing/hostile", "{ mode = \"trap\" }");
    run(&here, &["--log-format", "text"], &[("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", &format!("{}/v1/logs", receiver.endpoint()))]).fails(1);
    let [record] = receiver.logs().try_into().unwrap_or_else(|all| panic!("one record: {all:#?}"));
    assert_eq!((&record["severityNumber"], &record["scope"]["name"]), (&"SEVERITY_NUMBER_ERROR".into(), &"parshall::call".into()));
    for (name, value) in
        [("exception.type", "unreachable"), ("error.type", "unreachable"), ("etl.call.blame", "guest"), ("etl.stage.name", "breaks")]
    {
        assert_eq!(attribute(&record, name).as_deref(), Some(value));
    }
    assert_eq!((hex(&record["traceId"]).len(), hex(&record["spanId"]).len()), (32, 16));
}

/// Protects the run: whatever the receiver does, it ends, and says exactly what was not delivered.
#[test]
fn a_receiver_that_hangs_or_is_gone_holds_nothing_up() {
    let Some(receiver) = Receiver::start() else { return };
    let here = hostile();
    let variables = |endpoint: &str| {
        let pairs =
            [("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", endpoint), ("PARSHALL_TELEMETRY_FLUSH", "500"), ("OTEL_BLRP_SCHEDULE_DELAY", "1")];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    receiver.control(r#"{"hang": true}"#);
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for endpoint in [format!("{}/v1/logs", receiver.endpoint()), format!("http://127.0.0.1:{gone}/v1/logs")] {
        let variables = variables(&endpoint);
        let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let started = Instant::now();
        let err = run(&here, &[], &variables).err();
        assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
        let collector = endpoint.trim_end_matches("/v1/logs");
        assert!(err.contains(&format!("warning: 9 of 9 log records were not delivered to {collector}: ")), "{err}");
        assert_eq!(records(&err).len(), 9, "and yet everything was written");
    }
    assert!(receiver.logs().is_empty());
}

/// Protects memory and whoever logs: beyond the queue's bound records are dropped, and every one is counted.
#[test]
fn what_does_not_fit_into_the_queue_is_counted() {
    let Some(receiver) = Receiver::start() else { return };
    receiver.control(r#"{"delay": 0.4}"#);
    let here = speaking("flood", "testing/flood", "{ times = 200 }");
    let endpoint = format!("{}/v1/logs", receiver.endpoint());
    let variables = [("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", endpoint.as_str()), ("OTEL_BLRP_MAX_QUEUE_SIZE", "20")];
    let err = run(&here, &[], &variables).err();
    let (written, arrived) = (records(&err).len(), receiver.logs().len());
    assert_eq!(written, 300, "a hundred a call");
    assert!((20..300).contains(&arrived), "{arrived}");
    assert!(
        err.contains(&format!("warning: {} of 300 log records were not delivered", written - arrived)),
        "{arrived} arrived\n{}",
        &err[err.len() - 300..]
    );
}

/// Protects against an exporter that exports what it says about exporting, for ever.
#[test]
fn what_exporters_say_is_not_exported() {
    let Some(receiver) = Receiver::start() else { return };
    let here = speaking("talker", "testing/flood", "{ say = \"x\" }");
    let variables = [("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", &*format!("{}/v1/logs", receiver.endpoint())), ("PARSHALL_LOG", "trace")];
    let written = records(&run(&here, &[], &variables).err());
    let received = receiver.logs();
    let scopes: BTreeSet<_> = received.iter().map(|record| record["scope"]["name"].as_str().unwrap().to_owned()).collect();
    let foreign =
        |scope: &str| ["hyper", "reqwest", "tonic", "h2", "tower", "opentelemetry"].iter().any(|library| scope.starts_with(library));
    assert!(written.iter().any(|record| foreign(record["scope"].as_str().unwrap())), "they do speak");
    assert!(scopes.contains("guest") && !scopes.iter().any(|scope| foreign(scope)), "{scopes:?}");
}

/// Protects the way from a record to its span: the ids are those of spans that were recorded.
#[test]
fn records_name_spans_that_are_recorded() {
    let here = hostile();
    let written = records(&run(&here, &["--trace-out", "spans.jsonl"], &[]).err());
    let text = fs::read_to_string(here.path().join("spans.jsonl")).unwrap();
    let named = |record: &Value, name: &str| {
        let id = record["span_id"].as_str().unwrap();
        let at = text.find(&format!("\"spanId\":\"{id}\"")).unwrap_or_else(|| panic!("no span {id}"));
        let name = format!("\"name\":\"{name}\"");
        assert!(text[at..].find(&name).is_some_and(|found| found < 300), "{}", &text[at..at + 300]);
        assert!(text.contains(record["trace_id"].as_str().unwrap()));
        assert_eq!(record["trace_flags"], 1);
    };
    for batch in written.chunks(3) {
        let [said, call, span] = batch else { panic!("three: {batch:#?}") };
        named(said, "process talker");
        named(call, "process talker");
        named(span, "saying");
    }
}

/// Protects against records that are lost because a receiver was busy for a moment.
#[test]
fn a_receiver_that_refuses_once_is_asked_again() {
    let Some(receiver) = Receiver::start() else { return };
    receiver.control(r#"{"status": 503, "retry_after": 0, "times": 1}"#);
    let endpoint = format!("{}/v1/logs", receiver.endpoint());
    let err = run(&hostile(), &[], &[("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", &endpoint)]).err();
    assert!(!err.contains("not delivered"), "{err}");
    assert_eq!(receiver.logs().len(), 9);
}
