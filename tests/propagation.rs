//! Context that comes in and goes out: hostile text in every format, and files that tell the next run which span wrote them.

use std::{
    collections::HashMap,
    fs::{self, File},
    path::Path,
    process::Command,
    sync::{Arc, Mutex, Weak},
};

use arrow::ipc::reader::FileReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parshall::{
    catalog::Catalog,
    pipeline::{
        plan::Plan,
        run::{Outcome, Run},
        spec::Spec,
    },
    tables::NativeTables,
    telemetry::{
        otlp::Environment,
        propagation::{Baggage, Carrier, Format, Headers, Outgoing, Propagators, Remote, parent_from_environment},
    },
    wasm::{Cache, Runtime},
    words::{
        carry,
        observe::{BatchTrace, CallFacts, CallObserver, Export, Observer, Probe, RunFacts, RunObserver, RunOutcome, WorkerFacts},
        trace::SpanContext,
    },
};
use serde_json::Value;

use crate::{
    binary::{Ran, parshall, project},
    components,
};

/// Samples everything, and remembers what files are stamped with and what batches are linked to.
#[derive(Clone)]
struct Watch(Arc<Seen>);

struct Seen {
    run: SpanContext,
    commits: Mutex<Vec<SpanContext>>,
    batches: Mutex<Vec<Vec<SpanContext>>>,
}

impl Observer for Watch {
    fn run(&self, _: &RunFacts, _: Weak<dyn Probe>) -> Arc<dyn RunObserver> {
        Arc::new(self.clone())
    }
}

impl RunObserver for Watch {
    fn context(&self) -> SpanContext {
        self.0.run
    }

    fn root(&self) -> SpanContext {
        SpanContext::root(true)
    }

    fn worker(&self, _: &WorkerFacts) -> Box<dyn CallObserver> {
        Box::new(self.clone())
    }

    fn batch(&self, batch: &BatchTrace) {
        if !batch.is_void() {
            self.0.batches.lock().unwrap().push(batch.linked());
        }
    }

    fn ended(&self, _: &RunOutcome<'_>) {}
}

impl CallObserver for Watch {
    fn begin(&mut self, export: Export, batch: Option<&Arc<BatchTrace>>) -> SpanContext {
        let context = batch.map_or(self.0.run, |batch| batch.root).child();
        if export == Export::Commit {
            self.0.commits.lock().unwrap().push(context);
        }
        context
    }

    fn end(&mut self, _: &CallFacts<'_>) {}
}

/// What a watched run did: the span that committed, and what its batches were linked to.
struct Done {
    commit: SpanContext,
    links: Vec<Vec<SpanContext>>,
}

fn plan(folder: &Path, text: &str) -> Plan {
    let text = text.replace("@generate", &components::path("testing/generate").display().to_string());
    let spec = Spec::parse("pipeline.toml", folder, &text, &|_| None).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
    let cache = Cache::at(std::env::temp_dir().join("parshall-test-components"));
    let catalog = Catalog::new(Runtime::new(cache, Arc::new(NativeTables::default())).unwrap());
    Plan::make(&spec, &catalog).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)))
}

fn watched(folder: &Path, text: &str) -> Done {
    // The whole process answers alike from here on; other tests' spans are not sampled, so nothing of theirs is stamped.
    let parent = Remote { context: SpanContext::root(true), trace_state: "a=1".into(), baggage: Baggage::parse("tenant=blue") };
    carry::answer_by(Some(Arc::new(Outgoing::new(Propagators::default(), Some(parent)))));
    let watch = Watch(Arc::new(Seen { run: SpanContext::root(true), commits: Mutex::default(), batches: Mutex::default() }));
    let report = Run::observed(plan(folder, text), &watch).unwrap().wait();
    assert_eq!(report.outcome, Outcome::Completed);
    let commits = watch.0.commits.lock().unwrap();
    let links = watch.0.batches.lock().unwrap().clone();
    Done { commit: commits[0], links }
}

fn make(to: &str) -> String {
    format!(
        "[extract.a]\ncomponent = \"@generate\"\nconfig = {{ rows = 30, batch_rows = 10 }}\n\
         [load.b]\ncomponent = \"std:write\"\ninputs = [\"a\"]\nconfig = {{ to = \"{to}\" }}\ngrants = {{ write = [\".\"] }}\n"
    )
}

fn copy(from: &str, to: &str) -> String {
    format!(
        "[extract.a]\ncomponent = \"std:read\"\nconfig = {{ path = \"{from}\" }}\ngrants = {{ read = [\".\"] }}\n\
         [load.b]\ncomponent = \"std:write\"\ninputs = [\"a\"]\nconfig = {{ to = \"{to}\" }}\ngrants = {{ write = [\".\"] }}\n"
    )
}

fn parent(context: SpanContext) -> String {
    format!("00-{}-{}-01", context.trace, context.span)
}

/// Key-value metadata of a Parquet file, and of the schema that Arrow's own reader makes of it.
fn of_parquet(path: &Path) -> HashMap<String, String> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let pairs = reader.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    pairs.into_iter().map(|pair| (pair.key, pair.value.unwrap_or_default())).collect()
}

/// Protects the thread from a pipeline to the next one, through every format of file that can carry it.
#[test]
fn a_file_says_which_span_wrote_it_and_whoever_reads_it_is_linked() {
    let here = tempfile::tempdir().unwrap();
    let made = watched(here.path(), &make("one.parquet"));
    assert_eq!(made.links, vec![Vec::new(); 3]);
    let pairs = of_parquet(&here.path().join("one.parquet"));
    assert_eq!(pairs.get("traceparent"), Some(&parent(made.commit)));
    assert_eq!(pairs.get("baggage").map(String::as_str), Some("tenant=blue"));
    assert_eq!(pairs.get("tracestate"), None, "that of another trace");

    let copied = watched(here.path(), &copy("one.parquet", "two.arrow"));
    assert_eq!(copied.links, [[made.commit]], "the batch that was read is linked to the span that wrote the file");
    let reader = FileReader::try_new(File::open(here.path().join("two.arrow")).unwrap(), None).unwrap();
    assert_eq!(reader.custom_metadata().get("traceparent"), Some(&parent(copied.commit)));
    assert!(reader.schema().metadata().is_empty(), "the stamp of the file before went no further: {:?}", reader.schema().metadata());

    let again = watched(here.path(), &copy("two.arrow", "three.parquet"));
    assert_eq!(again.links, [[copied.commit]]);
    assert_eq!(of_parquet(&here.path().join("three.parquet")).get("traceparent"), Some(&parent(again.commit)));
    // Text has nowhere to say it.
    let text = watched(here.path(), &copy("three.parquet", "four.csv"));
    assert_eq!(text.links, [[again.commit]]);
    assert_eq!(watched(here.path(), &copy("four.csv", "five.csv")).links, [[]]);
}

/// Protects files: without a span that is sampled they are what they would be without telemetry.
#[test]
fn a_file_that_no_sampled_span_writes_is_as_ever() {
    let here = tempfile::tempdir().unwrap();
    watched(here.path(), &make("stamped.parquet"));
    for name in ["plain.parquet", "plain.arrow"] {
        let report = Run::start(plan(here.path(), &make(name))).unwrap().wait();
        assert_eq!(report.outcome, Outcome::Completed);
        let bytes = fs::read(here.path().join(name)).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"traceparent"), "{name}");
    }
    let bytes = fs::read(here.path().join("stamped.parquet")).unwrap();
    assert!(bytes.windows(11).any(|window| window == b"traceparent"));
}

/// Protects what others put into their files, and links from theirs.
#[test]
fn metadata_of_others_is_left_alone_and_their_context_is_understood() {
    let here = tempfile::tempdir().unwrap();
    let context = SpanContext::root(true);
    let own = [("pandas", "{}"), ("baggage", "mine"), ("org.apache.spark.version", "4.0.0")];
    let write = |name: &str, more: &[(&str, &str)]| {
        let metadata = own.iter().chain(more).map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let field = arrow::datatypes::Field::new("n", arrow::datatypes::DataType::Int64, true);
        let schema = Arc::new(arrow::datatypes::Schema::new_with_metadata(vec![field], metadata));
        let column = Arc::new(arrow::array::Int64Array::from(vec![1, 2]));
        let batch = arrow::array::RecordBatch::try_new(Arc::clone(&schema), vec![column]).unwrap();
        let mut writer = arrow::ipc::writer::FileWriter::try_new(File::create(here.path().join(name)).unwrap(), &schema).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
    };
    let schema_of = |name: &str| {
        let reader = FileReader::try_new(File::open(here.path().join(name)).unwrap(), None).unwrap();
        reader.schema().metadata().clone()
    };
    write("plain.arrow", &[]);
    write("traced.arrow", &[("traceparent", &parent(context))]);
    write("hostile.arrow", &[("traceparent", &"0".repeat(100_000))]);
    assert_eq!(watched(here.path(), &copy("plain.arrow", "plain-copy.arrow")).links, [[]]);
    assert_eq!(watched(here.path(), &copy("traced.arrow", "traced-copy.arrow")).links, [[context]]);
    assert_eq!(watched(here.path(), &copy("hostile.arrow", "hostile-copy.arrow")).links, [[]]);
    let kept = schema_of("plain-copy.arrow");
    for (key, value) in own {
        assert_eq!(kept.get(key).map(String::as_str), Some(value), "{key}");
    }
    let kept = schema_of("traced-copy.arrow");
    assert_eq!((kept.get("pandas").map(String::as_str), kept.get("traceparent")), (Some("{}"), None));
}

/// Protects whoever reads the files with something else.
#[test]
fn pyarrow_reads_the_stamp_and_the_table() {
    let cache = std::env::var_os("PARSHALL_SERVERS").map_or_else(|| project("target/servers"), Into::into).join("pyarrow");
    if !cache.join("pyarrow").exists() {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--target"]);
        let installed = pip.arg(&cache).arg("pyarrow==26.0.0").output();
        if !installed.as_ref().is_ok_and(|output| output.status.success()) {
            println!("skipped: pyarrow cannot be installed: {installed:?}");
            return;
        }
    }
    let here = tempfile::tempdir().unwrap();
    let (parquet, ipc) = (watched(here.path(), &make("a.parquet")), watched(here.path(), &make("a.arrow")));
    let script = "import pyarrow.parquet as pq, pyarrow.ipc as ipc\n\
        f = pq.ParquetFile('a.parquet'); print(f.metadata.metadata[b'traceparent'].decode(), f.read().num_rows)\n\
        r = ipc.open_file('a.arrow'); print(r.metadata[b'traceparent'].decode(), r.read_all().num_rows, r.schema.metadata)";
    let output = Command::new("python3").env("PYTHONPATH", &cache).current_dir(here.path()).args(["-c", script]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = format!("{} 30\n{} 30 None\n", parent(parquet.commit), parent(ipc.commit));
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

/// What names every format reads.
const NAMES: [&str; 8] = ["traceparent", "tracestate", "baggage", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags"];

/// Numbers that look random and are the same each time: splitmix64.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 33) as usize
}

/// Good values, cut, doubled and peppered with what breaks parsers.
fn mangled(good: &str, state: &mut u64) -> String {
    const PIECES: [&str; 16] = ["", "-", "=", ",", ";", "%", "\0", "é", "\u{10ffff}", " ", "0", "f", "G", "+", "00-", "\t"];
    let mut text: Vec<char> = good.chars().collect();
    for _ in 0..next(state) % 6 {
        let at = next(state) % (text.len() + 1);
        match next(state) % 4 {
            0 => text.truncate(at),
            1 => text.splice(at..at, PIECES[next(state) % PIECES.len()].chars()).for_each(drop),
            2 if at < text.len() => drop(text.remove(at)),
            _ => text.extend_from_within(..at),
        }
    }
    text.into_iter().collect()
}

/// Protects the host against whoever starts it, sends it headers, or leaves a file for it: no text makes a parser panic, and
/// whatever a parser lets in, it lets out within bounds and reads again as the same.
#[test]
fn no_text_breaks_a_format_and_what_enters_leaves_within_bounds() {
    let ids = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
    let b3 = format!("{ids}-1-05e3ac9a4f6e3b90");
    let good = [
        format!("00-{ids}-01"),
        "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE".into(),
        "userId=Am%C3%A9lie;p=1,k=v".into(),
        b3,
        ids[..32].into(),
        ids[33..].into(),
        "1".into(),
        "1".into(),
    ];
    let choices: [&[Format]; 4] = [
        &[Format::TraceContext, Format::Baggage],
        &[Format::B3, Format::Baggage],
        &[Format::B3Multi],
        &[Format::B3Multi, Format::B3, Format::Baggage, Format::TraceContext],
    ];
    let (mut state, mut entered) = (1, 0);
    for round in 0..40_000 {
        let values: HashMap<String, String> =
            NAMES.iter().zip(&good).map(|(name, good)| (name.to_string(), mangled(good, &mut state))).collect();
        let propagators = Propagators::of(choices[round % choices.len()]);
        let Some(remote) = propagators.extract(&values) else { continue };
        entered += 1;
        assert!(remote.trace_state.len() <= 512 && remote.baggage.write().len() <= 8192);
        let mut out = Headers::default();
        propagators.inject(&remote.context, &remote.trace_state, &remote.baggage, &mut out);
        for (name, value) in &out.0 {
            assert!(value.bytes().all(|byte| byte == b'\t' || (0x20..0x7f).contains(&byte)), "{name}: {value:?}");
        }
        assert_eq!(propagators.extract(&out), Some(remote));
        let variables =
            [("TRACEPARENT", values["traceparent"].as_str()), ("TRACESTATE", &values["tracestate"]), ("BAGGAGE", &values["baggage"])];
        parent_from_environment(&Environment::of(variables)).unwrap();
    }
    assert!((1_000..39_000).contains(&entered), "the test looks at both sides: {entered}");
}

/// Protects whoever started the run: its span becomes the parent, by every format that it may have been told in.
#[test]
fn the_environment_and_headers_name_the_same_parent() {
    let context = SpanContext::root(true);
    for (name, formats) in [("tracecontext", [Format::TraceContext]), ("b3", [Format::B3]), ("b3multi", [Format::B3Multi])] {
        let mut headers = Headers::default();
        Propagators::of(&formats).inject(&context, "", &Baggage::EMPTY, &mut headers);
        let upper: Vec<_> = headers.0.iter().map(|(name, value)| (name.to_uppercase().replace('-', "_"), value.clone())).collect();
        let value = |at: usize| upper.get(at).map_or(("UNUSED", "x"), |(name, value)| (name.as_str(), value.as_str()));
        let environment = Environment::of([("OTEL_PROPAGATORS", name), value(0), value(1), value(2)]);
        let remote = parent_from_environment(&environment).unwrap().unwrap();
        assert_eq!(remote.context, context, "{name}");
        assert_eq!(headers.get("x-nothing"), None);
    }
}

/// The spans of a file that `--trace-out` wrote.
fn spans(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let requests = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let parts = |of: &Value, name: &str| of[name].as_array().cloned().unwrap_or_default();
    let scopes = requests.flat_map(|request| parts(&request, "resourceSpans")).flat_map(|resource| parts(&resource, "scopeSpans"));
    scopes.flat_map(|scope| parts(&scope, "spans")).collect()
}

fn named<'a>(spans: &'a [Value], name: &str) -> &'a Value {
    let names = || spans.iter().map(|span| span["name"].clone()).collect::<Vec<_>>();
    spans.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("no span `{name}` among {:?}", names()))
}

/// `parshall run` of a pipeline with these variables, and no others that telemetry reads.
fn command(folder: &Path, text: &str, arguments: &[&str], variables: &[(&str, &str)]) {
    fs::write(folder.join("pipeline.toml"), text.replace("@generate", &components::path("testing/generate").display().to_string()))
        .unwrap();
    let mut command = parshall();
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_") || name.starts_with("TRACE")) {
        command.env_remove(name);
    }
    command.current_dir(folder).args(["run", "pipeline.toml", "--report", "none"]).args(arguments).envs(variables.iter().copied());
    Ran(command.output().unwrap()).ok();
}

/// Protects the whole way, from who starts a run through a file to the spans of the run that reads it.
#[test]
fn a_trace_goes_through_the_command_and_a_file_into_the_next_run() {
    let here = tempfile::tempdir().unwrap();
    let (one, two) = (here.path().join("one.jsonl"), here.path().join("two.jsonl"));
    let started_by = SpanContext::root(true);
    let told = parent(started_by);
    let variables = [("TRACEPARENT", told.as_str()), ("TRACESTATE", "vendor=1"), ("BAGGAGE", "tenant=blue")];
    command(here.path(), &make("one.parquet"), &["--trace-out", "one.jsonl"], &variables);
    let first = spans(&one);
    let run = named(&first, "run");
    assert_eq!(run["traceId"], started_by.trace.to_string());
    assert_eq!(run["parentSpanId"], started_by.span.to_string());
    let commit = named(&first, "commit b");
    assert_eq!(commit["traceId"], run["traceId"], "a commit is of the run, not of a batch");
    let pairs = of_parquet(&here.path().join("one.parquet"));
    let stamp = format!("00-{}-{}-01", commit["traceId"].as_str().unwrap(), commit["spanId"].as_str().unwrap());
    assert_eq!(pairs.get("traceparent"), Some(&stamp));
    let companion = |name: &str| pairs.get(name).map(String::as_str);
    assert_eq!((companion("tracestate"), companion("baggage")), (Some("vendor=1"), Some("tenant=blue")));

    command(here.path(), &copy("one.parquet", "two.arrow"), &["--trace-out", "two.jsonl"], &[("OTEL_PROPAGATORS", "tracecontext,b3")]);
    let second = spans(&two);
    let batch = named(&second, "batch");
    let links = batch["links"].as_array().unwrap();
    let is_commit = |link: &&Value| link["traceId"] == commit["traceId"] && link["spanId"] == commit["spanId"];
    assert_eq!(links.iter().filter(is_commit).count(), 1, "{links:#?}");
    let reader = FileReader::try_new(File::open(here.path().join("two.arrow")).unwrap(), None).unwrap();
    let mut names: Vec<_> = reader.custom_metadata().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["b3", "traceparent"]);
}

/// A name, arguments, variables.
type Case<'a> = (&'a str, &'a [&'a str], &'a [(&'a str, &'a str)]);

/// Protects files against telemetry that nobody asked for: a run whose spans go nowhere writes the same bytes each time.
#[test]
fn a_run_whose_spans_go_nowhere_stamps_nothing() {
    let here = tempfile::tempdir().unwrap();
    let told = parent(SpanContext::root(true));
    let unsampled = told.replace("-01", "-00");
    let cases: [Case<'_>; 4] = [
        ("plain", &[], &[]),
        ("started", &[], &[("TRACEPARENT", &told)]),
        ("unsampled", &["--trace-out", "spans.jsonl"], &[("TRACEPARENT", &unsampled)]),
        ("none", &["--trace-out", "spans.jsonl"], &[("OTEL_PROPAGATORS", "none")]),
    ];
    for kind in ["parquet", "arrow"] {
        let mut files = Vec::new();
        for (name, arguments, variables) in cases {
            let file = format!("{name}.{kind}");
            command(here.path(), &make(&file), arguments, variables);
            files.push(fs::read(here.path().join(file)).unwrap());
        }
        assert!(files.iter().all(|file| *file == files[0]), "{kind}");
        assert!(!files[0].windows(11).any(|window| window == b"traceparent"), "{kind}");
    }
}
