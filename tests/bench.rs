//! `parshall bench` as it is typed. What it measures is the machine's; what it says of it, and how it ends, is asserted.

use std::{collections::BTreeSet, fs, path::Path};

use regex::Regex;
use serde_json::Value;

use crate::binary::{example, folder, project, run};

/// As short as can be: nobody looks at these figures.
const SHORT: [&str; 4] = ["--time", "300ms", "--batch-rows", "1,64"];

fn bench(folder: &Path, arguments: &[&str]) -> crate::binary::Ran {
    run(folder, &[&["bench"], arguments, &SHORT[..]].concat())
}

/// The first cells of a table of the page, under its heading.
fn cells(heading: &str) -> BTreeSet<String> {
    let page = fs::read_to_string(project("BENCHMARKS.md")).unwrap();
    let under = page.split(&format!("\n{heading}\n")).nth(1).unwrap_or_else(|| panic!("BENCHMARKS.md has a heading `{heading}`"));
    let rows = under.lines().skip_while(|line| !line.starts_with("|---")).skip(1).take_while(|line| line.starts_with('|'));
    let quoted = Regex::new("`([^`]+)`").unwrap();
    let first = |row: &str| row.split('|').nth(1).unwrap_or_default().to_owned();
    rows.flat_map(|row| quoted.captures_iter(&first(row)).map(|found| found[1].to_owned()).collect::<Vec<_>>()).collect()
}

/// The names of all fields of a document.
fn fields(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(name, value)| {
            found.insert(name.clone());
            fields(value, found);
        }),
        Value::Array(values) => values.iter().for_each(|value| fields(value, found)),
        _ => {}
    }
}

/// Protects the page against options that it does not know, and readers against options that there are not.
#[test]
fn bench_has_the_options_that_the_page_has() {
    let help = run(folder().path(), &["bench", "--help"]).ok();
    let option = Regex::new(r"(?m)^\s+(?:-\w, )?(--[a-z-]+)").unwrap();
    let global = ["--help", "--verbose", "--color", "--log-format"];
    let there: BTreeSet<String> =
        option.captures_iter(&help).map(|found| found[1].to_owned()).filter(|name| !global.contains(&&**name)).collect();
    let told: BTreeSet<String> = cells("### Options").iter().filter_map(|cell| cell.split(' ').next().map(str::to_owned)).collect();
    assert_eq!(told, there);
}

/// Protects whoever measures a pipeline: every rung is told, nothing that loads write is written, the document has the fields that the
/// page explains, and the page of plots loads nothing.
#[test]
fn bench_climbs_the_ladder_of_a_pipeline() {
    let sales = example("sales");
    let out = bench(sales.path(), &["pipeline.toml", "--json", "bench.json", "--html", "bench.html"]).ok();
    for told in [
        "component call",
        "+ deadline",
        "+ fuel",
        "+ limiter",
        "+ clock",
        "+ metrics",
        "+ spans, 1 %",
        "+ export",
        "noise floor",
        "cost = ",
    ] {
        assert!(out.contains(told), "`{told}` is missing from:\n{out}");
    }
    let answer = out.lines().last().unwrap();
    assert!(answer.starts_with("Tracing costs ") && answer.contains("under 1 %"), "{answer}");
    assert!(!sales.path().join("out").exists(), "loads write nothing");
    let document: Value = serde_json::from_str(&fs::read_to_string(sales.path().join("bench.json")).unwrap()).unwrap();
    let mut found = BTreeSet::new();
    fields(&document, &mut found);
    assert_eq!(cells("### The document"), found);
    assert_eq!((document["answer"].as_str(), &document["format"]), (Some(answer), &Value::from(1)));
    for stage in document["stages"].as_array().unwrap() {
        for size in stage["sizes"].as_array().unwrap() {
            let rungs: Vec<_> = size["rungs"].as_array().unwrap().iter().map(|rung| rung["rung"].as_str().unwrap()).collect();
            assert_eq!(rungs.len(), 11);
            assert_eq!((rungs[0], rungs[10]), ("call", "export"));
            assert!(size["fuel"].as_u64().unwrap() > 0);
            for rung in size["rungs"].as_array().unwrap() {
                let [low, median, high] = ["low", "median", "high"].map(|end| rung["seconds"][end].as_f64().unwrap());
                assert!(0.0 < low && low <= median && median <= high, "{rung}");
            }
        }
    }
    assert!(document["spans"]["exported"].as_u64().unwrap() > 0, "spans arrived");
    let page = fs::read_to_string(sales.path().join("bench.html")).unwrap();
    for loads in ["<script", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(loads), "the page has `{loads}`");
    }
    let stages = document["stages"].as_array().unwrap().len();
    assert_eq!(page.matches("<svg ").count(), 1 + 3 * stages);
    assert!(!page.contains("NaN") && !page.contains("inf"), "every point has a place");
    assert!(page.contains(&answer.replace('&', "&amp;")));
}

/// A pipeline of one stage that makes so many columns, in a file of this name.
fn making(folder: &Path, name: &str, columns: usize) {
    let made: Vec<String> = (0..columns).map(|n| format!("m{n} = \"CAST(price AS float64) * 2.0 + {n}.0\"")).collect();
    let text = format!(
        "[extract.sales]\ncomponent = \"std:read\"\nconfig = {{ path = \"sales.csv\" }}\ngrants = {{ read = [\"./\"] }}\n\
         [transform.make]\ncomponent = \"std:derive\"\ninputs = [\"sales\"]\n[transform.make.config.columns]\n{}\n\
         [load.nowhere]\ncomponent = \"std:write\"\ninputs = [\"make\"]\nconfig = {{ to = \"out.csv\" }}\ngrants = {{ write = [\"./\"] }}\n",
        made.join("\n")
    );
    let rows: String = (0..100).map(|n| format!("{n}.5\n")).collect();
    fs::write(folder.join("sales.csv"), format!("price\n{rows}")).unwrap();
    fs::write(folder.join(name), text).unwrap();
}

/// Protects CI: what is slower beyond the threshold fails, what is the same does not.
#[test]
fn bench_compares_two_versions_and_fails_by_threshold() {
    let here = folder();
    making(here.path(), "one.toml", 1);
    making(here.path(), "many.toml", 200);
    let told = bench(here.path(), &["--compare", "one.toml", "many.toml", "--threshold", "50%", "--json", "d.json"]);
    assert_eq!(told.code(), 1, "{}", told.err());
    assert!(told.out().contains("SLOWER") && told.out().contains("2 of 2 comparisons slower by more than 50 %"), "{}", told.out());
    let document: Value = serde_json::from_str(&fs::read_to_string(here.path().join("d.json")).unwrap()).unwrap();
    assert!(document["differences"][1]["ratio"]["median"].as_f64().unwrap() > 5.0, "{document:#}");
    assert_eq!(document["differences"][1]["verdict"], "slower");
    let told = bench(here.path(), &["--compare", "many.toml", "one.toml", "--threshold", "50%"]).ok();
    assert!(told.contains("faster") && told.contains("nothing is slower by more than 50 %"), "{told}");
    // The same component twice, of one stage: whatever this machine does meanwhile, it is not slower by ten times.
    let told = bench(here.path(), &["one.toml", "--stage", "make", "--compare", "std:derive", "std:derive", "--threshold", "1000%"]).ok();
    assert!(told.contains("A is std:derive, B is std:derive"), "{told}");
}

/// Protects against a question that is answered although it makes no sense.
#[test]
fn bench_says_what_is_wrong() {
    let here = folder();
    making(here.path(), "one.toml", 1);
    making(here.path(), "many.toml", 2);
    let text = fs::read_to_string(here.path().join("one.toml")).unwrap();
    let without = text.split("[transform.make]").next().unwrap().to_owned()
        + &text[text.find("[load.nowhere]").unwrap()..].replace("inputs = [\"make\"]", "inputs = [\"sales\"]");
    fs::write(here.path().join("without.toml"), without).unwrap();
    fs::write(here.path().join("empty.csv"), "price\n").unwrap();
    fs::write(here.path().join("empty.toml"), text.replace("\"sales.csv\"", "\"empty.csv\", columns = { price = \"float64\" }")).unwrap();
    let cases: [(&[&str], &str); 10] = [
        (&[], "<FILE>"),
        (&["without.toml"], "it has no transform"),
        (&["one.toml", "--stage", "mack"], "has no transform `mack`, only `make`; did you mean `make`?"),
        (&["one.toml", "--json", "one.toml"], "--json: `one.toml` is the pipeline file"),
        (&["one.toml", "--json", "out.csv"], "stage `nowhere` writes `out.csv`"),
        (&["one.toml", "--compare", "std:derive"], "2 values required"),
        (&["one.toml", "--compare", "std:derive", "std:derive"], "name it by --stage"),
        (&["one.toml", "--stage", "make", "--compare", "std:derive", "std:filter"], "nothing was run"),
        (&["one.toml", "--threshold", "much"], "expected a percentage between 0% and 1000%"),
        (&["--compare", "one.toml", "nowhere.toml"], "nowhere.toml"),
    ];
    for (arguments, expected) in cases {
        let told = run(here.path(), &[&["bench"], arguments].concat()).fails(2);
        assert!(told.contains(expected), "{arguments:?}: `{expected}` is missing from:\n{told}");
    }
    for (option, value) in [("--batch-rows", "0"), ("--batch-rows", "many"), ("--time", "1"), ("--time", "1ms"), ("--rows", "0")] {
        let told = run(here.path(), &["bench", "one.toml", option, value]).fails(2);
        assert!(told.contains(option), "{told}");
    }
    // A stage that fails on its own rows is a pipeline that does not run.
    fs::copy(crate::components::path("testing/hostile"), here.path().join("hostile.wasm")).unwrap();
    let failing = text.replace("std:derive", "hostile.wasm");
    let failing = failing.split("[transform.make.config.columns]").next().unwrap().to_owned()
        + "config = { mode = \"trap\" }\n"
        + &failing[failing.find("[load.nowhere]").unwrap()..];
    fs::write(here.path().join("failing.toml"), failing).unwrap();
    let told = bench(here.path(), &["failing.toml"]).fails(1);
    assert!(told.contains("stage `make` failed in `process`") && told.contains("help: a pipeline is measured that runs"), "{told}");
}
