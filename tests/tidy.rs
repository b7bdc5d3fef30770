//! The shape of the code, enforced: floors as ARCHITECTURE.md draws them, big dependencies confined, files small and
//! named for what they hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use regex::Regex;

fn root() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).canonicalize().unwrap()
}

/// Every file of the project with its path from the root: what git tracks or would track.
fn files() -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root()).output();
    let names = match listed {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect(),
        // Not a checkout: an archive, say.
        _ => walk(&root()),
    };
    names.into_iter().filter(|name| root().join(name).is_file()).collect()
}

fn walk(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        match entry.file_name().to_str() {
            Some("target" | "out" | ".git") | None => {}
            _ if path.is_dir() => names.extend(walk(&path)),
            _ => names.push(path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()),
        }
    }
    names
}

/// The files of the host, with their floor and their text without comments.
fn sources() -> Vec<(String, String, String)> {
    let rust = files().into_iter().filter(|name| name.starts_with("host/src/") && name.ends_with(".rs"));
    let read = |name: String| {
        let within = name.trim_start_matches("host/src/");
        let floor = within.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(root().join(&name)).unwrap();
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect();
        (name, floor, code)
    };
    rust.map(read).collect()
}

/// The lines of a fenced block of ARCHITECTURE.md, as first word → the others.
fn block(name: &str) -> BTreeMap<String, BTreeSet<String>> {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let inside = page.split(&format!("```{name}\n")).nth(1).and_then(|rest| rest.split("```").next());
    let inside = inside.unwrap_or_else(|| panic!("ARCHITECTURE.md has a block ```{name}"));
    let line = |line: &str| {
        let (first, others) = line.split_once(':').unwrap_or_else(|| panic!("in block {name}: `{line}` is not `NAME: OTHERS`"));
        (first.trim().to_owned(), others.split_whitespace().map(str::to_owned).collect())
    };
    inside.lines().filter(|text| !text.trim().is_empty()).map(line).collect()
}

/// The modules at the top of this crate that a text names: `crate::a`, `crate::{a::b, c}`, and the same after `super::`.
fn floors_named(code: &str, floors: &BTreeSet<String>) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => named.extend(first_words(group)),
            None => named.extend(word(rest)),
        }
    }
    let climbed = code.match_indices("super::").filter_map(|(at, climb)| word(&code[at + climb.len()..]));
    // `super::table` may be a module of the same folder; only the name of a floor is suspicious.
    named.extend(climbed.filter(|name| floors.contains(name)));
    named
}

/// The first word of each item of a `{…}` group, whose opening brace has been taken.
fn first_words(group: &str) -> Vec<String> {
    let (mut words, mut depth, mut fresh) = (Vec::new(), 0, true);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && c.is_alphabetic() => {
                words.extend(word(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    words
}

fn word(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// Protects against a floor that reaches up or across.
#[test]
fn floors_import_downwards_only() {
    let allowed = block("floors");
    let floors: BTreeSet<String> = allowed.keys().cloned().collect();
    let mut wrong = Vec::new();
    for (file, floor, code) in sources() {
        if ["lib", "main"].contains(&floor.as_str()) {
            continue;
        }
        let below = allowed.get(&floor).unwrap_or_else(|| panic!("{file}: ARCHITECTURE.md does not know the floor `{floor}`"));
        for named in floors_named(&code, &floors) {
            if named != floor && !below.contains(&named) {
                wrong.push(format!("{file} ({floor}) names `{named}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "floors import downwards only (ARCHITECTURE.md):\n  {}", wrong.join("\n  "));
}

/// Protects against a page that draws floors which are not there, or leaves one out.
#[test]
fn the_floors_are_those_that_there_are() {
    let drawn: BTreeSet<String> = block("floors").into_keys().collect();
    let there: BTreeSet<String> =
        sources().into_iter().map(|(_, floor, _)| floor).filter(|floor| floor != "lib" && floor != "main").collect();
    assert_eq!(drawn, there);
    for (floor, below) in block("floors") {
        assert!(below.is_subset(&drawn), "`{floor}` stands on a floor that is not there: {below:?}");
    }
}

/// Protects against a big dependency that seeps through the code.
#[test]
fn a_big_dependency_is_named_by_its_floors_only() {
    let mut wrong = Vec::new();
    for (dependency, floors) in block("confined") {
        let names = Regex::new(&format!(r"\b{dependency}(::|\s*;|!)")).unwrap();
        for (file, floor, code) in sources() {
            if names.is_match(&code) && !floors.contains(&floor) {
                wrong.push(format!("{file} names `{dependency}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "a dependency is named outside of its floors (ARCHITECTURE.md):\n  {}", wrong.join("\n  "));
}

/// Protects the two checks above: a reader of `use` lines that sees nothing finds nothing wrong.
#[test]
fn the_check_sees_what_there_is_to_see() {
    let floors: BTreeSet<String> = ["words", "wasm", "tables"].map(str::to_owned).into();
    let named = |code| floors_named(code, &floors).into_iter().collect::<Vec<_>>();
    assert_eq!(named("use crate::words::stage::Kind;"), ["words"]);
    assert_eq!(named("use crate::{\n    tables::{A, B},\n    wasm::C,\n};"), ["tables", "wasm"]);
    assert_eq!(named("let x = crate::words::batch::size(super::table, super::super::wasm::Y);"), ["wasm", "words"]);
    let wasmtime = sources().iter().filter(|(_, floor, code)| floor == "wasm" && code.contains("wasmtime::")).count();
    assert!(wasmtime > 5, "the floor wasm names wasmtime");
}

/// Protects against files in which everything and nothing belongs.
#[test]
fn a_file_is_named_for_what_it_holds() {
    let empty = ["util", "utils", "common", "helper", "helpers", "manager", "misc"];
    let says_nothing = |name: &String| name.split(['/', '.']).any(|part| empty.contains(&part));
    let wrong: Vec<_> = files().into_iter().filter(says_nothing).collect();
    assert!(wrong.is_empty(), "names that say nothing: {wrong:?}");
}

/// Protects against the file in which a second idea has settled.
#[test]
fn no_file_is_longer_than_500_lines() {
    let rust = files().into_iter().filter(|name| name.ends_with(".rs"));
    let long = rust.map(|name| (fs::read_to_string(root().join(&name)).unwrap().lines().count(), name)).filter(|(lines, _)| *lines > 500);
    let long: Vec<_> = long.collect();
    assert!(long.is_empty(), "longer than 500 lines; is there a second idea in it? {long:?}");
}

/// Protects against what works on one machine only, and against what a component tells of the machine it was built on.
#[test]
fn no_path_of_a_machine_is_in_the_project() {
    let homes = regex::bytes::Regex::new(r"(?-u)(^|[^A-Za-z0-9_.~-])/(work|root|farm|home|Users)/[A-Za-z]").unwrap();
    // This line names the folders; nothing else may.
    let mine = Path::new("tests/tidy.rs");
    // QuickJS comes built, with the paths of the machine that built it.
    let theirs = "plugins/dist/languages/javascript/";
    let names_one =
        |name: &String| Path::new(name) != mine && !name.starts_with(theirs) && homes.is_match(&fs::read(root().join(name)).unwrap());
    let wrong: Vec<_> = files().into_iter().filter(names_one).collect();
    assert!(wrong.is_empty(), "absolute paths of a machine in: {wrong:?}");
}

/// Protects against components that are not what their sources say: embedded ones are what people run.
#[test]
fn the_components_were_built_from_these_sources() {
    let check = Command::new("bash").arg(root().join("plugins/build")).arg("--check").output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}

/// Protects against a page that shows code which does not exist: the README's stage is a file of the project.
#[test]
fn the_stage_in_the_readme_is_a_real_one() {
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    let source = fs::read_to_string(root().join("plugins/testing/double/src/lib.rs")).unwrap();
    assert!(page.contains(source.trim()), "README.md shows plugins/testing/double/src/lib.rs, word by word");
}
