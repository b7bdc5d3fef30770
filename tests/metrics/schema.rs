//! TELEMETRY.md is a promise: its metrics are those that runs expose, with these types and labels, no more and no fewer.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use parshall::{
    telemetry::{
        health::Healths,
        metrics::{Metrics, exposition::Form},
        names::{label, metric},
    },
    words::{
        observe::{CallFacts, Export, WorkerFacts},
        trace::SpanContext,
        usage::{Said, Usage},
    },
};

use super::{Running, command, endless, exemplars, generated, stage, text::Scraped};
use crate::binary::{Ran, example, project};

/// A row of the table.
struct Row {
    kind: String,
    unit: String,
    /// Label → the values it may have; none where they are not listed.
    labels: BTreeMap<String, BTreeSet<String>>,
}

/// Labels of which a test cannot bring about every value.
const SELDOM: [(&str, &str); 2] = [("etl_errors_total", "error_type"), ("etl_traps_total", "reason")];

fn documented() -> BTreeMap<String, Row> {
    let page = fs::read_to_string(project("TELEMETRY.md")).unwrap();
    let section = page.split("## Metrics").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the section on metrics");
    let ticked = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let row = |line: &str| {
        let cells: Vec<_> = line.strip_prefix("| `")?.split('|').map(str::trim).collect();
        let [name, kind, unit, labels, stability, _, _] = cells[..] else { return None };
        assert!(["stable", "development"].contains(&stability), "{line}");
        let labels = labels.split(';').filter_map(|label| {
            let mut names = ticked(label).into_iter();
            Some((names.next()?, names.collect()))
        });
        Some((name.trim_end_matches('`').to_owned(), Row { kind: kind.into(), unit: unit.into(), labels: labels.collect() }))
    };
    section.lines().filter_map(row).collect()
}

/// What runs expose that end in every way that a test can bring about, and one that goes on.
fn exposed() -> Vec<Scraped> {
    let mut exposed = Vec::new();
    let log = example("access-log");
    let broken = |mode: &str| {
        let breaks = stage("transform", "breaks", "numbers", "hostile", &format!("mode = \"{mode}\""));
        generated(4_096, &(breaks + &stage("load", "end", "breaks", "collect", "")))
    };
    let flood = stage("transform", "flood", "numbers", "flood", "times = 10") + "grants = { telemetry = true }\n";
    let flooded = generated(2_048, &(flood + &stage("load", "end", "flood", "collect", "")));
    let taken = generated(2_048, &stage("load", "end", "numbers", "collect", ""));
    let file = taken.path().join("pipeline.toml");
    let text = fs::read_to_string(&file).unwrap().replacen('\n', "\n[delivery]\ncheckpoint = \"1s\"\nstate = \"state\"\n", 1);
    fs::write(file, text).unwrap();
    for folder in [log, taken, broken("trap"), broken("error-data"), broken("alloc-bomb"), flooded] {
        let options = ["--metrics-addr", "off", "--metrics-file", "m.prom"];
        let ran = Ran(command(&folder).args(options).env("PARSHALL_LOG", "off").output().unwrap());
        assert!([0, 1].contains(&ran.code()), "{}", ran.err());
        let mut scraped = Scraped::read(&fs::read_to_string(folder.path().join("m.prom")).unwrap());
        // A textfile has it on everything.
        let others = scraped.series.iter_mut().filter(|(name, ..)| name != metric::PIPELINE_INFO);
        others.for_each(|(_, labels, _)| drop(labels.remove(label::PIPELINE)));
        exposed.push(scraped);
    }
    let here = endless();
    let running = Running::start(&mut command(&here));
    exposed.push(running.scrape());
    running.stop();
    exposed.push(observed());
    exposed
}

/// No stage that is built here observes anything that is a number.
fn observed() -> Scraped {
    let metrics = Metrics::new(&Healths::default());
    let run = exemplars::run(&metrics, Vec::new());
    let usage = Usage { said: Said { observations: vec![("size".into(), 0.5)], ..Said::default() }.into(), ..Usage::default() };
    let (context, waited) = (SpanContext::root(false), std::time::Duration::ZERO);
    let call = CallFacts {
        context,
        export: Export::Commit,
        batch: None,
        input: 0,
        usage: &usage,
        error: None,
        waited,
        batches_out: 0,
        again: None,
        handled: false,
    };
    run.worker(&WorkerFacts { stage: 1, instance: 0, generation: 1 }).end(&call);
    Scraped::read(&metrics.gather().text(Form::Prometheus))
}

/// Protects whoever wrote a dashboard or an alert.
#[test]
fn the_metrics_are_those_that_are_documented() {
    let (documented, exposed) = (documented(), exposed());
    assert!(documented.len() > 50, "the table in TELEMETRY.md is read");
    let mut kinds = BTreeMap::new();
    let mut labels: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for scraped in &exposed {
        kinds.extend(scraped.kinds.iter());
        for (series, with, _) in &scraped.series {
            let found = labels.entry(scraped.metric(series)).or_default();
            let with = with.iter().filter(|(name, _)| *name != "le");
            with.for_each(|(name, value)| {
                found.entry(name).or_default().insert(value);
            });
        }
    }
    let undocumented: Vec<_> = kinds.keys().filter(|name| !documented.contains_key(**name)).collect();
    assert!(undocumented.is_empty(), "TELEMETRY.md does not know {undocumented:?}");
    let gone: Vec<_> = documented.keys().filter(|name| !kinds.contains_key(name)).collect();
    assert!(gone.is_empty(), "TELEMETRY.md documents what nothing exposes: {gone:?}");
    for (name, row) in &documented {
        assert_eq!(*kinds[name], row.kind, "{name}");
        for unit in ["seconds", "bytes", "ratio"] {
            let named = name.trim_end_matches("_total").ends_with(&format!("_{unit}"));
            assert_eq!(named, row.unit == unit, "{name} is in {unit} by its name or by the page, and not by the other");
        }
        let found = &labels[name.as_str()];
        let names: Vec<_> = row.labels.keys().map(String::as_str).collect();
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), names, "labels of {name}");
        for (label, values) in row.labels.iter().filter(|(_, values)| !values.is_empty()) {
            let values: BTreeSet<_> = values.iter().map(String::as_str).collect();
            let surplus: Vec<_> = found[label.as_str()].difference(&values).collect();
            assert!(surplus.is_empty(), "TELEMETRY.md does not know {surplus:?} of {name}{{{label}}}");
            if !SELDOM.contains(&(name, label)) {
                assert_eq!(found[label.as_str()], values, "{name}{{{label}}}");
            }
        }
    }
}

/// Protects against a reason that a call can fail for and nobody wrote down: they are constants of the host's sources.
#[test]
fn every_reason_to_fail_is_documented() {
    let table = documented();
    let known = &table["etl_errors_total"].labels["error_type"];
    let failure =
        fs::read_to_string(project("host/src/wasm/failure.rs")).unwrap() + &fs::read_to_string(project("host/src/words/call.rs")).unwrap();
    let limits = fs::read_to_string(project("host/src/wasm/limiter.rs")).unwrap();
    let arms = regex::Regex::new("=> \"([a-z_]+)\"|reason: \"([a-z_]+)\"|limit: \"([a-z_]+)\"|used_up\\(\"([a-z_]+)\"").unwrap();
    let text = failure + &limits;
    let found: BTreeSet<_> =
        arms.captures_iter(&text).filter_map(|found| found.iter().skip(1).flatten().next()).map(|found| found.as_str()).collect();
    assert!(found.len() > 15, "{found:?}");
    let missing: Vec<_> = found.iter().filter(|reason| !known.contains(**reason)).collect();
    assert!(missing.is_empty(), "TELEMETRY.md does not know {missing:?}");
    let traps = &table["etl_traps_total"].labels["reason"];
    assert!(traps.is_subset(known), "a trap is an error");
}

/// Protects against a constant that nobody exposes, and a metric that is not among the constants.
#[test]
fn the_names_are_those_of_the_vocabulary() {
    let source = fs::read_to_string(project("host/src/telemetry/names.rs")).unwrap();
    let inside = source.split("pub mod metric {").nth(1).unwrap().split("\n}").next().unwrap();
    let named: BTreeSet<_> = inside.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    let documented: BTreeSet<_> = documented().into_keys().filter(|name| name.starts_with("etl_")).collect();
    assert_eq!(named, documented);
}
