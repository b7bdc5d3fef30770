//! Every cause for which a version does not stay; none of them loses a row.

use std::time::Duration;

use parshall::pipeline::swap::{Outcome, Record, SwapSettings};

use super::{ENDLESS, Live, new, said, settings, stamped};

fn stage(config: &str) -> String {
    format!("{ENDLESS}[transform.stage]\ncomponent = \"@1\"\ninputs = [\"numbers\"]\n{config}\n")
}

/// Tries a version that misbehaves so, and answers what came of it; afterwards rows flow as if nothing had been.
fn tried(misbehave: &str, after: u64, settings: SwapSettings) -> Record {
    let live = Live::start(&stage(""));
    live.flow(5_000);
    let wanted = stage(&format!("config = {{ misbehave = \"{misbehave}\", after = {after} }}"));
    let records = live.change(&wanted, settings).unwrap_or_else(|refusal| panic!("{}", said(&refusal)));
    let [record] = <[Record; 1]>::try_from(records).unwrap();
    live.flow(5_000);
    let (report, audit) = live.stop();
    audit.assert_complete();
    let rows = &report.stages[1].rows;
    assert_eq!(rows.r#in, rows.out + rows.rejected + rows.filtered, "the ledger is balanced: {rows:?}");
    record
}

fn assert_rolled_back(record: &Record, reason: &str) {
    assert_eq!((record.outcome, record.reason), (Outcome::RolledBack, Some(reason)), "{record:?}");
}

fn assert_refused(record: &Record, reason: &str) {
    assert_eq!((record.outcome, record.reason, new(record).batches), (Outcome::Refused, Some(reason), 0), "{record:?}");
}

#[test]
fn a_trap_goes_back() {
    let record = tried("trap", 3, settings());
    assert_rolled_back(&record, "trap");
    assert_eq!(new(&record).batches, 3, "and the batch that trapped was answered by the old version");
}

#[test]
fn an_error_goes_back() {
    assert_rolled_back(&tried("error", 3, settings()), "error");
}

/// Rows that a version in its guard phase has rejected are rejected: they are lost to nobody, but they are not in the sink.
#[test]
fn a_version_that_rejects_more_goes_back() {
    let shadow = SwapSettings { shadow: 5, diverge: true, ..settings() };
    assert_refused(&tried("reject", 0, shadow), "rejects");
}

#[test]
fn a_trap_in_the_shadow_refuses() {
    assert_refused(&tried("trap", 3, SwapSettings { shadow: 10, ..settings() }), "trap");
}

#[test]
fn a_trap_of_a_canary_goes_back() {
    let canary = SwapSettings { canary: 0.25, canary_batches: 1_000, ..settings() };
    let record = tried("trap", 3, canary);
    assert_rolled_back(&record, "trap");
    assert_eq!(new(&record).batches, 3);
}

#[test]
fn a_version_that_diverges_is_refused_with_what_is_different() {
    let live = Live::start(&stage(""));
    live.flow(5_000);
    let record = live.swap("stage", stamped(live.folder.path(), 2), SwapSettings { shadow: 10, ..settings() });
    assert_refused(&record, "diverged");
    let message = record.message.as_ref().unwrap();
    assert!(message.contains("other values in column `stamp`"), "{message}");
    let counted = live.swap("stage", stamped(live.folder.path(), 2), SwapSettings { shadow: 10, diverge: true, ..settings() });
    assert_eq!((counted.outcome, counted.diverged), (Outcome::Swapped, 10), "{counted:?}");
    live.stop().1.assert_complete();
}

#[test]
fn a_slower_version_goes_back() {
    let record = tried("spin", 0, SwapSettings { slower: Some(10.0), ..settings() });
    assert_rolled_back(&record, "slower");
}

#[test]
fn a_version_that_burns_more_fuel_goes_back() {
    assert_rolled_back(&tried("spin", 0, SwapSettings { fuel: Some(2.0), ..settings() }), "fuel");
    assert_refused(&tried("spin", 0, SwapSettings { fuel: Some(2.0), shadow: 3, ..settings() }), "fuel");
}

#[test]
fn a_version_that_takes_more_memory_goes_back() {
    assert_rolled_back(&tried("hoard", 0, SwapSettings { memory: Some(2.0), ..settings() }), "memory");
}

/// The version that runs fails on a row now and then, which its policy skips: whatever is beside it meanwhile has come at a bad time.
#[test]
fn a_trial_is_over_when_the_policy_of_the_version_that_runs_acts() {
    let live = Live::start(&stage("config = { misbehave = \"data\", every = 1000000 }\non_error = \"skip\""));
    live.flow(5_000);
    let shadow = SwapSettings { shadow: u64::MAX, patience: Duration::from_secs(300), ..settings() };
    let records = live.change(&stage("on_error = \"skip\""), shadow).unwrap_or_else(|refusal| panic!("{}", said(&refusal)));
    assert_refused(&records[0], "disturbed");
    live.flow(5_000);
    let (report, _) = live.stop();
    let rows = &report.stages[1].rows;
    assert_eq!(rows.r#in, rows.out + rows.failed, "the ledger is balanced: {rows:?}");
    assert!(rows.failed > 0, "{rows:?}");
}

#[test]
fn a_canary_that_sees_too_little_is_refused() {
    let live = Live::start(&stage("").replace("rows = 1000000000000", "rows = 1000"));
    // The source ends at once or has ended: either way the swap ends, too.
    let patient = SwapSettings { canary: 0.1, canary_batches: 1_000_000, patience: Duration::from_millis(100), ..settings() };
    if let Ok(Some(record)) = live.try_swap("stage", stamped(live.folder.path(), 2), patient) {
        assert_ne!(record.outcome, Outcome::Swapped, "{record:?}");
        assert!(["patience", "ended"].contains(&record.reason.unwrap()), "{record:?}");
    }
    live.end().1.assert_complete();
}

/// Protects what runs against what cannot run: nothing is touched, and why is said as `parshall check` says it.
#[test]
fn what_does_not_fit_is_refused_untouched() {
    let live = Live::start(&stage(""));
    let refused = |component: std::path::PathBuf| said(&live.try_swap("stage", component, settings()).unwrap_err());
    let half = live.folder.path().join("half.wasm");
    let whole = std::fs::read(crate::components::path("testing/stamp")).unwrap();
    std::fs::write(&half, &whole[..whole.len() / 2]).unwrap();
    assert!(refused(half).contains("cannot be compiled"));
    assert!(refused(live.folder.path().join("nothing.wasm")).contains("there is no component"));
    let extract = refused(crate::components::path("testing/generate"));
    assert!(extract.contains("is an extract, but stands under [transform]"), "{extract}");
    let ports = refused(crate::components::path("testing/noop"));
    assert!(ports.contains("`stage` would put out something else: port `out` has 2 columns instead of 3"), "{ports}");
    let none = said(&live.try_swap("stagee", crate::components::path("testing/noop"), settings()).unwrap_err());
    assert!(none.contains("there is no stage `stagee`"), "{none}");
    let same = live.try_swap("stage", stamped(live.folder.path(), 1), settings()).unwrap();
    assert!(same.is_none(), "what runs already is no swap");
    live.flow(1_000);
    let (report, audit) = live.stop();
    audit.assert_complete();
    assert!(report.stages[1].versions.is_empty(), "{:?}", report.stages[1].versions);
}

/// Protects a swap against one that was asked for at the same time: each is made of what runs by then, and none undoes the other.
#[test]
fn swaps_of_two_stages_at_once_both_stay() {
    let two = stage("").replace("inputs = [\"stage\"]", "inputs = [\"second\"]");
    let second = "[transform.second]\ncomponent = \"@noop\"\ninputs = [\"stage\"]\n";
    let live = Live::start(&format!("{two}{second}"));
    live.flow(1_000);
    for number in 0..10 {
        let folder = live.folder.path();
        let wanted = [("stage", stamped(folder, 2 - number % 2)), ("second", super::state::copy(folder, "noop", number as usize))];
        std::thread::scope(|scope| {
            for (stage, component) in &wanted {
                scope.spawn(|| super::assert_swapped(&live.swap(stage, component.clone(), settings())));
            }
        });
        let runs = |at: usize| live.run.stages()[at].version().reference.to_string();
        let stages: Vec<_> = live.run.stages().iter().map(|stage| stage.name.clone()).collect();
        for (stage, component) in &wanted {
            let at = stages.iter().position(|name| name == stage).unwrap();
            assert_eq!(runs(at), component.display().to_string(), "round {number}");
        }
    }
    live.stop().1.assert_complete();
}
