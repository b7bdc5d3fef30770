//! Spans as OTLP/JSON has them, and as a tree that is the same for every run: without ids, times, and what depends on the machine.

use std::collections::BTreeMap;

use serde_json::Value;

/// A span.
#[derive(Clone, Debug)]
pub struct Span {
    pub name: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub kind: i64,
    pub started: u64,
    pub ended: u64,
    pub attributes: BTreeMap<String, Value>,
    /// Names, and what is said of each.
    pub events: Vec<(String, BTreeMap<String, Value>)>,
    /// Ids of spans.
    pub links: Vec<String>,
    /// Of a span that failed.
    pub error: Option<String>,
}

impl Span {
    /// An attribute that is a string.
    pub fn text(&self, key: &str) -> &str {
        self.attributes.get(key).and_then(|value| value["stringValue"].as_str()).unwrap_or_default()
    }
}

/// Spans of a file of `ExportTraceServiceRequest`s, a line each.
pub fn read(text: &str) -> Vec<Span> {
    let request = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().flat_map(|line| spans(&request(line))).collect()
}

fn spans(request: &Value) -> Vec<Span> {
    let resources = request["resourceSpans"].as_array().unwrap().iter();
    let scopes = resources.flat_map(|resource| resource["scopeSpans"].as_array().unwrap());
    scopes.flat_map(|scope| scope["spans"].as_array().unwrap()).map(span).collect()
}

fn span(span: &Value) -> Span {
    let text = |key: &str| span[key].as_str().unwrap_or_default().to_owned();
    let time = |key: &str| text(key).parse().unwrap();
    let list = |key: &str| span[key].as_array().cloned().unwrap_or_default();
    Span {
        name: text("name"),
        trace: text("traceId"),
        id: text("spanId"),
        parent: text("parentSpanId"),
        kind: span["kind"].as_i64().unwrap(),
        started: time("startTimeUnixNano"),
        ended: time("endTimeUnixNano"),
        attributes: attributes(&span["attributes"]),
        events: list("events").iter().map(|event| (event["name"].as_str().unwrap().into(), attributes(&event["attributes"]))).collect(),
        links: list("links").iter().map(|link| link["spanId"].as_str().unwrap().to_owned()).collect(),
        error: (span["status"]["code"] == 2).then(|| span["status"]["message"].as_str().unwrap_or_default().to_owned()),
    }
}

fn attributes(list: &Value) -> BTreeMap<String, Value> {
    let pair = |pair: &Value| (pair["key"].as_str().unwrap().to_owned(), pair["value"].clone());
    list.as_array().into_iter().flatten().map(pair).collect()
}

/// What differs between machines, runs or builds, or is said by the tree itself.
const LEFT_OUT: [&str; 20] = [
    "etl.pipeline.name",
    "etl.stage.name",
    "etl.stage.kind",
    "etl.stage.instance",
    "etl.stage.generation",
    "etl.component.name",
    "etl.component.version",
    "etl.component.digest",
    "etl.call.export",
    "etl.batch.sequence",
    "etl.fuel.used",
    "etl.memory.peak",
    "etl.memory.growth",
    "etl.queue.wait",
    "etl.time.guest",
    "etl.time.copy",
    "etl.time.host",
    "etl.swap.old.digest",
    "etl.swap.new.digest",
    "etl.swap.pause",
];

/// All spans as a tree: the run and what hangs below it, then every batch, in the order in which they came about.
pub fn tree(spans: &[Span]) -> String {
    let (roots, names) = (roots(spans), names(spans));
    let mut text = String::new();
    roots.iter().for_each(|root| write(root, spans, &names, 0, &mut text));
    text
}

fn roots(spans: &[Span]) -> Vec<&Span> {
    let mut roots: Vec<_> = spans.iter().filter(|span| !spans.iter().any(|parent| parent.id == span.parent)).collect();
    let sequence = |span: &Span| span.attributes.get("etl.batch.sequence").map(|n| n["intValue"].as_str().unwrap().parse::<u64>().unwrap());
    roots.sort_by_key(|span| (span.name != "run", span.text("etl.batch.source").to_owned(), sequence(span)));
    roots
}

/// Names of batches and their calls that are the same for every run, by id.
pub fn names(spans: &[Span]) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for (number, root) in roots(spans).iter().filter(|root| root.name == "batch").enumerate() {
        names.insert(root.id.clone(), format!("batch {number}"));
        for call in spans.iter().filter(|span| span.parent == root.id) {
            names.insert(call.id.clone(), format!("{} of batch {number}", call.name));
        }
    }
    names
}

fn write(span: &Span, spans: &[Span], names: &BTreeMap<String, String>, depth: usize, into: &mut String) {
    assert!(span.ended >= span.started, "{} ends before it begins", span.name);
    let name = if span.name == "batch" { names[&span.id].clone() } else { span.name.chars().take(40).collect() };
    let margin = "  ".repeat(depth);
    into.push_str(&format!("{margin}{name}{}\n", if span.kind == 3 { " (client)" } else { "" }));
    for (key, value) in span.attributes.iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str())) {
        let value = shown(value);
        // A number that is 0 says nothing here.
        if value != "0" {
            into.push_str(&format!("{margin}  · {key} = {value}\n"));
        }
    }
    if let Some(message) = &span.error {
        into.push_str(&format!("{margin}  ! {}\n", plain(message)));
    }
    for (event, attributes) in &span.events {
        let said: Vec<_> = attributes.iter().map(|(key, value)| format!("{key} = {}", shown(value))).collect();
        into.push_str(&format!("{margin}  @ {event}: {}\n", said.join(", ")));
    }
    let mut linked: Vec<_> = span.links.iter().map(|id| names.get(id).map_or("run", String::as_str)).collect();
    linked.sort_unstable();
    linked.iter().for_each(|name| into.push_str(&format!("{margin}  → {name}\n")));
    let mut children: Vec<_> = spans.iter().filter(|child| child.parent == span.id).collect();
    // Threads race; names do not.
    children.sort_by(|one, other| (&one.name, one.started).cmp(&(&other.name, other.started)));
    children.iter().for_each(|child| write(child, spans, names, depth + 1, into));
}

fn shown(value: &Value) -> String {
    let (_, value) = value.as_object().and_then(|object| object.iter().next()).expect("a value");
    match value {
        Value::String(text) => plain(text),
        Value::Object(array) => {
            let values = array["values"].as_array().map_or_else(Vec::new, |values| values.iter().map(shown).collect());
            format!("[{}]", values.join(", "))
        }
        other => other.to_string(),
    }
}

/// The first line, and not too much of it.
fn plain(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(80).collect()
}
