//! A record as a line of JSON, its fields named as in OpenTelemetry's logs data model.

use std::time::{SystemTime, UNIX_EPOCH};

use arrow::temporal_conversions::timestamp_us_to_datetime;
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::Record;
use crate::words::guest_span::Value;

/// The line. TELEMETRY.md is its schema.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    severity_text: &'static str,
    severity_number: u8,
    scope: &'a str,
    body: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_flags: Option<u8>,
    attributes: Attributes<'a>,
}

struct Attributes<'a>(&'a Record);

/// The record, with its line's end. Whatever is in it, it is one line: JSON escapes what would begin another.
pub fn line(record: &Record) -> String {
    let context = record.context.as_ref();
    let line = Line {
        timestamp: timestamp(record.time),
        severity_text: record.level.as_str(),
        severity_number: record.severity(),
        scope: record.target,
        body: &record.body,
        trace_id: context.map(|context| context.trace.to_string()),
        span_id: context.map(|context| context.span.to_string()),
        trace_flags: context.map(|context| u8::from(context.sampled)),
        attributes: Attributes(record),
    };
    // Nothing in it can fail to serialise; if it did, an empty object would be better than no line.
    serde_json::to_string(&line).unwrap_or_else(|_| "{}".into()) + "\n"
}

/// RFC 3339, in UTC, to the microsecond.
fn timestamp(time: SystemTime) -> String {
    let micros = time.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_micros()).ok()).unwrap_or(0);
    timestamp_us_to_datetime(micros).map_or_else(String::new, |time| time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
}

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.attributes.len()))?;
        for (name, value) in &self.0.attributes {
            match value {
                Value::Text(text) => map.serialize_entry(name, text)?,
                Value::Integer(integer) => map.serialize_entry(name, integer)?,
                Value::Flag(flag) => map.serialize_entry(name, flag)?,
                Value::Number(number) if number.is_finite() => map.serialize_entry(name, number)?,
                // JSON has no other numbers.
                Value::Number(number) => map.serialize_entry(name, &number.to_string())?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::words::trace::SpanContext;

    /// Protects against a text that begins a line or a field of its own.
    #[test]
    fn a_record_is_one_line_whatever_it_says() {
        let hostile = "\"},\"severity_text\":\"FATAL\"\n{\"body\":\"forged\"}\r\u{2028}\u{1b}[31m";
        let context = SpanContext::root(true);
        let record = Record {
            time: UNIX_EPOCH + Duration::from_micros(1_700_000_000_000_001),
            level: tracing::Level::WARN,
            target: "guest",
            body: hostile.into(),
            context: Some(context),
            attributes: vec![(hostile.into(), Value::Text(hostile.into())), ("nan".into(), Value::Number(f64::NAN))],
        };
        let line = line(&record);
        assert_eq!(line.matches('\n').count(), 1);
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((read["timestamp"].as_str(), read["severity_text"].as_str()), (Some("2023-11-14T22:13:20.000001Z"), Some("WARN")));
        assert_eq!((read["body"].as_str(), read["attributes"][hostile].as_str()), (Some(hostile), Some(hostile)));
        assert_eq!(read["trace_id"], context.trace.to_string());
        assert_eq!(read["attributes"]["nan"], "NaN");
    }
}
