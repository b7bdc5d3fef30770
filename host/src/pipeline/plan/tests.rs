//! A plan resolves every edge, or says everything that is wrong where it is wrong.

use std::{path::Path, sync::atomic::Ordering};

use super::{fake::Fakes, *};
use crate::pipeline::rejections;

fn spec(text: &str) -> Spec {
    let spec = Spec::parse("p.toml", Path::new("/base"), text, &|_| None);
    spec.unwrap_or_else(|errors| panic!("{}", diagnostic::render_all(&errors, false)))
}

fn plan(text: &str) -> Result<Plan, Vec<Diagnostic>> {
    Plan::make(&spec(text), &Fakes::default())
}

/// The complaints as `line:column code: message`.
fn complaints(text: &str) -> Vec<String> {
    let errors = plan(text).err().unwrap_or_default();
    let place = |d: &Diagnostic| d.position.as_ref().map_or("-".to_owned(), |at| format!("{}:{}", at.line, at.column));
    errors.iter().map(|d| format!("{} {}: {}", place(d), d.code, d.message)).collect()
}

const READ: &str = "[extract.r]\ncomponent = \"std:read\"\nconfig = { path = \"p\" }\ngrants = { read = [\"p\"] }\n";

fn load(inputs: &str) -> String {
    format!("[load.w]\ncomponent = \"std:write\"\ninputs = [{inputs}]\ngrants = {{ write = [\"o\"] }}\n")
}

fn transform(name: &str, component: &str, inputs: &str, more: &str) -> String {
    format!("[transform.{name}]\ncomponent = \"std:{component}\"\ninputs = [{inputs}]\n{more}\n")
}

#[test]
fn stages_come_after_what_feeds_them_and_edges_know_their_ports() {
    let text = [
        load("\"keep\", \"split.no\", \"split.rejected\""),
        transform("keep", "filter", "\"split.yes\"", "config = { where = \"a > 1\" }\ninstances = 3\nqueue = \"1KiB\""),
        READ.to_owned(),
        transform("split", "split", "\"r\"", ""),
    ]
    .concat();
    let plan = plan(&text).unwrap_or_else(|errors| panic!("{}", diagnostic::render_all(&errors, false)));
    assert_eq!((plan.name.as_str(), plan.warnings.len()), ("p", 0));
    assert_eq!(plan.stages.iter().map(|stage| stage.name.as_str()).collect::<Vec<_>>(), ["r", "split", "keep", "w"]);
    let [read, split, keep, write] = plan.stages.as_slice() else { panic!() };
    assert_eq!(keep.inputs, [Edge { from: 1, port: PortId::Out(0) }]);
    let out = |from, port| Edge { from, port: PortId::Out(port) };
    assert_eq!(write.inputs, [out(2, 0), out(1, 1), Edge { from: 1, port: PortId::Rejected }]);
    assert_eq!((keep.instances, keep.queue_bytes), (3, 1024));
    let opened = |stage: &PlannedStage| stage.opened.lock().unwrap().take();
    assert!(matches!(
        (opened(read), opened(split), opened(write)),
        (Some(Opened::Extract(_)), Some(Opened::Transform(_)), Some(Opened::Load(_)))
    ));
    let names: Vec<&str> = write.opening.inputs.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(names, ["keep", "split.no", "split.rejected"]);
    assert_eq!(write.opening.inputs[2].schema.as_ref(), &rejections::schema(&fake::schema(&["a", "b"])).unwrap());
    assert_eq!(write.ports, []);
    assert_eq!(read.opening.grants.base, Path::new("/base"));
}

#[test]
fn a_component_is_loaded_once_however_many_stages_run_it() {
    let filter = |name, input| transform(name, "filter", input, "config = { where = \"a\" }");
    let text = [READ, &filter("f", "\"r\""), &filter("g", "\"f\""), &filter("h", "\"g\""), &load("\"h\"")].concat();
    let fakes = Fakes::default();
    assert!(Plan::make(&spec(&text), &fakes).is_ok());
    assert_eq!(fakes.loads.load(Ordering::Relaxed), 3);
}

#[test]
fn a_mistake_in_an_expression_is_told_at_its_column() {
    let text = [READ, &transform("f", "filter", "\"r\"", "config = { where = \"a > bb\" }"), &load("\"f\"")].concat();
    assert_eq!(complaints(&text), ["8:25 config: unknown column `bb`"]);
    let escaped = text.replace("\"a > bb\"", "\"\\u0061 > bb\"");
    assert_eq!(complaints(&escaped), ["8:30 config: unknown column `bb`"]);
    let below = text.replace("config = { where = \"a > bb\" }", "[transform.f.config]\nwhere = '''\na >\n bb'''");
    assert_eq!(complaints(&below), ["11:2 config: unknown column `bb`"]);
}

#[test]
fn a_configuration_is_judged_by_its_component() {
    let missing = READ.replace("config = { path = \"p\" }\n", "") + &load("\"r\"");
    assert_eq!(complaints(&missing), ["1:10 config: `path` is missing"]);
    let misspelt = READ.replace("path =", "options = { batch_row = 1 }, pth =") + &load("\"r\"");
    let errors = plan(&misspelt).err().unwrap();
    let told: Vec<_> =
        errors.iter().map(|d| (d.position.as_ref().unwrap().column, d.message.as_str(), d.help.as_deref().unwrap())).collect();
    assert_eq!(
        told,
        [
            (24, "unknown key `batch_row` in the configuration of `std:read`", "did you mean `batch_rows`?"),
            (41, "unknown key `pth` in the configuration of `std:read`", "did you mean `path`?")
        ]
    );
}

#[test]
fn a_schema_that_does_not_fit_is_told_at_the_input_with_what_there_is() {
    let text = [READ, &transform("s", "sum", "\"r\"", "config = { column = \"bb\" }"), &load("\"s\"")].concat();
    let error = &plan(&text).err().unwrap()[0];
    assert_eq!((error.code, error.position.as_ref().unwrap().line, error.position.as_ref().unwrap().column), ("schema", 7, 11));
    assert_eq!(error.message, "column `bb`: there is none");
    assert_eq!(error.help.as_deref(), Some("did you mean `b`?"));
    assert!(error.notes.contains(&"`r` has a: Int64?, b: Int64?".to_owned()));
}

#[test]
fn what_follows_from_a_mistake_is_not_told() {
    let filter = |name, input, text| transform(name, "filter", input, &format!("config = {{ where = \"{text}\" }}"));
    let text = [READ, &filter("f", "\"r\"", "x"), &filter("g", "\"f\"", "y"), &load("\"g.nope\"")].concat();
    assert_eq!(complaints(&text), ["8:21 config: unknown column `x`"]);
}

#[test]
fn ports_must_exist_and_be_named_where_there_are_several() {
    let text = |inputs| [READ, &transform("s", "split", "\"r\"", ""), &load(inputs)].concat();
    assert_eq!(complaints(&text("\"s\""))[0], "11:11 which-port: `s` has several ports, and none is called `out`");
    let error = &plan(&text("\"s.yess\"")).err().unwrap()[0];
    assert_eq!((error.message.as_str(), error.help.as_deref()), ("`s` has no port `yess`", Some("did you mean \"s.yes\"?")));
    assert_eq!(error.label.as_deref(), Some("expected one of: \"s.yes\", \"s.no\""));
    let plan = plan(&text("\"s.yes\"")).ok().unwrap();
    assert_eq!(plan.warnings[0].message, "nobody takes what `s` puts out by its port `no`");
}

#[test]
fn outputs_that_nobody_takes_are_warned_about() {
    let text = [READ, &transform("f", "filter", "\"r\"", "config = { where = \"a\" }"), &load("\"r\"")].concat();
    let plan = plan(&text).ok().unwrap();
    let warning = &plan.warnings[0];
    assert_eq!((warning.severity, warning.message.as_str()), (Severity::Warning, "nobody takes what `f` puts out"));
}

#[test]
fn rejected_rows_need_one_schema_and_free_names() {
    let split = "[extract.r]\ncomponent = \"std:split-read\"\n";
    let filter = |inputs| transform("f", "filter", inputs, "config = { where = \"1\" }");
    let text = |inputs| [split, &filter(inputs), &load("\"f.rejected\"")].concat();
    assert!(complaints(&text("\"r.x\"")).is_empty());
    let differ = "the rows that `f` rejects cannot leave it: the inputs `r.x` and `r.y` have different columns";
    assert!(complaints(&text("\"r.x\", \"r.y\""))[0].contains(differ));
    assert!(complaints(&text("\"r.y\""))[0].contains("already has a column `rejected_by`"));
}

#[test]
fn kinds_must_match() {
    let text = [READ, &transform("t", "write", "\"r\"", ""), &load("\"t\"")].concat();
    let error = &plan(&text).err().unwrap()[0];
    assert_eq!(error.message, "`std:write` is a load, but stands under [transform]");
    assert_eq!(error.help.as_deref(), Some("write `[load.t]`, or another component"));
}

#[test]
fn imports_must_be_granted_by_name() {
    let text = [READ, &transform("l", "logger", "\"r\"", "grants = { state = true }"), &load("\"l\"")].concat();
    assert_eq!(complaints(&text), ["8:10 ungranted-import: `std:logger` needs `telemetry`, which [transform.l] is not granted"]);
    let text = READ.replace("grants = { read = [\"p\"] }\n", "") + &load("\"r\"");
    let error = &plan(&text).err().unwrap()[0];
    assert_eq!((error.code, error.help.as_deref()), ("ungranted-import", Some("add `grants = { read = [\"…\"] }`")));
    let text = [READ, &transform("c", "clock", "\"r\"", ""), &load("\"c\"")].concat();
    assert_eq!(
        complaints(&text),
        ["6:13 ungranted-import: `std:clock` needs `wasi:clocks/wall-clock@0.2.6`, which [transform.c] is not granted"]
    );
    assert_eq!(plan(&text).err().unwrap()[0].help.as_deref(), Some("add `grants = { clocks = true }`"));
    assert!(plan(&[READ, &transform("c", "clock", "\"r\"", "grants = { clocks = true }"), &load("\"c\"")].concat()).is_ok());
    let text = [READ, &transform("d", "dials", "\"r\"", ""), &load("\"d\"")].concat();
    let error = &plan(&text).err().unwrap()[0];
    assert_eq!(error.label.as_deref(), Some("imports `wasi:sockets/tcp@0.2.6`, `wasi:keyvalue/store@0.2.0`"));
}

/// Protects what is kept beside an instance, by the grant `state`, against a policy that would go on with another instance.
#[test]
fn a_policy_must_not_lose_what_is_kept_beside_an_instance() {
    let with = |more: &str| {
        let granted = format!("grants = {{ state = true, telemetry = true }}\n{more}");
        [READ, &transform("l", "logger", "\"r\"", &granted), &load("\"l\"")].concat()
    };
    for (more, key) in [("on_error = \"skip\"", "on_error"), ("recycle = \"8MiB\"", "recycle")] {
        let expected = format!("lost-state: `{key}` in [transform.l] would lose what `std:logger` keeps by the grant `state`");
        let told = complaints(&with(more));
        assert!(matches!(&told[..], [one] if one.ends_with(&expected)), "{told:?}");
        let not_granted = transform("m", "sum", "\"r\"", &format!("config = {{ column = \"a\" }}\ngrants = {{ state = true }}\n{more}"));
        assert!(plan(&[READ, &not_granted, &load("\"m\"")].concat()).is_ok(), "it imports nothing of the kind");
    }
    assert!(plan(&with("on_error = \"fail\"")).is_ok());
}

#[test]
fn several_instances_need_a_component_that_remembers_nothing() {
    let text = [READ, &transform("s", "sum", "\"r\"", "config = { column = \"a\" }\ninstances = 2"), &load("\"s\"")].concat();
    assert_eq!(complaints(&text), ["9:13 stateful-instances: `std:sum` cannot run in 2 instances"]);
    assert!(plan(&text.replace("instances = 2", "instances = 1")).is_ok());
}

#[test]
fn what_cannot_be_found_is_told_once_with_the_nearest() {
    let text = [READ, &transform("f", "fitler", "\"r\"", ""), &transform("g", "fitler", "\"f\"", ""), &load("\"g\"")].concat();
    let errors = plan(&text).err().unwrap();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].help.as_deref(), Some("did you mean `std:filter`?"));
    assert_eq!(errors[0].notes, ["also used by [transform.g]"]);

    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("stages")).unwrap();
    std::fs::write(folder.path().join("stages/late.wasm"), "").unwrap();
    let text = [READ, &transform("f", "x", "\"r\"", "").replace("std:x", "stages/lat.wasm"), &load("\"f\"")].concat();
    let spec = Spec::parse("p.toml", folder.path(), &text, &|_| None).unwrap();
    let errors = Plan::make(&spec, &Fakes::default()).err().unwrap();
    assert_eq!(errors[0].help.as_deref(), Some("did you mean `stages/late.wasm`?"));
}

#[test]
fn a_component_that_misbehaves_is_named() {
    let text = |component| [READ, &transform("t", component, "\"r\"", ""), &load("\"t\"")].concat();
    let error = &plan(&text("trapping")).err().unwrap()[0];
    assert_eq!(error.message, "[transform.t] cannot be opened: the component trapped: wasm trap");
    assert_eq!((error.code, error.notes.as_slice()), ("unreachable", ["backtrace".to_owned()].as_slice()));
    assert!(complaints(&text("rejecting-port"))[0].contains("a name that belongs to the host"));
}

#[test]
fn every_stage_is_judged_even_where_another_fails() {
    let text = [
        READ,
        &transform("f", "filter", "\"r\"", "config = { where = \"x\" }"),
        &transform("l", "logger", "\"f\"", ""),
        &transform("g", "filter", "\"r\"", "config = { where = \"y\" }"),
        &load("\"l\", \"g\""),
    ]
    .concat();
    let codes: Vec<String> =
        complaints(&text).into_iter().map(|complaint| complaint.split(':').nth(1).unwrap()[2..].trim().to_owned()).collect();
    assert_eq!(codes.iter().filter(|code| code.ends_with("config")).count(), 2);
    assert_eq!(codes.iter().filter(|code| code.ends_with("ungranted-import")).count(), 2);
}
