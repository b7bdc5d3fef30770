//! The command as it is typed: what it prints, where, and how it ends.

use std::fs;

use serde_json::Value;

use crate::{
    binary::{example, folder, parshall, pipeline, run},
    components,
};

const SUBCOMMANDS: [&str; 21] = [
    "run",
    "check",
    "bench",
    "ps",
    "status",
    "top",
    "tap",
    "swap",
    "reload",
    "inspect",
    "conformance",
    "new",
    "build",
    "test",
    "dev",
    "pull",
    "push",
    "sign",
    "graph",
    "schema",
    "dashboards",
];

/// Protects against a newcomer who finds no way in.
#[test]
fn help_teaches() {
    let here = folder();
    let help = run(here.path(), &["--help"]).ok();
    for subcommand in SUBCOMMANDS {
        assert!(help.contains(&format!("\n  {subcommand}")), "{help}");
        let of_its_own = run(here.path(), &[subcommand, "--help"]).ok();
        assert!(of_its_own.contains("Usage: parshall") && of_its_own.len() > 200, "{subcommand}: {of_its_own}");
        assert!(of_its_own.lines().all(|line| line.chars().count() <= 100), "{subcommand}: a line is wider than 100 characters");
    }
    for told in ["parshall run examples/flights/pipeline.toml", "Exit codes: 0", "PARSHALL_CACHE"] {
        assert!(help.contains(told), "`{told}` is missing from:\n{help}");
    }
    assert!(run(here.path(), &["--version"]).ok().starts_with("parshall 0."));
}

/// Protects against scripts that cannot tell a wrong file from a run that failed.
#[test]
fn the_exit_code_says_what_went_wrong() {
    let sales = example("sales");
    run(sales.path(), &["run", "pipeline.toml", "--report", "none"]).ok();
    for wrong in [vec![], vec!["rum"], vec!["run"], vec!["run", "--no-such-option", "pipeline.toml"], vec!["inspect", "std:raed"]] {
        let told = run(sales.path(), &wrong).fails(2);
        assert!(!told.is_empty());
    }
    let missing = run(sales.path(), &["run", "pipelin.toml"]).fails(2);
    assert!(missing.contains("pipelin.toml"), "{missing}");
    let file = fs::read_to_string(sales.path().join("pipeline.toml")).unwrap();
    fs::write(sales.path().join("wrong.toml"), file.replace("inputs =", "inptus =")).unwrap();
    for command in ["run", "check", "graph"] {
        let told = run(sales.path(), &[command, "wrong.toml"]).fails(2);
        assert!(told.contains("did you mean `inputs`?") && told.contains("nothing was run"), "{told}");
    }
    let failed = run(sales.path(), &["run", failing(&sales)]).fails(1);
    assert!(failed.contains("error: stage `breaks` failed in `process`, batch 0") && failed.contains("blame: guest"), "{failed}");
    assert!(!sales.path().join("out/never.parquet").exists(), "a run that failed leaves no trace");
}

/// A pipeline whose stage traps on its first batch.
fn failing(sales: &tempfile::TempDir) -> &'static str {
    fs::copy(components::path("testing/hostile"), sales.path().join("hostile.wasm")).unwrap();
    let text = r#"
        [extract.sales]
        component = "std:read"
        config = { path = "data/sales.parquet" }
        grants = { read = ["data/"] }
        [transform.breaks]
        inputs = ["sales"]
        component = "hostile.wasm"
        config = { mode = "trap" }
        [load.never]
        inputs = ["breaks"]
        component = "std:write"
        config = { to = "out/never.parquet" }
        grants = { write = ["out/"] }"#;
    fs::write(sales.path().join("failing.toml"), text).unwrap();
    "failing.toml"
}

/// Protects against paths that mean something else wherever the command is started.
#[test]
fn paths_start_from_the_pipeline_file() {
    let sales = example("sales");
    let elsewhere = folder();
    let file = sales.path().join("pipeline.toml");
    run(elsewhere.path(), &["run", file.to_str().unwrap()]).ok();
    assert!(sales.path().join("out/summary.db").exists());
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0, "nothing is written where the command was started");
}

#[test]
fn check_opens_every_stage_and_runs_none() {
    let sales = example("sales");
    let told = run(sales.path(), &["check", "pipeline.toml"]).ok();
    assert!(told.starts_with("sales: 3 stages, no mistakes\n"), "{told}");
    assert!(told.contains("transform by_category (std:aggregate") && told.contains("total Float64?"), "{told}");
    assert_eq!(run(sales.path(), &["check", "--quiet", "pipeline.toml"]).ok(), "");
    assert!(!sales.path().join("out").exists());
    let file = sales.path().join("pipeline.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(!told.contains("metering"), "{told}");
    fs::write(&file, text.replace("[transform.by_category]", "[transform.by_category]\nmetering = \"epoch\"")).unwrap();
    assert!(run(sales.path(), &["check", "pipeline.toml"]).ok().contains("  metering epoch: fuel is not counted\n"));
    fs::write(&file, text.replace("std:aggregate", "pipeline.toml")).unwrap();
    let told = run(sales.path(), &["check", "pipeline.toml"]).fails(2);
    assert!(told.contains("= help: `parshall build` makes a component of a project"), "{told}");
}

#[test]
fn graph_draws_stages_and_the_schemas_between_them() {
    let sales = example("sales");
    let mermaid = run(sales.path(), &["graph", "pipeline.toml"]).ok();
    assert!(mermaid.starts_with("flowchart LR\n") && mermaid.contains("by_category") && mermaid.contains("category"), "{mermaid}");
    assert_eq!(mermaid.matches("-->").count(), 2);
    let dot = run(sales.path(), &["graph", "--format", "dot", "pipeline.toml"]).ok();
    assert!(dot.starts_with("digraph") && dot.trim_end().ends_with('}'), "{dot}");
    assert_eq!(dot.matches(" -> ").count(), 2);
}

/// Protects against a standard stage that is heavy, undocumented, or asks for more than a stage may have.
#[test]
fn inspect_tells_what_every_standard_stage_is() {
    let here = folder();
    let all = run(here.path(), &["inspect", "--json"]).json();
    let names: Vec<_> = all.as_array().unwrap().iter().map(|stage| stage["component"].as_str().unwrap()).collect();
    let expected = ["aggregate", "derive", "filter", "generate", "parse-log", "read", "select", "validate", "write"];
    assert_eq!(names, expected.map(|name| format!("std:{name}")));
    let mut heavy = 0;
    for (stage, name) in all.as_array().unwrap().iter().zip(expected) {
        let size = stage["size_bytes"].as_u64().unwrap();
        println!("std:{name:<10} {:>6.1} KB", size as f64 / 1000.0);
        assert!(size < 1_000_000, "std:{name} is {size} bytes");
        heavy += u32::from(size > 400_000);
        assert_eq!(stage["name"], name);
        assert!(!stage["summary"].as_str().unwrap().is_empty());
        assert_inspected(&run(here.path(), &["inspect", &format!("std:{name}")]).ok(), stage);
        let imports = stage["imports"].as_array().unwrap().iter().map(|import| import.as_str().unwrap());
        let asks_for: Vec<_> = imports.filter(|import| import.contains("/tables@") || import.contains("wasi:")).collect();
        assert_eq!(asks_for.len(), usize::from(["generate", "read", "write"].contains(&name)), "std:{name} imports {asks_for:?}");
    }
    assert!(heavy <= 3, "most standard stages are below 400 KB");
}

fn assert_inspected(text: &str, stage: &Value) {
    for told in ["kind", "version", "digest", "size", "imports"] {
        assert!(text.contains(&format!("\n{told} ")), "`{told}` is missing from:\n{text}");
    }
    let schema = &stage["config_schema"];
    assert_eq!(schema["type"], "object", "{text}");
    let documentation = stage["documentation"].as_str().unwrap();
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        assert!(documentation.contains(&format!("`{key}")), "{}: `{key}` is not in its documentation", stage["component"]);
        let described = property["description"].as_str().is_some_and(|text| !text.is_empty());
        assert!(described, "{}: `{key}` has no description in its schema", stage["component"]);
    }
    assert_examples_are_current(documentation, stage["component"].as_str().unwrap());
}

/// Protects against documentation in a language that the pipeline file does not speak.
fn assert_examples_are_current(documentation: &str, component: &str) {
    for example in documentation.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        let table: toml::Table = example.parse().unwrap_or_else(|error| panic!("{component}: {error}\n{example}"));
        for key in table.keys() {
            let known = ["extract", "transform", "load", "defaults", "name", "description"].contains(&key.as_str());
            let part = ["config", "grants", "inputs", "component", "limits", "instances", "queue"].contains(&key.as_str());
            assert!(known || part, "{component}: its documentation has `{key}`, which no pipeline file has:\n{example}");
        }
    }
}

#[test]
fn inspect_reads_a_file_and_refuses_what_is_no_component() {
    let here = folder();
    fs::copy(components::path("testing/double"), here.path().join("double.wasm")).unwrap();
    let text = run(here.path(), &["inspect", "double.wasm"]).ok();
    assert!(text.starts_with("double.wasm: Doubles an int64 column") && text.contains("\nkind     transform\n"), "{text}");
    fs::write(here.path().join("no.wasm"), "not WebAssembly").unwrap();
    let told = run(here.path(), &["inspect", "no.wasm"]).fails(2);
    assert!(told.contains("no.wasm"), "{told}");
}

/// Protects against an editor that underlines what is right.
#[test]
fn the_schema_of_the_file_is_json_schema_and_knows_the_standard_stages() {
    let here = folder();
    let schema = run(here.path(), &["schema"]).json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    for key in ["name", "extract", "transform", "load", "defaults"] {
        assert!(schema["properties"][key].is_object(), "`{key}` is missing");
    }
    let (text, bare) = (schema.to_string(), run(here.path(), &["schema", "--bare"]).json().to_string());
    assert!(text.contains("std:aggregate") && text.contains("group_by") && !bare.contains("group_by"));
}

#[test]
fn completions_are_there_for_the_shells_that_people_use() {
    let here = folder();
    for (shell, sign) in [("bash", "complete -F _parshall"), ("zsh", "#compdef parshall"), ("fish", "complete -c parshall")] {
        let script = run(here.path(), &["completions", shell]).ok();
        assert!(script.contains(sign) && SUBCOMMANDS.iter().all(|name| script.contains(name)), "{shell}");
    }
}

/// Protects against reports that are mixed with other text, and files without the report.
#[test]
fn the_report_is_alone_on_standard_output_and_fits_a_file() {
    let sales = example("sales");
    let printed = run(sales.path(), &["run", "pipeline.toml", "--report", "json", "--report-file", "report.json"]).json();
    let kept: Value = serde_json::from_str(&fs::read_to_string(sales.path().join("report.json")).unwrap()).unwrap();
    assert_eq!(printed, kept);
    assert_eq!(run(sales.path(), &["run", "pipeline.toml", "--report", "none"]).ok(), "");
    let table = run(sales.path(), &["run", "pipeline.toml"]).ok();
    for told in ["stage", "rows in", "p50", "p95", "p99", "fuel", "memory", "crossed / stayed", "sales completed: 1,000 rows"] {
        assert!(table.contains(told), "`{told}` is missing from:\n{table}");
    }
}

/// Protects against escape sequences in files and pipes.
#[test]
fn colours_come_only_when_they_are_asked_for() {
    let here = folder();
    let file = pipeline(&here, "nam = \"x\"\n");
    let plain = run(here.path(), &["check", file.to_str().unwrap()]).fails(2);
    let coloured = run(here.path(), &["check", "--color", "always", file.to_str().unwrap()]).fails(2);
    assert!(!plain.contains('\u{1b}') && coloured.contains('\u{1b}'));
    let variables = parshall().current_dir(here.path()).args(["check", "pipeline.toml"]).env("NO_COLOR", "1").output().unwrap();
    assert!(!String::from_utf8_lossy(&variables.stderr).contains('\u{1b}'));
}
