//! The contract under `wit/` is a promise to stages that nobody here can rebuild: it is documented to the last item, and
//! it does not change under a version that is out.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use parshall::words::digest::Digest;

const VERSIONS: &str = "tests/golden/contract.txt";

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The files of the contract, by name.
fn wit() -> BTreeMap<String, String> {
    let entries = fs::read_dir(root().join("wit")).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path: &PathBuf| path.extension().is_some_and(|extension| extension == "wit"));
    files.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())).collect()
}

/// The contract without comments and with single spaces: what a component sees of it.
fn normalised(wit: &BTreeMap<String, String>) -> String {
    let lines = wit.values().flat_map(|text| text.lines());
    let code = lines.map(|line| line.split("//").next().unwrap_or_default());
    code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// The version in the `package` line.
fn version(wit: &BTreeMap<String, String>) -> String {
    let package = wit.values().flat_map(|text| text.lines()).find_map(|line| line.strip_prefix("package parshall:stage@"));
    package.expect("a file of wit/ has the line `package parshall:stage@VERSION;`").trim_end_matches(';').to_owned()
}

/// Protects against a contract that changes under stages that were built against it.
#[test]
fn the_contract_changes_only_with_its_version() {
    let wit = wit();
    assert!(!wit.values().any(|text| text.contains("/*")), "block comments in wit/ would be taken for code here: use ///");
    let (version, digest) = (version(&wit), Digest::of(normalised(&wit).as_bytes()).to_string());
    let path = root().join(VERSIONS);
    let mut text = fs::read_to_string(&path).unwrap_or_default();
    let recorded = text.lines().find_map(|line| line.strip_prefix(&format!("{version} ")));
    if recorded.is_none() && std::env::var_os("UPDATE_GOLDEN").is_some() {
        text.push_str(&format!("{version} {digest}\n"));
        return fs::write(&path, text).unwrap();
    }
    let recorded = recorded.unwrap_or_else(|| {
        panic!("version {version} of the contract is not recorded yet. Once it is final, run the tests with UPDATE_GOLDEN=1 and commit {VERSIONS}")
    });
    assert!(
        recorded == digest,
        "the contract under wit/ changed, and its version is still {version}.\n\
         Stages that were built against {version} would no longer fit. Raise the version in the `package` line of wit/types.wit\n\
         and in host/src/wasm/imports/mod.rs, mark what is new with `@since`, then run the tests with UPDATE_GOLDEN=1.\n\
         (Only while {version} has never been released: delete its line from {VERSIONS} instead, and run with UPDATE_GOLDEN=1.)"
    );
}

/// Protects against a host that links another version than the contract says.
#[test]
fn the_host_and_the_contract_name_the_same_version() {
    let wit = wit();
    let imports = fs::read_to_string(root().join("host/src/wasm/imports/mod.rs")).unwrap();
    assert!(imports.contains("const PACKAGE: &str = \"parshall:stage\";"), "host/src/wasm/imports/mod.rs names the package");
    let expected = format!("const VERSION: &str = \"{}\";", version(&wit));
    assert!(imports.contains(&expected), "host/src/wasm/imports/mod.rs should have `{expected}`, as wit/types.wit says");
}

/// Protects against an item of the contract that a reader has to guess at.
#[test]
fn every_item_is_documented_and_says_since_when() {
    let mut undocumented = Vec::new();
    for (file, text) in wit() {
        // Whether the comment and the mark that belong to the next item have been seen.
        let (mut documented, mut since) = (false, false);
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.starts_with("///") {
                documented = true;
            } else if line.starts_with("@since(version = ") {
                since = true;
            } else if !line.is_empty() {
                let place = || format!("{file}:{}: `{line}`", index + 1);
                if is_item(line) && !documented {
                    undocumented.push(format!("{} has no `///` before it", place()));
                }
                if needs_since(line) && !since {
                    undocumented.push(format!("{} has no `@since` before it", place()));
                }
                (documented, since) = (false, false);
            }
        }
    }
    assert!(undocumented.is_empty(), "in wit/:\n  {}", undocumented.join("\n  "));
}

/// Everything but the closing of a block and the mention of an item that is documented where it is declared.
fn is_item(line: &str) -> bool {
    !line.starts_with('}') && !["use ", "import ", "export "].iter().any(|word| line.starts_with(word))
}

/// Fields and cases are as old as the item that holds them.
fn needs_since(line: &str) -> bool {
    let declares = ["interface ", "world ", "record ", "variant ", "enum ", "flags ", "resource ", "constructor("];
    declares.iter().any(|word| line.starts_with(word)) || (is_item(line) && line.contains(": func(") || line.contains(": static func("))
}

/// Protects this file's reading of WIT: a check that sees no items would find nothing missing.
#[test]
fn the_check_sees_what_there_is_to_see() {
    let wit = wit();
    let lines = || wit.values().flat_map(|text| text.lines()).map(str::trim).filter(|line| !line.starts_with("//"));
    assert!(lines().filter(|line| needs_since(line)).count() > 60);
    assert!(lines().any(|line| needs_since(line) && line.starts_with("open: static func(")));
    assert!(is_item("null-count: u64,") && !needs_since("null-count: u64,"));
    assert!(!is_item("use types.{schema};") && !is_item("}"));
}

/// Protects swaps and reloads against loading what runs already: the same bytes are compiled once, as long as anybody holds them.
#[test]
fn what_is_loaded_is_not_loaded_again() {
    let runtime =
        parshall::wasm::Runtime::new(parshall::wasm::Cache::off(), std::sync::Arc::new(parshall::tables::NativeTables::default()));
    let runtime = runtime.unwrap();
    let bytes = std::fs::read(crate::components::path("testing/noop")).unwrap();
    let first = runtime.load(&bytes).unwrap();
    let again = runtime.clone().load(&bytes).unwrap();
    assert_eq!((first.compiled(), again.compiled()), (true, false));
    drop((first, again));
    assert!(runtime.load(&bytes).unwrap().compiled(), "nobody held it any more");
}
