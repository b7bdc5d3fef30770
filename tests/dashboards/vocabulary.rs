//! The words of queries: every metric is one that TELEMETRY.md has, and every label and value one that this metric has there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::LazyLock,
};

use regex::Regex;
use serde_json::Value;

use super::committed;
use crate::binary::project;

/// Label → its values, where they are listed; all others are free.
type Labels = BTreeMap<String, BTreeSet<String>>;

/// Labels that Prometheus gives to everything that it scrapes, and a Pushgateway to what was pushed.
const OF_TARGETS: [&str; 3] = ["job", "instance", "pipeline"];

static QUOTED: LazyLock<Regex> = LazyLock::new(|| Regex::new("`([^`]+)`").unwrap());
static SELECTOR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b([a-z_]+:[a-z0-9_]+:[a-z0-9_]+|(?:etl|process)_\w+)(?:\{([^}]*)\})?").unwrap());
static MATCHER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"(\w+)(=~|!~|!=|=)"([^"]*)""#).unwrap());
static GROUPING: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(?:by|on|ignoring|without|group_left) ?\(([^)]+)\)").unwrap());
static TEMPLATE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{\{ ?(?:\$labels\.)?(\w+) ?\}\}").unwrap());

/// Metric → its labels, with the parts of histograms, as the table of TELEMETRY.md has them and the rules record them.
fn published() -> BTreeMap<String, Labels> {
    let page = fs::read_to_string(project("TELEMETRY.md")).unwrap();
    let mut metrics = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("| `etl_") || line.starts_with("| `process_")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (name, kind) = (cells[1].trim_matches('`'), cells[2]);
        let labels: Labels = cells[4].split(';').filter(|text| !text.trim().is_empty()).map(label).collect();
        if kind == "histogram" {
            for part in ["_bucket", "_sum", "_count"] {
                let le = (part == "_bucket").then(|| ("le".to_owned(), BTreeSet::new()));
                metrics.insert(format!("{name}{part}"), labels.clone().into_iter().chain(le).collect());
            }
        }
        metrics.insert(name.to_owned(), labels);
    }
    // Of what is recorded, the level says the labels; the job is always among them.
    for name in committed("rules.yml").lines().filter_map(|line| line.trim().strip_prefix("- record: ")) {
        let name = name.trim_matches('\'');
        let labels = name.split(':').next().unwrap().split('_').map(|label| (label.to_owned(), BTreeSet::new()));
        metrics.insert(name.to_owned(), labels.collect());
    }
    metrics
}

/// `outcome`: `ok` `error`.
fn label(text: &str) -> (String, BTreeSet<String>) {
    let mut words = QUOTED.captures_iter(text).map(|word| word[1].to_owned());
    (words.next().unwrap_or_else(|| panic!("no label: {text}")), words.collect())
}

/// Every query, with the texts that name labels of its answer.
fn queries() -> Vec<(String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let dashboard: Value = serde_json::from_str(&committed("dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let mut queries: Vec<_> = panels.map(|target| (text(&target["expr"]), vec![text(&target["legendFormat"])])).collect();
    let annotations = dashboard["annotations"]["list"].as_array().unwrap().iter();
    queries.extend(annotations.map(|annotation| (text(&annotation["expr"]), vec![text(&annotation["titleFormat"])])));
    let variables = dashboard["templating"]["list"].as_array().unwrap().iter();
    queries.extend(variables.filter_map(|variable| variable["definition"].as_str()).map(|query| (query.to_owned(), Vec::new())));
    for rule in committed("rules.yml").split("      - ").skip(1) {
        let value =
            |key| rule.lines().find_map(|line| line.trim().strip_prefix(key)).map(|text| text.trim_matches('\'').replace("''", "'"));
        let texts = ["summary: ", "description: "].into_iter().filter_map(value).collect();
        queries.push((value("expr: ").unwrap(), texts));
    }
    queries
}

/// Protects against a query that asks for what is not there: it finds nothing and says nothing.
#[test]
fn every_query_speaks_of_what_there_is() {
    let (published, queries) = (published(), queries());
    let names = fs::read_to_string(project("host/src/telemetry/names.rs")).unwrap();
    let mut wrong = Vec::new();
    let mut asked = BTreeSet::new();
    for (query, texts) in &queries {
        let mut known: BTreeSet<&str> = OF_TARGETS.into();
        // What rules and the dashboard ask of Prometheus itself.
        if query.contains("ALERTS") {
            known.extend(["alertname", "stage", "source", "signal"]);
        }
        for selector in SELECTOR.captures_iter(query) {
            let name = &selector[1];
            let Some(labels) = published.get(name) else {
                wrong.push(format!("{query}: no metric `{name}`"));
                continue;
            };
            asked.insert(name.trim_end_matches("_bucket").trim_end_matches("_sum").trim_end_matches("_count").to_owned());
            known.extend(labels.keys().map(String::as_str));
            for matcher in MATCHER.captures_iter(selector.get(2).map_or("", |matchers| matchers.as_str())) {
                let (label, how, value) = (&matcher[1], &matcher[2], &matcher[3]);
                match labels.get(label) {
                    None if !OF_TARGETS.contains(&label) => wrong.push(format!("{query}: `{name}` has no label `{label}`")),
                    Some(values) if how == "=" && !values.is_empty() && !values.contains(value) => {
                        wrong.push(format!("{query}: `{label}` of `{name}` is never `{value}`"));
                    }
                    _ => {}
                }
            }
        }
        let named_in_texts = texts.iter().flat_map(|text| TEMPLATE.captures_iter(text)).map(|found| found.get(1).unwrap().as_str());
        let grouped = GROUPING.captures_iter(query).flat_map(|found| found.get(1).unwrap().as_str().split(", "));
        for label in named_in_texts.chain(grouped) {
            if !known.contains(label) {
                wrong.push(format!("{query}: nothing in it has a label `{label}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let ours: Vec<_> = asked.iter().filter(|name| name.starts_with("etl_")).collect();
    let unnamed: Vec<_> = ours.iter().filter(|name| !names.contains(&format!("\"{name}\""))).collect();
    assert!(unnamed.is_empty(), "not in names.rs: {unnamed:?}");
    println!("{} queries of {} metrics", queries.len(), asked.len());
    // A metric that nobody looks at is one that nobody misses.
    let unseen: Vec<_> = published.keys().filter(|name| name.starts_with("etl_") && !asked.contains(*name)).collect();
    let unseen: Vec<_> = unseen.iter().filter(|name| !["_bucket", "_sum", "_count"].iter().any(|part| name.ends_with(part))).collect();
    assert!(unseen.is_empty(), "on no panel and in no rule: {unseen:?}");
}

/// Protects the check itself: what finds nothing wrong must have looked.
#[test]
fn the_words_are_seen() {
    let query = r#"sum by (stage, le) (rate(etl_call_seconds_bucket{job=~"$job", stage="a"}[5m])) > instance_stage:x:y5m"#;
    let names: Vec<_> = SELECTOR.captures_iter(query).map(|found| found[1].to_owned()).collect();
    assert_eq!(names, ["etl_call_seconds_bucket", "instance_stage:x:y5m"]);
    assert_eq!(MATCHER.captures_iter(query).count(), 2);
    assert_eq!(&GROUPING.captures(query).unwrap()[1], "stage, le");
    assert_eq!(&TEMPLATE.captures("x {{ $labels.stage }}").unwrap()[1], "stage");
    assert_eq!(label("`outcome`: `ok` `error`"), ("outcome".into(), ["ok", "error"].map(str::to_owned).into()));
}
