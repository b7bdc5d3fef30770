//! Numbers of any width as those that are computed with: 64 bits.

use std::borrow::Cow;

use parshall_sdk::prelude::*;

/// What a type's values are to the functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Whole numbers.
    Integer,
    /// Floating-point numbers.
    Float,
    /// Strings.
    Text,
    /// Dates, times of day, timestamps and durations.
    Time,
    /// Nothing that can be added or compared here.
    Other,
}

// === impl Family ===

impl Family {
    /// That of a type.
    pub fn of(data_type: &DataType) -> Self {
        use DataType::*;
        match data_type {
            Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64 => Self::Integer,
            Float32 | Float64 => Self::Float,
            Date32 | Date64 | Time32(_) | Time64(_) | Timestamp(..) | Duration(_) => Self::Time,
            text if crate::text::is_text(text) => Self::Text,
            _ => Self::Other,
        }
    }

    /// Whether its values can be added.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Float)
    }
}

macro_rules! widened {
    ($data:ident as $wide:ident { $($($pattern:pat_param)|+ => $narrow:ident,)* }) => {{
        use DataType::*;
        match $data.data_type() {
            $($($pattern)|+ => {
                let values = &$data.buffer::<$narrow>(0)[..$data.len()];
                Cow::Owned(values.iter().map(|&value| value as $wide).collect())
            })*
            _ => Cow::Borrowed(&$data.buffer::<$wide>(0)[..$data.len()]),
        }
    }};
}

/// Integers and times. A `uint64` is taken for the `int64` of the same bits; see [`exact`] and [`ordered`].
pub fn integers(data: &ArrayData) -> Cow<'_, [i64]> {
    widened!(data as i64 {
        Int8 => i8,
        Int16 => i16,
        Int32 | Date32 | Time32(_) => i32,
        UInt8 => u8,
        UInt16 => u16,
        UInt32 => u32,
    })
}

/// Any number, as a float: the nearest one.
pub fn floats(data: &ArrayData) -> Cow<'_, [f64]> {
    widened!(data as f64 {
        Int8 => i8,
        Int16 => i16,
        Int32 => i32,
        Int64 => i64,
        UInt8 => u8,
        UInt16 => u16,
        UInt32 => u32,
        UInt64 => u64,
        Float32 => f32,
    })
}

/// What an integer of [`integers`] really is.
#[inline(always)]
pub fn exact(value: i64, unsigned: bool) -> i128 {
    if unsigned { i128::from(value as u64) } else { i128::from(value) }
}

/// An integer that is ordered among its like as the value of [`integers`] is in its own type. Done twice it is undone.
#[inline(always)]
pub fn ordered(value: i64, unsigned: bool) -> i64 {
    if unsigned { value ^ i64::MIN } else { value }
}
