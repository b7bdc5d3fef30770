//! Configurations against schemas, and casts of columns, without a host.

use arrow_array::{Int64Array, StringArray, UInt64Array};
use parshall_sdk::{ConfigError, prelude::*};
use serde_json::{Value, json};
use values::{Values, read};

use crate::{
    cast::Cast,
    plan::{Plan, Source, plan},
    refused,
};

fn schema() -> Schema {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    Schema::new(vec![
        field("a", DataType::Utf8),
        field("b", DataType::Int64),
        field("c/d", DataType::new_list(DataType::Int8, true)),
        field("delay", DataType::UInt64),
    ])
}

fn planned(config: Value) -> Result<Plan, StageError> {
    plan(&parshall_sdk::config::read(&config.to_string())?, &schema())
}

/// Names and types of what leaves, and whether they are cast.
fn shown(config: Value) -> Vec<String> {
    let plan = planned(config).unwrap();
    let from = |source: &Source| match source {
        Source::Input(index) => format!("input {index}"),
        Source::Cast(index) => format!("cast of {}", plan.casts[*index].index),
    };
    plan.fields
        .iter()
        .zip(&plan.columns)
        .map(|(field, source)| format!("{} {} {}", field.name(), field.data_type(), from(source)))
        .collect()
}

fn mistake(config: Value) -> ConfigError {
    match planned(config) {
        Err(StageError::Config(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// Protects against columns that leave in another order, under another name or in another type than said.
#[test]
fn listed_columns_leave_as_listed() {
    let columns = json!({ "columns": ["b", { "name": "a", "as": "x", "cast": "int32" }, { "name": "b", "as": "b2", "cast": "BIGINT" }] });
    assert_eq!(shown(columns), ["b Int64 input 1", "x Int32 cast of 0", "b2 Int64 input 1"]);
}

/// Protects against columns that move, or lose their name's place, when others change.
#[test]
fn other_columns_stay_in_place() {
    let config = json!({ "drop": ["c/d"], "rename": { "a": "b", "b": "a" }, "cast": { "b": "float64", "delay": "uint64" } });
    assert_eq!(shown(config), ["b Utf8 input 0", "a Float64 cast of 1", "delay UInt64 input 3"]);
}

/// Protects against a mistake that is told without its place, or without the way out.
#[test]
fn mistakes_have_a_place_and_advice() {
    for (config, pointer, message, help) in [
        (json!({}), "", "nothing is selected", "say `columns`, or some of `drop`, `rename` and `cast`"),
        (json!({ "columns": [] }), "/columns", "no column would be left", ""),
        (json!({ "drop": ["a", "b", "c/d", "delay"] }), "/drop", "no column would be left", ""),
        (
            json!({ "columns": ["a"], "cast": { "a": "int8" } }),
            "/cast",
            "`columns` says which columns there are: beside it there is no `cast`",
            "in `columns`, write { name = …, as = …, cast = … }, and leave out what is dropped",
        ),
        (json!({ "columns": ["a", "dellay"] }), "/columns/1", "there is no column `dellay`", "did you mean `delay`?"),
        (json!({ "columns": [{ "name": "x", "as": "y" }] }), "/columns/0/name", "there is no column `x`", "did you mean `a`?"),
        (json!({ "columns": ["a", "b", "a"] }), "/columns/2", "two columns would be called `a`", ""),
        (json!({ "columns": ["a", { "name": "b", "as": "a" }] }), "/columns/1/as", "two columns would be called `a`", ""),
        (json!({ "rename": { "a": "delay" } }), "/rename/a", "two columns would be called `delay`", ""),
        (json!({ "rename": { "delay": "a" } }), "/rename/delay", "two columns would be called `a`", ""),
        (json!({ "drop": ["a"], "rename": { "a": "x" } }), "/rename/a", "`a` is dropped", ""),
        (
            json!({ "rename": { "delay": "minutes" }, "cast": { "minutes": "int8" } }),
            "/cast/minutes",
            "there is no column `minutes`",
            "columns go by the names that they have in the input: this one is `delay`",
        ),
        (json!({ "cast": { "a": "in64" } }), "/cast/a", "there is no type `in64`", "did you mean `int64`?"),
        (json!({ "cast": { "c/d": "utf8" } }), "/cast/c~1d", "`c/d` is of type List(Int8), which cannot be cast to utf8", ""),
        (
            json!({ "columns": [{ "name": "a", "a": "x" }] }),
            "/columns/0/a",
            "unknown field `a`, expected one of `name`, `as`, `cast`",
            "did you mean `as`?",
        ),
        (
            json!({ "columns": [7] }),
            "/columns/0",
            "invalid type: integer `7`, expected a column's name, or a table with `name`, `as` and `cast`",
            "",
        ),
    ] {
        let error = mistake(config.clone());
        let said = (error.pointer.as_str(), error.message.as_str(), error.help.as_deref().unwrap_or_default());
        assert_eq!(said, (pointer, message, help), "{config}");
    }
}

fn cast(data_type: DataType, to: &str) -> Cast {
    Cast::new(&Field::new("x", data_type, true), 0, to, "").unwrap().unwrap()
}

/// Protects against a value that is lost without a word, or a reason that carries a whole document.
#[test]
fn what_cannot_be_cast_is_told_by_row_and_value() {
    let long = "ä".repeat(100);
    let done = cast(DataType::Utf8, "int8").column(StringArray::from(vec![Some("1"), Some("300"), None, Some(&long)]).into_data()).unwrap();
    let expected = [
        (1, "column `x`: \"300\" cannot be cast to int8".to_string()),
        (3, format!("column `x`: \"{}…\" cannot be cast to int8", "ä".repeat(40))),
    ];
    assert_eq!(done.failed, expected);
}

/// Protects against one huge number that fails the whole batch.
#[test]
fn what_is_beyond_int64_is_refused_alone() {
    let cast = cast(DataType::UInt64, "float64");
    let done = cast.column(UInt64Array::from(vec![Some(1), Some(u64::MAX), None, Some(2)]).into_data()).unwrap();
    assert_eq!(done.failed, [(1, "column `x`: the value is too large to be cast to float64".to_string())]);
    let Values::Float(left) = read(cast.survivors(&done, &[Some(0), Some(2), Some(3)])).unwrap() else { panic!() };
    assert_eq!(left, arrow_array::Float64Array::from(vec![Some(1.0), None, Some(2.0)]));
}

/// Protects against a row that is refused twice, which the host takes for a defect.
#[test]
fn a_row_is_refused_once() {
    let column = |values: Vec<&str>| cast(DataType::Utf8, "int64").column(StringArray::from(values).into_data()).unwrap();
    let rejections = refused(&[column(vec!["1", "x", "2"]), column(vec!["w", "y", "3"])], 3);
    let said: Vec<_> = rejections.iter().map(|rejection| (rejection.row, rejection.reason.as_str())).collect();
    assert_eq!(said, [(0, "column `x`: \"w\" cannot be cast to int64"), (1, "column `x`: \"x\" cannot be cast to int64")]);
    let fine = cast(DataType::Int64, "utf8").column(Int64Array::from(vec![1]).into_data()).unwrap();
    assert!(refused(&[fine], 1).is_empty());
}
