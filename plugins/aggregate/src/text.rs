//! Strings. Whatever type they arrive in, they are brought to `utf8` once, so that everything else knows only that.

use arrow_array::{Array, LargeStringArray, StringArray, StringViewArray};
use arrow_buffer::{ArrowNativeType, Buffer, MutableBuffer, NullBufferBuilder};
use parshall_sdk::prelude::{ArrayData, DataType};

/// Whether it is a type of strings.
pub fn is_text(data_type: &DataType) -> bool {
    use DataType::*;
    match data_type {
        Utf8 | LargeUtf8 | Utf8View => true,
        Dictionary(_, values) => matches!(**values, Utf8 | LargeUtf8),
        _ => false,
    }
}

/// The type in which strings of a type come out: dictionaries come out as what they stand for.
pub fn declared(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => (**values).clone(),
        other => other.clone(),
    }
}

/// The same column as `utf8` if it is one of strings, or as it is.
pub fn plain(data: ArrayData) -> ArrayData {
    match data.data_type() {
        DataType::LargeUtf8 => rebuilt(LargeStringArray::from(data).iter()),
        DataType::Utf8View => rebuilt(StringViewArray::from(data).iter()),
        DataType::Dictionary(key, values) if is_text(values) => {
            let values = StringArray::from(plain(data.child_data()[0].clone()));
            match **key {
                DataType::Int8 => looked_up::<i8>(&data, &values),
                DataType::Int16 => looked_up::<i16>(&data, &values),
                DataType::Int32 => looked_up::<i32>(&data, &values),
                DataType::Int64 => looked_up::<i64>(&data, &values),
                DataType::UInt8 => looked_up::<u8>(&data, &values),
                DataType::UInt16 => looked_up::<u16>(&data, &values),
                DataType::UInt32 => looked_up::<u32>(&data, &values),
                _ => looked_up::<u64>(&data, &values),
            }
        }
        _ => data,
    }
}

fn looked_up<K: ArrowNativeType>(data: &ArrayData, values: &StringArray) -> ArrayData {
    let (keys, nulls) = (data.buffer::<K>(0), data.nulls());
    rebuilt((0..data.len()).map(|row| {
        let key = keys[row].as_usize();
        // A value of the dictionary may be null as well.
        (nulls.is_none_or(|nulls| nulls.is_valid(row)) && values.is_valid(key)).then(|| values.value(key))
    }))
}

fn rebuilt<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayData {
    let mut builder = TextBuilder::default();
    values.for_each(|value| builder.push(value.map(str::as_bytes)));
    builder.finish(&DataType::Utf8)
}

/// Puts a column of strings together. What is pushed is UTF-8.
pub struct TextBuilder {
    ends: Vec<i32>,
    bytes: Vec<u8>,
    nulls: NullBufferBuilder,
}

// === impl TextBuilder ===

impl Default for TextBuilder {
    fn default() -> Self {
        Self { ends: vec![0], bytes: Vec::new(), nulls: NullBufferBuilder::new(0) }
    }
}

impl TextBuilder {
    /// The next value.
    pub fn push(&mut self, value: Option<&[u8]>) {
        self.bytes.extend_from_slice(value.unwrap_or_default());
        // A batch cannot exceed the limits `read_bytes` and `memory`, both far from 2 GiB unless somebody raises them.
        self.ends.push(i32::try_from(self.bytes.len()).expect("less than 2 GiB of strings in a batch"));
        self.nulls.append(value.is_some());
    }

    /// The column, as `utf8`, `large_utf8` or `utf8_view`.
    pub fn finish(mut self, data_type: &DataType) -> ArrayData {
        let rows = self.ends.len() - 1;
        let offsets: Buffer = match data_type {
            DataType::LargeUtf8 => self.ends.iter().map(|&end| i64::from(end)).collect::<Vec<_>>().into(),
            _ => std::mem::take(&mut self.ends).into(),
        };
        let mut values = MutableBuffer::new(self.bytes.len());
        values.extend_from_slice(&self.bytes);
        let view = *data_type == DataType::Utf8View;
        let built = if view { DataType::Utf8 } else { data_type.clone() };
        let builder = ArrayData::builder(built).len(rows).add_buffer(offsets).add_buffer(values.into());
        // Offsets ascend, and every value was UTF-8.
        let data = unsafe { builder.nulls(self.nulls.finish()).build_unchecked() };
        if view { StringViewArray::from(&StringArray::from(data)).into_data() } else { data }
    }
}
