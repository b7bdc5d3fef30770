//! A spec is read as written, and every mistake is found where it is.

use std::{path::Path, time::Duration};

use super::*;
use crate::{
    pipeline::plan::ComponentRef,
    words::{grants::Place, limits::Limits},
};

fn env(name: &str) -> Option<String> {
    (name == "DATA").then(|| "in/put".to_owned())
}

fn parse(text: &str) -> Result<Spec, Vec<Diagnostic>> {
    Spec::parse("p.toml", Path::new("/base/folder"), text, &env)
}

/// The complaints as `line:column code`.
fn complaints(text: &str) -> Vec<String> {
    let place = |d: &Diagnostic| d.position.as_ref().map_or("-".to_owned(), |at| format!("{}:{}", at.line, at.column));
    parse(text).err().unwrap_or_default().iter().map(|d| format!("{} {}", place(d), d.code)).collect()
}

const ENDS: &str = "[extract.a]\ncomponent = \"std:read\"\n[load.z]\ncomponent = \"std:write\"\ninputs = [\"a\"]\n";

const WHOLE: &str = r#"
name = "flights"
description = "late ones"
defaults = { queue = "1MiB", limits = { fuel = 5, logs = 9 } }
[load.out]
component = "sub/out.wasm"
inputs = ["late.yes", "late.rejected"]
queue = 77
grants = { write = ["out/", "s3://bucket/x/"], telemetry = true, state = true, random = true, environment = ["TOKEN"], http = ["api.example.com", "*.b.org:81"] }
[extract.all]
component = "std:read"
config = { path = "${DATA}/a.csv", since = 2013-01-01, deep = [{ "a/b" = 1.5 }], z = 1, a = true }
grants = { read = ["${DATA}", "../shared/./x", "/abs"] }
[transform.late]
component = "std:filter"
inputs = ["all"]
instances = 4
limits = { memory = "64MiB", timeout = "250ms", fuel = 0x10, output_rows = 1_000 }
"#;

#[test]
fn everything_that_can_be_written_is_read() {
    let spec = parse(WHOLE).unwrap();
    assert_eq!((spec.name.as_str(), spec.description.as_deref()), ("flights", Some("late ones")));
    assert_eq!(spec.stages.iter().map(StageSpec::title).collect::<Vec<_>>(), ["[load.out]", "[extract.all]", "[transform.late]"]);
    let (out, all, late) = (&spec.stages[0], &spec.stages[1], spec.stage("late").unwrap());
    assert_eq!((out.queue_bytes, all.queue_bytes, late.queue_bytes), (77, 1 << 20, 1 << 20));
    assert_eq!((out.instances, late.instances), (1, 4));
    assert_eq!((&out.component, &all.component), (&ComponentRef::Path("sub/out.wasm".into()), &ComponentRef::Std("read".to_owned())));
    assert_eq!(late.limits.memory, 64 << 20);
    assert_eq!(late.limits.timeout, Duration::from_millis(250));
    assert_eq!((late.limits.fuel, late.limits.logs, late.limits.output_rows), (16, 9, 1000));
    assert_eq!((out.limits.fuel, out.limits.memory), (5, Limits::default().memory));
    let inputs: Vec<_> = out.inputs.iter().map(|input| (input.stage.as_str(), input.port.as_deref())).collect();
    assert_eq!(inputs, [("late", Some("yes")), ("late", Some("rejected"))]);
}

#[test]
fn grants_are_absolute_wherever_the_command_starts() {
    let spec = parse(WHOLE).unwrap();
    let path = |path: &str| Place::Path(path.into());
    assert_eq!(spec.stages[1].grants.read, [path("/base/folder/in/put"), path("/base/shared/x"), path("/abs")]);
    let out = &spec.stages[0].grants;
    assert_eq!(out.write, [path("/base/folder/out"), Place::Url("s3://bucket/x/".to_owned())]);
    assert!(out.random && !out.clocks);
    assert_eq!(out.environment, ["TOKEN"]);
    assert_eq!(out.http.iter().map(ToString::to_string).collect::<Vec<_>>(), ["api.example.com", "*.b.org:81"]);
    assert!(out.telemetry && out.state && !spec.stages[1].grants.telemetry);
    assert!(spec.stages.iter().all(|stage| stage.grants.base == Path::new("/base/folder")));
}

#[test]
fn a_configuration_keeps_its_order_types_and_places() {
    let spec = parse(WHOLE).unwrap();
    let stage = &spec.stages[1];
    let json = r#"{"path":"in/put/a.csv","since":"2013-01-01","deep":[{"a/b":1.5}],"z":1,"a":true}"#;
    assert_eq!(serde_json::to_string(&stage.config).unwrap(), json);
    let shown = |pointer, offset| {
        let span = stage.places.config.span(pointer, offset).unwrap();
        &WHOLE[span.start..span.end]
    };
    assert_eq!(shown("/deep/0/a~1b", None), "1.5");
    assert_eq!(shown("/path", Some(3)), "${DATA}");
    assert_eq!(shown("/path", Some(7)), "a");
    assert_eq!(shown("/path", None), "\"${DATA}/a.csv\"");
    assert_eq!(shown("/deep/7/x", None), "[{ \"a/b\" = 1.5 }]", "what is missing is missing in what is there");
    assert!(shown("", None).starts_with("{ path"));
    assert!(spec.stages[2].places.config.span("/where", None).is_none());
}

#[test]
fn the_name_is_the_files_when_none_is_written() {
    assert_eq!(parse(ENDS).unwrap().name, "p");
}

#[test]
fn every_complaint_is_told_at_once() {
    let text =
        "nmae = 1\n[extract.a]\ncomponent = 1\n[load.b]\ncomponent = \"std:write\"\ninputs = [\"a\", \"c\"]\ngrants = { reed = [] }\n";
    assert_eq!(complaints(text), ["1:1 unknown-key", "3:13 wrong-type", "6:16 unknown-stage", "7:12 unknown-key"]);
}

#[test]
fn a_stage_without_a_component_is_read_to_its_end() {
    let text = format!("{ENDS}limits = {{ fuel = 0 }}\ngrants = {{ read = [\"\"] }}\n").replacen("component = \"std:write\"\n", "", 1);
    assert_eq!(complaints(&text), ["3:7 missing-key", "5:19 out-of-range", "6:20 bad-grant"]);
}

#[test]
fn every_key_is_read_and_minds_its_type() {
    // A date is nothing that any key but `config`'s own would take.
    let wrong = |line: String| complaints(&format!("{ENDS}[transform.t]\ncomponent = \"x\"\ninputs = [\"a\"]\n{line}"));
    let check = |keys: Vec<&keys::Key>, line: &dyn Fn(&str) -> String| {
        for key in keys {
            let found = match key.name {
                "component" | "inputs" => complaints(&ENDS.replacen("component = \"std:write\"", &format!("{} = 2020-01-01", key.name), 1)),
                name => wrong(line(name)),
            };
            assert!(
                found.iter().any(|complaint| complaint.ends_with(" wrong-type") || complaint.ends_with(" duplicate-key")),
                "{}: {found:?}",
                key.name
            );
        }
    };
    check(keys::STAGE.iter().collect(), &|key| format!("{key} = 2020-01-01"));
    check(keys::GRANTS.iter().collect(), &|key| format!("grants = {{ {key} = 2020-01-01 }}"));
    check(limits::LIMITS.iter().map(|limit| &limit.key).collect(), &|key| format!("limits = {{ {key} = 2020-01-01 }}"));
    check(keys::ON_ERROR.iter().collect(), &|key| format!("on_error = {{ {key} = 2020-01-01 }}"));
    check(keys::DEAD_LETTERS.iter().collect(), &|key| format!("[dead_letters]\n{key} = 2020-01-01"));
    check(keys::DEFAULTS.iter().collect(), &|key| format!("[defaults]\n{key} = 2020-01-01"));
    check(keys::DELIVERY.iter().collect(), &|key| format!("[delivery]\n{key} = 2020-01-01"));
    check(keys::TELEMETRY.iter().collect(), &|key| format!("[telemetry]\n{key} = 2020-01-01"));
    check(keys::KEEP.iter().collect(), &|key| format!("[telemetry]\nkeep = {{ {key} = 2020-01-01 }}"));
    for key in keys::FILE {
        assert!(
            complaints(&format!("{} = 2020-01-01", key.name)).contains(&format!("1:{} wrong-type", key.name.len() + 4)),
            "{}",
            key.name
        );
    }
}

#[test]
fn cycles_are_found_wherever_they_are() {
    let stage = |name: &str, inputs: &str| format!("[transform.{name}]\ncomponent = \"x\"\ninputs = [{inputs}]\n");
    let text = [ENDS, &stage("d", "\"a\", \"f\""), &stage("e", "\"d\""), &stage("f", "\"e.out\", \"a\""), &stage("g", "\"g\"")].concat();
    let messages: Vec<String> = parse(&text).unwrap_err().into_iter().map(|diagnostic| diagnostic.message).collect();
    assert_eq!(messages, ["these stages feed each other in a cycle: d → e → f → d", "`g` feeds itself"]);
    let diamond = [ENDS, &stage("d", "\"a\""), &stage("e", "\"a\""), &stage("f", "\"d\", \"e\"")].concat();
    assert!(parse(&diamond).is_ok());
}

#[test]
fn a_variable_can_neither_add_a_key_nor_end_a_string() {
    let sly = |_: &str| Some("x\"\ninstances = 9 # ".to_owned());
    let text = ENDS.replacen("std:read", "${V}", 1);
    let spec = Spec::parse("p.toml", Path::new("/"), &text, &sly).unwrap();
    assert_eq!(spec.stages[0].component, ComponentRef::Path("x\"\ninstances = 9 # ".into()));
    assert_eq!(spec.stages[0].instances, 1);
}

#[test]
fn a_missing_file_is_told_with_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("flights.toml"), ENDS).unwrap();
    let errors = Spec::load(&folder.path().join("fligths.toml")).unwrap_err();
    assert_eq!((errors.len(), errors[0].code), (1, "unreadable"));
    assert!(errors[0].help.as_ref().unwrap().contains("flights.toml"));
    let spec = Spec::load(&folder.path().join("flights.toml")).unwrap();
    assert_eq!((spec.name.as_str(), spec.base.as_path()), ("flights", folder.path()));
}

#[test]
fn stages_are_bounded() {
    let many: String = (0..keys::MAX_STAGES).map(|at| format!("[extract.x{at}]\ncomponent = \"x\"\n")).collect();
    assert_eq!(complaints(&format!("{ENDS}{many}")), ["2002:10 too-many-stages"]);
    let chain: String =
        (1..keys::MAX_STAGES - 2).map(|at| format!("[transform.x{}]\ncomponent = \"x\"\ninputs = [\"x{}\"]\n", at - 1, at)).collect();
    let last = format!("[transform.x{}]\ncomponent = \"x\"\ninputs = [\"x0\"]\n", keys::MAX_STAGES - 3);
    assert_eq!(complaints(&format!("{ENDS}{chain}{last}")).len(), 1, "one long cycle");
}

#[test]
fn no_text_makes_the_reader_panic() {
    for text in [WHOLE, ENDS] {
        for (at, c) in text.char_indices() {
            let without = format!("{}{}", &text[..at], &text[at + c.len_utf8()..]);
            for text in [&text[..at], &without, &text.replacen(c, "ß\t\u{1}", 1), &without.replace('"', "'")] {
                if let Err(errors) = parse(text) {
                    assert!(!diagnostic::render_all(&errors, true).is_empty());
                }
            }
        }
    }
}

/// The files of `tests/golden/wrong` whose mistake needs no component to be found; the others begin with this line.
const NEEDS_COMPONENTS: &str = "# needs components";

#[test]
fn wrong_files_are_told_as_the_golden_files_have_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/wrong");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut seen = 0;
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        if text.starts_with(NEEDS_COMPONENTS) {
            continue;
        }
        let shown = path.file_name().unwrap().to_string_lossy();
        let errors = Spec::parse(&shown, Path::new("/base"), &text, &|_| None).expect_err(&shown);
        let rendered = diagnostic::render_all(&errors, false);
        let golden = path.with_extension("txt");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &rendered).unwrap();
        }
        assert_eq!(rendered, std::fs::read_to_string(&golden).unwrap_or_default(), "{shown}: UPDATE_GOLDEN=1 rewrites");
        seen += 1;
    }
    assert!(seen >= 20, "{seen} wrong files");
}
