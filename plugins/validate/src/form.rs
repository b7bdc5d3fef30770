//! What the values of a column are: how they are held, written and shown.

use arrow_array::{Array, Int64Array, StringArray};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use parshall_sdk::prelude::*;
use values::{Kind, calendar, text};

use crate::config::Literal;

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Always null: whatever is asked of it holds.
    Null,
    Bool,
    Int,
    /// `uint64`, held less 2⁶³, which keeps the order.
    Unsigned,
    Float,
    Text,
    /// Days.
    Date,
    /// So many to a second, as the column counts them: what microseconds would cut off counts here.
    Time {
        per_second: i64,
        zoned: bool,
    },
    /// All that is known is what is null.
    Opaque,
}

/// A column of one batch.
pub struct Column {
    /// Nothing if no value is null.
    pub nulls: Option<NullBuffer>,
    pub cells: Cells,
}

/// Values; those that are null mean nothing.
pub enum Cells {
    /// Not needed, or there are none.
    None,
    Bool(BooleanBuffer),
    Int(ScalarBuffer<i64>),
    Float(ScalarBuffer<f64>),
    Text(StringArray),
}

/// A value that others are compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Bool(bool),
    /// May be beyond what a column can hold.
    Int(i128),
    Float(f64),
    Text(String),
}

/// Where a number goes that lies between two of those that a column can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    Up,
    Down,
    /// No such number is allowed.
    Never,
}

const SIGN: i128 = 1 << 63;
/// As [`calendar`] counts.
const MICROS: i64 = calendar::SECOND;

// === impl Form ===

impl Form {
    pub fn of(data_type: &DataType) -> Self {
        use arrow_schema::TimeUnit::*;
        match (data_type, Kind::of(data_type)) {
            (DataType::UInt64, _) => Self::Unsigned,
            (DataType::Timestamp(unit, zone), _) => {
                let per_second = match unit {
                    Second => 1,
                    Millisecond => 1_000,
                    Microsecond => MICROS,
                    Nanosecond => 1_000_000_000,
                };
                Self::Time { per_second, zoned: zone.is_some() }
            }
            (_, None) => Self::Opaque,
            (_, Some(Kind::Null)) => Self::Null,
            (_, Some(Kind::Bool)) => Self::Bool,
            (_, Some(Kind::Int)) => Self::Int,
            (_, Some(Kind::Float)) => Self::Float,
            (_, Some(Kind::Text)) => Self::Text,
            (_, Some(Kind::Date)) => Self::Date,
            (_, Some(Kind::Time(zone))) => Self::Time { per_second: MICROS, zoned: zone.is_some() },
        }
    }

    /// Whether its values have an order that bounds can be written for.
    pub fn is_ordered(self) -> bool {
        !matches!(self, Self::Bool | Self::Opaque)
    }

    /// A column of a batch; without its values if they are not `wanted`.
    pub fn read(self, data: ArrayData, wanted: bool) -> Result<Column, StageError> {
        let whole = |nulls: Option<NullBuffer>| nulls.filter(|nulls| nulls.null_count() > 0);
        if !wanted {
            return Ok(Column { nulls: whole(values::nulls_of(&data)), cells: Cells::None });
        }
        let int = |array: Int64Array| (array.nulls().cloned(), Cells::Int(array.values().clone()));
        let (nulls, cells) = match (self, data.data_type()) {
            (Self::Unsigned, _) => {
                let values = slice(&data).iter().map(|value| value ^ i64::MIN).collect();
                (data.nulls().cloned(), Cells::Int(values))
            }
            (_, DataType::Timestamp(..)) => (data.nulls().cloned(), Cells::Int(slice(&data))),
            _ => match values::read(data)? {
                values::Values::Null(rows) => (Some(NullBuffer::new_null(rows)), Cells::None),
                values::Values::Bool(array) => (array.nulls().cloned(), Cells::Bool(array.values().clone())),
                values::Values::Int(array) | values::Values::Date(array) | values::Values::Time(array) => int(array),
                values::Values::Float(array) => (array.nulls().cloned(), Cells::Float(array.values().clone())),
                values::Values::Text(array) => (array.nulls().cloned(), Cells::Text(array)),
            },
        };
        Ok(Column { nulls: whole(nulls), cells })
    }

    /// A value as it is held; nothing if the column has no such values. What was expected, if it is not written so.
    pub fn parse(self, literal: &Literal, between: Between) -> Result<Option<Value>, &'static str> {
        let whole = |value: i128| Some(Value::Int(value));
        Ok(match (self, literal) {
            (Self::Null, _) => None,
            (Self::Bool, Literal::Bool(value)) => Some(Value::Bool(*value)),
            (Self::Bool, _) => return Err("`true` or `false`"),
            (Self::Int, Literal::Int(value)) => whole(*value),
            (Self::Unsigned, Literal::Int(value)) => whole(value - SIGN),
            (Self::Int, Literal::Float(value)) => between.whole(*value).and_then(whole),
            (Self::Unsigned, Literal::Float(value)) => between.whole(*value).and_then(|value| whole(value.saturating_sub(SIGN))),
            (Self::Float, Literal::Int(value)) => Some(Value::Float(*value as f64)),
            (Self::Float, Literal::Float(value)) => Some(Value::Float(*value)),
            (Self::Int | Self::Unsigned | Self::Float, _) => return Err("a number"),
            (Self::Text, Literal::Text(value)) => Some(Value::Text(value.clone())),
            (Self::Text, _) => return Err("a string"),
            (Self::Date, Literal::Text(value)) => whole(text::parse_date(value).ok_or(DATE)?.into()),
            (Self::Date, _) => return Err(DATE),
            (Self::Time { per_second, .. }, Literal::Text(value)) => {
                let micros = text::parse_time(value).ok_or(TIME)?;
                if per_second < MICROS {
                    between.divided(micros, MICROS / per_second).and_then(|value| whole(value.into()))
                } else {
                    whole(i128::from(micros) * i128::from(per_second / MICROS))
                }
            }
            (Self::Time { .. }, _) => return Err(TIME),
            (Self::Opaque, _) => return Err("another column: only `not_null` is for this type"),
        })
    }

    /// A value for a person, shortened.
    pub fn show(self, column: &Column, row: usize) -> String {
        match &column.cells {
            Cells::None => "null".into(),
            Cells::Bool(bits) => bits.value(row).to_string(),
            Cells::Float(values) => text::float(values[row]),
            Cells::Text(array) => quoted(array.value(row)),
            Cells::Int(values) => match self {
                Self::Unsigned => ((values[row] ^ i64::MIN) as u64).to_string(),
                Self::Date => calendar::show_date(values[row]),
                Self::Time { per_second, zoned } => {
                    let (up, down) = ((MICROS / per_second).max(1), (per_second / MICROS).max(1));
                    calendar::show_time(values[row].saturating_mul(up).div_euclid(down), zoned)
                }
                _ => values[row].to_string(),
            },
        }
    }
}

const DATE: &str = "a date such as \"2024-05-31\"";
const TIME: &str = "a time such as \"2024-05-31T12:00:00Z\", or a date";

fn slice(data: &ArrayData) -> ScalarBuffer<i64> {
    ScalarBuffer::new(data.buffers()[0].clone(), data.offset(), data.len())
}

/// Characters of a value that a reason shows.
const SHOWN: usize = 64;

/// The beginning of a text.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The beginning of a text, in quotes.
pub fn quoted(text: &str) -> String {
    format!("{:?}", shortened(text))
}

// === impl Column ===

impl Column {
    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }
}

// === impl Between ===

impl Between {
    /// The whole number that stands for a number.
    fn whole(self, value: f64) -> Option<i128> {
        match self {
            Self::Up => Some(value.ceil() as i128),
            Self::Down => Some(value.floor() as i128),
            Self::Never => (value.fract() == 0.0).then_some(value as i128),
        }
    }

    fn divided(self, value: i64, by: i64) -> Option<i64> {
        match self {
            Self::Up => Some(-(-value).div_euclid(by)),
            Self::Down => Some(value.div_euclid(by)),
            Self::Never => (value % by == 0).then_some(value / by),
        }
    }
}
