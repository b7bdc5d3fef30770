//! Failures outside of any call: no plugin can bring them about, so they are made in the plan.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, Once},
};

use parshall::{
    pipeline::{
        plan::{Opened, Plan},
        run::Run,
    },
    telemetry::{
        Telemetry,
        health::Healths,
        logs::Record,
        metrics::{Metrics, exposition::Form},
        traces::Recording,
    },
    words::{
        batch::RecordBatch,
        call::Call,
        guest_span::Value as Said,
        stage::{Transform, Transformed},
    },
};
use serde_json::{Map, Value, json};

use super::{assert_golden, told::Told};
use crate::{
    binary::folder,
    traces::{self, tree},
};

/// Records of all runs in this process.
static RECORDS: Mutex<Vec<Record>> = Mutex::new(Vec::new());

struct Keeps;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Keeps {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if *event.metadata().level() == tracing::Level::ERROR {
            RECORDS.lock().unwrap().push(Record::of(event));
        }
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(tracing::level_filters::LevelFilter::ERROR)
    }
}

/// What is logged on any thread of this process is kept from now on.
fn keep_records() {
    use tracing_subscriber::{layer::SubscriberExt as _, util::SubscriberInitExt as _};
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing_subscriber::registry().with(Keeps).init());
}

/// The same fields as in a line of JSON.
fn json(record: &Record) -> Value {
    let value = |value: &Said| match value {
        Said::Text(text) => json!(text),
        Said::Integer(integer) => json!(integer),
        Said::Number(number) => json!(number),
        Said::Flag(flag) => json!(flag),
    };
    let attributes: Map<_, _> = record.attributes.iter().map(|(name, said)| (name.to_string(), value(said))).collect();
    let context = record.context.expect("a span");
    json!({
        "timestamp": "",
        "severity_text": record.level.as_str(),
        "severity_number": record.severity(),
        "scope": record.target,
        "body": record.body,
        "trace_id": context.trace.to_string(),
        "span_id": context.span.to_string(),
        "trace_flags": u8::from(context.sampled),
        "attributes": attributes,
    })
}

/// Runs a plan with all layers.
fn watch(folder: &Path, plan: Plan) -> Told {
    keep_records();
    let healths = Healths::default();
    let pipeline = plan.name.clone();
    let recording = Recording::start(traces::settings(folder, []), &healths).unwrap();
    let metrics = Metrics::new(&healths);
    let observer = Telemetry { traces: Some(recording.traces()), metrics: Some(metrics.clone()) };
    let people = match Run::observed(plan, &observer) {
        Ok(run) => run.wait().error.map(|error| format!("error: stage `{}` failed: {}", error.stage, error.message)),
        Err(failure) => Some(format!("error: {failure}")),
    };
    drop(observer);
    recording.finish();
    let of_run = |record: &&Record| record.text("etl.pipeline.name") == Some(&pipeline);
    let logs = RECORDS.lock().unwrap().iter().filter(of_run).map(json).collect();
    let spans = tree::read(&fs::read_to_string(folder.join("spans.jsonl")).unwrap());
    Told::of(spans, &metrics.gather().text(Form::Prometheus), logs, people.into_iter().collect())
}

fn plan(folder: &Path, name: &str, instances: usize) -> Plan {
    let text = format!(
        r#"name = "{name}"
        [extract.numbers]
        component = "@generate"
        config = {{ rows = 20, batch_rows = 20 }}
        [transform.breaks]
        component = "@noop"
        inputs = ["numbers"]
        instances = {instances}
        [load.out]
        component = "@collect"
        inputs = ["breaks"]"#
    );
    traces::plan(folder, &text)
}

/// The first instance is opened with the plan; the world may have changed until the second.
#[test]
fn an_instance_that_cannot_be_opened() {
    let here = folder();
    let mut plan = plan(here.path(), "unopened", 2);
    plan.stages[1].opening.limits.memory = 1 << 16;
    assert_golden("unopened", &watch(here.path(), plan).text());
}

struct Panics;

impl Transform for Panics {
    fn process(&mut self, _: u32, _: &Arc<RecordBatch>) -> Call<Transformed> {
        panic!("on purpose");
    }

    fn finish(&mut self) -> Call<Option<Transformed>> {
        unreachable!("the run is over")
    }

    fn snapshot(&mut self) -> Call<Vec<u8>> {
        unreachable!("nobody asks")
    }
}

/// Protects whoever has to find out: a bug of ours is told like a bug of a guest.
#[test]
fn a_host_that_panics() {
    let here = folder();
    let mut plan = plan(here.path(), "panics", 1);
    plan.stages[1].opened = Mutex::new(Some(Opened::Transform(Box::new(Panics))));
    assert_golden("panic", &watch(here.path(), plan).races("etl_calls_total", "numbers").text());
}
