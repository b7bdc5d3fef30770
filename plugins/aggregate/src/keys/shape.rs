//! How a column's values lie in a key.

use parshall_sdk::prelude::*;

/// A value is one byte, 0 for null or 1, and then, if it is 1, what the shape says. Equal values have equal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One byte.
    Bool,
    /// As many bytes as Arrow has.
    Fixed(usize),
    /// Four bytes. Every NaN is the same, and so are the two zeros.
    Float32,
    /// Eight bytes. The same.
    Float64,
    /// The length in four bytes, and as many bytes of UTF-8.
    Text,
}

// === impl Shape ===

impl Shape {
    /// That of a type, if it can be part of a key.
    pub fn of(data_type: &DataType) -> Option<Self> {
        use DataType::*;
        Some(match data_type {
            Boolean => Self::Bool,
            Float32 => Self::Float32,
            Float64 => Self::Float64,
            Utf8 | LargeUtf8 | Utf8View => Self::Text,
            Dictionary(_, values) if matches!(**values, Utf8 | LargeUtf8) => Self::Text,
            Int8 | UInt8 => Self::Fixed(1),
            Int16 | UInt16 => Self::Fixed(2),
            Int32 | UInt32 | Date32 | Time32(_) | Decimal32(..) => Self::Fixed(4),
            Int64 | UInt64 | Date64 | Time64(_) | Timestamp(..) | Duration(_) | Decimal64(..) => Self::Fixed(8),
            Decimal128(..) => Self::Fixed(16),
            Decimal256(..) => Self::Fixed(32),
            _ => return None,
        })
    }

    /// Where the value at `at` ends, if it is one. For keys that come from outside.
    pub fn end(self, bytes: &[u8], at: usize) -> Option<usize> {
        let at = match bytes.get(at)? {
            0 => return Some(at + 1),
            1 => at + 1,
            _ => return None,
        };
        let end = match self {
            Self::Bool => {
                return match bytes.get(at)? {
                    0 | 1 => Some(at + 1),
                    _ => None,
                };
            }
            Self::Fixed(width) => at + width,
            Self::Float32 => at + 4,
            Self::Float64 => at + 8,
            Self::Text => {
                let length = u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize;
                let end = (at + 4).checked_add(length)?;
                std::str::from_utf8(bytes.get(at + 4..end)?).ok()?;
                end
            }
        };
        (end <= bytes.len()).then_some(end)
    }
}

/// A float of which equal ones have equal bits.
macro_rules! canonical {
    ($name:ident, $float:ident) => {
        #[inline(always)]
        pub fn $name(value: $float) -> $float {
            if value.is_nan() {
                $float::NAN
            } else {
                // Turns the negative zero into the positive one.
                value + 0.0
            }
        }
    };
}
canonical!(canonical32, f32);
canonical!(canonical64, f64);
