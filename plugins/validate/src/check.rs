//! One check of a rule: which rows of a batch fail it, and what is said of each.
//!
//! Most batches pass. Numbers are therefore first looked at all together, in a loop without branches; only if one of
//! them fails is it asked which.

use arrow_array::{Array, StringArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use regex_lite::Regex;

use crate::form::{Cells, Column, Form};

/// A check of a column.
#[derive(Debug)]
pub struct Check {
    /// Which of the columns that are read.
    pub column: usize,
    pub form: Form,
    /// What a reason begins with: the rule's name and the column's.
    pub label: String,
    pub test: Test,
    /// What is asked for, for a person.
    pub wanted: String,
}

/// What is asked of a value that is not null.
#[derive(Debug)]
pub enum Test {
    /// The one that is asked of null.
    NotNull,
    Min(Bound),
    Max(Bound),
    In(Allowed),
    /// Characters.
    MinLength(usize),
    MaxLength(usize),
    Pattern(Regex),
    /// Index of the set of those seen. What has been seen is known only when all else is.
    Unique(usize),
}

/// The least or the greatest value allowed.
#[derive(Debug, PartialEq)]
pub enum Bound {
    Int(i64),
    Float(f64),
    Text(String),
}

/// The values allowed, sorted.
#[derive(Debug)]
pub enum Allowed {
    /// Whether false is, and true.
    Bool([bool; 2]),
    Int(Vec<i64>),
    Float(Vec<f64>),
    Text(Vec<String>),
}

// === impl Check ===

impl Check {
    /// The rows that fail; nothing if none does.
    pub fn failing(&self, column: &Column) -> Option<BooleanBuffer> {
        let nulls = column.nulls.as_ref();
        let bits = match (&self.test, &column.cells) {
            (Test::NotNull, _) => return nulls.map(|nulls| !nulls.inner()),
            (Test::Unique(_), _) => return None,
            (Test::Min(Bound::Int(min)), Cells::Int(values)) => outside(values, |value| value < min),
            (Test::Max(Bound::Int(max)), Cells::Int(values)) => outside(values, |value| value > max),
            // Written so that NaN fails.
            (Test::Min(Bound::Float(min)), Cells::Float(values)) => {
                outside(values, |value| !matches!(value.partial_cmp(min), Some(order) if order.is_ge()))
            }
            (Test::Max(Bound::Float(max)), Cells::Float(values)) => {
                outside(values, |value| !matches!(value.partial_cmp(max), Some(order) if order.is_le()))
            }
            (Test::Min(Bound::Text(min)), Cells::Text(array)) => texts(array, |text| text < min.as_str()),
            (Test::Max(Bound::Text(max)), Cells::Text(array)) => texts(array, |text| text > max.as_str()),
            (Test::In(Allowed::Bool([no, yes])), Cells::Bool(bits)) => {
                Some(BooleanBuffer::collect_bool(bits.len(), |row| if bits.value(row) { !yes } else { !no }))
            }
            (Test::In(Allowed::Int(allowed)), Cells::Int(values)) => outside(values, |value| allowed.binary_search(value).is_err()),
            (Test::In(Allowed::Float(allowed)), Cells::Float(values)) => outside(values, |value| !allowed.contains(value)),
            (Test::In(Allowed::Text(allowed)), Cells::Text(array)) => {
                texts(array, |text| allowed.binary_search_by(|allowed| allowed.as_str().cmp(text)).is_err())
            }
            (Test::MinLength(min), Cells::Text(array)) => texts(array, |text| is_shorter(text, *min)),
            (Test::MaxLength(max), Cells::Text(array)) => texts(array, |text| is_longer(text, *max)),
            (Test::Pattern(pattern), Cells::Text(array)) => texts(array, |text| !pattern.is_match(text)),
            // A column of nothing but nulls.
            _ => None,
        };
        let bits = match (bits?, nulls) {
            (bits, None) => bits,
            (bits, Some(nulls)) => &bits & nulls.inner(),
        };
        (bits.count_set_bits() > 0).then_some(bits)
    }

    /// Why a row that fails does.
    pub fn reason(&self, column: &Column, row: usize) -> String {
        let Self { label, wanted, .. } = self;
        let shown = || self.form.show(column, row);
        match &self.test {
            Test::NotNull => format!("{label} is null"),
            Test::Min(_) | Test::Max(_) if matches!(&column.cells, Cells::Float(values) if values[row].is_nan()) => {
                format!("{label} is NaN, not a number")
            }
            Test::Min(_) => format!("{label} is {}, less than {wanted}", shown()),
            Test::Max(_) => format!("{label} is {}, greater than {wanted}", shown()),
            Test::In(_) => format!("{label} is {}, not one of {wanted}", shown()),
            Test::MinLength(_) => format!("{label} is {}, shorter than {wanted} characters", shown()),
            Test::MaxLength(_) => format!("{label} is {}, longer than {wanted} characters", shown()),
            Test::Pattern(_) => format!("{label} does not match `{wanted}`"),
            Test::Unique(_) => format!("{label} repeats {}", shown()),
        }
    }
}

/// The values that fail, if one does. One that is null may be among them.
#[inline]
fn outside<T>(values: &[T], fails: impl Fn(&T) -> bool) -> Option<BooleanBuffer> {
    let any = values.iter().fold(false, |any, value| any | fails(value));
    any.then(|| BooleanBuffer::collect_bool(values.len(), |row| fails(&values[row])))
}

/// The texts that fail. One that is null is not looked at.
fn texts(array: &StringArray, fails: impl Fn(&str) -> bool) -> Option<BooleanBuffer> {
    let nulls: Option<&NullBuffer> = array.nulls();
    let fails = |row: usize| nulls.is_none_or(|nulls| nulls.is_valid(row)) && fails(array.value(row));
    Some(BooleanBuffer::collect_bool(array.len(), fails))
}

/// Whether a text has fewer characters. It has as many bytes or more, up to four times as many.
fn is_shorter(text: &str, than: usize) -> bool {
    text.len() < than || (text.len() < than.saturating_mul(4) && text.chars().count() < than)
}

/// Whether a text has more characters.
fn is_longer(text: &str, than: usize) -> bool {
    text.len() > than && text.chars().count() > than
}
