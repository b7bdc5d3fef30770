//! The reference table of a language's page against its SDK: what is said to be there is there, and what is there is said.

use std::{collections::BTreeSet, fs};

use regex::Regex;

use crate::binary::project;

fn read(path: &str) -> String {
    fs::read_to_string(project("plugins/languages").join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names that a pattern finds, which has them in its first group.
fn names(pattern: &str, text: &str) -> BTreeSet<String> {
    Regex::new(pattern).unwrap().captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// What is called in the first column of a page's reference.
fn called(page: &str) -> BTreeSet<String> {
    let text = read(page);
    let reference = text.split("\n## Reference\n").nth(1).unwrap_or_else(|| panic!("{page} has no reference"));
    let reference = reference.split("\n## ").next().unwrap();
    let rows = reference.lines().filter(|line| line.starts_with("| `"));
    let firsts: String = rows.map(|line| line.split(" | ").next().unwrap().to_owned() + "\n").collect();
    names(r"([A-Za-z_]+)\(", &firsts)
}

/// Protects the reference of Python from functions that are gone, and functions from being in no reference.
#[test]
fn the_page_of_python_lists_what_there_is() {
    let sdk = |file: &str| read(&format!("python/sdk/parshall/{file}.py"));
    let init = sdk("__init__");
    let exported = init.split("__all__ = [").nth(1).unwrap().split(']').next().unwrap().to_owned();
    let mut there = names(r#""([a-z_]+)""#, &exported);
    // The decorators stand above the table; `state` is an object.
    there.retain(|name| !["extract", "transform", "load", "state"].contains(&name.as_str()));
    for file in ["schema", "batch", "state"] {
        there.extend(names(r"(?m)^    def ([a-z][a-z_]*)\(self", &sdk(file)));
    }
    assert!(there.len() >= 20, "{there:?}");
    assert_eq!(called("python/README.md"), there);
    for hello in ["hello", "hello_extract", "hello_load"] {
        let stage = read(&format!("python/{hello}/stage.py"));
        assert!(read("python/README.md").contains(&format!("```python\n{stage}```")), "{hello} is not what the page shows");
    }
}

/// Protects the same of JavaScript and TypeScript, whose types say what there is.
#[test]
fn the_page_of_javascript_lists_what_there_is() {
    let types = read("javascript/sdk/parshall.d.ts");
    let types = types.split("// === stages ===").next().unwrap();
    let mut there = names(r"(?m)^export function ([A-Za-z]+)", types);
    there.extend(names(r"(?m)^  ([a-z][A-Za-z]*)(?:<[^(]*>)?\(", types));
    there.remove("constructor");
    assert!(there.len() >= 15, "{there:?}");
    assert_eq!(called("javascript/README.md"), there);
    let source = read("javascript/sdk/parshall.js");
    for name in &there {
        assert!(
            Regex::new(&format!(r"(?m)^(  |export (const|function) ){name}\b")).unwrap().is_match(&source),
            "{name} has types and is not there"
        );
    }
    assert!(read("typescript/README.md").contains("](../javascript/README.md#reference)"));
}
