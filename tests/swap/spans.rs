//! The span of a change and of what was done for it, as runs emit them: golden files in `tests/golden/traces`.

use std::{fs, time::Duration};

use parshall::{
    pipeline::swap::{Outcome, SwapSettings, Trigger},
    telemetry::{Telemetry, health::Healths, traces::Recording},
};

use regex::Regex;

use super::{ENDLESS, Live, assert_swapped, said, settings, stamped};
use crate::traces::{
    self,
    golden::assert_golden,
    tree::{self, Span},
};

fn stage(config: &str) -> String {
    format!("{ENDLESS}[transform.stage]\ncomponent = \"@1\"\ninputs = [\"numbers\"]\n{config}\n")
}

/// What is told of a run that is changed so, once rows flow.
fn spans(change: impl FnOnce(&Live)) -> Vec<Span> {
    let here = crate::binary::folder();
    let recording = Recording::start(traces::settings(here.path(), []), &Healths::default()).unwrap();
    let observer = Telemetry { traces: Some(recording.traces()), metrics: None };
    // Of very many batches some.
    let live = Live::observed(&format!("telemetry.keep = {{ ratio = 0.02 }}{}", stage("")), &observer);
    live.flow(50_000);
    change(&live);
    live.flow(50_000);
    drop(observer);
    live.stop().1.assert_complete();
    recording.finish();
    tree::read(&fs::read_to_string(here.path().join("spans.jsonl")).unwrap())
}

fn to_the_second(live: &Live) {
    let shadow = SwapSettings { shadow: 3, diverge: true, canary: 0.5, canary_batches: 3, guard: 3, ..settings() };
    assert_swapped(&live.swap("stage", stamped(live.folder.path(), 2), shadow));
}

/// A stage is put in, and taken out again.
fn to_another_graph(live: &Live) {
    let with = stage("").replace("[\"stage\"]", "[\"hop\"]") + "[transform.hop]\ncomponent = \"@noop\"\ninputs = [\"stage\"]\n";
    for wanted in [with, stage("")] {
        let records = live.change(&wanted, settings()).unwrap_or_else(|refusal| panic!("{}", said(&refusal)));
        assert_eq!(records.len(), 2, "{records:?}");
    }
}

fn to_one_that_traps(live: &Live) {
    let wanted = stage("config = { misbehave = \"trap\", after = 3 }");
    let records = live.change(&wanted, settings()).unwrap_or_else(|refusal| panic!("{}", said(&refusal)));
    assert_eq!(records[0].outcome, Outcome::RolledBack);
}

fn to_one_that_diverges(live: &Live) {
    let record = live.swap("stage", stamped(live.folder.path(), 2), SwapSettings { shadow: 3, ..settings() });
    assert_eq!(record.outcome, Outcome::Refused);
}

fn to_one_that_does_not_fit(live: &Live) {
    live.try_swap("stage", crate::components::path("testing/noop"), settings()).unwrap_err();
    live.try_swap("stagee", crate::components::path("testing/noop"), settings()).unwrap_err();
    let nothing = live.folder.path().join("nothing.wasm");
    live.try_swap("stage", nothing, settings()).unwrap_err();
}

/// Spans of changes that end in every way.
pub fn all() -> Vec<Span> {
    spans(|live| {
        to_one_that_does_not_fit(live);
        to_the_second(live);
    })
}

/// A tree of each change, in the order in which they were asked for.
fn changes(spans: &[Span]) -> String {
    let run = spans.iter().find(|span| span.name == "run").expect("the run");
    let mut swaps: Vec<_> = spans.iter().filter(|span| span.name == "swap").collect();
    swaps.sort_by_key(|swap| swap.started);
    let tree = |swap: &&Span| {
        assert_eq!((&swap.trace, &swap.parent), (&run.trace, &run.id), "it is part of the run");
        let mut phases: Vec<_> = spans.iter().filter(|span| span.parent == swap.id).collect();
        phases.sort_by_key(|phase| (phase.started, phase.ended));
        assert!(phases.iter().all(|phase| swap.started <= phase.started && phase.ended <= swap.ended), "{swap:?} {phases:?}");
        let names: Vec<_> = phases.iter().map(|phase| &*phase.name).collect();
        let tree = tree::tree(&std::iter::once(swap).chain(&phases).map(|span| (*span).clone()).collect::<Vec<_>>());
        format!("{tree}  in the order {}\n", names.join(", "))
    };
    // Which batch it was is a race, and folders have names of their own.
    let [batch, path] = [r"batch \d+", "`/.*"].map(|what| Regex::new(what).unwrap());
    let told: String = swaps.iter().map(tree).collect();
    path.replace_all(&batch.replace_all(&told, "batch *"), "`*").into_owned()
}

/// Protects against changes that leave no trace: how long each phase took, which versions there were, and what came of it.
#[test]
fn a_swap_is_a_span_with_its_phases() {
    let all = spans(to_the_second);
    assert_golden("swapped", &changes(&all));
    // Calls say of which version they are, by more than its number.
    let calls = |generation: &str| {
        let of = |span: &&Span| span.name == "process stage" && span.attributes["etl.stage.generation"]["intValue"] == generation;
        let mut digests: Vec<_> = all.iter().filter(of).map(|span| span.text("etl.component.digest").to_owned()).collect();
        digests.sort_unstable();
        digests.dedup();
        digests
    };
    let swap = all.iter().find(|span| span.name == "swap").unwrap();
    assert_eq!([calls("1"), calls("2")], [[swap.text("etl.swap.old.digest")], [swap.text("etl.swap.new.digest")]]);
    assert_ne!(calls("1"), calls("2"));
}

/// Protects changes of the graph against being told as changes of versions: what is new has no old version, what is gone no new one.
#[test]
fn a_changed_graph_is_a_span_for_each_stage() {
    assert_golden("rewired", &changes(&spans(to_another_graph)));
}

#[test]
fn a_version_that_is_rolled_back_is_a_span_that_failed() {
    assert_golden("rolled-back", &changes(&spans(to_one_that_traps)));
}

#[test]
fn a_version_that_is_refused_is_a_span_that_failed() {
    assert_golden("refused", &changes(&spans(to_one_that_diverges)));
    assert_golden("refused-unopened", &changes(&spans(to_one_that_does_not_fit)));
    // Nobody comes to a batch boundary: there is nothing for it to do.
    let impatient = |live: &Live| {
        let hurry = SwapSettings { patience: Duration::ZERO, canary: 0.5, canary_batches: 1_000_000, ..settings() };
        let wanted = super::spec(live.folder.path(), &stage("config = { misbehave = \"trap\", after = 1000000 }"));
        assert_ne!(live.swaps.change(wanted, Trigger::Watch, hurry).unwrap()[0].outcome, Outcome::Swapped);
    };
    let told = spans(impatient);
    let swap = told.iter().find(|span| span.name == "swap").expect("a swap");
    assert_eq!((swap.text("error.type"), swap.text("etl.swap.trigger"), swap.error.is_some()), ("patience", "watch", true));
}
