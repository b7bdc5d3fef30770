//! The columns that lines become.

use arrow_array::{Int32Array, Int64Array, StringArray, TimestampMicrosecondArray, builder::StringBuilder};
use arrow_buffer::NullBufferBuilder;
use parshall_sdk::prelude::*;

use crate::line::Entry;

/// How a time is typed: microseconds in UTC.
fn instant() -> DataType {
    TimestampMicrosecondArray::from(Vec::<i64>::new()).with_timezone("UTC").data_type().clone()
}

/// The fields, in the order in which the columns come out.
pub fn fields() -> Vec<Field> {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    vec![
        Field::new("host", DataType::Utf8, false),
        text("identity"),
        text("user"),
        Field::new("time", instant(), false),
        text("method"),
        text("path"),
        text("protocol"),
        Field::new("status", DataType::Int32, false),
        Field::new("bytes", DataType::Int64, true),
        text("referer"),
        text("user_agent"),
    ]
}

/// Puts the columns of a batch together.
pub struct Columns {
    /// Host, identity, user, method, path, protocol, referer, user agent.
    texts: [StringBuilder; 8],
    times: Vec<i64>,
    statuses: Vec<i32>,
    sizes: Vec<i64>,
    sized: NullBufferBuilder,
}

// === impl Columns ===

impl Columns {
    /// With room for so many rows.
    pub fn new(rows: usize) -> Self {
        Self {
            texts: std::array::from_fn(|_| StringBuilder::with_capacity(rows, rows * 16)),
            times: Vec::with_capacity(rows),
            statuses: Vec::with_capacity(rows),
            sizes: Vec::with_capacity(rows),
            sized: NullBufferBuilder::new(rows),
        }
    }

    /// Adds a row.
    pub fn push(&mut self, entry: &Entry) {
        let request = entry.request.as_ref();
        let texts = [
            Some(entry.host),
            entry.identity,
            entry.user,
            request.map(|request| request.method),
            request.map(|request| request.path),
            request.and_then(|request| request.protocol),
            entry.referer,
            entry.user_agent,
        ];
        for (builder, text) in self.texts.iter_mut().zip(texts) {
            match text {
                None => builder.append_null(),
                Some(text) if text.contains("\\\"") => builder.append_value(text.replace("\\\"", "\"")),
                Some(text) => builder.append_value(text),
            }
        }
        self.times.push(entry.time);
        self.statuses.push(entry.status);
        self.sizes.push(entry.bytes.unwrap_or_default());
        self.sized.append(entry.bytes.is_some());
    }

    /// The columns, as `fields` has them.
    pub fn finish(mut self) -> Vec<ArrayData> {
        let [host, identity, user, method, path, protocol, referer, user_agent] = self.texts.map(|mut text| text.finish());
        let text = |array: StringArray| array.into_data();
        vec![
            text(host),
            text(identity),
            text(user),
            TimestampMicrosecondArray::from(self.times).with_timezone("UTC").into_data(),
            text(method),
            text(path),
            text(protocol),
            Int32Array::from(self.statuses).into_data(),
            Int64Array::new(self.sizes.into(), self.sized.finish()).into_data(),
            text(referer),
            text(user_agent),
        ]
    }
}
