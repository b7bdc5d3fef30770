//! The running graph: order, fan-out, fan-in, ports, parallel instances, and what a failure leaves behind.

use std::{fs, path::Path, sync::Arc};

use parshall::{
    catalog::Catalog,
    pipeline::{
        plan::Plan,
        run::{Outcome, Report, Run},
        spec::Spec,
    },
    tables::NativeTables,
    wasm::{Cache, Runtime},
};

use crate::components;

/// Runs a pipeline in a folder of its own; `@NAME` stands for the path of the test component NAME.
fn run(folder: &Path, text: &str) -> Report {
    let mut text = text.to_owned();
    for name in ["noop", "counter", "generate", "collect", "hostile"] {
        text = text.replace(&format!("@{name}"), &components::path(&format!("testing/{name}")).display().to_string());
    }
    let spec = Spec::parse("pipeline.toml", folder, &text, &|_| None).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
    let cache = Cache::at(std::env::temp_dir().join("parshall-test-components"));
    let catalog = Catalog::new(Runtime::new(cache, Arc::new(NativeTables::default())).unwrap());
    let plan = Plan::make(&spec, &catalog).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
    Run::start(plan).unwrap().wait()
}

/// The first column of a CSV file, as numbers.
fn numbers(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect()
}

const SOURCE: &str = r#"
name = "graph"
[extract.numbers]
component = "@generate"
config = { rows = 20000, batch_rows = 100 }
"#;

fn write(name: &str, inputs: &str) -> String {
    format!(
        "[load.{name}]\ncomponent = \"std:write\"\ninputs = {inputs}\nconfig = {{ to = \"{name}.csv\" }}\ngrants = {{ write = [\".\"] }}\n"
    )
}

/// Protects the promise that parallel instances keep the order, under a queue so small that they wait for each other.
#[test]
fn parallel_instances_keep_the_order() {
    let folder = tempfile::tempdir().unwrap();
    let passing = "[transform.pass]\ncomponent = \"@noop\"\ninputs = [\"numbers\"]\ninstances = 4\nqueue = \"8KiB\"\n";
    let report = run(folder.path(), &format!("{SOURCE}{passing}{}", write("out", "[\"pass\"]")));
    assert_eq!(report.outcome, Outcome::Completed);
    assert_eq!(numbers(&folder.path().join("out.csv")), (0..20_000).collect::<Vec<_>>());
}

#[test]
fn a_fan_out_gives_everything_to_everybody_and_a_fan_in_takes_everything() {
    let folder = tempfile::tempdir().unwrap();
    let branches = "[transform.left]\ncomponent = \"@noop\"\ninputs = [\"numbers\"]\n[transform.right]\ncomponent = \"@noop\"\ninputs = [\"numbers\"]\n";
    let text = format!("{SOURCE}{branches}{}{}", write("both", "[\"left\", \"right\"]"), write("one", "[\"left\"]"));
    let report = run(folder.path(), &text);
    assert_eq!(report.outcome, Outcome::Completed);
    let mut both = numbers(&folder.path().join("both.csv"));
    both.sort_unstable();
    assert_eq!(both, (0..40_000).map(|n| n / 2).collect::<Vec<_>>(), "every row from each of the two");
    assert_eq!(numbers(&folder.path().join("one.csv")), (0..20_000).collect::<Vec<_>>());
}

#[test]
fn a_named_port_carries_what_a_stage_puts_out_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let counting = "[transform.count]\ncomponent = \"@counter\"\ninputs = [\"numbers\"]\n";
    let text = format!("{SOURCE}{counting}{}{}", write("rows", "[\"count\"]"), write("total", "[\"count.total\"]"));
    let report = run(folder.path(), &text);
    assert_eq!(report.outcome, Outcome::Completed);
    assert_eq!(fs::read_to_string(folder.path().join("total.csv")).unwrap(), "rows,batches\n20000,200\n");
    assert_eq!(numbers(&folder.path().join("rows.csv")).len(), 20_000);
}

/// Protects against half a result: when one branch fails, no load commits, not even one that had taken everything.
#[test]
fn a_failure_commits_nothing_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let failing = "[transform.bad]\ncomponent = \"@hostile\"\ninputs = [\"numbers\"]\nconfig = { mode = \"trap\" }\n";
    let text = format!("{SOURCE}{failing}{}{}", write("good", "[\"numbers\"]"), write("never", "[\"bad\"]"));
    let report = run(folder.path(), &text);
    assert_eq!(report.outcome, Outcome::Failed);
    let error = report.error.unwrap();
    assert_eq!((error.stage.as_str(), error.during.as_str(), error.reason.as_str()), ("bad", "process", "unreachable"));
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

/// Protects the ledger: for every stage that passes rows on, in = out + filtered + rejected.
#[test]
fn the_ledger_balances() {
    let folder = tempfile::tempdir().unwrap();
    let stages = "[transform.some]\ncomponent = \"std:filter\"\ninputs = [\"numbers\"]\nconfig = { where = \"n % 3 = 0\" }\n\
                  [transform.check]\ncomponent = \"std:validate\"\ninputs = [\"some\"]\nconfig = { rules = [{ column = \"n\", max = 10000 }] }\n";
    let report = run(folder.path(), &format!("{SOURCE}{stages}{}{}", write("good", "[\"check\"]"), write("bad", "[\"check.rejected\"]")));
    assert_eq!(report.outcome, Outcome::Completed);
    for stage in report.stages.iter().filter(|stage| !stage.ports.is_empty() && stage.batches_in > 0) {
        let rows = &stage.rows;
        assert_eq!(rows.r#in, rows.out + rows.filtered + rows.rejected, "stage {}", stage.name);
    }
    let check = report.stages.iter().find(|stage| stage.name == "check").unwrap();
    assert_eq!((check.rows.r#in, check.rows.rejected), (6_667, 3_333));
    assert_eq!(numbers(&folder.path().join("bad.csv")).len(), 3_333);
    assert_eq!(check.columns_read, ["some:n"], "lineage is observed");
    assert_eq!(check.ports[0].columns[1].from, ["some:root"]);
}
