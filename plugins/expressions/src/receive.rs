//! Columns as Arrow has them into one of four kinds. What is of that kind already is not copied.

use arrow_buffer::{ArrowNativeType, BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow_data::ArrayData;
use arrow_schema::DataType;
use half::f16;

use crate::{
    kernels::{eights::mapped, text::Builder},
    value::{Data, Strings, Vector},
};

/// A column to compute with, or why it cannot be.
pub fn column(data: &ArrayData) -> Result<Vector, String> {
    use DataType::*;
    let nulls = data.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
    let values = match data.data_type() {
        Boolean => Data::Bool(BooleanBuffer::new(data.buffers()[0].clone(), data.offset(), data.len())),
        Int8 => widened::<i8>(data, i64::from),
        Int16 => widened::<i16>(data, i64::from),
        Int32 | Date32 => widened::<i32>(data, i64::from),
        Int64 | Timestamp(..) => Data::Int(values::<i64>(data)),
        UInt8 => widened::<u8>(data, i64::from),
        UInt16 => widened::<u16>(data, i64::from),
        UInt32 => widened::<u32>(data, i64::from),
        UInt64 => unsigned(data, nulls.as_ref())?,
        Float16 => Data::Float(values::<u16>(data).iter().map(|bits| f16::from_bits(*bits).to_f64()).collect()),
        Float32 => Data::Float(mapped(&values::<f32>(data), f64::from)),
        Float64 => Data::Float(values::<f64>(data)),
        Decimal32(_, scale) => decimal(values::<i32>(data).iter().map(|value| f64::from(*value)), *scale),
        Decimal64(_, scale) => decimal(values::<i64>(data).iter().map(|value| *value as f64), *scale),
        Decimal128(_, scale) => decimal(values::<i128>(data).iter().map(|value| *value as f64), *scale),
        Utf8 => Data::Text(Strings { offsets: offsets(data), bytes: data.buffers()[1].clone() }),
        LargeUtf8 => large(data)?,
        Utf8View => views(data, nulls.as_ref())?,
        Dictionary(..) => return dictionary(data),
        // Of the others nothing but the nulls is ever asked for.
        _ => Data::Bool(BooleanBuffer::new_unset(data.len())),
    };
    let nulls = if data.data_type() == &Null { Some(NullBuffer::new_null(data.len())) } else { nulls };
    Ok(Vector { data: values, nulls })
}

fn values<T: ArrowNativeType>(data: &ArrayData) -> ScalarBuffer<T> {
    ScalarBuffer::new(data.buffers()[0].clone(), data.offset(), data.len())
}

#[inline(always)]
fn widened<T: ArrowNativeType>(data: &ArrayData, widen: impl Fn(T) -> i64) -> Data {
    Data::Int(mapped(&values::<T>(data), widen))
}

fn unsigned(data: &ArrayData, nulls: Option<&NullBuffer>) -> Result<Data, String> {
    let found = values::<u64>(data);
    let beyond = |row: &usize| found[*row] > i64::MAX as u64 && nulls.is_none_or(|nulls| nulls.is_valid(*row));
    match (0..found.len()).find(beyond) {
        Some(row) => Err(format!("row {row}: {} is beyond int64", found[row])),
        None => Ok(Data::Int(mapped(&found, |value| value as i64))),
    }
}

/// A quotient of two exact floats is the float nearest to the decimal, up to 2⁵³ and 22 places.
fn decimal(values: impl Iterator<Item = f64>, scale: i8) -> Data {
    let power = 10f64.powi(i32::from(scale).abs());
    Data::Float(if scale < 0 { values.map(|value| value * power).collect() } else { values.map(|value| value / power).collect() })
}

fn offsets(data: &ArrayData) -> ScalarBuffer<i32> {
    let buffer = &data.buffers()[0];
    if buffer.is_empty() { vec![0].into() } else { ScalarBuffer::new(buffer.clone(), data.offset(), data.len() + 1) }
}

fn large(data: &ArrayData) -> Result<Data, String> {
    let buffer = &data.buffers()[0];
    let wide = if buffer.is_empty() { vec![0].into() } else { ScalarBuffer::<i64>::new(buffer.clone(), data.offset(), data.len() + 1) };
    let first = wide[0];
    if i32::try_from(wide[data.len()] - first).is_err() {
        return Err("it has more than 2 GiB of text in one batch".into());
    }
    let offsets: Vec<i32> = wide.iter().map(|offset| (offset - first) as i32).collect();
    let bytes = data.buffers()[1].slice_with_length(first as usize, (wide[data.len()] - first) as usize);
    Ok(Data::Text(Strings { offsets: offsets.into(), bytes }))
}

/// Views are 16 bytes: the length, then up to 12 bytes in place, or four bytes, the buffer's index and an offset.
fn views(data: &ArrayData, nulls: Option<&NullBuffer>) -> Result<Data, String> {
    let views = values::<u128>(data);
    let mut builder = Builder::new(data.len());
    let mut total = 0;
    for (row, view) in views.iter().enumerate() {
        let bytes = view.to_le_bytes();
        let length = *view as u32 as usize;
        total += length;
        if i32::try_from(total).is_err() {
            return Err("it has more than 2 GiB of text in one batch".into());
        }
        if nulls.is_none_or(|nulls| nulls.is_valid(row)) {
            let text = if length <= 12 {
                &bytes[4..4 + length]
            } else {
                let (buffer, offset) = ((*view >> 64) as u32 as usize, (*view >> 96) as u32 as usize);
                &data.buffers()[1 + buffer].as_slice()[offset..offset + length]
            };
            // Arrow's views are of UTF-8.
            builder.extend(unsafe { std::str::from_utf8_unchecked(text) });
        }
        builder.end();
    }
    Ok(Data::Text(builder.finish()))
}

/// Every row with the word it stands for; null where the key or the word is.
fn dictionary(data: &ArrayData) -> Result<Vector, String> {
    let words = column(&data.child_data()[0])?;
    let Data::Text(texts) = &words.data else { unreachable!("only dictionaries of text come this far") };
    let keys = keys(data);
    let valid = |row: usize| {
        data.nulls().is_none_or(|nulls| nulls.is_valid(row)) && words.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(keys[row]))
    };
    let mut builder = Builder::new(data.len());
    let mut total = 0;
    for (row, &key) in keys.iter().enumerate() {
        if valid(row) {
            let word = texts.get(key);
            total += word.len();
            if i32::try_from(total).is_err() {
                return Err("it has more than 2 GiB of text in one batch".into());
            }
            builder.extend(word);
        }
        builder.end();
    }
    let nulls = NullBuffer::new(BooleanBuffer::collect_bool(data.len(), valid));
    Ok(Vector { data: Data::Text(builder.finish()), nulls: Some(nulls).filter(|nulls| nulls.null_count() > 0) })
}

fn keys(data: &ArrayData) -> Vec<usize> {
    fn of<T: ArrowNativeType>(data: &ArrayData) -> Vec<usize> {
        values::<T>(data).iter().map(|key| key.as_usize()).collect()
    }
    let DataType::Dictionary(keys, _) = data.data_type() else { return Vec::new() };
    match **keys {
        DataType::Int8 => of::<i8>(data),
        DataType::UInt8 => of::<u8>(data),
        DataType::Int16 => of::<i16>(data),
        DataType::UInt16 => of::<u16>(data),
        DataType::Int32 => of::<i32>(data),
        DataType::UInt32 => of::<u32>(data),
        DataType::UInt64 => of::<u64>(data),
        _ => of::<i64>(data),
    }
}
