//! The types that expressions compute with.

use std::sync::Arc;

use arrow_schema::{DataType, TimeUnit};

/// A type. What Arrow has in several widths is widened to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Of `NULL`, which fits any.
    Null,
    Bool,
    Int,
    Float,
    Text,
    /// Days since 1970.
    Date,
    /// Units since 1970, and the time zone that people see it in.
    Timestamp(TimeUnit, Option<Arc<str>>),
    /// Arrow's own, which can be asked for null and nothing else.
    Opaque(DataType),
}

// === impl Type ===

impl Type {
    /// What a column of this type is computed with as.
    pub fn of(data_type: &DataType) -> Self {
        use DataType::*;
        match data_type {
            Null => Self::Null,
            Boolean => Self::Bool,
            Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64 => Self::Int,
            Float16 | Float32 | Float64 | Decimal32(..) | Decimal64(..) | Decimal128(..) => Self::Float,
            Utf8 | LargeUtf8 | Utf8View => Self::Text,
            Dictionary(_, values) if matches!(**values, Utf8 | LargeUtf8 | Utf8View) => Self::Text,
            Date32 => Self::Date,
            Timestamp(unit, zone) => Self::Timestamp(*unit, zone.clone()),
            other => Self::Opaque(other.clone()),
        }
    }

    /// The Arrow type of a column of it.
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::Date => DataType::Date32,
            Self::Timestamp(unit, zone) => DataType::Timestamp(*unit, zone.clone()),
            Self::Opaque(data_type) => data_type.clone(),
        }
    }

    /// For a person.
    pub fn name(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Bool => "boolean".into(),
            Self::Int => "int64".into(),
            Self::Float => "float64".into(),
            Self::Text => "utf8".into(),
            Self::Date => "date32".into(),
            Self::Timestamp(unit, None) => format!("timestamp[{}]", unit_name(*unit)),
            Self::Timestamp(unit, Some(zone)) => format!("timestamp[{}, {zone}]", unit_name(*unit)),
            Self::Opaque(data_type) => data_type.to_string(),
        }
    }

    pub fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Null)
    }

    pub fn is_time(&self) -> bool {
        matches!(self, Self::Date | Self::Timestamp(..))
    }

    /// The type that values of both can be brought to without being asked.
    pub fn common(&self, other: &Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Opaque(_), _) | (_, Self::Opaque(_)) => return None,
            (Self::Null, wanted) | (wanted, Self::Null) => wanted.clone(),
            (Self::Int, Self::Float) | (Self::Float, Self::Int) => Self::Float,
            (Self::Date, time @ Self::Timestamp(..)) | (time @ Self::Timestamp(..), Self::Date) => time.clone(),
            (Self::Timestamp(unit, zone), Self::Timestamp(other, other_zone)) => {
                Self::Timestamp((*unit).max(*other), zone.clone().or_else(|| other_zone.clone()))
            }
            (left, right) if left == right => left.clone(),
            _ => return None,
        })
    }
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

/// How many of the unit a second has.
pub fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}
