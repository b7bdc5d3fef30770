//! Values while they are computed: one for all rows, or one for each.

use std::sync::Arc;

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};

/// What a node evaluates to.
#[derive(Clone, Debug)]
pub enum Value {
    /// The same in every row; it stays one value for as long as it can.
    One(Scalar),
    /// One value for each row.
    Many(Vector),
}

/// One value, in the kind of its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    Null,
    Bool(bool),
    /// Also dates, in days, and timestamps, in their unit.
    Int(i64),
    Float(f64),
    Text(Arc<str>),
}

/// A column.
#[derive(Clone, Debug)]
pub struct Vector {
    pub data: Data,
    /// Absent when no value is null.
    pub nulls: Option<NullBuffer>,
}

/// A column's values. What stands where a value is null means nothing.
#[derive(Clone, Debug)]
pub enum Data {
    Bool(BooleanBuffer),
    Int(ScalarBuffer<i64>),
    Float(ScalarBuffer<f64>),
    Text(Strings),
}

/// Strings end to end, and where each begins.
#[derive(Clone, Debug)]
pub struct Strings {
    pub offsets: ScalarBuffer<i32>,
    pub bytes: Buffer,
}

// === impl Value ===

impl Value {
    pub fn many(data: Data, nulls: Option<NullBuffer>) -> Self {
        Self::Many(Vector { data, nulls })
    }

    pub const NULL: Self = Self::One(Scalar::Null);

    pub fn is_null(&self) -> bool {
        matches!(self, Self::One(Scalar::Null))
    }

    /// Nulls of the rows; those of a single value do not count.
    pub fn nulls(&self) -> Option<&NullBuffer> {
        match self {
            Self::One(_) => None,
            Self::Many(vector) => vector.nulls.as_ref(),
        }
    }

    /// A single value as a column; a null one becomes a column of zeros, none of them null.
    pub fn repeated(&self, rows: usize) -> Self {
        let Self::One(scalar) = self else { return self.clone() };
        let data = match scalar {
            Scalar::Bool(true) => Data::Bool(BooleanBuffer::new_set(rows)),
            Scalar::Null | Scalar::Bool(false) => Data::Bool(BooleanBuffer::new_unset(rows)),
            Scalar::Int(value) => Data::Int(vec![*value; rows].into()),
            Scalar::Float(value) => Data::Float(vec![*value; rows].into()),
            Scalar::Text(text) => {
                let offsets: Vec<i32> = (0..=rows).map(|row| (row * text.len()) as i32).collect();
                Data::Text(Strings { offsets: offsets.into(), bytes: Buffer::from_vec(text.as_bytes().repeat(rows)) })
            }
        };
        Self::many(data, None)
    }

    /// The value of a row.
    pub fn get(&self, row: usize) -> Scalar {
        match self {
            Self::One(scalar) => scalar.clone(),
            Self::Many(vector) => vector.get(row),
        }
    }
}

// === impl Vector ===

impl Vector {
    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    fn get(&self, row: usize) -> Scalar {
        if self.is_null(row) {
            return Scalar::Null;
        }
        match &self.data {
            Data::Bool(bits) => Scalar::Bool(bits.value(row)),
            Data::Int(values) => Scalar::Int(values[row]),
            Data::Float(values) => Scalar::Float(values[row]),
            Data::Text(strings) => Scalar::Text(strings.get(row).into()),
        }
    }
}

// === impl Strings ===

impl Strings {
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The string of a row; an empty or arbitrary one where it is null.
    #[inline]
    pub fn get(&self, row: usize) -> &str {
        let (start, end) = (self.offsets[row] as usize, self.offsets[row + 1] as usize);
        // Arrow's strings are UTF-8, and the offsets stand on character boundaries.
        unsafe { std::str::from_utf8_unchecked(&self.bytes.as_slice()[start..end]) }
    }
}

/// Nulls of a result that is null where any of these is.
pub fn union(left: Option<&NullBuffer>, right: Option<&NullBuffer>) -> Option<NullBuffer> {
    NullBuffer::union(left, right)
}
