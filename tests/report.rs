//! The run report is a promise: its fields and their types are those of TELEMETRY.md, no more and no fewer.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_json::Value;

use crate::{
    binary::{Ran, example, folder, parshall, pipeline, project, run},
    components,
};

/// Field → type, as the page has it.
fn documented() -> BTreeMap<String, String> {
    let page = fs::read_to_string(project("TELEMETRY.md")).unwrap();
    let section =
        page.split("## The run report").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the section on the run report");
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split('|');
        Some((cells.next()?.trim().trim_end_matches('`').to_owned(), cells.next()?.trim().to_owned()))
    };
    section.lines().filter_map(row).collect()
}

/// Field → types, as reports have it.
fn collect(path: &str, value: &Value, found: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() || number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    found.entry(path.to_owned()).or_default().insert(kind);
    match value {
        Value::Object(object) if path != "stages[].counters" => {
            object
                .iter()
                .for_each(|(key, value)| collect(&if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, value, found));
        }
        Value::Array(items) => items.iter().filter(|item| item.is_object()).for_each(|item| collect(&format!("{path}[]"), item, found)),
        _ => {}
    }
}

/// Reports of runs that end in every way that a test can bring about, with every kind of stage in them.
fn reports() -> Vec<Value> {
    let log = example("access-log");
    let completed = run(log.path(), &["run", "pipeline.toml", "--report", "json"]).json();
    vec![completed, failed("trap", 8), failed("error-data", 8), failed("trap", 0)]
}

/// The report of a run whose stage misbehaves.
fn failed(mode: &str, rows: u64) -> Value {
    let here = folder();
    let file = pipeline(
        &here,
        &format!(
            "[extract.numbers]\ncomponent = \"{}\"\nconfig = {{ rows = {rows} }}\n\
         [transform.breaks]\ninputs = [\"numbers\"]\ncomponent = \"{}\"\nconfig = {{ mode = \"{mode}\" }}\n\
         [load.end]\ninputs = [\"breaks\"]\ncomponent = \"{}\"\nconfig = {{}}\n",
            components::path("testing/generate").display(),
            components::path("testing/hostile").display(),
            components::path("testing/collect").display(),
        ),
    );
    let ran = Ran(parshall().args(["run", file.to_str().unwrap(), "--report", "json"]).output().unwrap());
    serde_json::from_str(&ran.out()).unwrap_or_else(|error| panic!("{error}: {}", ran.err()))
}

/// Protects whoever reads reports with a program.
#[test]
fn the_fields_are_those_that_are_documented() {
    let documented = documented();
    assert!(documented.len() > 50, "the table in TELEMETRY.md is read");
    let mut found = BTreeMap::new();
    reports().iter().for_each(|report| collect("", report, &mut found));
    // Fields that only hold others are documented by these.
    let leaf = |path: &String| !path.is_empty() && !path.ends_with("[]");
    let holds = |path: &String| found.keys().any(|other| other.starts_with(&format!("{path}."))) && !documented.contains_key(path);
    let names: BTreeSet<_> = found.keys().filter(|path| leaf(path) && !holds(path)).collect();
    let undocumented: Vec<_> = names.iter().filter(|path| !documented.contains_key(path.as_str())).collect();
    assert!(undocumented.is_empty(), "TELEMETRY.md does not know {undocumented:?}");
    let gone: Vec<_> = documented.keys().filter(|path| !names.contains(path)).collect();
    assert!(gone.is_empty(), "TELEMETRY.md documents what no report has: {gone:?}");
    for (path, kind) in &documented {
        let optional = kind.ends_with('?');
        // A number that happens to be whole is still one.
        let allowed = |found: &str| found == kind.trim_end_matches('?') || (found == "null" && optional);
        let wrong: Vec<_> = found[path].iter().filter(|found| !allowed(found)).collect();
        assert!(wrong.is_empty(), "`{path}` is documented as {kind} and was {wrong:?}");
    }
}

/// Protects against a word that is not among those that are documented.
#[test]
fn the_words_are_those_that_are_documented() {
    let page = fs::read_to_string(project("TELEMETRY.md")).unwrap();
    for report in reports() {
        let mut words = vec![&report["outcome"]];
        words.extend(report["stages"].as_array().unwrap().iter().map(|stage| &stage["kind"]));
        if !report["error"].is_null() {
            words.extend([&report["error"]["blame"], &report["error"]["during"]]);
        }
        for word in words {
            assert!(page.contains(&format!("`{}`", word.as_str().unwrap())), "TELEMETRY.md does not know {word}");
        }
    }
}

/// Protects against usage that is lost with the instance.
#[test]
fn a_trap_is_accounted_for() {
    let report = failed("trap", 8);
    assert_eq!(
        (&report["outcome"], &report["error"]["stage"], &report["error"]["blame"]),
        (&"failed".into(), &"breaks".into(), &"guest".into())
    );
    let calls = &report["stages"][1]["calls"];
    assert_eq!((&calls["failed"], &calls["fuel_exact"]), (&1.into(), &false.into()));
    assert!(calls["memory_peak_bytes"].as_u64() > Some(0));
    assert!(report["stages"][2]["receipt"].is_null(), "no load commits");
}
