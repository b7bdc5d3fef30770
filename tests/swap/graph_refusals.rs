//! Changes of the graph that are refused: nothing is touched, and what is said says what to do.

use super::{ENDLESS, Live, said, settings};

const STAGE: &str = "[transform.stage]\ncomponent = \"@running\"\ninputs = [\"numbers\"]\n";
const SPARE: &str =
    "[transform.spare]\ncomponent = \"@noop\"\ninputs = [\"numbers\"]\n[load.spares]\ncomponent = \"@collect\"\ninputs = [\"spare\"]\n";

/// Asks for a pipeline together with a branch that could be added, and answers why it is refused. Nothing may have been touched.
fn refused(before: &str, wanted: &str) -> String {
    let live = Live::start(before);
    live.flow(1_000);
    let refusal = live.change(&format!("{wanted}{SPARE}"), settings());
    let refusal = refusal.expect_err("it cannot be carried out");
    let names: Vec<_> = live.run.stages().iter().map(|stage| stage.name.clone()).collect();
    assert!(!names.contains(&"spare".to_owned()) && live.swaps.records().is_empty(), "{names:?}");
    assert!(live.swaps.spec().stage("spare").is_none());
    live.flow(1_000);
    // What was refused is in nobody's way.
    let records = live.change(&format!("{before}{SPARE}"), settings()).unwrap_or_else(|refusal| panic!("{}", said(&refusal)));
    assert_eq!(records.len(), 2, "{records:?}");
    let (report, audit) = live.stop();
    audit.assert_complete();
    assert!(report.stages.iter().all(|stage| stage.calls.failed == 0));
    let text = said(&refusal);
    text.replace(&live_path(&text), "FOLDER")
}

/// The folder that a message names, if any.
fn live_path(text: &str) -> String {
    let from = text.find("/tmp/").unwrap_or(text.len());
    let path: String = text[from..].chars().take_while(|character| !"`'\" \n".contains(*character)).collect();
    if path.is_empty() { "\0".to_owned() } else { path }
}

#[test]
fn an_extract_does_not_lose_its_place() {
    let before = format!("{ENDLESS}{STAGE}");
    let wanted = before.replace(
        "component = \"@generate\"\nconfig = { rows = 1000000000000, batch_rows = 50 }",
        "component = \"std:generate\"\nconfig = { rows = 1000000, columns = { n = \"sequence\" } }",
    );
    assert_eq!(
        refused(&before, &wanted),
        "`numbers` would put out something else: port `out` has 1 columns instead of 2. Another stage would have to take its place, and \
         where it is in its source would be lost; give it another name if it shall end and begin anew"
    );
}

#[test]
fn what_a_stage_remembers_is_not_lost_by_other_inputs() {
    let before = format!("{ENDLESS}{STAGE}");
    let wanted =
        before.replace("inputs = [\"numbers\"]", "inputs = [\"hop\"]") + "[transform.hop]\ncomponent = \"@1\"\ninputs = [\"numbers\"]\n";
    assert_eq!(
        refused(&before, &wanted),
        "`stage` would put out something else: port `out` has 3 columns instead of 2. Another stage would have to take its place, and what \
         it remembers would be lost; give it another name if it shall end and begin anew"
    );
}

#[test]
fn what_a_stage_remembers_is_not_lost_by_another_kind() {
    let before = format!("{}{STAGE}", ENDLESS.replace("inputs = [\"stage\"]", "inputs = [\"numbers\"]"));
    let wanted = before.replace("[transform.stage]\ncomponent = \"@running\"", "[load.stage]\ncomponent = \"@collect\"");
    assert_eq!(
        refused(&before, &wanted),
        "`stage` would be of kind load instead of transform. Another stage would have to take its place, and what it remembers would be \
         lost; give it another name if it shall end and begin anew"
    );
}

/// Protects what a stage remembers against a version that says that it remembers nothing: it could not be told, and is not tried.
#[test]
fn what_a_stage_remembers_is_not_lost_by_another_version() {
    let before = format!("{ENDLESS}{STAGE}");
    let live = Live::start(&before);
    live.flow(1_000);
    let records = live.change(&before.replace("@running", "std:forgetful"), settings()).unwrap();
    let record = &records[0];
    assert_eq!((record.outcome.as_str(), record.reason), ("refused", Some("check")), "{record:?}");
    let message = "what the old version remembers would be lost: the new one says that it remembers nothing";
    assert_eq!(record.message.as_deref(), Some(message));
    assert_eq!(live.run.stages()[1].version().generation, 1);
    live.flow(1_000);
    live.stop().1.assert_complete();
}

/// Protects the graph against half a change: where a version does not stay, nothing is added, removed or rewired.
#[test]
fn the_graph_stays_where_a_version_does_not() {
    let before = format!("{ENDLESS}{STAGE}");
    let live = Live::start(&before);
    live.flow(1_000);
    let records = live.change(&format!("{}{SPARE}", before.replace("@running", "std:forgetful")), settings()).unwrap();
    let told: Vec<_> = records.iter().map(|record| (record.stage.as_str(), record.outcome.as_str(), record.reason)).collect();
    let refused = |stage, reason| (stage, "refused", Some(reason));
    assert_eq!(told, [refused("stage", "check"), refused("spare", "graph"), refused("spares", "graph")]);
    assert_eq!(records[1].message.as_deref(), Some("another version of `stage` did not stay"));
    assert_eq!(live.run.stages().len(), 3);
    assert!(live.swaps.spec().stage("spare").is_none());
    live.flow(1_000);
    live.stop().1.assert_complete();
}

#[test]
fn a_second_instance_that_cannot_be_opened_refuses_all() {
    let before = format!("{ENDLESS}{STAGE}");
    let wanted = format!("{before}[transform.twice]\ncomponent = \"std:once\"\ninputs = [\"numbers\"]\ninstances = 2\n");
    assert_eq!(refused(&before, &wanted), "another instance of `twice` cannot be opened: it opens once and never again");
}

/// Protects a change that takes longer than anybody waits: it goes on, says so, and lets no other begin before it has come through.
#[test]
fn a_change_that_is_on_its_way_is_not_overtaken() {
    let before = format!("{ENDLESS}{STAGE}");
    let live = Live::start(&before);
    live.flow(1_000);
    let hurry = parshall::pipeline::swap::SwapSettings { patience: std::time::Duration::from_millis(100), ..settings() };
    let held = live.audit.hold();
    let records = live.change(&format!("{before}{SPARE}"), hurry).unwrap();
    let told: Vec<_> = records.iter().map(|record| (record.stage.as_str(), record.outcome.as_str())).collect();
    assert_eq!(told, [("spare", "added"), ("spares", "added")]);
    let message = records[0].message.as_deref().unwrap();
    let late = "not come to the end of the batches that began before; nothing is lost, it takes longer";
    assert!(message.starts_with("after 100ms ") && message.ends_with(late), "{message}");
    let refusal = said(&live.change(&before, hurry).unwrap_err());
    let unsettled = " yet: batches of the wiring before are on their way; try again";
    assert!(refusal.starts_with("the change before has not come to `") && refusal.ends_with(unsettled), "{refusal}");
    drop(held);
    // What has settled by now, the machine decides.
    let removed = std::iter::repeat_with(|| live.change(&before, settings())).find_map(|changed| match changed {
        Ok(records) => Some(records.len()),
        Err(refusal) => {
            assert!(said(&refusal).ends_with(unsettled), "{}", said(&refusal));
            live.flow(1);
            None
        }
    });
    assert_eq!(removed, Some(2));
    live.stop().1.assert_complete();
}

/// Protects `check` and a run that changes against two opinions: what is wrong is said at its place in the file.
#[test]
fn mistakes_are_told_as_check_tells_them() {
    let before = format!("{ENDLESS}{STAGE}");
    let nobody = format!("{before}[load.more]\ncomponent = \"@collect\"\ninputs = [\"nmubers\"]\n");
    let live = Live::start(&before);
    live.flow(1_000);
    let text = super::text(live.folder.path(), &nobody);
    let spec = parshall::pipeline::spec::Spec::parse("pipeline.toml", live.folder.path(), &text, &|_| None);
    assert!(spec.unwrap_err()[0].render(false).contains("did you mean \"numbers\"?"));
    let port = format!("{before}[load.more]\ncomponent = \"@collect\"\ninputs = [\"stage.totl\"]\n");
    let told = said(&live.change(&port, settings()).unwrap_err());
    assert!(told.contains("`stage` has no port `totl`") && told.contains("did you mean \"stage.total\"?"), "{told}");
    let missing = format!("{before}[load.more]\ncomponent = \"missing.wasm\"\ninputs = [\"stage\"]\n");
    let told = said(&live.change(&missing, settings()).unwrap_err());
    assert!(told.contains("there is no component"), "{told}");
    live.stop().1.assert_complete();
}

/// Protects a target against two writers: one that goes and one that comes cannot have it at the same time.
#[test]
fn a_target_is_not_handed_over() {
    let file = |name: &str| {
        format!(
            "[load.{name}]\ncomponent = \"std:write\"\ninputs = [\"numbers\"]\nconfig = {{ to = \"out.csv\" }}\ngrants = {{ write = [\".\"] }}\n"
        )
    };
    let before = format!("{ENDLESS}{STAGE}{}", file("old"));
    let wanted = format!("{ENDLESS}{STAGE}{}", file("new"));
    let told = refused(&before, &wanted);
    assert!(told.contains("out.csv") && told.contains("[load.new]"), "{told}");
}

/// Protects a swap by name against changing what others are given: it says where to say that.
#[test]
fn a_swap_does_not_change_the_graph() {
    let live = Live::start(&format!("{ENDLESS}{}", STAGE.replace("@running", "@noop")));
    let told = said(&live.try_swap("stage", super::stamped(live.folder.path(), 1), settings()).unwrap_err());
    assert_eq!(
        told,
        "`stage` would put out something else: port `out` has 3 columns instead of 2. A swap leaves that as it is; change the pipeline file, \
         and what depends on it is replaced, too"
    );
    live.flow(1_000);
    live.stop().1.assert_complete();
}
