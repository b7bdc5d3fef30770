//! Stages in any language: the conformance suite, and what their SDKs say alike.

use std::{collections::BTreeSet, fs, process::Command};

use serde_json::{Value, json};

use crate::{
    binary::{folder, project, run},
    sdk_errors::has,
};

/// Components of the languages whose are committed.
fn committed() -> Vec<String> {
    let sources = fs::read_to_string(project("plugins/dist/languages/SOURCES")).unwrap();
    let stages: Vec<_> = sources.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect();
    assert!(stages.len() >= 15, "{stages:?}");
    stages
}

pub fn dist(stage: &str) -> String {
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

    let scales: Vec<_> = committed().into_iter().filter(|stage| stage.ends_with("/scale")).collect();
    assert!(scales.len() >= 8, "{scales:?}");
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
        if !tools.iter().all(|tool| has(tool)) {
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
