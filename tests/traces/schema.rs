//! TELEMETRY.md is the schema of spans: its attributes are those that runs emit, no more and no fewer.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use super::{settings, spans, tree::Span, watch};
use crate::binary::{example, folder, project};

/// Span → attribute → type, as the page has it.
fn documented() -> BTreeMap<String, BTreeMap<String, String>> {
    let page = fs::read_to_string(project("TELEMETRY.md")).unwrap();
    let section = page.split("\n## Traces\n").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the section on traces");
    let mut documented: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for part in section.split("\n### ").skip(1) {
        let name = part.lines().next().unwrap().trim_matches('`').to_owned();
        let row = |line: &str| {
            let mut cells = line.strip_prefix("| `")?.split('|');
            Some((cells.next()?.trim().trim_end_matches('`').to_owned(), cells.next()?.trim().to_owned()))
        };
        let rows: BTreeMap<_, _> = part.lines().filter_map(row).filter(|(name, _)| name.contains('.')).collect();
        documented.insert(name, rows);
    }
    documented
}

fn kind(value: &serde_json::Value) -> &'static str {
    let key = value.as_object().and_then(|object| object.keys().next()).map_or("", String::as_str);
    match key {
        "stringValue" => "string",
        "intValue" => "int",
        "doubleValue" => "double",
        "boolValue" => "boolean",
        "arrayValue" => "string[]",
        other => panic!("no type for {other}"),
    }
}

/// Spans of runs that end in every way that tells something of its own.
fn emitted() -> Vec<Span> {
    let (here, orders, sales) = (folder(), example("rejections"), example("sales"));
    let file = |folder: &tempfile::TempDir| fs::read_to_string(folder.path().join("pipeline.toml")).unwrap();
    let mut all = spans(orders.path(), &file(&orders));
    all.extend(spans(sales.path(), &file(&sales)));
    let failing = super::batches(1, "").replace("@noop\"", "@hostile\"\nconfig = { mode = \"trap\" }");
    let halved = super::batches(1, "").replace("@noop\"", "@stamp\"\non_error = \"skip\"\nconfig = { misbehave = \"trap\", every = 1000 }");
    all.extend(spans(here.path(), &halved));
    let events = settings(here.path(), [("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "logs/dup")]);
    all.extend(watch(here.path(), &failing, events).spans);
    all.extend(super::requests::all());
    all.extend(crate::swap::spans::all());
    all.extend(crate::delivery::resume::spans());
    all
}

#[test]
fn the_page_says_what_spans_say() {
    let mut found: BTreeMap<String, BTreeMap<String, BTreeSet<&str>>> = BTreeMap::new();
    let mut note = |span: &str, attributes: &BTreeMap<String, serde_json::Value>| {
        let of = found.entry(span.to_owned()).or_default();
        attributes.iter().for_each(|(key, value)| of.entry(key.clone()).or_default().extend([kind(value)]));
    };
    for span in emitted() {
        let name = match span.name.as_str() {
            name @ ("run" | "batch" | "swap" | "checkpoint") => name,
            "GET" => "METHOD",
            phase if phase.starts_with("swap ") => "swap PHASE",
            phase if phase.starts_with("checkpoint ") => "checkpoint PHASE",
            _ => "EXPORT STAGE",
        };
        note(name, &span.attributes);
        span.events.iter().for_each(|(event, attributes)| note(event, attributes));
    }
    let found: BTreeMap<_, _> = found
        .into_iter()
        .map(|(span, attributes)| {
            let one = |(key, kinds): (String, BTreeSet<&str>)| {
                assert_eq!(kinds.len(), 1, "{key} has one type");
                (key, kinds.into_iter().next().unwrap_or_default().to_owned())
            };
            (span, attributes.into_iter().map(one).collect::<BTreeMap<_, _>>())
        })
        .collect();
    for (span, attributes) in documented() {
        if span == "Settings" || span.starts_with("Guests") {
            continue;
        }
        assert_eq!(found.get(&span), Some(&attributes), "`{span}`: left what runs emit, right what TELEMETRY.md says");
    }
    for span in found.keys() {
        assert!(documented().contains_key(span), "`{span}` is not in TELEMETRY.md");
    }
}
