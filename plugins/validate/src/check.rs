//! One check of a rule: which rows of a batch fail it, and what is said of each.
//!
//! Most batches pass. Numbers are therefore first looked at all together, in a loop without branches; only if one of
//! them fails is it asked which.

use arrow_array::{Array, StringArray};
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

/// The first check that each row of a batch fails.
pub struct Marks {
    pub rows: usize,
    /// The check that is being tried.
    pub check: u32,
    /// Empty while none fails.
    pub first: Vec<u32>,
}

/// The mark of a row that fails none.
pub const PASSES: u32 = u32::MAX;

// === impl Check ===

impl Check {
    /// Marks the rows that fail and have not failed before.
    pub fn mark(&self, column: &Column, marks: &mut Marks) {
        match (&self.test, &column.cells) {
            (Test::NotNull, _) => marks.nulls(column),
            (Test::Min(Bound::Int(min)), Cells::Int(values)) => marks.numbers(column, values, |value| value < min),
            (Test::Max(Bound::Int(max)), Cells::Int(values)) => marks.numbers(column, values, |value| value > max),
            // NaN is in no order and fails.
            (Test::Min(Bound::Float(min)), Cells::Float(values)) => marks.numbers(column, values, |value| *value < *min || value.is_nan()),
            (Test::Max(Bound::Float(max)), Cells::Float(values)) => marks.numbers(column, values, |value| *value > *max || value.is_nan()),
            (Test::Min(Bound::Text(min)), Cells::Text(array)) => marks.texts(column, array, &|text| text < min.as_str()),
            (Test::Max(Bound::Text(max)), Cells::Text(array)) => marks.texts(column, array, &|text| text > max.as_str()),
            (Test::In(Allowed::Bool(allowed)), Cells::Bool(bits)) => {
                marks.rows(bits.len(), &|row| !column.is_null(row) && !allowed[usize::from(bits.value(row))]);
            }
            (Test::In(Allowed::Int(allowed)), Cells::Int(values)) => {
                marks.rows(values.len(), &|row| !column.is_null(row) && allowed.binary_search(&values[row]).is_err());
            }
            (Test::In(Allowed::Float(allowed)), Cells::Float(values)) => {
                marks.rows(values.len(), &|row| !column.is_null(row) && !allowed.contains(&values[row]));
            }
            (Test::In(Allowed::Text(allowed)), Cells::Text(array)) => {
                marks.texts(column, array, &|text| allowed.binary_search_by(|allowed| allowed.as_str().cmp(text)).is_err());
            }
            (Test::MinLength(min), Cells::Text(array)) => marks.texts(column, array, &|text| is_shorter(text, *min)),
            (Test::MaxLength(max), Cells::Text(array)) => marks.texts(column, array, &|text| is_longer(text, *max)),
            (Test::Pattern(pattern), Cells::Text(array)) => marks.texts(column, array, &|text| !pattern.is_match(text)),
            // A column of nothing but nulls; or what must not repeat, which is known only when all else is.
            _ => {}
        }
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

// === impl Marks ===

impl Marks {
    /// Marks a row as failing a check.
    pub fn replace(&mut self, row: usize, check: u32) {
        if self.first.is_empty() {
            self.first.resize(self.rows, PASSES);
        }
        self.first[row] = check;
    }

    fn rows(&mut self, rows: usize, fails: &dyn Fn(usize) -> bool) {
        for row in 0..rows {
            if self.first.get(row).is_none_or(|first| *first == PASSES) && fails(row) {
                self.replace(row, self.check);
            }
        }
    }

    fn nulls(&mut self, column: &Column) {
        let Some(nulls) = &column.nulls else { return };
        self.rows(nulls.len(), &|row| nulls.is_null(row));
    }

    #[inline]
    fn numbers<T>(&mut self, column: &Column, values: &[T], fails: impl Fn(&T) -> bool) {
        // What is null may be any number: that costs another look, no more.
        if values.iter().fold(false, |any, value| any | fails(value)) {
            self.rows(values.len(), &|row| fails(&values[row]) && !column.is_null(row));
        }
    }

    fn texts(&mut self, column: &Column, array: &StringArray, fails: &dyn Fn(&str) -> bool) {
        self.rows(array.len(), &|row| !column.is_null(row) && fails(array.value(row)));
    }
}

/// Whether a text has fewer characters. It has as many bytes or more, up to four times as many.
fn is_shorter(text: &str, than: usize) -> bool {
    text.len() < than || (text.len() < than.saturating_mul(4) && text.chars().count() < than)
}

/// Whether a text has more characters.
fn is_longer(text: &str, than: usize) -> bool {
    text.len() > than && text.chars().count() > than
}
