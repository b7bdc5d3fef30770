//! Extracts go on where they were; loads commit and go on.

use std::time::{Duration, Instant};

use parshall::pipeline::swap::SwapSettings;

use super::{ENDLESS, Live, assert_swapped, settings, state::copy};

const PASS: &str = "[transform.stage]\ncomponent = \"@noop\"\ninputs = [\"numbers\"]\n";

/// Protects the source against being read twice, or not at all: another version goes on after the last batch.
#[test]
fn an_extract_goes_on_where_it_was() {
    let live = Live::start(&format!("{ENDLESS}{PASS}"));
    live.flow(1_000);
    for number in 0..50 {
        let component = copy(live.folder.path(), "generate", number);
        let record = live.swap("numbers", component, settings());
        assert_swapped(&record);
    }
    live.flow(1_000);
    live.stop().1.assert_complete();
}

/// Protects a pipeline whose file changes: limits and batches of an extract apply to what comes next.
#[test]
fn only_what_changed_is_swapped() {
    let text = format!("{ENDLESS}{PASS}");
    let live = Live::start(&text);
    live.flow(1_000);
    assert!(live.change(&text, settings()).unwrap().is_empty(), "nothing has changed");
    let records = live.change(&text.replace("batch_rows = 50", "batch_rows = 70"), settings()).unwrap();
    assert_eq!(records.iter().map(|record| record.stage.as_str()).collect::<Vec<_>>(), ["numbers"]);
    let limited = text.replace("batch_rows = 50", "batch_rows = 70").replace(PASS, &format!("{PASS}limits = {{ fuel = 1000000 }}\n"));
    let records = live.change(&limited, settings()).unwrap();
    assert_eq!(records.iter().map(|record| record.stage.as_str()).collect::<Vec<_>>(), ["stage"]);
    let wider = limited.replace("limits =", "instances = 3\nlimits =");
    let records = live.change(&wider, settings()).unwrap();
    assert_eq!((records.len(), records[0].instances), (1, 3), "{records:?}");
    live.flow(5_000);
    assert_eq!(live.run.stages()[1].seats().len(), 3);
    live.change(&limited, settings()).unwrap();
    // Two threads come to a batch boundary and go: when, the machine decides.
    let deadline = Instant::now() + Duration::from_secs(30);
    while live.run.stages()[1].seats().len() > 1 && Instant::now() < deadline {
        live.flow(100);
    }
    assert_eq!(live.run.stages()[1].seats().len(), 1);
    live.flow(5_000);
    live.stop().1.assert_complete();
}

/// Protects a pipeline that runs against being metered as it was, and its rows against the other form of the same component.
#[test]
fn a_stage_is_metered_otherwise_while_it_runs() {
    let text = format!("{ENDLESS}{PASS}");
    let live = Live::start(&text);
    live.flow(1_000);
    for metering in ["epoch", "sampled", "fuel"] {
        let records = live.change(&text.replace(PASS, &format!("{PASS}metering = \"{metering}\"\n")), settings()).unwrap();
        assert_eq!(records.iter().map(|record| record.stage.as_str()).collect::<Vec<_>>(), ["stage"], "{metering}");
        assert_swapped(&records[0]);
        live.flow(1_000);
    }
    live.stop().1.assert_complete();
}

/// Protects what a load has taken: the old version commits it before the new one takes over.
#[test]
fn a_load_commits_before_it_goes() {
    let text = format!("{}{PASS}[load.counted]\ncomponent = \"@collect\"\ninputs = [\"stage\"]\n", ENDLESS);
    let live = Live::start(&text);
    live.flow(1_000);
    for number in 0..20 {
        let component = copy(live.folder.path(), "collect", number);
        assert_swapped(&live.swap("counted", component, settings()));
        live.flow(500);
    }
    let (report, audit) = live.stop();
    audit.assert_complete();
    let counted = report.stages.iter().find(|stage| stage.name == "counted").unwrap();
    assert_eq!(counted.receipt.as_ref().unwrap().rows, audit.rows(), "all versions together");
}

/// Protects a target against two writers: a load that holds one cannot be opened beside itself, and is told so.
#[test]
fn a_load_whose_target_has_one_writer_stays() {
    let write =
        "[load.file]\ncomponent = \"std:write\"\ninputs = [\"stage\"]\nconfig = { to = \"out.csv\" }\ngrants = { write = [\".\"] }\n";
    let text = format!("{ENDLESS}{PASS}{write}");
    let live = Live::start(&text);
    live.flow(1_000);
    let refusal = live.change(&format!("{text}limits = {{ fuel = 1000000000 }}\n"), SwapSettings::default()).unwrap_err();
    let said = super::said(&refusal);
    assert!(said.contains("out.csv"), "{said}");
    let (report, audit) = live.stop();
    audit.assert_complete();
    assert_eq!(report.outcome.as_str(), "stopped");
}
