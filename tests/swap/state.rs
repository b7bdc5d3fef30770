//! Stages that remember: what they know moves with the swap.

use std::path::Path;

use parshall::pipeline::swap::{Outcome, SwapSettings};

use super::{Live, assert_swapped, new, settings};

fn pipeline(rows: u64, more: &str) -> String {
    format!(
        r#"
name = "state"
[extract.numbers]
component = "@generate"
config = {{ rows = {rows}, batch_rows = 50 }}
[transform.stage]
component = "@running"
inputs = ["numbers"]
{more}
[load.sink]
component = "std:audit"
inputs = ["stage"]
[load.total]
component = "std:write"
inputs = ["stage.total"]
config = {{ to = "total.csv" }}
grants = {{ write = ["."] }}
"#
    )
}

const ENDLESS: u64 = 1_000_000_000_000;

/// One of two copies of the component that have digests of their own: by one more custom section, which nobody reads.
pub(super) fn copy(folder: &Path, name: &str, number: usize) -> std::path::PathBuf {
    let mut bytes = std::fs::read(crate::components::path(&format!("testing/{name}"))).unwrap();
    let label = format!("copy {}", number % 2);
    bytes.extend([0, label.len() as u8 + 1, label.len() as u8]);
    bytes.extend(label.as_bytes());
    let path = folder.join(format!("{name}-{}.wasm", number % 2));
    std::fs::write(&path, bytes).unwrap();
    path
}

fn assert_totals(live: Live) {
    let folder = live.folder.path().to_owned();
    let Live { folder: keep, run, audit, .. } = live;
    run.stopper().stop();
    let report = run.wait();
    assert!(report.error.is_none(), "{:?}", report.error);
    audit.assert_complete();
    let rows = audit.rows();
    let sum = (0..rows).fold(0_u64, |sum, number| sum.wrapping_add(number));
    let totals = std::fs::read_to_string(folder.join("total.csv")).unwrap();
    assert_eq!(totals.lines().nth(1), Some(format!("{rows},{sum}").as_str()), "as without a swap");
    drop(keep);
}

/// Protects a running aggregate: its totals are those of a run without swaps.
#[test]
fn totals_are_those_of_a_run_without_swaps() {
    let live = Live::start(&pipeline(ENDLESS, ""));
    live.flow(5_000);
    for number in 0..200 {
        let settings = if number % 4 == 0 { SwapSettings { shadow: 5, ..settings() } } else { settings() };
        let component = copy(live.folder.path(), "running", number);
        assert_swapped(&live.swap("stage", component, settings));
    }
    live.flow(5_000);
    assert_totals(live);
}

/// Protects what a stage remembers against a version that fails after it has taken over: the old one is given what it missed.
#[test]
fn a_rollback_gives_the_old_version_what_it_missed() {
    for (misbehave, reason) in [("trap", "trap"), ("error", "error")] {
        let live = Live::start(&pipeline(ENDLESS, ""));
        live.flow(5_000);
        let config = format!("config = {{ misbehave = \"{misbehave}\", after = 7 }}");
        let records = live.change(&pipeline(ENDLESS, &config), settings()).unwrap();
        assert_eq!((records.len(), records[0].outcome, records[0].reason), (1, Outcome::RolledBack, Some(reason)), "{records:?}");
        assert_eq!(new(&records[0]).batches, 7);
        live.flow(5_000);
        assert_totals(live);
    }
}

/// Protects the end of a run that falls into a trial: a version that cannot finish is not the one whose answer counts.
#[test]
fn a_version_that_traps_at_the_end_is_rolled_back() {
    let live = Live::start(&pipeline(ENDLESS, ""));
    live.flow(5_000);
    let config = "config = { misbehave = \"trap_at_end\" }";
    let wait = SwapSettings { guard: 1_000_000_000, ..settings() };
    let stopper = live.run.stopper();
    let swaps = std::sync::Arc::clone(&live.swaps);
    let wanted = super::spec(live.folder.path(), &pipeline(ENDLESS, config));
    let swapping = std::thread::spawn(move || swaps.change(wanted, parshall::pipeline::swap::Trigger::Program, wait));
    // It is on trial when it has answered for something.
    let answered = || live.run.stages()[1].versions().get(1).is_some_and(|version| version.span().batches > 0);
    while !answered() {
        live.flow(1_000);
    }
    stopper.stop();
    let records = swapping.join().unwrap().unwrap();
    assert_eq!((records[0].outcome, records[0].reason), (Outcome::RolledBack, Some("trap")), "{records:?}");
    assert_totals(live);
}

/// Protects the old version against a new one that does not understand what it remembers.
#[test]
fn a_state_that_is_not_understood_refuses_the_swap() {
    let live = Live::start(&pipeline(ENDLESS, ""));
    live.flow(5_000);
    let records = live.change(&pipeline(ENDLESS, "config = { misbehave = \"refuse_state\" }"), settings()).unwrap();
    assert_eq!((records[0].outcome, records[0].reason), (Outcome::Refused, Some("restore")), "{records:?}");
    assert!(records[0].message.as_ref().unwrap().contains("this is not what I remember"), "{records:?}");
    live.flow(5_000);
    assert_totals(live);
}

/// Protects a stage that remembers against two versions that know of half the rows each.
#[test]
fn a_stage_that_remembers_has_no_canary() {
    let live = Live::start(&pipeline(ENDLESS, ""));
    let component = copy(live.folder.path(), "running", 1);
    let record = live.swap("stage", component, SwapSettings { canary: 0.5, ..settings() });
    assert_eq!(record.outcome, Outcome::Refused);
    assert!(record.message.as_ref().unwrap().contains("canary"), "{record:?}");
    live.flow(1_000);
    assert_totals(live);
}
