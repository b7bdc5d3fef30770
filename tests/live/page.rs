//! ADMIN.md against what a run answers.

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};

use super::{Live, endless, version};
use crate::binary::project;

/// The first cells of the table of a section.
fn documented(section: &str) -> BTreeSet<String> {
    let page = fs::read_to_string(project("ADMIN.md")).unwrap();
    let text = page.split(&format!("\n### {section}\n")).nth(1).unwrap_or_else(|| panic!("ADMIN.md has a section `{section}`"));
    let text = text.split("\n##").next().unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with("|---")).skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect()
}

/// The names of all fields, those of objects within as `object.field`.
fn fields(value: &Value, before: &str, into: &mut BTreeSet<String>) {
    for (name, value) in value.as_object().unwrap() {
        let name = format!("{before}{name}");
        if value.is_object() {
            fields(value, &format!("{name}."), into);
        }
        into.insert(name);
    }
}

fn all<'a>(values: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
    values.into_iter().fold(BTreeSet::new(), |mut into, value| {
        fields(value, "", &mut into);
        into
    })
}

/// Protects whoever writes programs by the page: every route, field and error code of it is there, and no other.
#[test]
fn the_page_says_what_there_is() {
    let here = endless();
    let live = Live::start(&here, &["--admin"]);
    let routes = live.json("/v1")["routes"].clone();
    let routes = routes.as_array().unwrap();
    let route = |route: &Value| format!("{} {}", route["method"].as_str().unwrap(), route["path"].as_str().unwrap());
    assert_eq!(routes.iter().map(route).collect::<BTreeSet<_>>(), documented("Routes"));
    for route in routes {
        let path = route["path"].as_str().unwrap().replace("{stage}", "nothing");
        let answer = live.http(route["method"].as_str().unwrap(), &path, "{}");
        assert!(answer.status != 405 && !answer.body.contains("no_route"), "{path}: {}", answer.body);
    }
    let status = live.json("/v1/status");
    assert_eq!(all([&status["run"]]), documented("The run"));
    assert_eq!(all(status["stages"].as_array().unwrap()), documented("A stage"));

    let swap = |stage: &str, body: Value| live.http("POST", &format!("/v1/stages/{stage}/swap"), &body.to_string());
    let paths = [2, 3].map(|number| {
        let path = here.path().join(format!("{number}.wasm"));
        fs::write(&path, version("testing/double", number)).unwrap();
        path
    });
    let known = documented("How a version is tried");
    let trying = json!({
        "shadow": 1, "diverge": true, "canary": 0.0, "canary_batches": 1, "guard": 1, "slower": 1e9, "fuel": 1e9, "memory": 1e9,
        "rejects": 1.0, "patience": "30s",
    });
    assert_eq!(all([&trying]), known);
    assert_eq!(swap("doubled", json!({ "component": paths[0], "trying": trying })).status, 200);
    assert_eq!(swap("doubled", json!({ "component": paths[1], "trying": { "fuel": 0.001 } })).status, 200);
    let records = live.json("/v1/swaps")["records"].clone();
    assert_eq!(all(records.as_array().unwrap()), documented("A record"));

    let page = fs::read_to_string(project("ADMIN.md")).unwrap();
    live.until_said("rolled back: generation");
    let said = live.said();
    let audits = said.lines().filter(|line| line.contains("parshall::audit")).map(|line| serde_json::from_str::<Value>(line).unwrap());
    let attributes: Vec<_> = audits.map(|record| record["attributes"].clone()).collect();
    assert_eq!(all(&attributes), documented("Attributes"));

    let broken = || swap("doubled", json!({ "component": "std:nothing" }));
    let codes = documented("Errors");
    for (code, answer) in [
        ("no_route", live.http("GET", "/v2", "")),
        ("wrong_method", live.http("POST", "/v1/status", "")),
        ("wrong_request", swap("doubled", json!({}))),
        ("no_stage", swap("nothing", json!({ "component": "std:filter" }))),
        ("mistakes", broken()),
    ] {
        let error: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(error["error"]["code"], code);
        assert!(codes.contains(code) && page.contains(&format!("| `{code}` | {} |", answer.status)), "{code}: {}", answer.status);
    }
    let hidden = ["unauthorized", "wrong_host", "impossible", "too_many", "broken"];
    assert_eq!(codes.len(), hidden.len() + 5);
    assert!(hidden.iter().all(|code| codes.contains(*code)));
    live.end();
}
