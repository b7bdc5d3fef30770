//! Columns brought to the few types that stages compute with, and back.
//!
//! Arrow has forty types; a kernel for each weighs more than a stage may. Here every integer is an int64, every float a
//! float64, every string an int32-offset utf8, every timestamp microseconds: an int64 or float64 column is taken as it
//! is, others are widened in one pass.

pub mod calendar;
mod gather;
mod kind;
mod make;
mod read;
pub mod text;

pub use gather::Gather;
pub use kind::{Kind, NAMES, named};
pub use make::{Made, castable, make, make_own, whole};
pub use read::{nulls_of, read};

use arrow_array::{Array, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow_buffer::NullBuffer;

/// A column in the type that it is computed with. [`Kind`] says what it means.
#[derive(Clone, Debug)]
pub enum Values {
    /// Nothing but nulls, of no type.
    Null(usize),
    Bool(BooleanArray),
    Int(Int64Array),
    Float(Float64Array),
    Text(StringArray),
    /// Days since 1970-01-01.
    Date(Int64Array),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Time(Int64Array),
}

// === impl Values ===

impl Values {
    /// Number of values.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        match self {
            Self::Null(len) => *len,
            Self::Bool(array) => array.len(),
            Self::Int(array) | Self::Date(array) | Self::Time(array) => array.len(),
            Self::Float(array) => array.len(),
            Self::Text(array) => array.len(),
        }
    }

    /// Which are null.
    pub fn nulls(&self) -> Option<NullBuffer> {
        match self {
            Self::Null(len) => Some(NullBuffer::new_null(*len)),
            Self::Bool(array) => array.nulls().cloned(),
            Self::Int(array) | Self::Date(array) | Self::Time(array) => array.nulls().cloned(),
            Self::Float(array) => array.nulls().cloned(),
            Self::Text(array) => array.nulls().cloned(),
        }
    }

    /// Whether one of them is null.
    pub fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Null(_) => true,
            Self::Bool(array) => array.is_null(row),
            Self::Int(array) | Self::Date(array) | Self::Time(array) => array.is_null(row),
            Self::Float(array) => array.is_null(row),
            Self::Text(array) => array.is_null(row),
        }
    }

    /// One of them as text, as [`make`] would write it into a text column; `kind` is the column's.
    pub fn show(&self, kind: &Kind, row: usize) -> String {
        if self.is_null(row) {
            return "null".into();
        }
        match self {
            Self::Null(_) => "null".into(),
            Self::Bool(array) => array.value(row).to_string(),
            Self::Int(array) => array.value(row).to_string(),
            Self::Float(array) => text::float(array.value(row)),
            Self::Text(array) => array.value(row).to_string(),
            Self::Date(array) => calendar::show_date(array.value(row)),
            Self::Time(array) => calendar::show_time(array.value(row), matches!(kind, Kind::Time(Some(_)))),
        }
    }
}

#[cfg(test)]
mod tests;
