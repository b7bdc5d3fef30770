//! Wrong pipeline files whose mistakes only components and data can tell, each with its golden message. (Those that the
//! file alone tells are with the spec, in host/src/pipeline/spec/tests.rs.)

use std::{fs, path::PathBuf};

use crate::{
    binary::{folder, project, run},
    components,
};

/// First line of the files that are checked here.
const NEEDS_COMPONENTS: &str = "# needs components";

fn wrong_files() -> Vec<PathBuf> {
    let entries = fs::read_dir(project("tests/golden/wrong")).unwrap().map(|entry| entry.unwrap().path());
    let toml = entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let mut files: Vec<_> = toml.filter(|path| fs::read_to_string(path).unwrap().starts_with(NEEDS_COMPONENTS)).collect();
    files.sort();
    files
}

/// Protects against a message that no longer says what is wrong, where, and what to do.
/// `UPDATE_GOLDEN=1` rewrites the golden files; read the change before it is committed.
#[test]
fn wrong_files_are_told_as_the_golden_files_have_it() {
    let here = folder();
    fs::copy(project("examples/flights/data/flights-2013-01.parquet"), here.path().join("flights.parquet")).unwrap();
    fs::copy(components::path("testing/counter"), here.path().join("counter.wasm")).unwrap();
    let files = wrong_files();
    let mut differing = Vec::new();
    for path in &files {
        let name = path.file_name().unwrap().to_str().unwrap();
        fs::copy(path, here.path().join(name)).unwrap();
        let ran = run(here.path(), &["check", name]);
        let told = ran.fails(2).replace(here.path().to_str().unwrap(), "/base");
        let golden = path.with_extension("txt");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &told).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if told != expected {
            differing.push(format!("=== {name}\n--- expected\n{expected}--- told\n{told}"));
        }
    }
    assert!(files.len() >= 20, "{} wrong files", files.len());
    assert!(differing.is_empty(), "{}\nUPDATE_GOLDEN=1 rewrites", differing.join("\n"));
}

/// Protects against a place that is not told: every one of these mistakes stands somewhere in the file.
#[test]
fn every_mistake_is_told_at_its_line_and_column() {
    for path in wrong_files() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let told = fs::read_to_string(path.with_extension("txt")).unwrap_or_default();
        for message in told.split("\n\n").filter(|message| message.starts_with("error:")) {
            assert!(message.contains(&format!("--> {name}:")) && message.contains('^'), "{name}: {message}");
        }
    }
}
