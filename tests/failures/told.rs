//! What was said of a run, in a form that is the same every time.

use std::{collections::BTreeMap, fs, path::Path};

use regex::{Captures, Regex};
use serde_json::Value;

use crate::{
    metrics::text::Scraped,
    traces::tree::{self, Span},
};

/// The metrics that tell of failures, where rows went, and how telemetry fares.
const TELLING: [&str; 15] = [
    "etl_rows_processed_total",
    "etl_errors_total",
    "etl_calls_total",
    "etl_traps_total",
    "etl_rows_arrived_total",
    "etl_rows_total",
    "etl_rows_in_flight",
    "etl_ledger_imbalance_rows",
    "etl_runs_total",
    "etl_last_success_timestamp_seconds",
    "etl_instance_restarts_total",
    "etl_guest_telemetry_dropped_total",
    "etl_telemetry_exported_total",
    "etl_telemetry_dropped_total",
    "etl_telemetry_export_failures_total",
];

/// Those of which 0 is news.
const ZEROS: [&str; 5] = [
    "etl_rows_in_flight",
    "etl_ledger_imbalance_rows",
    "etl_telemetry_exported_total",
    "etl_telemetry_dropped_total",
    "etl_telemetry_export_failures_total",
];

/// What was said.
pub struct Told {
    /// In the file of spans.
    pub spans: Vec<Span>,
    /// In the file of metrics.
    pub metrics: Scraped,
    /// As JSON.
    pub logs: Vec<Value>,
    /// To people.
    pub people: Vec<String>,
    /// Metrics and values of labels that make a series a race, and what is said of it.
    unsteady: Vec<(String, String, &'static str)>,
}

// === impl Told ===

impl Told {
    /// What a run left in its folder and on standard error.
    pub fn read(folder: &Path, err: &str) -> Self {
        let file = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let logs = err.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap());
        let people = err.lines().filter(|line| line.starts_with("error: ") || line.starts_with("warning: ")).map(str::to_owned);
        Told::of(tree::read(&file("spans.jsonl")), &file("m.prom"), logs.collect(), people.collect())
    }

    /// The same, from wherever.
    pub fn of(spans: Vec<Span>, metrics: &str, logs: Vec<Value>, people: Vec<String>) -> Self {
        let mut metrics = Scraped::read(metrics);
        // A textfile has it on everything.
        metrics.series.iter_mut().for_each(|(_, labels, _)| drop(labels.remove("pipeline")));
        Told { spans, metrics, logs, people, unsteady: Vec::new() }
    }

    /// The values of this metric (or any, but for the imbalance of the ledger) that have a label of this value are a race.
    pub fn races(self, metric: &str, label: &str) -> Self {
        self.shown_as(metric, label, "*")
    }

    /// Whether these series are there at all is a race.
    pub fn leaves_out(self, metric: &str, label: &str) -> Self {
        self.shown_as(metric, label, "")
    }

    /// These values are more than 0, and how much is a race.
    pub fn more_than_none(self, metric: &str, label: &str) -> Self {
        assert!(
            self.metrics.series.iter().any(|(name, labels, value)| name == metric && labels.values().any(|v| v == label) && *value > 0.0)
        );
        self.shown_as(metric, label, ">0")
    }

    fn shown_as(mut self, metric: &str, label: &str, how: &'static str) -> Self {
        self.unsteady.push((metric.into(), label.into(), how));
        self
    }

    /// Everything.
    pub fn text(&self) -> String {
        let logs: String = self.logs().iter().map(|record| format!("{record:#}\n")).collect();
        let people: String = self.people.iter().map(|line| brief(line) + "\n").collect();
        format!("# spans\n{}\n# metrics\n{}\n# logs\n{logs}\n# people\n{people}", tree::tree(&self.spans), self.metrics())
    }

    /// The metrics that tell of it.
    pub fn metrics(&self) -> String {
        let mut text = String::new();
        for name in TELLING {
            let mut series: Vec<_> = self.metrics.series.iter().filter(|(found, ..)| found == name).collect();
            series.sort_by(|one, other| one.1.cmp(&other.1));
            for (_, labels, value) in series {
                let pairs: Vec<_> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
                let any = name != "etl_ledger_imbalance_rows";
                let fits =
                    |metric: &str, label: &str| (metric == name || any && metric.is_empty()) && labels.values().any(|value| value == label);
                let unsteady = self.unsteady.iter().find(|(metric, label, _)| fits(metric, label)).map(|(.., how)| *how);
                let value = match unsteady {
                    Some("") => continue,
                    None if *value == 0.0 && !ZEROS.contains(&name) => continue,
                    Some(how) => how.to_owned(),
                    // Ages since 1970 are no news.
                    None if name.ends_with("_seconds") => "*".into(),
                    None => value.to_string(),
                };
                text.push_str(&format!("{name}{{{}}} {value}\n", pairs.join(",")));
            }
        }
        text
    }

    /// The records, with the names of spans in place of ids.
    pub fn logs(&self) -> Vec<Value> {
        let names = tree::names(&self.spans);
        let name = |span: &Span| if span.name == "run" { "run".to_owned() } else { names.get(&span.id).unwrap_or(&span.name).clone() };
        let mut ids = BTreeMap::new();
        for span in &self.spans {
            ids.insert(span.id.clone(), format!("<span `{}`>", name(span)));
            let trace = ids.entry(span.trace.clone()).or_default();
            if ["run", "batch"].contains(&span.name.as_str()) {
                *trace = format!("<trace of `{}`>", name(span));
            }
        }
        self.logs.iter().map(|record| self.record(record, &ids)).collect()
    }

    fn record(&self, record: &Value, ids: &BTreeMap<String, String>) -> Value {
        if let Some(id) = record["span_id"].as_str() {
            let span = self.spans.iter().find(|span| span.id == id).unwrap_or_else(|| panic!("no such span: {record:#}"));
            assert_eq!(record["trace_id"], span.trace.as_str(), "the span is of another trace: {record:#}");
        }
        let mut record = record.clone();
        record.as_object_mut().unwrap().remove("timestamp").expect("a time");
        shorten(&mut record, ids);
        record
    }
}

/// Names in place of ids, and the first line of each text.
fn shorten(value: &mut Value, ids: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            let hex = Regex::new("[0-9a-f]{32}|[0-9a-f]{16}").unwrap();
            let named = hex.replace_all(text, |found: &Captures| ids.get(&found[0]).cloned().unwrap_or_else(|| "<id>".into()));
            *text = brief(&named);
        }
        Value::Object(map) => map.values_mut().for_each(|value| shorten(value, ids)),
        _ => {}
    }
}

/// The first line, without ports.
fn brief(text: &str) -> String {
    let port = Regex::new("127\\.0\\.0\\.1:[0-9]+").unwrap();
    let line = text.lines().next().unwrap_or_default();
    let more = if text.lines().count() > 1 { " …" } else { "" };
    port.replace_all(line, "127.0.0.1:*").into_owned() + more
}
