//! What `lanes` does, one row at a time, for where there are no vectors: natively, in unit tests.

use arrow_buffer::BooleanBuffer;

use super::bits::bits;
use crate::syntax::Comparison;

/// A number of 64 bits.
pub trait Lane: Copy {
    /// Whether it is less.
    fn less(self, right: Self) -> bool;
    /// Whether it is equal.
    fn equal(self, right: Self) -> bool;
}

impl Lane for i64 {
    fn less(self, right: Self) -> bool {
        self < right
    }

    fn equal(self, right: Self) -> bool {
        self == right
    }
}

// NaN equals itself and is greater than every number.
impl Lane for f64 {
    fn less(self, right: Self) -> bool {
        !self.is_nan() && (right.is_nan() || self < right)
    }

    fn equal(self, right: Self) -> bool {
        self == right || (self.is_nan() && right.is_nan())
    }
}

/// The right operand.
#[derive(Clone, Copy)]
pub enum Right<'a, T> {
    /// The same for every row.
    One(T),
    /// One for each row.
    Many(&'a [T]),
}

/// Compares, one bit for each row of `left`. `Right::Many` has as many rows.
pub fn compare<T: Lane>(operator: Comparison, left: &[T], right: Right<'_, T>) -> BooleanBuffer {
    let right = |row: usize| match right {
        Right::One(right) => right,
        Right::Many(right) => right[row],
    };
    bits(left.len(), |row| match operator {
        Comparison::Less => left[row].less(right(row)),
        Comparison::GreaterOrEqual => !left[row].less(right(row)),
        Comparison::Greater => right(row).less(left[row]),
        Comparison::LessOrEqual => !right(row).less(left[row]),
        Comparison::Equal => left[row].equal(right(row)),
        Comparison::Unequal => !left[row].equal(right(row)),
    })
}

/// Whole numbers as the floats nearest to them.
#[inline(always)]
pub fn floats(values: &[i64; 8]) -> [f64; 8] {
    values.map(|value| value as f64)
}
