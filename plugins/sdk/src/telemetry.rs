//! What a stage says of its own work. A component that uses this imports it, and needs `telemetry = true`.

use crate::abi::{Attribute, AttributeValue, Maybe, SpanContext as Raw, Text, imports::telemetry as host};

/// How grave a log record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Level {
    /// For following the code.
    Trace,
    /// For finding a defect.
    Debug,
    /// Worth knowing.
    Info,
    /// Something is not as it should be, and the work goes on.
    Warn,
    /// Something failed.
    Error,
}

/// The value of an attribute.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A string.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Number(f64),
    /// True or false.
    Flag(bool),
}

/// The trace and span that the current call belongs to.
#[derive(Clone, Debug)]
pub struct SpanContext {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// Whether spans are worth the trouble.
    pub sampled: bool,
}

/// A span within the current call; ends when dropped.
pub struct Span(u32);

/// The current call's context, if the call is traced.
pub fn current() -> Option<SpanContext> {
    let mut result = Maybe::<Raw>::None;
    unsafe { host::current(&mut result) };
    match result {
        Maybe::None => None,
        Maybe::Some(raw) => unsafe {
            Some(SpanContext { trace_id: raw.trace_id.into_string(), span_id: raw.span_id.into_string(), sampled: raw.sampled })
        },
    }
}

/// Writes a log record that carries the call's context.
pub fn log(level: Level, message: &str, attributes: &[(&str, Value)]) {
    let attributes = lay_out(attributes);
    unsafe { host::log(level as i32, message.as_ptr(), message.len(), attributes.as_ptr(), attributes.len()) };
}

/// Adds to a counter of the stage's own.
pub fn count(name: &str, by: u64) {
    unsafe { host::count(name.as_ptr(), name.len(), by) };
}

/// Observes a value in a histogram of the stage's own.
pub fn observe(name: &str, value: f64) {
    unsafe { host::observe(name.as_ptr(), name.len(), value) };
}

fn lay_out(attributes: &[(&str, Value)]) -> Vec<Attribute> {
    attributes.iter().map(|(key, value)| Attribute { key: Text::of(key), value: value.abi() }).collect()
}

// === impl Value ===

impl Value<'_> {
    fn abi(&self) -> AttributeValue {
        match *self {
            Value::Text(text) => AttributeValue::Text(Text::of(text)),
            Value::Integer(number) => AttributeValue::Integer(number),
            Value::Number(number) => AttributeValue::Number(number),
            Value::Flag(flag) => AttributeValue::Flag(flag),
        }
    }
}

// === impl Span ===

impl Span {
    /// Begins a child of the innermost open span.
    pub fn begin(name: &str) -> Self {
        Self(unsafe { host::span_new(name.as_ptr(), name.len()) })
    }

    /// Sets an attribute; the last value counts.
    pub fn set(&self, key: &str, value: Value) {
        let (case, first, second) = match value {
            Value::Text(text) => (0, text.as_ptr() as i64, text.len()),
            Value::Integer(number) => (1, number, 0),
            Value::Number(number) => (2, number.to_bits() as i64, 0),
            Value::Flag(flag) => (3, flag.into(), 0),
        };
        unsafe { host::span_set(self.0, key.as_ptr(), key.len(), case, first, second) };
    }

    /// Adds an event at this moment.
    pub fn event(&self, name: &str, attributes: &[(&str, Value)]) {
        let attributes = lay_out(attributes);
        unsafe { host::span_event(self.0, name.as_ptr(), name.len(), attributes.as_ptr(), attributes.len()) };
    }

    /// Marks it as failed.
    pub fn fail(&self, message: &str) {
        unsafe { host::span_fail(self.0, message.as_ptr(), message.len()) };
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        unsafe { host::span_drop(self.0) };
    }
}
