//! A log record, within its bounds: an event of `tracing`, and where it belongs.

use std::{borrow::Cow, fmt, time::SystemTime};

use tracing::{
    Event, Level,
    field::{Field, Visit},
};

use crate::{
    telemetry::names::attribute,
    words::{
        guest_span::Value,
        scope,
        trace::{self, SpanContext},
    },
};

/// Bytes of a body; a longer one is cut. Four times what a guest may say at once by default.
const BODY: usize = 16 << 10;
/// Attributes of a record; more are left out. As many as OpenTelemetry's own limit, and then half.
const ATTRIBUTES: usize = 64;
/// Bytes of an attribute's text; a longer one is cut.
const TEXT: usize = 4 << 10;
/// The field in which a guest's own attributes arrive, as a JSON object.
const OF_GUEST: &str = "guest.attributes";
/// Beginnings of names that are the host's: a guest's attribute of such a name gets `guest.` in front.
const RESERVED: [&str; 5] = ["etl.", "exception.", "error.", "log.", "guest."];

/// A log record.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// When it was said.
    pub time: SystemTime,
    /// How grave it is.
    pub level: Level,
    /// Who says it: a part of the program, or `guest`.
    pub target: &'static str,
    /// What is said.
    pub body: String,
    /// The span that it is said in.
    pub context: Option<SpanContext>,
    /// What else is said, each name once; pipeline and stage first.
    pub attributes: Vec<(Cow<'static, str>, Value)>,
}

// === impl Record ===

impl Record {
    /// What an event says on this thread.
    pub fn of(event: &Event<'_>) -> Self {
        let metadata = event.metadata();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let scope = scope::current();
        let mut record = Record {
            time: SystemTime::now(),
            level: *metadata.level(),
            target: metadata.target(),
            body: fields.body,
            context: trace::current(),
            attributes: Vec::with_capacity(fields.attributes.len() + 2),
        };
        if let Some(scope) = &scope {
            record.add(Cow::Borrowed(attribute::PIPELINE), Value::Text(scope.pipeline.to_string()));
        }
        let named = fields.attributes.iter().any(|(name, _)| name == attribute::STAGE);
        if let Some(scope) = scope.filter(|_| !named) {
            record.add(Cow::Borrowed(attribute::STAGE), Value::Text(scope.stage.to_string()));
        }
        for (name, value) in fields.attributes.into_iter().chain(fields.of_guest) {
            record.add(name, value);
        }
        record
    }

    /// Adds an attribute. The first of a name stays: what the host says comes before what a guest says.
    fn add(&mut self, name: Cow<'static, str>, value: Value) {
        if self.attributes.len() < ATTRIBUTES && !self.attributes.iter().any(|(known, _)| *known == name) {
            self.attributes.push((name, value));
        }
    }

    /// An attribute's text.
    pub fn text(&self, name: &str) -> Option<&str> {
        let value = self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        value.and_then(|value| if let Value::Text(text) = value { Some(text.as_str()) } else { None })
    }

    /// Bytes of memory that it stands for, about.
    pub fn size(&self) -> usize {
        let of = |(name, value): &(Cow<'_, str>, Value)| name.len() + if let Value::Text(text) = value { text.len() } else { 8 };
        size_of::<Record>() + self.body.len() + self.attributes.iter().map(|pair| 64 + of(pair)).sum::<usize>()
    }

    /// As OpenTelemetry numbers it (logs data model, `SeverityNumber`).
    pub fn severity(&self) -> u8 {
        match self.level {
            Level::TRACE => 1,
            Level::DEBUG => 5,
            Level::INFO => 9,
            Level::WARN => 13,
            Level::ERROR => 17,
        }
    }
}

/// The fields of an event.
#[derive(Default)]
struct Fields {
    body: String,
    attributes: Vec<(Cow<'static, str>, Value)>,
    of_guest: Vec<(Cow<'static, str>, Value)>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::Text(text)) => self.body = cut(text, BODY),
            (OF_GUEST, Value::Text(json)) => self.of_guest = of_guest(&json),
            (name, value) if self.attributes.len() < ATTRIBUTES => self.attributes.push((Cow::Borrowed(said(name)), shorten(value))),
            _ => {}
        }
    }
}

/// The name that stands for a field: floors below telemetry name theirs in one word.
fn said(field: &'static str) -> &'static str {
    match field {
        "stage" => attribute::STAGE,
        "stream" => attribute::STREAM,
        other => other,
    }
}

fn of_guest(json: &str) -> Vec<(Cow<'static, str>, Value)> {
    let Ok(serde_json::Value::Object(object)) = serde_json::from_str(json) else { return Vec::new() };
    let pair = |(name, value): (String, serde_json::Value)| {
        let reserved = RESERVED.iter().any(|prefix| name.starts_with(prefix));
        (Cow::Owned(if reserved { format!("guest.{name}") } else { name }), shorten(value_of(value)))
    };
    object.into_iter().take(ATTRIBUTES).map(pair).collect()
}

fn value_of(value: serde_json::Value) -> Value {
    match value {
        serde_json::Value::String(text) => Value::Text(text),
        serde_json::Value::Bool(flag) => Value::Flag(flag),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer),
            None => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        },
        other => Value::Text(other.to_string()),
    }
}

fn shorten(value: Value) -> Value {
    if let Value::Text(text) = value { Value::Text(cut(text, TEXT)) } else { value }
}

fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
        text.push('…');
    }
    text
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Value::Text(value.to_owned()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Value::Integer(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        // OpenTelemetry's integers are signed.
        self.put(field, i64::try_from(value).map_or_else(|_| Value::Text(value.to_string()), Value::Integer));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Value::Number(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Value::Flag(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, Value::Text(value.to_string()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Value::Text(format!("{value:?}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a guest that speaks in the host's name.
    #[test]
    fn a_guests_attribute_takes_no_name_of_the_hosts() {
        let pairs = of_guest(r#"{"etl.stage.name": "other", "exception.type": "x", "rows": 3, "half": 0.5, "ok": true, "list": [1]}"#);
        let names: Vec<_> = pairs.iter().map(|(name, _)| name.as_ref()).collect();
        assert_eq!(names, ["guest.etl.stage.name", "guest.exception.type", "rows", "half", "ok", "list"]);
        assert_eq!(pairs[2].1, Value::Integer(3));
        assert_eq!(pairs[5].1, Value::Text("[1]".into()));
        assert!(of_guest("no JSON").is_empty());
    }

    /// Keeps what it is given.
    struct Kept(std::sync::Arc<std::sync::Mutex<Vec<Record>>>);

    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
            self.0.lock().unwrap().push(Record::of(event));
        }
    }

    /// Protects the host's own words within a call: they belong to it no less than its guest's.
    #[test]
    fn whoever_speaks_in_a_call_speaks_in_its_span_for_its_stage() {
        use tracing_subscriber::layer::SubscriberExt as _;
        let kept = std::sync::Arc::default();
        let subscriber = tracing_subscriber::registry().with(Kept(std::sync::Arc::clone(&kept)));
        let context = SpanContext::root(true);
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(path = "x", "outside");
            let _scope = scope::within("p", "s");
            let _span = trace::within(context);
            tracing::warn!(rows = 3_u64, "inside {}", "a call");
            tracing::info!(target: "guest", stage = "t", stream = "stdout", guest.attributes = "{\"a\":1}", "said");
        });
        let kept = kept.lock().unwrap();
        let [outside, inside, said] = kept.as_slice() else { panic!("{kept:#?}") };
        assert_eq!((outside.context, outside.attributes.len(), outside.text("path")), (None, 1, Some("x")));
        assert_eq!((inside.context, inside.body.as_str()), (Some(context), "inside a call"));
        assert_eq!((inside.text(attribute::PIPELINE), inside.text(attribute::STAGE)), (Some("p"), Some("s")));
        assert_eq!(inside.attributes[2], ("rows".into(), Value::Integer(3)));
        assert_eq!((said.text(attribute::STAGE), said.text(attribute::STREAM)), (Some("t"), Some("stdout")));
        assert_eq!(said.attributes.last(), Some(&("a".into(), Value::Integer(1))));
    }

    #[test]
    fn the_first_of_a_name_stays_and_there_are_only_so_many() {
        let mut record = Record {
            time: SystemTime::now(),
            level: Level::INFO,
            target: "guest",
            body: String::new(),
            context: None,
            attributes: Vec::new(),
        };
        for number in 0..100 {
            record.add(format!("a{}", number % 80).into(), Value::Integer(number));
        }
        assert_eq!(record.attributes.len(), ATTRIBUTES);
        assert_eq!(record.attributes[0].1, Value::Integer(0));
        assert_eq!(cut("ä".repeat(10), 5), "ää…");
    }
}
