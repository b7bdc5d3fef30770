//! Stages that come and go, and edges that move, while rows flow: every row goes one way, once, and in order.

use std::{thread, time::Duration, time::Instant};

use parshall::{
    pipeline::{
        run::{Report, StageReport},
        swap::{Outcome, Record, SwapSettings},
    },
    telemetry::metrics::exposition::Form,
};

use super::{Audit, ENDLESS, Live, said, settings};
use crate::metrics::text::Scraped;

const STAGE: &str = "[transform.stage]\ncomponent = \"@noop\"\ninputs = [\"numbers\"]\ninstances = 4\n";

/// Makes the pipeline into this one, whatever it takes, and answers what that was to each stage.
fn change(live: &Live, text: &str) -> Vec<Record> {
    live.change(text, settings()).unwrap_or_else(|refusal| panic!("{}", said(&refusal)))
}

fn told(records: &[Record]) -> Vec<(&str, Outcome)> {
    records.iter().map(|record| (record.stage.as_str(), record.outcome)).collect()
}

fn names(live: &Live) -> Vec<String> {
    live.run.stages().iter().map(|stage| stage.name.clone()).collect()
}

/// Waits until a stage has taken some rows.
fn taken(live: &Live, name: &str) {
    let stage = live.run.stages().into_iter().find(|stage| stage.name == name).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while stage.rows().rows_in < 100 {
        assert!(Instant::now() < deadline, "`{name}` is given nothing");
        thread::sleep(Duration::from_micros(200));
    }
}

/// Everybody who watches is told of the stages that there are, and no row is unaccounted for. A thread that the machine does not let work
/// may stand between taking a batch and saying so: it is looked at again.
fn assert_watched(live: &Live) {
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut present = names(live);
    present.sort();
    loop {
        let scraped = Scraped::read(&live.metrics.gather().text(Form::Prometheus));
        let of = |metric: &str| -> Vec<(String, f64)> {
            let of_metric = scraped.series.iter().filter(|(name, ..)| name == metric);
            of_metric.map(|(_, with, value)| (with["stage"].clone(), *value)).collect()
        };
        assert_eq!(of("etl_stage_info").into_iter().map(|(stage, _)| stage).collect::<Vec<_>>(), present);
        let unbalanced: Vec<_> = of("etl_ledger_imbalance_rows").into_iter().filter(|(_, rows)| *rows != 0.0).collect();
        if unbalanced.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "{unbalanced:?}");
    }
}

fn stage<'a>(report: &'a Report, name: &str) -> &'a StageReport {
    report.stages.iter().find(|stage| stage.name == name).unwrap_or_else(|| panic!("{name} is in the report"))
}

/// The end of a run in which no row was lost or told twice: what went in came out, in every stage, also in those that were removed.
fn complete((report, audit): (Report, Audit)) -> (Report, Audit) {
    audit.assert_complete();
    for stage in report.stages.iter().filter(|stage| stage.batches_in > 0) {
        let rows = &stage.rows;
        assert_eq!((stage.calls.failed, rows.r#in), (0, rows.out + rows.filtered + rows.rejected), "{}: {rows:?}", stage.name);
    }
    (report, audit)
}

/// Protects every row, and their order, when a stage is put in and taken out under full load, in front of and behind one with several
/// instances. Both stay as they are: they are never opened again.
#[test]
fn a_transform_is_put_in_and_taken_out_fifty_times() {
    let base = format!("{ENDLESS}{STAGE}");
    let hop = |feeder: &str| format!("[transform.hop]\ncomponent = \"@noop\"\ninputs = [\"{feeder}\"]\ninstances = 3\n");
    let behind = base.replace("inputs = [\"stage\"]", "inputs = [\"hop\"]") + &hop("stage");
    let in_front = base.replace("inputs = [\"numbers\"]", "inputs = [\"hop\"]") + &hop("numbers");
    let live = Live::start(&base);
    live.flow(1_000);
    for round in 0..50 {
        let (with, rewired) = if round % 2 == 0 { (&behind, "sink") } else { (&in_front, "stage") };
        let mut records = change(&live, with);
        records.sort_by(|a, b| a.stage.cmp(&b.stage));
        assert_eq!(told(&records), [("hop", Outcome::Added), (rewired, Outcome::Rewired)], "{records:?}");
        assert_eq!((records[0].instances, names(&live).len()), (3, 4));
        taken(&live, "hop");
        live.flow(500);
        assert_watched(&live);
        let records = change(&live, &base);
        assert_eq!(told(&records), [(rewired, Outcome::Rewired), ("hop", Outcome::Removed)], "{records:?}");
        assert!(records.iter().all(|record| record.message.is_none()), "all of it has settled: {records:?}");
        live.flow(500);
        assert_watched(&live);
    }
    let (report, audit) = complete(live.stop());
    let all = audit.rows();
    assert_eq!((stage(&report, "numbers").rows.out, stage(&report, "stage").rows.out, stage(&report, "sink").rows.r#in), (all, all, all));
    let hops: Vec<_> = report.stages.iter().filter(|stage| stage.removed).collect();
    assert_eq!((hops.len(), report.stages.len()), (50, 53));
    assert!(hops.iter().all(|hop| hop.rows.r#in >= 100 && hop.name == "hop"), "each had its share");
    assert!(hops.iter().map(|hop| hop.rows.r#in).sum::<u64>() < all, "and none had all");
}

/// Protects what flows beside: a branch with a load of its own comes and goes, and its load commits exactly what it was given.
#[test]
fn a_branch_with_its_own_load_comes_and_goes() {
    let base = format!("{ENDLESS}{STAGE}");
    let branch =
        "[transform.copy]\ncomponent = \"@noop\"\ninputs = [\"numbers\"]\n[load.copies]\ncomponent = \"@collect\"\ninputs = [\"copy\"]\n";
    let live = Live::start(&base);
    live.flow(1_000);
    for _ in 0..10 {
        let records = change(&live, &format!("{base}{branch}"));
        assert_eq!(told(&records), [("copy", Outcome::Added), ("copies", Outcome::Added)], "nobody else is touched");
        taken(&live, "copies");
        assert_watched(&live);
        let records = change(&live, &base);
        assert_eq!(told(&records), [("copy", Outcome::Removed), ("copies", Outcome::Removed)]);
        live.flow(500);
        assert_watched(&live);
    }
    let (report, _) = complete(live.stop());
    let of = |name: &str| report.stages.iter().filter(|stage| stage.removed && stage.name == name).cloned().collect::<Vec<_>>();
    let (copies, loads) = (of("copy"), of("copies"));
    assert_eq!((copies.len(), loads.len()), (10, 10));
    for (copy, load) in copies.iter().zip(&loads) {
        assert_eq!((copy.rows.out, load.rows.r#in), (load.rows.r#in, load.receipt.as_ref().unwrap().rows));
    }
}

/// Protects the memory of a run that is changed for weeks: what was removed long ago is forgotten, but not what it counted.
#[test]
fn what_was_removed_long_ago_is_forgotten() {
    let base = format!("{ENDLESS}{STAGE}");
    let with = format!("{base}[load.brief]\ncomponent = \"@collect\"\ninputs = [\"numbers\"]\n");
    let live = Live::start(&base);
    let arrived = || {
        let scraped = Scraped::read(&live.metrics.gather().text(Form::Prometheus));
        scraped.value("etl_rows_arrived_total", &[("stage", "brief")])
    };
    let mut before = 0.0;
    for _ in 0..70 {
        change(&live, &with);
        taken(&live, "brief");
        change(&live, &base);
        let now = arrived();
        assert!(now >= before + 100.0, "no counter falls back: {now} after {before}");
        before = now;
    }
    let (report, _) = complete(live.stop());
    assert_eq!(report.stages.iter().filter(|stage| stage.removed).count(), 64);
}

/// Protects sources that come and go: one that joins feeds a load that goes on, and what it had brought by its removal is loaded.
#[test]
fn an_extract_comes_and_goes() {
    let counted = "[load.counted]\ncomponent = \"@collect\"\ninputs = [\"stage\"]\n";
    let base = format!("{ENDLESS}{STAGE}{counted}");
    let more = "[extract.more]\ncomponent = \"@generate\"\nconfig = { rows = 1000000000000, batch_rows = 10 }\n";
    let with = base.replace(counted, &counted.replace("[\"stage\"]", "[\"stage\", \"more\"]")) + more;
    let live = Live::start(&base);
    live.flow(1_000);
    for _ in 0..10 {
        let mut records = change(&live, &with);
        records.sort_by(|a, b| a.stage.cmp(&b.stage));
        assert_eq!(told(&records), [("counted", Outcome::Rewired), ("more", Outcome::Added)]);
        let more = live.run.stages().into_iter().find(|stage| stage.name == "more").unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while more.rows().rows_out < 1_000 {
            assert!(Instant::now() < deadline);
            thread::sleep(Duration::from_micros(200));
        }
        live.flow(500);
        assert_watched(&live);
        let records = change(&live, &base);
        assert_eq!(told(&records), [("counted", Outcome::Rewired), ("more", Outcome::Removed)]);
        assert_watched(&live);
    }
    let (report, audit) = complete(live.stop());
    let brought: Vec<_> = report.stages.iter().filter(|stage| stage.removed).map(|stage| stage.rows.out).collect();
    assert_eq!(brought.len(), 10);
    let receipt = stage(&report, "counted").receipt.as_ref().unwrap().rows;
    assert_eq!(receipt, audit.rows() + brought.iter().sum::<u64>(), "all rows of all sources");
}

/// Protects rows on their way when stages change places: each goes by the old way or by the new one, through both stages once.
#[test]
fn two_stages_change_places() {
    let way = |first: &str, second: &str| {
        let hop = |name: &str, feeder: &str| format!("[transform.{name}]\ncomponent = \"@noop\"\ninputs = [\"{feeder}\"]\ninstances = 2\n");
        ENDLESS.replace("inputs = [\"stage\"]", &format!("inputs = [\"{second}\"]")) + &hop(first, "numbers") + &hop(second, first)
    };
    let live = Live::start(&way("a", "b"));
    live.flow(1_000);
    for round in 0..30 {
        let (first, second) = if round % 2 == 0 { ("b", "a") } else { ("a", "b") };
        let records = change(&live, &way(first, second));
        assert!(records.iter().all(|record| record.outcome == Outcome::Rewired) && records.len() == 3, "{records:?}");
        assert_eq!(names(&live), ["numbers", first, second, "sink"]);
        live.flow(500);
        assert_watched(&live);
    }
    let (report, audit) = complete(live.stop());
    let all = audit.rows();
    assert_eq!(["a", "b"].map(|name| stage(&report, name).rows.r#in), [all, all], "no row went through either twice, or not at all");
}

/// Protects what a stage remembers when somebody removes it: it is finished, and what it held flows where it always would have.
#[test]
fn an_aggregate_that_is_removed_tells_its_totals() {
    let base = ENDLESS.replace("inputs = [\"stage\"]", "inputs = [\"numbers\"]");
    let sum = "[transform.stage]\ncomponent = \"@running\"\ninputs = [\"numbers\"]\n[load.totals]\ncomponent = \"std:write\"\n\
               inputs = [\"stage.total\"]\nconfig = { to = \"total.csv\" }\ngrants = { write = [\".\"] }\n";
    let live = Live::start(&(ENDLESS.to_owned() + sum));
    live.flow(5_000);
    let records = change(&live, &base);
    assert_eq!(told(&records), [("sink", Outcome::Rewired), ("stage", Outcome::Removed), ("totals", Outcome::Removed)]);
    let totals = std::fs::read_to_string(live.folder.path().join("total.csv")).expect("it is committed although the run goes on");
    live.flow(5_000);
    let folder = live.folder.path().to_owned();
    // The target is free again: another may write there.
    let records = change(&live, &(ENDLESS.to_owned() + &sum.replace("total.csv", "again.csv")));
    assert_eq!(told(&records).len(), 3);
    live.flow(1_000);
    let Live { run, audit, folder: keep, .. } = live;
    run.stopper().stop();
    let report = run.wait();
    assert!(report.error.is_none(), "{:?}", report.error);
    audit.assert_complete();
    let counted = |stage: &StageReport| stage.rows.r#in;
    let was = report.stages.iter().find(|stage| stage.removed && stage.name == "stage").map(counted).unwrap();
    let is = report.stages.iter().find(|stage| !stage.removed && stage.name == "stage").map(counted).unwrap();
    let sum = |from: u64, to: u64| (from..to).fold(0_u64, |sum, number| sum.wrapping_add(number));
    assert_eq!(totals.lines().nth(1), Some(format!("{was},{}", sum(0, was)).as_str()), "all rows that it was given");
    let again = std::fs::read_to_string(folder.join("again.csv")).unwrap();
    let all = audit.rows();
    assert_eq!(again.lines().nth(1), Some(format!("{is},{}", sum(all - is, all)).as_str()), "a new one begins with nothing");
    drop(keep);
}

/// Protects those who take what a stage puts out when that becomes something else: they are replaced with it, and rows that were on their
/// way go by the old ones. What is stamped comes after all that is not.
#[test]
fn what_takes_other_columns_is_replaced() {
    let plain = format!("{ENDLESS}{STAGE}");
    let stamped = plain.replace("@noop", "@1");
    let live = Live::start(&plain);
    live.flow(1_000);
    let first = live.audit.rows();
    let records = change(&live, &stamped);
    assert_eq!(told(&records), [("stage", Outcome::Replaced), ("sink", Outcome::Replaced)], "{records:?}");
    let why = records.iter().map(|record| record.message.as_deref().unwrap()).collect::<Vec<_>>();
    assert!(why[0].contains("`stage` would put out something else: port `out` has 3 columns instead of 2"), "{why:?}");
    assert!(why[1].contains("`sink` would be given something else: `stage` has other columns"), "{why:?}");
    let generations = records.iter().map(|record| [&record.old, &record.new].map(|version| version.as_ref().unwrap().generation));
    assert_eq!(generations.collect::<Vec<_>>(), [[1, 2], [1, 2]], "no number is given twice");
    live.flow(1_000);
    assert_watched(&live);
    let records = change(&live, &stamped.replace("instances = 4", "instances = 2"));
    assert_eq!(told(&records), [("stage", Outcome::Resized)], "what was replaced can be changed on");
    live.flow(1_000);
    let (report, audit) = complete(live.stop());
    let [(1, from)] = audit.stamps()[..] else { panic!("{:?}", audit.stamps()) };
    assert!(from as u64 >= first, "{from} of {first}");
    let by = |removed: bool| report.stages.iter().find(|stage| stage.name == "stage" && stage.removed == removed).unwrap().rows.r#in;
    assert_eq!((by(true), by(false)), (from as u64, audit.rows() - from as u64), "to the row");
}

/// Protects another version that is fed by more: it is tried with what the old one remembers, and then the edges move.
#[test]
fn a_stage_that_remembers_takes_another_input() {
    let text = |more: &str, extract: &str| {
        format!(
            "{}[transform.stage]\ncomponent = \"@running\"\ninputs = [\"numbers\"{more}]\n{extract}[load.totals]\ncomponent = \"std:write\"\n\
             inputs = [\"stage.total\"]\nconfig = {{ to = \"total.csv\" }}\ngrants = {{ write = [\".\"] }}\n",
            ENDLESS.replace("std:audit", "@collect")
        )
    };
    let live = Live::start(&text("", ""));
    taken(&live, "sink");
    let few = "[extract.few]\ncomponent = \"@generate\"\nconfig = { rows = 1000, batch_rows = 10 }\n";
    let records = change(&live, &text(", \"few\"", few));
    assert_eq!(told(&records), [("stage", Outcome::Swapped), ("few", Outcome::Added)]);
    let deadline = Instant::now() + Duration::from_secs(60);
    let few = live.run.stages().into_iter().find(|stage| stage.name == "few").unwrap();
    while few.rows().rows_out < 1_000 {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(1));
    }
    let Live { run, folder, .. } = live;
    run.stopper().stop();
    let report = run.wait();
    assert!(report.error.is_none(), "{:?}", report.error);
    let numbers = stage(&report, "numbers").rows.out;
    let sum = |to: u64| (0..to).fold(0_u64, |sum, number| sum.wrapping_add(number));
    let totals = std::fs::read_to_string(folder.path().join("total.csv")).unwrap();
    assert_eq!(totals.lines().nth(1), Some(format!("{},{}", numbers + 1_000, sum(numbers).wrapping_add(sum(1_000))).as_str()));
}

/// Protects a change that comes when inputs end, wherever it falls: it is carried out or refused, and no row is lost.
#[test]
fn a_change_at_the_end_of_the_data_loses_nothing() {
    let base = format!("{ENDLESS}{STAGE}").replace("rows = 1000000000000", "rows = 4000");
    let with =
        base.replace("inputs = [\"stage\"]", "inputs = [\"hop\"]") + "[transform.hop]\ncomponent = \"@noop\"\ninputs = [\"stage\"]\n";
    for round in 0..20 {
        let live = Live::start(&base);
        thread::sleep(Duration::from_micros(500 * round));
        match live.change(&with, SwapSettings { patience: Duration::from_secs(30), ..SwapSettings::default() }) {
            Ok(records) => assert_eq!(records.len(), 2, "{records:?}"),
            Err(refusal) => {
                let said = said(&refusal);
                assert!(said == "the run is ending" || said == "`sink` has come to its end: nothing more can be sent to it", "{said}");
            }
        }
        let (_, audit) = complete(live.end());
        assert_eq!(audit.rows(), 4_000);
    }
}
