//! FAILURES.md is the reference: its tables are what the program reads and writes.

use std::{collections::BTreeMap, fs};

use parshall::pipeline::spec::keys::{DEAD_LETTERS, Key, ON_ERROR};

use super::{files, pipeline, run};
use crate::binary::project;

/// First column → second, of the table whose header begins so.
fn table(header: &str) -> BTreeMap<String, String> {
    let page = fs::read_to_string(project("FAILURES.md")).unwrap();
    let table = page.split(&format!("| {header} |")).nth(1).unwrap_or_else(|| panic!("a table `{header}`"));
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cell = |cell: Option<&str>| cell.unwrap_or_default().trim().trim_matches('`').to_owned();
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split(" | ");
        (cell(cells.next()), cell(cells.next()))
    })
    .collect()
}

/// Protects whoever writes a pipeline file: every key of the policies is there with its default, and no other.
#[test]
fn keys_and_defaults_are_those_that_are_read() {
    let read = |keys: &[Key]| -> BTreeMap<String, String> {
        keys.iter().map(|key| (key.name.to_owned(), key.default.unwrap_or_default().to_owned())).collect()
    };
    assert_eq!(table("in `on_error`"), read(ON_ERROR));
    assert_eq!(table("in `[dead_letters]`"), read(DEAD_LETTERS));
}

/// Protects whoever reads dead letters with a program: the columns are those of the page.
#[test]
fn columns_are_those_that_are_written() {
    let stage = "component = \"@stamp\"\nconfig = { misbehave = \"trap\", every = 50 }\non_error = \"dead-letter\"\n";
    let ended = run(&pipeline(100, 10, stage));
    let [file] = <[_; 1]>::try_from(files(&ended.folder.path().join("dead-letters"))).unwrap();
    let schema = arrow::ipc::reader::StreamReader::try_new(fs::File::open(file).unwrap(), None).unwrap().schema();
    let kind = |kind: &arrow::datatypes::DataType| {
        let name = kind.to_string().to_lowercase();
        let name = name.split(['(', '<']).next().unwrap().to_owned();
        if name == "boolean" { "bool".to_owned() } else { name }
    };
    let written: BTreeMap<String, String> = schema.fields().iter().map(|field| (field.name().clone(), kind(field.data_type()))).collect();
    assert_eq!(table("column"), written);
}
