//! A column as it came, brought to the type that it is computed with.

use arrow_array::{BooleanArray, Float64Array, Int64Array, StringArray, StringViewArray};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, TimeUnit, UnionMode};
use half::f16;
use parshall_sdk::StageError;

use crate::{Gather, Values, calendar::DAY};

/// Brings a column whose [`Kind`](crate::Kind) is known to the type that it is computed with.
pub fn read(data: ArrayData) -> Result<Values, StageError> {
    let unsupported = || StageError::Internal(format!("a column of type {} is not computed with", data.data_type()));
    Ok(match data.data_type() {
        DataType::Null => Values::Null(data.len()),
        DataType::Boolean => Values::Bool(BooleanArray::from(data)),
        DataType::Int64 => Values::Int(Int64Array::from(data)),
        DataType::Int8 => Values::Int(widened(&data, i64::from as fn(i8) -> i64)),
        DataType::Int16 => Values::Int(widened(&data, i64::from as fn(i16) -> i64)),
        DataType::Int32 => Values::Int(widened(&data, |value: i32| value.into())),
        DataType::UInt8 => Values::Int(widened(&data, i64::from as fn(u8) -> i64)),
        DataType::UInt16 => Values::Int(widened(&data, i64::from as fn(u16) -> i64)),
        DataType::UInt32 => Values::Int(widened(&data, |value: u32| value.into())),
        DataType::UInt64 => Values::Int(checked(&data, |value: u64| value.try_into().ok())?),
        DataType::Float64 => Values::Float(Float64Array::from(data)),
        DataType::Float32 => Values::Float(floats(&data, |value: f32| value.into())),
        DataType::Float16 => Values::Float(floats(&data, |value: f16| value.into())),
        DataType::Decimal32(_, scale) => Values::Float(floats(&data, decimal(*scale, |value: i32| value.into()))),
        DataType::Decimal64(_, scale) => Values::Float(floats(&data, decimal(*scale, |value: i64| value as f64))),
        DataType::Decimal128(_, scale) => Values::Float(floats(&data, decimal(*scale, |value: i128| value as f64))),
        DataType::Utf8 => Values::Text(StringArray::from(data)),
        DataType::LargeUtf8 => Values::Text(large_text(&data)?),
        DataType::Utf8View => Values::Text(StringViewArray::from(data).iter().collect()),
        DataType::Date32 => Values::Date(widened(&data, |value: i32| value.into())),
        DataType::Date64 => Values::Date(widened(&data, |value: i64| value.div_euclid(DAY / 1000))),
        DataType::Timestamp(unit, _) => Values::Time(times(data.clone(), unit)?),
        DataType::Dictionary(keys, _) => {
            let places = places(&data, keys).ok_or_else(unsupported)?;
            read(data.child_data()[0].clone())?.gather(&places)
        }
        DataType::RunEndEncoded(..) => {
            let places = runs(&data);
            read(data.child_data()[1].clone())?.gather(&places)
        }
        _ => return Err(unsupported()),
    })
}

/// Which values are null, for a column of any type. Null, in the logical sense: a dictionary's key may point at a null.
pub fn nulls_of(data: &ArrayData) -> Option<NullBuffer> {
    match data.data_type() {
        DataType::Null => Some(NullBuffer::new_null(data.len())),
        DataType::Dictionary(keys, _) if data.child_data()[0].null_count() > 0 => {
            Some(pointed_at(&nulls_of(&data.child_data()[0])?, &places(data, keys)?))
        }
        DataType::RunEndEncoded(..) => Some(pointed_at(&nulls_of(&data.child_data()[1])?, &runs(data))),
        DataType::Union(fields, mode) => {
            let children: Vec<_> = data.child_data().iter().map(nulls_of).collect();
            let ids = slice::<i8>(data);
            let valid = |row: usize| {
                let child = fields.iter().position(|(id, _)| id == ids[row]).unwrap_or(0);
                let place = match mode {
                    UnionMode::Sparse => row,
                    UnionMode::Dense => data.buffers()[1].typed_data::<i32>()[data.offset() + row] as usize,
                };
                children[child].as_ref().is_none_or(|nulls| nulls.is_valid(place))
            };
            Some(NullBuffer::new(BooleanBuffer::collect_bool(data.len(), valid)))
        }
        _ => data.nulls().cloned(),
    }
}

fn pointed_at(nulls: &NullBuffer, places: &[Option<usize>]) -> NullBuffer {
    let valid = |row: usize| places[row].is_some_and(|place| nulls.is_valid(place));
    NullBuffer::new(BooleanBuffer::collect_bool(places.len(), valid))
}

fn slice<N: ArrowNativeType>(data: &ArrayData) -> ScalarBuffer<N> {
    ScalarBuffer::new(data.buffers()[0].clone(), data.offset(), data.len())
}

fn widened<N: ArrowNativeType>(data: &ArrayData, widen: impl Fn(N) -> i64) -> Int64Array {
    Int64Array::new(slice(data).iter().map(|value| widen(*value)).collect(), data.nulls().cloned())
}

fn floats<N: ArrowNativeType>(data: &ArrayData, widen: impl Fn(N) -> f64) -> Float64Array {
    Float64Array::new(slice(data).iter().map(|value| widen(*value)).collect(), data.nulls().cloned())
}

/// As [`widened`], where not every value fits.
fn checked<N: ArrowNativeType>(data: &ArrayData, convert: impl Fn(N) -> Option<i64>) -> Result<Int64Array, StageError> {
    let values = slice::<N>(data);
    let mut converted = Vec::with_capacity(values.len());
    for (row, value) in values.iter().enumerate() {
        match convert(*value) {
            Some(value) => converted.push(value),
            None if data.is_null(row) => converted.push(0),
            None => return Err(StageError::Data(format!("row {row}: {value:?} is beyond what is computed with (int64)"))),
        }
    }
    Ok(Int64Array::new(converted.into(), data.nulls().cloned()))
}

fn times(data: ArrayData, unit: &TimeUnit) -> Result<Int64Array, StageError> {
    Ok(match unit {
        TimeUnit::Microsecond => Int64Array::new(slice(&data), data.nulls().cloned()),
        TimeUnit::Nanosecond => widened(&data, |value: i64| value.div_euclid(1000)),
        TimeUnit::Millisecond => checked(&data, |value: i64| value.checked_mul(1000))?,
        TimeUnit::Second => checked(&data, |value: i64| value.checked_mul(1_000_000))?,
    })
}

fn decimal<N>(scale: i8, widen: impl Fn(N) -> f64) -> impl Fn(N) -> f64 {
    // Divided by a power of ten, not multiplied by its inverse: that is rounded once more.
    let (up, down) = (10f64.powi((-scale).max(0).into()), 10f64.powi(scale.max(0).into()));
    move |value| widen(value) * up / down
}

fn large_text(data: &ArrayData) -> Result<StringArray, StageError> {
    let offsets = ScalarBuffer::<i64>::new(data.buffers()[0].clone(), data.offset(), data.len() + 1);
    let first = offsets[0];
    let last = offsets[data.len()] - first;
    if last > i32::MAX.into() {
        return Err(StageError::Data(format!("a batch of {last} bytes of text is more than 2 GiB")));
    }
    let rebased: ScalarBuffer<i32> = offsets.iter().map(|offset| (offset - first) as i32).collect();
    let bytes = data.buffers()[1].slice_with_length(first as usize, last as usize);
    // The same text with the same, valid bounds.
    Ok(unsafe { StringArray::new_unchecked(arrow_buffer::OffsetBuffer::new_unchecked(rebased), bytes, data.nulls().cloned()) })
}

/// Where each of a dictionary's keys points.
fn places(data: &ArrayData, keys: &DataType) -> Option<Vec<Option<usize>>> {
    fn of<N: ArrowNativeType>(data: &ArrayData) -> Vec<Option<usize>> {
        let keys = slice::<N>(data);
        keys.iter().enumerate().map(|(row, key)| (!data.is_null(row)).then(|| key.as_usize())).collect()
    }
    Some(match keys {
        DataType::Int8 => of::<i8>(data),
        DataType::Int16 => of::<i16>(data),
        DataType::Int32 => of::<i32>(data),
        DataType::Int64 => of::<i64>(data),
        DataType::UInt8 => of::<u8>(data),
        DataType::UInt16 => of::<u16>(data),
        DataType::UInt32 => of::<u32>(data),
        DataType::UInt64 => of::<u64>(data),
        _ => return None,
    })
}

/// The run that each row is in. A received array begins with its first run.
fn runs(data: &ArrayData) -> Vec<Option<usize>> {
    fn of<N: ArrowNativeType>(data: &ArrayData) -> Vec<Option<usize>> {
        let ends = slice::<N>(&data.child_data()[0]);
        let mut run = 0;
        (data.offset()..data.offset() + data.len())
            .map(|row| {
                while ends[run].as_usize() <= row {
                    run += 1;
                }
                Some(run)
            })
            .collect()
    }
    match data.child_data()[0].data_type() {
        DataType::Int16 => of::<i16>(data),
        DataType::Int32 => of::<i32>(data),
        _ => of::<i64>(data),
    }
}
