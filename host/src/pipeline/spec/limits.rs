//! `limits = { … }`: every field of [`Limits`] by its name, with its unit.

use toml::{Spanned, de::DeValue};

use super::{
    keys::{Key, Shape},
    table::{Table, bytes, count, time},
};
use crate::words::limits::{LEAST_TIMEOUT, Limits};

/// A limit: its key, and the field it sets. Times are in nanoseconds here.
pub struct Limit {
    /// Name, description and what may be written.
    pub key: Key,
    get: fn(&Limits) -> u64,
    set: fn(&mut Limits, u64),
}

macro_rules! limit {
    ($field:ident, $shape:expr, $doc:literal) => {
        limit!($field, $shape, $doc, |limits| limits.$field, |limits, value| limits.$field = value)
    };
    ($field:ident, $shape:expr, $doc:literal, $get:expr, $set:expr) => {
        Limit { key: Key { name: stringify!($field), doc: $doc, shape: $shape, default: None }, get: $get, set: $set }
    };
}

const COUNT: Shape = Shape::Count { min: 1, max: i64::MAX as u64 };

/// Every limit, by name.
pub static LIMITS: &[Limit] = &[
    limit!(fuel, COUNT, "Fuel per call: about one unit an executed WebAssembly instruction."),
    limit!(handles, COUNT, "Host resources (frames, readers, writers, spans, streams, requests) that an instance may hold at once."),
    limit!(http_bytes, Shape::Bytes, "Bytes of the bodies of HTTP responses that one call may receive."),
    limit!(http_requests, COUNT, "HTTP requests of an instance under way at once; one more is refused."),
    limit!(log_bytes, Shape::Bytes, "Bytes of one log record; longer ones are cut."),
    limit!(logs, COUNT, "Log records per call; more are dropped and counted."),
    limit!(memory, Shape::Bytes, "Bytes of linear memory of an instance."),
    limit!(metrics, COUNT, "Distinct counters and histograms of the stage's own; more are dropped and counted."),
    limit!(nesting, COUNT, "How deep column types may nest."),
    limit!(output_bytes, Shape::Bytes, "Bytes of arrays that one call may put out."),
    limit!(output_rows, COUNT, "Rows that one call may put out."),
    limit!(read_bytes, Shape::Bytes, "Bytes that one read of columns may copy into the component."),
    limit!(reason, Shape::Bytes, "Bytes of the reason of one rejection; longer ones are cut."),
    limit!(schema_fields, COUNT, "Fields of a schema that the stage declares, nested ones included."),
    limit!(span_attributes, COUNT, "Attributes, and events, of one of the stage's own spans; more are dropped and counted."),
    limit!(spans, COUNT, "Spans of its own that the stage may open per call; more are dropped and counted."),
    limit!(state, Shape::Bytes, "Bytes that the stage may keep through the `state` grant, keys included."),
    limit!(table_elements, COUNT, "Elements in all WebAssembly tables of an instance."),
    limit!(
        timeout,
        Shape::Time,
        "Wall-clock time of one call.",
        |limits| u64::try_from(limits.timeout.as_nanos()).unwrap_or(u64::MAX),
        |limits, value| limits.timeout = std::time::Duration::from_nanos(value)
    ),
];

// === impl Limit ===

impl Limit {
    /// What counts when the file does not say.
    pub fn default(&self) -> u64 {
        (self.get)(&Limits::default())
    }

    fn read(&self, table: &Table, value: &Spanned<DeValue>) -> Option<u64> {
        let what = table.title_of(self.key.name);
        match self.key.shape {
            Shape::Count { min, max } => count(table.scope, &what, value, min, max),
            Shape::Bytes => bytes(table.scope, &what, value),
            Shape::Time => time(table.scope, &what, value, LEAST_TIMEOUT).map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
            _ => unreachable!("a limit is a count, a size or a time"),
        }
    }
}

/// Reads `limits`, over those that count otherwise.
pub(super) fn read(table: &Table, mut limits: Limits) -> Limits {
    for limit in LIMITS {
        if let Some(value) = table.get(limit.key.name).and_then(|(_, value)| limit.read(table, value)) {
            (limit.set)(&mut limits, value);
        }
    }
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_limits_can_be_written() {
        // `Debug` names every field: a new one is missed here before a user misses it.
        let debug = format!("{:?}", Limits::default());
        let fields: Vec<&str> =
            debug.trim_start_matches("Limits {").split(", ").filter_map(|field| Some(field.split_once(": ")?.0.trim())).collect();
        let mut keys: Vec<&str> = LIMITS.iter().map(|limit| limit.key.name).collect();
        assert!(keys.is_sorted(), "the complaint about an unknown key lists them in this order");
        keys.sort_by_key(|key| fields.iter().position(|field| field == key));
        assert_eq!(keys, fields);
    }

    #[test]
    fn setting_a_limit_sets_that_limit() {
        for limit in LIMITS {
            let mut limits = Limits::default();
            (limit.set)(&mut limits, 7);
            assert_eq!((limit.get)(&limits), 7, "{}", limit.key.name);
            (limit.set)(&mut limits, limit.default());
            assert_eq!(limits, Limits::default(), "{}", limit.key.name);
        }
    }
}
