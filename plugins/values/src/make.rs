//! Values cast to a type and made a column of it.

use arrow_array::{Array, Float64Array, Int64Array, LargeStringArray, StringArray};
use arrow_buffer::{ArrowNativeType, Buffer, NullBuffer, ScalarBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, TimeUnit};
use half::f16;

use crate::{Kind, Values, calendar::DAY, text};

/// A column, and the rows whose values could not be cast; they are null in it.
pub struct Made {
    /// The column.
    pub data: ArrayData,
    /// Ascending.
    pub failed: Vec<usize>,
}

/// Whether [`make`] can cast values of a kind to a type at all.
pub fn castable(from: &Kind, to: &DataType) -> bool {
    let Some(target) = Kind::of(to) else { return false };
    if matches!(
        to,
        DataType::Dictionary(..)
            | DataType::RunEndEncoded(..)
            | DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
    ) {
        return false;
    }
    use Kind::*;
    match (from, &target) {
        (Null, _) | (_, Text) => true,
        (Text, _) => target != Null,
        (Bool | Int | Float, Bool | Int | Float) => true,
        (Date | Time(_), Date | Time(_)) => true,
        (Int, Date | Time(_)) | (Date | Time(_), Int) => true,
        _ => false,
    }
}

/// Casts values, whose kind is `from`, and makes a column of type `to`.
pub fn make(values: &Values, from: &Kind, to: &DataType) -> Made {
    let mut failed = Vec::new();
    let data = match to {
        DataType::Null => ArrayData::new_null(to, values.len()),
        DataType::Boolean => arrow_array::BooleanArray::from(bools(values, &mut failed)).into_data(),
        DataType::Int8 => narrow(values, to, &mut failed, |value| i8::try_from(value).ok()),
        DataType::Int16 => narrow(values, to, &mut failed, |value| i16::try_from(value).ok()),
        DataType::Int32 => narrow(values, to, &mut failed, |value| i32::try_from(value).ok()),
        DataType::Int64 => match values {
            Values::Int(array) => array.to_data(),
            _ => ints(values, &mut failed).into_data(),
        },
        DataType::UInt8 => narrow(values, to, &mut failed, |value| u8::try_from(value).ok()),
        DataType::UInt16 => narrow(values, to, &mut failed, |value| u16::try_from(value).ok()),
        DataType::UInt32 => narrow(values, to, &mut failed, |value| u32::try_from(value).ok()),
        DataType::UInt64 => narrow(values, to, &mut failed, |value| u64::try_from(value).ok()),
        DataType::Float64 => floats(values, &mut failed).into_data(),
        DataType::Float32 => {
            let floats = floats(values, &mut failed);
            column(to, floats.values().iter().map(|value| *value as f32).collect::<ScalarBuffer<f32>>().into_inner(), floats.nulls())
        }
        DataType::Float16 => {
            let floats = floats(values, &mut failed);
            column(
                to,
                floats.values().iter().map(|value| f16::from_f64(*value)).collect::<ScalarBuffer<f16>>().into_inner(),
                floats.nulls(),
            )
        }
        DataType::Utf8 => texts(values, from).into_data(),
        DataType::LargeUtf8 => texts(values, from).iter().collect::<LargeStringArray>().into_data(),
        DataType::Utf8View => texts(values, from).iter().collect::<arrow_array::StringViewArray>().into_data(),
        DataType::Date32 => {
            let dates = dates(values, &mut failed);
            fitted(&dates, to, &mut failed, |value| i32::try_from(value).ok())
        }
        DataType::Date64 => {
            let dates = dates(values, &mut failed);
            fitted(&dates, to, &mut failed, |value| value.checked_mul(DAY / 1000))
        }
        DataType::Timestamp(unit, _) => {
            let times = times(values, &mut failed);
            match unit {
                TimeUnit::Microsecond => column(to, times.values().inner().clone(), times.nulls()),
                TimeUnit::Nanosecond => fitted(&times, to, &mut failed, |value| value.checked_mul(1000)),
                TimeUnit::Millisecond => fitted(&times, to, &mut failed, |value| Some(value.div_euclid(1000))),
                TimeUnit::Second => fitted(&times, to, &mut failed, |value| Some(value.div_euclid(1_000_000))),
            }
        }
        // Refused by `castable` when the stage was opened.
        _ => ArrayData::new_null(to, values.len()),
    };
    failed.sort_unstable();
    failed.dedup();
    Made { data, failed }
}

/// A column of fixed width from its buffer, which has one value for each bit of the nulls.
fn column(data_type: &DataType, values: Buffer, nulls: Option<&NullBuffer>) -> ArrayData {
    let len = values.len() / data_type.primitive_width().unwrap_or(1);
    let builder = ArrayData::builder(data_type.clone()).len(len).add_buffer(values).nulls(nulls.cloned());
    // Aligned and as long as it should be: it was collected from that many values.
    unsafe { builder.build_unchecked() }
}

/// Converts what is not null; what does not convert fails and becomes null.
fn convert<T>(len: usize, is_null: impl Fn(usize) -> bool, failed: &mut Vec<usize>, value: impl Fn(usize) -> Option<T>) -> Vec<Option<T>> {
    (0..len)
        .map(|row| {
            if is_null(row) {
                return None;
            }
            let converted = value(row);
            if converted.is_none() {
                failed.push(row);
            }
            converted
        })
        .collect()
}

fn bools(values: &Values, failed: &mut Vec<usize>) -> Vec<Option<bool>> {
    convert(
        values.len(),
        |row| values.is_null(row),
        failed,
        |row| match values {
            Values::Bool(array) => Some(array.value(row)),
            Values::Int(array) => Some(array.value(row) != 0),
            Values::Float(array) => Some(array.value(row) != 0.0),
            Values::Text(array) => text::parse_bool(array.value(row)),
            _ => None,
        },
    )
}

fn ints(values: &Values, failed: &mut Vec<usize>) -> Int64Array {
    match values {
        Values::Int(array) | Values::Date(array) | Values::Time(array) => array.clone(),
        _ => convert(
            values.len(),
            |row| values.is_null(row),
            failed,
            |row| match values {
                Values::Bool(array) => Some(array.value(row).into()),
                Values::Float(array) => whole(array.value(row)),
                Values::Text(array) => text::parse_int(array.value(row)),
                _ => None,
            },
        )
        .into(),
    }
}

/// Towards zero, as SQL's casts go; nothing for what does not fit.
pub fn whole(value: f64) -> Option<i64> {
    let cut = value.trunc();
    // 2^63 is the first float that does not fit; -2^63 does.
    (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&cut).then_some(cut as i64)
}

fn floats(values: &Values, failed: &mut Vec<usize>) -> Float64Array {
    match values {
        Values::Float(array) => array.clone(),
        Values::Int(array) => Float64Array::new(array.values().iter().map(|value| *value as f64).collect(), array.nulls().cloned()),
        _ => convert(
            values.len(),
            |row| values.is_null(row),
            failed,
            |row| match values {
                Values::Bool(array) => Some(f64::from(u8::from(array.value(row)))),
                Values::Text(array) => text::parse_float(array.value(row)),
                _ => None,
            },
        )
        .into(),
    }
}

fn dates(values: &Values, failed: &mut Vec<usize>) -> Int64Array {
    match values {
        Values::Date(array) | Values::Int(array) => array.clone(),
        Values::Time(array) => Int64Array::new(array.values().iter().map(|value| value.div_euclid(DAY)).collect(), array.nulls().cloned()),
        _ => convert(
            values.len(),
            |row| values.is_null(row),
            failed,
            |row| match values {
                Values::Text(array) => {
                    text::parse_date(array.value(row)).or_else(|| text::parse_time(array.value(row)).map(|time| time.div_euclid(DAY)))
                }
                _ => None,
            },
        )
        .into(),
    }
}

fn times(values: &Values, failed: &mut Vec<usize>) -> Int64Array {
    match values {
        Values::Time(array) | Values::Int(array) => array.clone(),
        _ => convert(
            values.len(),
            |row| values.is_null(row),
            failed,
            |row| match values {
                Values::Date(array) => array.value(row).checked_mul(DAY),
                Values::Text(array) => text::parse_time(array.value(row)),
                _ => None,
            },
        )
        .into(),
    }
}

fn texts(values: &Values, kind: &Kind) -> StringArray {
    match values {
        Values::Text(array) => array.clone(),
        _ => (0..values.len()).map(|row| (!values.is_null(row)).then(|| values.show(kind, row))).collect(),
    }
}

fn narrow<N: ArrowNativeType>(values: &Values, to: &DataType, failed: &mut Vec<usize>, fit: impl Fn(i64) -> Option<N>) -> ArrayData {
    let ints = ints(values, failed);
    fitted(&ints, to, failed, fit)
}

fn fitted<N: ArrowNativeType>(ints: &Int64Array, to: &DataType, failed: &mut Vec<usize>, fit: impl Fn(i64) -> Option<N>) -> ArrayData {
    let before = failed.len();
    let fitted: ScalarBuffer<N> = (0..ints.len())
        .map(|row| match fit(ints.value(row)) {
            Some(value) => value,
            None => {
                if ints.is_valid(row) {
                    failed.push(row);
                }
                N::default()
            }
        })
        .collect();
    let nulls = if failed.len() == before {
        ints.nulls().cloned()
    } else {
        let mut lost = failed[before..].iter().peekable();
        let valid = |row: usize| lost.next_if(|next| **next == row).is_none() && ints.is_valid(row);
        Some((0..ints.len()).map(valid).collect())
    };
    column(to, fitted.into_inner(), nulls.as_ref())
}

/// As [`make`], for a kind of its own: cannot fail.
pub fn make_own(values: &Values, kind: &Kind) -> ArrayData {
    make(values, kind, &kind.data_type()).data
}
