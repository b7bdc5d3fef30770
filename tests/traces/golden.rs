//! The span trees of good runs and of every simulated failure, as golden files in `tests/golden/traces`.
//! `UPDATE_GOLDEN=1` writes them anew.

use std::{fs, path::Path, sync::Arc};

use parshall::{
    telemetry::{Telemetry, health::Healths, traces::Recording},
    words::{
        observe::{BatchTrace, CallFacts, Export, Observer as _, Probe, RunFacts, RunOutcome, StageFacts, StageLevel, WorkerFacts},
        stage::Kind,
        usage::Usage,
    },
};

use super::{Watched, settings, spans, tree, watch};
use crate::binary::{example, folder, project};

pub fn assert_golden(name: &str, tree: &str) {
    let path = project("tests/golden/traces").join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, tree).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}; UPDATE_GOLDEN=1 writes it", path.display()));
    assert_eq!(tree, golden, "{name}: not the tree in {}", path.display());
}

/// Of a pipeline with one misbehaving stage between a source of three batches and a load.
fn misbehaving(folder: &Path, mode: &str, limits: &str) -> String {
    let text = format!(
        r#"name = "misbehaving"
        [extract.numbers]
        component = "@generate"
        config = {{ rows = 20, batch_rows = 20 }}
        [transform.breaks]
        component = "@hostile"
        inputs = ["numbers"]
        config = {{ mode = "{mode}" }}
        limits = {{ {limits} }}
        [load.out]
        component = "@collect"
        inputs = ["breaks"]"#
    );
    tree::tree(&spans(folder, &text))
}

#[test]
fn an_ordinary_run_and_a_merge() {
    let sales = example("sales");
    let text = fs::read_to_string(sales.path().join("pipeline.toml")).unwrap();
    assert_golden("merge", &tree::tree(&spans(sales.path(), &text)));
    let here = folder();
    assert_golden("ordinary", &tree::tree(&spans(here.path(), &super::batches(2, ""))));
}

#[test]
fn a_guest_that_traps_or_exceeds_its_limits() {
    let here = folder();
    assert_golden("trap", &misbehaving(here.path(), "trap", ""));
    assert_golden("out-of-fuel", &misbehaving(here.path(), "loop-in-process", "fuel = 1000000"));
    assert_golden("over-memory", &misbehaving(here.path(), "alloc-bomb", "memory = \"4MiB\""));
    assert_golden("timeout", &misbehaving(here.path(), "loop-in-process", "timeout = \"100ms\""));
    assert_golden("malformed", &misbehaving(here.path(), "wrong-length", ""));
}

#[test]
fn rows_that_are_rejected() {
    let orders = example("rejections");
    let text = fs::read_to_string(orders.path().join("pipeline.toml")).unwrap();
    assert_golden("rejected", &tree::tree(&spans(orders.path(), &text)));
}

/// The last row of a file is cut off in the middle, which nobody knows before it is read.
#[test]
fn a_source_that_cannot_be_read() {
    let here = folder();
    let rows: String = (0..30_000).map(|n| format!("{{\"n\": {n}}}\n")).collect();
    fs::write(here.path().join("rows.jsonl"), rows + "{\"n\": 1").unwrap();
    let text = r#"name = "unreadable"
        [extract.rows]
        component = "std:read"
        config = { path = "rows.jsonl", schema = { n = "int64" } }
        grants = { read = ["."] }
        [load.out]
        component = "@collect"
        inputs = ["rows"]"#;
    let mut spans = spans(here.path(), text);
    // How far the batches before came is a race with the failure.
    let failed = spans.iter().find(|span| span.name == "batch" && span.error.is_some()).expect("a batch that failed").trace.clone();
    spans.retain(|span| span.name == "run" || span.trace == failed);
    assert_golden("unreadable", &tree::tree(&spans));
}

#[test]
fn spans_of_the_guests_own() {
    let here = folder();
    let text = r#"name = "guests"
        [extract.numbers]
        component = "@generate"
        config = { rows = 10 }
        [transform.talks]
        component = "@flood"
        inputs = ["numbers"]
        config = { times = 2 }
        grants = { telemetry = true }
        [load.out]
        component = "@collect"
        inputs = ["talks"]"#;
    assert_golden("guest-spans", &tree::tree(&spans(here.path(), text)));
}

/// The exception is an event of the span only where somebody asks for it.
#[test]
fn exceptions_are_events_for_those_who_opt_in() {
    let here = folder();
    let text = r#"name = "events"
        [extract.numbers]
        component = "@generate"
        config = { rows = 10 }
        [transform.breaks]
        component = "@hostile"
        inputs = ["numbers"]
        config = { mode = "error-data" }
        [load.out]
        component = "@collect"
        inputs = ["breaks"]"#;
    let opted = settings(here.path(), [("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "logs/dup")]);
    let Watched { spans: with, .. } = watch(here.path(), text, opted);
    assert_golden("exception-event", &tree::tree(&with));
    assert!(spans(here.path(), text).iter().all(|span| span.events.is_empty()));
}

struct NoProbe;

impl Probe for NoProbe {
    fn stage(&self, _: usize) -> StageLevel {
        StageLevel::default()
    }
}

/// No component here puts out several batches in one call, so the observer is told of one by hand.
#[test]
fn a_batch_that_is_split() {
    let here = folder();
    let recording = Recording::start(settings(here.path(), []), &Healths::default()).unwrap();
    let stage = |name: &str, kind| StageFacts {
        name: name.into(),
        kind,
        component: "x".into(),
        version: String::new(),
        digest: String::new(),
        instances: 1,
        sources: Vec::new(),
        columns: Vec::new(),
        datasets: Vec::new(),
        queue_bound: None,
        memory_limit: 0,
    };
    let stages = vec![stage("rows", Kind::Extract), stage("splits", Kind::Transform)];
    let facts = RunFacts { pipeline: "split".into(), stages, settings: Default::default() };
    let probe: Arc<dyn Probe> = Arc::new(NoProbe);
    let observer = Telemetry { traces: Some(recording.traces()), metrics: None }.run(&facts, Arc::downgrade(&probe));
    let mut calls = observer.worker(&WorkerFacts { stage: 1, instance: 0, generation: 1 });
    let whole = Arc::new(BatchTrace::begin(&observer, 0, 0, Vec::new()));
    let context = calls.begin(Export::Process, Some(&whole));
    let (export, usage) =
        (Export::Process, Usage { started: Some(std::time::Instant::now()), rows_in: 9, rows_out: 9, ..Usage::default() });
    let facts = CallFacts {
        context,
        export,
        batch: Some(&whole),
        input: 0,
        usage: &usage,
        error: None,
        waited: Default::default(),
        batches_out: 2,
        again: None,
        handled: false,
    };
    calls.end(&facts);
    drop(whole);
    for part in 1..3 {
        drop(BatchTrace::begin(&observer, part, 1, vec![context]));
    }
    observer.ended(&RunOutcome { outcome: "completed", failure: None, rows: 9 });
    drop((calls, observer));
    recording.finish();
    let spans = tree::read(&fs::read_to_string(here.path().join("spans.jsonl")).unwrap());
    assert_golden("split", &tree::tree(&spans));
}
