//! Dashboards and alerts: what is committed is what the program writes, and the real servers make of it what they should.

mod vocabulary;
mod watched;

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::binary::{folder, project, run};
use crate::server::{Server, installed};
use watched::Watched;

const FILES: [&str; 5] = ["alertmanager.yml", "dashboard.json", "prometheus.yml", "rules.yml", "rules_test.yml"];

/// A file of `examples/monitoring`.
fn committed(name: &str) -> String {
    fs::read_to_string(project("examples/monitoring").join(name)).unwrap()
}

/// The panels of the dashboard that ask something.
fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(&committed("dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    panels.iter().filter(|panel| panel["type"] != "row").cloned().collect()
}

/// The first panel with this title.
fn panel(title: &str) -> Value {
    panels().into_iter().find(|panel| panel["title"] == title).unwrap()
}

/// Protects against a dashboard that is edited by hand, and against one that nobody made anew.
#[test]
fn what_is_committed_is_what_the_program_writes() {
    let here = folder();
    let written = run(here.path(), &["dashboards", "--out", "made"]).ok();
    let mut found: Vec<_> = fs::read_dir(here.path().join("made")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    found.sort();
    assert_eq!(found, FILES);
    for name in FILES {
        assert!(written.contains(&format!("made/{name}\n")), "{written}");
        let (made, there) = (fs::read_to_string(here.path().join("made").join(name)).unwrap(), committed(name));
        assert!(made == there, "examples/monitoring/{name} is not what `parshall dashboards --out examples/monitoring` writes: run it");
    }
    let monitoring = project("examples/monitoring");
    assert_eq!(run(here.path(), &["dashboards", "--check", "--out", monitoring.to_str().unwrap()]).ok(), "");
}

/// Protects whoever tries it in a folder of their own against folders of ours.
#[test]
fn without_a_folder_they_go_into_one_of_that_name() {
    let here = folder();
    run(here.path(), &["dashboards"]).ok();
    let found: Vec<_> = fs::read_dir(here.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(found, ["monitoring"]);
    assert_eq!(run(here.path(), &["dashboards", "--check"]).ok(), "");
}

/// Protects the check itself: it must see a line that differs, and a file that is not there.
#[test]
fn the_check_sees_what_differs() {
    let here = folder();
    run(here.path(), &["dashboards", "--out", "."]).ok();
    let rules = here.path().join("rules.yml");
    fs::write(&rules, fs::read_to_string(&rules).unwrap().replace("for: '5m'", "for: '6m'")).unwrap();
    fs::remove_file(here.path().join("prometheus.yml")).unwrap();
    let told = run(here.path(), &["dashboards", "--check", "--out", "."]).fails(1);
    assert!(told.contains("`./rules.yml`: not what") && told.contains("`./prometheus.yml`: No such file"), "{told}");
    assert!(!told.contains("dashboard.json") && told.contains("`parshall dashboards --out .` writes them anew"), "{told}");
}

/// Protects against panels that leave their reader alone, lie on top of each other, or show numbers without a unit.
#[test]
fn every_panel_says_what_it_shows_and_stands_where_there_is_room() {
    let panels = panels();
    let number = |value: &Value| value.as_u64().unwrap();
    let mut taken = std::collections::BTreeSet::new();
    for panel in &panels {
        let title = &panel["title"];
        let place = &panel["gridPos"];
        assert!(panel["description"].as_str().is_some_and(|text| text.len() > 20), "{title}");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}");
        assert!(!panel["targets"].as_array().unwrap().is_empty(), "{title}");
        assert!(number(&place["x"]) + number(&place["w"]) <= 24, "{title}");
        for x in 0..number(&place["w"]) {
            for y in 0..number(&place["h"]) {
                assert!(taken.insert((number(&place["x"]) + x, number(&place["y"]) + y)), "{title} lies on top of another panel");
            }
        }
    }
    let with_exemplars = panels.iter().filter(|panel| panel["targets"][0]["exemplar"] == true).count();
    assert!(with_exemplars >= 4, "latency leads to traces");
}

/// Protects whoever is woken: no alert without a trial that fires it and one that does not, and none without a runbook.
#[test]
fn every_alert_is_tried_both_ways_and_says_what_to_do() {
    let (rules, trials) = (committed("rules.yml"), committed("rules_test.yml"));
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert_eq!(alerts.len(), 13);
    for alert in alerts {
        let rule = rules.split(&format!("- alert: {alert}\n")).nth(1).unwrap().split("- alert:").next().unwrap();
        for said in ["for:", "severity:", "summary:", "description:"] {
            assert!(rule.contains(said), "{alert} has no `{said}`");
        }
        let runbook = rule.split("runbook: ").nth(1).unwrap_or_else(|| panic!("{alert} has no runbook")).lines().next().unwrap();
        let sentences = runbook.matches(". ").count() + 1;
        assert!((2..=5).contains(&sentences), "{alert}: {sentences} sentences");
        let tried: Vec<_> = trials.split("  - name: ").filter(|trial| trial.contains(&format!("alertname: {alert}\n"))).collect();
        let quiet = tried.iter().filter(|trial| trial.contains("exp_alerts: []")).count();
        assert!(quiet > 0 && quiet < tried.len(), "{alert}: {quiet} of {} trials do not fire", tried.len());
    }
}

/// Protects against a page that knows other rules than there are.
#[test]
fn the_page_has_every_rule() {
    let page = fs::read_to_string(project("TELEMETRY.md")).unwrap();
    let rules = committed("rules.yml");
    for alert in rules.split("- alert: ").skip(1) {
        let (name, severity) = (alert.lines().next().unwrap(), alert.split("severity: ").nth(1).unwrap().lines().next().unwrap());
        assert!(page.contains(&format!("| `{name}` | {severity} |")), "TELEMETRY.md: {name}, {severity}");
    }
    for name in recorded() {
        let (level, rest) = name.split_once(':').unwrap();
        assert!(page.contains(&format!("`{level}:")) && page.contains(rest), "TELEMETRY.md: {name}");
    }
    assert_eq!(page.matches("\n| `Parshall").count(), rules.matches("- alert: ").count());
}

/// Protects against rules that Prometheus does not load, and alerts that fire when they should not or do not when they should.
#[test]
fn promtool_and_amtool_find_everything_well() {
    let Some(prometheus) = installed("prometheus") else { return };
    let tried = [["check", "rules", "rules.yml"], ["test", "rules", "rules_test.yml"], ["check", "config", "prometheus.yml"]];
    tried.iter().for_each(|arguments| well(&prometheus.join("usr/bin/promtool"), arguments));
    let Some(alertmanager) = installed("alertmanager") else { return };
    well(&alertmanager.join("usr/bin/amtool"), &["check-config", "alertmanager.yml"]);
}

fn well(program: &std::path::Path, arguments: &[&str]) {
    let output =
        Command::new(program.canonicalize().unwrap()).args(arguments).current_dir(project("examples/monitoring")).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success() && !said.contains("FAILED"), "{arguments:?}: {said}");
}

/// A panel that shows what only a run that has ended can have: it is asked of what runs have pushed.
const OF_ENDED_RUNS: [&str; 1] = ["Since the last good run"];

/// Protects against panels that stay empty: each is asked of a Prometheus that scrapes a run as it goes.
#[test]
fn every_panel_has_data_of_a_real_run() {
    let Some(gateway) = Server::start("pushgateway", &[]) else { return };
    Watched::short("completes").push(&gateway).ok();
    let running = Watched::endless().serve();
    let rules = project("examples/monitoring/rules.yml").canonicalize().unwrap();
    let told = ["--scrape", &running.addr, "--pushgateway", &gateway.addr, "--rules", rules.to_str().unwrap()];
    let Some(prometheus) = Server::start("prometheus", &told) else { return };
    let mut empty = Vec::new();
    let asked = until("data on every panel", || {
        empty = panels().iter().flat_map(|panel| without_data(panel, &prometheus, &running.addr)).collect();
        empty.extend(recorded().into_iter().filter(|name| no_number(&prometheus.query(name))));
        empty.is_empty().then_some(())
    });
    assert!(asked.is_some(), "no data:\n  {}", empty.join("\n  "));
    let targets: usize = panels().iter().map(|panel| panel["targets"].as_array().unwrap().len()).sum();
    println!("{} panels, {targets} queries, all with data", panels().len());
    // A choice of pipelines leaves out what others have pushed.
    let completed = chosen(panel("Since the last good run")["targets"][0]["expr"].as_str().unwrap(), "another", ".*");
    assert_eq!(prometheus.query(&completed), [0.0; 0], "{completed}");
    // What only goes wrong now and then must be seen when it does.
    Watched::failing("fails").push(&gateway).fails(1);
    for title in ["Errors by type", "Traps and limits", "Failed calls", "Runs that failed"] {
        let query = chosen(panel(title)["targets"][0]["expr"].as_str().unwrap(), "fails", ".*");
        let seen = until(title, || prometheus.query(&query).iter().any(|value| *value >= 1.0).then_some(()));
        assert!(seen.is_some(), "{title} does not show a run that failed: {query}");
    }
    // Annotations mark what has not happened in this run, but they must be understood.
    let dashboard: Value = serde_json::from_str(&committed("dashboard.json")).unwrap();
    for annotation in dashboard["annotations"]["list"].as_array().unwrap() {
        prometheus.query(&chosen(annotation["expr"].as_str().unwrap(), "endless", &running.addr));
    }
}

/// The queries of a panel that are answered with nothing, or with nothing that is a number.
fn without_data(panel: &Value, prometheus: &Server, instance: &str) -> Vec<String> {
    let title = panel["title"].as_str().unwrap();
    let (pipeline, instance) = if OF_ENDED_RUNS.contains(&title) { ("completes", ".*") } else { ("endless", instance) };
    let empty = |target: &&Value| no_number(&prometheus.query(&chosen(target["expr"].as_str().unwrap(), pipeline, instance)));
    let targets = panel["targets"].as_array().unwrap().iter();
    targets.filter(empty).map(|target| format!("{title}: {}", target["expr"].as_str().unwrap())).collect()
}

fn no_number(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_nan())
}

/// What the rules record.
fn recorded() -> Vec<String> {
    let rules = committed("rules.yml");
    rules.lines().filter_map(|line| line.trim().strip_prefix("- record: ")).map(|name| name.trim_matches('\'').to_owned()).collect()
}

/// An expression with what a reader of the dashboard has chosen.
fn chosen(expression: &str, pipeline: &str, instance: &str) -> String {
    let chosen = [
        ("$__rate_interval", "5s"),
        ("$__range", "1m"),
        ("$pipeline", pipeline),
        ("$job", ".*"),
        ("$instance", instance),
        ("$stage", ".*"),
    ];
    let expression = chosen.iter().fold(expression.to_owned(), |text, (name, value)| text.replace(name, value));
    assert!(!expression.contains('$'), "{expression}: a variable that the dashboard does not have");
    expression
}

/// Protects the way from a failure to a person: a run fails, and somebody is told; a run goes well, and they are told that, too.
#[test]
fn an_alert_of_a_failed_run_arrives_and_is_resolved() {
    let here = folder();
    let heard = here.path().join("heard.jsonl");
    let Some(receiver) = Server::start("receiver", &[heard.to_str().unwrap()]) else { return };
    let webhook = format!("http://{}/webhook", receiver.addr);
    let Some(alertmanager) = Server::start("alertmanager", &["--webhook", &webhook]) else { return };
    let Some(gateway) = Server::start("pushgateway", &[]) else { return };
    let rules = project("examples/monitoring/rules.yml").canonicalize().unwrap();
    let told = ["--pushgateway", &gateway.addr, "--rules", rules.to_str().unwrap(), "--alertmanager", &alertmanager.addr];
    let Some(_prometheus) = Server::start("prometheus", &told) else { return };

    Watched::failing("nightly").push(&gateway).fails(1);
    let alert = arrival(&heard, "firing").expect("the alert arrives");
    assert_eq!(alert["labels"]["severity"], "critical");
    assert_eq!(alert["labels"]["pipeline"], "nightly");
    assert!(alert["annotations"]["runbook"].as_str().unwrap().contains("run report"), "{alert}");

    Watched::short("nightly").push(&gateway).ok();
    arrival(&heard, "resolved").expect("what is well again is told, too");
}

/// The alert of a failed run with this status, once it has arrived.
fn arrival(heard: &std::path::Path, status: &str) -> Option<Value> {
    until("an alert", || {
        let text = fs::read_to_string(heard).unwrap_or_default();
        let requests = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let alerts = requests.flat_map(|request| request["request"]["alerts"].as_array().cloned().unwrap_or_default());
        alerts.into_iter().find(|alert| alert["status"] == status && alert["labels"]["alertname"] == "ParshallRunFailed")
    })
}

/// Asks until there is an answer, for at most half a minute.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        thread::sleep(Duration::from_millis(250));
    }
    println!("waited half a minute for {what}");
    None
}
