//! Batches judged natively: every check on every type that it says it is for.

use std::sync::Arc;

use arrow_array::*;
use parshall_sdk::{ConfigError, prelude::*};

use crate::{plan::plan, validation::Validation};

fn open(rules: &str, column: &ArrayRef) -> Result<Validation, ConfigError> {
    let config = parshall_sdk::config::read(&format!("{{\"rules\": {rules}}}"));
    let schema = Schema::new(vec![Field::new("x", column.data_type().clone(), true)]);
    match config.and_then(|config| plan(config, &schema)) {
        Ok(plan) => Ok(Validation::new(plan)),
        Err(StageError::Config(error)) => Err(error),
        Err(other) => panic!("{other:?}"),
    }
}

fn judge(validation: &mut Validation, column: &ArrayRef) -> Vec<(u32, String)> {
    let data = validation.reads().iter().map(|_| column.to_data()).collect();
    let verdict = validation.judge(column.len(), data).unwrap();
    let rejected = |row: usize| verdict.rejections.iter().any(|rejection| rejection.row as usize == row);
    match verdict.kept {
        None => assert!(verdict.rejections.is_empty()),
        Some(kept) => assert!((0..column.len()).all(|row| kept.value(row) != rejected(row)), "each row is kept or rejected"),
    }
    verdict.rejections.into_iter().map(|rejection| (rejection.row, rejection.reason)).collect()
}

/// What is said of the rows of a column that fail one rule.
fn said(rule: &str, column: impl Array + 'static) -> Vec<(u32, String)> {
    let column: ArrayRef = Arc::new(column);
    judge(&mut open(&format!("[{{\"column\": \"x\", {rule}}}]"), &column).unwrap(), &column)
}

fn mistake(rule: &str, column: impl Array + 'static) -> ConfigError {
    open(&format!("[{{\"column\": \"x\", {rule}}}]"), &(Arc::new(column) as ArrayRef)).err().expect("a mistake")
}

fn told(rows: &[(u32, &str)]) -> Vec<(u32, String)> {
    rows.iter().map(|(row, reason)| (*row, reason.to_string())).collect()
}

/// Protects against integers being rounded on their way to a comparison, at the ends of every type.
#[test]
fn integers_are_compared_exactly() {
    let great = i64::MAX - 1;
    let column = Int64Array::from(vec![Some(great), Some(i64::MAX), None, Some(i64::MIN)]);
    assert_eq!(
        said(&format!("\"max\": {great}, \"min\": {}", i64::MIN + 1), column.clone()),
        told(&[
            (1, "`x` is 9223372036854775807, greater than 9223372036854775806"),
            (3, "`x` is -9223372036854775808, less than -9223372036854775807")
        ])
    );
    assert_eq!(said("\"min\": -1e300, \"max\": 1e300", column.clone()), []);
    assert_eq!(mistake("\"min\": 1e300", column).pointer, "/rules/0/min");
    let column = UInt64Array::from(vec![u64::MAX, u64::MAX - 1, 0]);
    assert_eq!(
        said("\"max\": 18446744073709551614, \"min\": 1", column.clone()),
        told(&[(0, "`x` is 18446744073709551615, greater than 18446744073709551614"), (2, "`x` is 0, less than 1")])
    );
    assert_eq!(said("\"in\": [18446744073709551615, 0]", column).len(), 1);
    assert_eq!(said("\"min\": 0.5, \"max\": 1.5", Int8Array::from(vec![0, 1, 2])).len(), 2);
    assert_eq!(said("\"in\": [1.0, 1.5]", Int16Array::from(vec![1, 2])), told(&[(1, "`x` is 2, not one of 1.0, 1.5")]));
}

/// Protects against NaN slipping through, and against null failing anything but `not_null`.
#[test]
fn nan_fails_and_null_passes() {
    let column = || Float64Array::from(vec![Some(f64::NAN), None, Some(0.5), Some(-0.0)]);
    assert_eq!(said("\"max\": 1", column()), told(&[(0, "`x` is NaN, not a number")]));
    assert_eq!(said("\"min\": 0", column()), told(&[(0, "`x` is NaN, not a number")]));
    assert_eq!(said("\"in\": [0, 0.5]", column()), told(&[(0, "`x` is NaN, not one of 0, 0.5")]));
    assert_eq!(said("\"not_null\": true", column()), told(&[(1, "`x` is null")]));
    assert_eq!(said("\"min\": 5, \"unique\": true", NullArray::new(2)), []);
    assert_eq!(said("\"not_null\": true", NullArray::new(1)), told(&[(0, "`x` is null")]));
    assert_eq!(said("\"in\": [true]", BooleanArray::from(vec![Some(false), None])), told(&[(0, "`x` is false, not one of true")]));
}

/// Protects against bytes being counted for characters, and reasons as long as what they complain of.
#[test]
fn texts_are_measured_in_characters() {
    let column = || StringArray::from(vec![Some("äöü"), Some("abcd"), None, Some("")]);
    assert_eq!(said("\"max_length\": 3", column()), told(&[(1, "`x` is \"abcd\", longer than 3 characters")]));
    assert_eq!(said("\"min_length\": 3", column()), told(&[(3, "`x` is \"\", shorter than 3 characters")]));
    assert_eq!(said("\"min\": \"b\", \"max\": \"ä\"", column()).len(), 3);
    assert_eq!(said("\"pattern\": \"^.{3,4}$\"", column()), told(&[(3, "`x` does not match `^.{3,4}$`")]));
    let long = said("\"in\": [\"a\"]", StringArray::from(vec!["ü".repeat(1_000)]));
    assert_eq!(long[0].1, format!("`x` is \"{}…\", not one of \"a\"", "ü".repeat(64)));
    let views = StringViewArray::from(vec!["a", "b"]);
    assert_eq!(said("\"in\": [\"a\"], \"name\": \"letters\"", views), told(&[(1, "letters: `x` is \"b\", not one of \"a\"")]));
    let words: DictionaryArray<types::Int8Type> = vec![Some("a"), None, Some("b"), Some("a")].into_iter().collect();
    assert_eq!(said("\"not_null\": true, \"unique\": true", words), told(&[(1, "`x` is null"), (3, "`x` repeats \"a\"")]));
}

/// Protects against times that are cut to what is computed with before they are compared.
#[test]
fn times_are_compared_as_they_are_counted() {
    let column = TimestampNanosecondArray::from(vec![1_000_000_001, 1_000_000_000, 1_000_000_001]);
    let late = "`x` is 1970-01-01T00:00:01, greater than 1970-01-01T00:00:01";
    assert_eq!(said("\"max\": \"1970-01-01T00:00:01\"", column.clone()), told(&[(0, late), (2, late)]));
    assert_eq!(said("\"unique\": true", column).len(), 1);
    let column = TimestampSecondArray::from(vec![0, 1]);
    assert_eq!(said("\"min\": \"1970-01-01T00:00:00.5Z\"", column.clone()).len(), 1);
    assert_eq!(said("\"in\": [\"1970-01-01T00:00:01\", \"1970-01-01T00:00:00.5\"]", column).len(), 1);
    let days = Date32Array::from(vec![0, 1]);
    assert_eq!(said("\"min\": \"1970-01-02\"", days.clone()), told(&[(0, "`x` is 1970-01-01, less than 1970-01-02")]));
    assert!(mistake("\"min\": \"tomorrow\"", days).message.starts_with("\"tomorrow\" is not a date such as"));
}

/// Protects against a correction that is rejected because of the row that it corrects, and -0.0 and NaN being others.
#[test]
fn only_kept_rows_take_a_value() {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![5, 5, 7, 7]));
    let rules = r#"[{"column": "x", "unique": true}, {"column": "x", "min": 6}]"#;
    let mut validation = open(rules, &column).unwrap();
    let low = "`x` is 5, less than 6";
    assert_eq!(judge(&mut validation, &column), told(&[(0, low), (1, low), (3, "`x` repeats 7")]));
    let saved = validation.save();
    let mut other = open(rules, &column).unwrap();
    other.restore(&saved).unwrap();
    assert_eq!(judge(&mut other, &column).len(), 4);
    for end in 0..saved.len() {
        assert!(open(rules, &column).unwrap().restore(&saved[..end]).is_err(), "cut at {end}");
    }
    let floats = Float64Array::from(vec![0.0, -0.0, f64::NAN, -f64::NAN]);
    assert_eq!(said("\"unique\": true", floats), told(&[(1, "`x` repeats -0.0"), (3, "`x` repeats NaN")]));
}

/// Protects against a bad pattern that nobody finds the mistake in, and checks on types that they are not for.
#[test]
fn mistakes_are_pointed_at() {
    let texts = || StringArray::from(vec!["a"]);
    for (pattern, at) in [("(a)(b", 3), ("a)", 1), ("ab[cd", 3), ("é(", 2), ("a{2", 2)] {
        let error = mistake(&format!("\"pattern\": \"{pattern}\""), texts());
        assert_eq!((error.pointer.as_str(), error.offset), ("/rules/0/pattern", Some(at)), "{pattern}: {}", error.message);
    }
    assert_eq!(mistake("\"max_length\": 3, \"min_length\": 4", texts()).pointer, "/rules/0/min_length");
    assert_eq!(mistake("\"not_null\": false", texts()).pointer, "/rules/0");
    let bytes = || BinaryArray::from_vec(vec![b"a"]);
    assert_eq!(said("\"not_null\": true", bytes()), []);
    assert_eq!(mistake("\"unique\": true", bytes()).pointer, "/rules/0/unique");
    assert_eq!(mistake("\"min\": true", BooleanArray::from(vec![true])).pointer, "/rules/0/min");
    let wide = Decimal128Array::from(vec![1]).with_precision_and_scale(38, 0).unwrap();
    assert_eq!(mistake("\"unique\": true", wide).pointer, "/rules/0/unique");
}
