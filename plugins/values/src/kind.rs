//! What a column's values mean, as far as computing goes.

use std::{fmt, sync::Arc};

use arrow_schema::{DataType, TimeUnit};

/// What a column's values mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Always null; fits any other.
    Null,
    Bool,
    Int,
    Float,
    Text,
    Date,
    /// With the zone that a person wants to see it in, if the column says so; computing is in UTC.
    Time(Option<Arc<str>>),
}

// === impl Kind ===

impl Kind {
    /// What a column of this type is computed as; nothing for a type that is not computed with.
    pub fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Bool,
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => Self::Int,
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => Self::Int,
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Self::Float,
            DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) => Self::Float,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Timestamp(_, zone) => Self::Time(zone.clone()),
            DataType::Dictionary(_, values) => return Self::of(values),
            DataType::RunEndEncoded(_, values) => return Self::of(values.data_type()),
            _ => return None,
        })
    }

    /// The type of a column that is made of such values.
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::Date => DataType::Date32,
            Self::Time(zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        }
    }

    /// Whether it can be computed with as a number.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Null)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(match self {
            Self::Null => "null",
            Self::Bool => "boolean",
            Self::Int => "integer",
            Self::Float => "float",
            Self::Text => "text",
            Self::Date => "date",
            Self::Time(_) => "timestamp",
        })
    }
}

/// The type that a name in a configuration or in a `CAST` stands for, as Arrow's or as SQL's.
pub fn named(name: &str) -> Option<DataType> {
    let name = name.trim().to_ascii_lowercase();
    Some(match name.as_str() {
        "bool" | "boolean" => DataType::Boolean,
        "int8" | "tinyint" => DataType::Int8,
        "int16" | "smallint" => DataType::Int16,
        "int32" | "int" | "integer" => DataType::Int32,
        "int64" | "bigint" => DataType::Int64,
        "uint8" => DataType::UInt8,
        "uint16" => DataType::UInt16,
        "uint32" => DataType::UInt32,
        "uint64" => DataType::UInt64,
        "float32" | "real" => DataType::Float32,
        "float64" | "float" | "double" | "double precision" => DataType::Float64,
        "utf8" | "string" | "text" | "varchar" => DataType::Utf8,
        "large_utf8" | "largeutf8" => DataType::LargeUtf8,
        "date" | "date32" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "timestamptz" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        _ => return timestamp(&name),
    })
}

/// The names that [`named`] knows, for advice.
pub const NAMES: [&str; 16] = [
    "boolean",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
    "utf8",
    "large_utf8",
    "date32",
    "timestamp",
    "timestamp[us, UTC]",
];

/// `timestamp[us]`, `timestamp[ms, UTC]`.
fn timestamp(name: &str) -> Option<DataType> {
    let inside = name.strip_prefix("timestamp")?.trim().strip_prefix(['[', '('])?.strip_suffix([']', ')'])?;
    let (unit, zone) = inside.split_once(',').map_or((inside, None), |(unit, zone)| (unit, Some(zone.trim())));
    let unit = match unit.trim() {
        "s" => TimeUnit::Second,
        "ms" => TimeUnit::Millisecond,
        "us" => TimeUnit::Microsecond,
        "ns" => TimeUnit::Nanosecond,
        _ => return None,
    };
    // Zones are names with capitals; only UTC can be made, so only UTC is taken.
    match zone {
        None => Some(DataType::Timestamp(unit, None)),
        Some("utc" | "+00:00" | "z") => Some(DataType::Timestamp(unit, Some("UTC".into()))),
        Some(_) => None,
    }
}
