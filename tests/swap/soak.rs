//! A thousand swaps under full load.

use parshall::pipeline::swap::Outcome;

use super::{ENDLESS, Live, assert_swapped, new, old, settings, stamped};

const STAMPED: &str = "[transform.stage]\ncomponent = \"@1\"\ninputs = [\"numbers\"]\n";

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Protects the promise of a swap: every row exactly once, in order, each by exactly one version, and none by a version after it was
/// retired (the classic bug: the new component is there, and the old one's export is called). What the records say about batches is
/// compared with what the rows say about versions.
#[test]
fn a_thousand_swaps_under_full_load_lose_nothing() {
    let live = Live::start(&format!("{ENDLESS}{STAMPED}"));
    live.flow(10_000);
    let versions = [stamped(live.folder.path(), 2), stamped(live.folder.path(), 1)];
    let (mut records, mut early, mut late) = (Vec::new(), 0, 0);
    for number in 0..1_000 {
        let record = live.swap("stage", &versions[number % 2], settings());
        assert_swapped(&record);
        records.push(record);
        match number {
            100 => early = resident(),
            999 => late = resident(),
            _ => {}
        }
    }
    live.flow(10_000);
    assert_eq!(live.swaps.records().len(), 1_000);
    let (report, audit) = live.stop();
    audit.assert_complete();
    // One run of rows for each version that was given any, in the order of the swaps.
    let stamps = audit.stamps();
    let mut expected: Vec<(i64, i64)> = Vec::new();
    let mut told = vec![(1, old(&records[0]))];
    told.extend(records.iter().enumerate().map(|(number, record)| (2 - (number as i64 % 2), new(record))));
    for (stamp, span) in told {
        let first = span.first_batch.expect("the guard has seen batches") as i64 * 50;
        if expected.last().is_none_or(|(last, _)| *last != stamp) {
            expected.push((stamp, first));
        }
    }
    assert_eq!(stamps.len(), 1_001, "no version came back after it was retired");
    assert_eq!(stamps, expected, "rows say the same as records");
    let spans = records.iter().map(|record| (old(record).last_batch, new(record).first_batch));
    assert!(spans.clone().all(|(last, first)| last.is_some() && last.map(|last| last + 1) == first), "no gap, no overlap");
    let stage = &report.stages[1];
    assert_eq!((stage.calls.failed, stage.rows.r#in, stage.rows.out), (0, audit.rows(), audit.rows()));
    // What ran is gone with its memory: 900 versions at 1 MiB each would be seen.
    // Other tests of this process breathe meanwhile, so the bound is a quarter of that.
    assert!(late < early + (256 << 20), "{early} bytes after 100 swaps, {late} after 1,000");
}

/// Protects parallel instances: each switches at a boundary of its own, and the order of rows is kept all the same.
#[test]
fn parallel_instances_switch_one_by_one() {
    let live = Live::start(&format!("{ENDLESS}{STAMPED}instances = 4\n"));
    live.flow(10_000);
    for number in 0..20 {
        let record = live.swap("stage", stamped(live.folder.path(), 2 - number % 2), settings());
        assert_eq!(record.outcome, Outcome::Swapped, "{record:?}");
        live.flow(2_000);
    }
    live.stop().1.assert_complete();
}

/// Protects an idle stage: a swap does not wait for a batch that may never come.
#[test]
fn a_stage_that_waits_is_swapped_too() {
    let finite = ENDLESS.replace("rows = 1000000000000", "rows = 100");
    let live = Live::start(&format!("{finite}{STAMPED}"));
    // Whether the run has ended before is a matter of luck; it must say so, and not hang.
    match live.try_swap("stage", stamped(live.folder.path(), 2), settings()) {
        Ok(Some(record)) => assert!(record.reason.is_none() || record.reason == Some("ended"), "{record:?}"),
        Ok(None) => panic!("it is another component"),
        Err(refusal) => assert_eq!(refusal.to_string(), "the run is ending"),
    }
    live.end().1.assert_complete();
}
