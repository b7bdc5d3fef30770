//! SECURITY.md and the code, held against each other.

use std::fs;

use parshall::{
    pipeline::spec::limits::{Beyond, LIMITS},
    words::limits::Limits,
};

use crate::binary::project;

fn page(name: &str) -> String {
    fs::read_to_string(project(name)).unwrap()
}

/// The rows of the table below a heading.
fn table<'a>(page: &'a str, heading: &str) -> Vec<&'a str> {
    let section = page.split(&format!("\n{heading}\n")).nth(1).unwrap_or_else(|| panic!("the page has `{heading}`"));
    let rows = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.skip(2).collect()
}

/// Protects whoever reads the page: it has every limit as it is.
#[test]
fn the_table_of_limits_is_what_the_code_has() {
    let defaults = Limits::default();
    let row = |limit: &parshall::pipeline::spec::limits::Limit| {
        let (name, unit, default) = (limit.key.name, limit.unit, limit.shown(&defaults));
        format!("| `{name}` | {default} | {unit} | {} | {} | {} |", limit.beyond, limit.key.doc.trim_end_matches('.'), limit.reason)
    };
    let expected: Vec<String> = LIMITS.iter().map(row).collect();
    let page = page("SECURITY.md");
    assert_eq!(table(&page, "### Limits of a stage"), expected, "the table should be:\n{}", expected.join("\n"));
}

/// Protects whoever pulls components: the page has the bounds of a registry as `parshall push --help` says them.
#[test]
fn the_bounds_of_a_registry_are_what_the_command_says() {
    let help = crate::binary::parshall().args(["push", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    let page = page("SECURITY.md");
    let rows = table(&page, "### Limits of registries");
    assert_eq!(rows.len(), 2, "{rows:?}");
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        assert!(help.contains(&format!("{} ({},", cells[1], cells[2])), "{row}\n{help}");
    }
}

/// Protects against a promise that nothing holds: every test that the page names is there, and every promise names one.
#[test]
fn every_promise_is_tested() {
    let page = page("SECURITY.md");
    let sources: String = ["tests", "host/src"].iter().map(|folder| tests_in(&project(folder))).collect();
    let promises = table(&page, "## What is promised");
    assert!(promises.len() >= 10, "{} promises", promises.len());
    for promise in promises {
        let tests: Vec<&str> = promise.rsplit(" | ").next().unwrap().split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test: {promise}");
        for test in tests {
            assert!(sources.contains(&format!("\nfn {test}(")), "SECURITY.md names the test `{test}`, which is not there");
        }
    }
}

/// The functions below `#[test]` in a folder, each at the beginning of a line.
fn tests_in(folder: &std::path::Path) -> String {
    let mut found = String::from("\n");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.push_str(&tests_in(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            for test in text.split("#[test]\n").skip(1) {
                let function = test.lines().map(str::trim).find(|line| line.starts_with("fn "));
                found.extend(function.into_iter().flat_map(|function| [function, "\n"]));
            }
        }
    }
    found
}

/// Protects dashboards: a limit that ends a call is a value of `error_type`, and of a trap's `reason`.
#[test]
fn limits_that_end_a_call_are_labels_that_are_told() {
    let page = page("TELEMETRY.md");
    let row = |metric: &str| page.lines().find(|line| line.starts_with(&format!("| `{metric}`"))).unwrap();
    for limit in LIMITS.iter().filter(|limit| limit.beyond == Beyond::Fails) {
        // These are exceeded before there is a call.
        if ["component_bytes", "compile_time"].contains(&limit.key.name) {
            continue;
        }
        for metric in ["etl_errors_total", "etl_traps_total"] {
            assert!(row(metric).contains(&format!("`{}`", limit.key.name)), "{metric} in TELEMETRY.md lacks `{}`", limit.key.name);
        }
    }
}
