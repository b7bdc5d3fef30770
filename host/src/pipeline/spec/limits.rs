//! `limits = { … }`: every field of [`Limits`] by its name, with its unit.

use toml::{Spanned, de::DeValue};

use super::{
    keys::{Key, Shape},
    table::{Table, bytes, count, time},
    units,
};
use crate::words::limits::{LEAST_TIMEOUT, Limits};

/// A limit: its key, and the field it sets. Times are in nanoseconds here.
pub struct Limit {
    /// Name, description and what may be written.
    pub key: Key,
    /// What its number counts.
    pub unit: &'static str,
    /// What happens beyond it.
    pub beyond: Beyond,
    /// Why its default is what it is.
    pub reason: &'static str,
    get: fn(&Limits) -> u64,
    set: fn(&mut Limits, u64),
}

/// What happens beyond a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// The call, or the loading, fails by [`crate::words::call::CallError::Limit`] or its like.
    Fails,
    /// The import answers an error, which the stage can handle.
    Refused,
    /// What is too long is cut.
    Cut,
    /// What is too much is dropped, and counted.
    Dropped,
}

impl std::fmt::Display for Beyond {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Beyond::Fails => "the call fails",
            Beyond::Refused => "the stage is refused it",
            Beyond::Cut => "it is cut",
            Beyond::Dropped => "it is dropped and counted",
        })
    }
}

macro_rules! limit {
    ($field:ident, $shape:expr, $unit:literal, $beyond:ident, $doc:literal, $reason:literal) => {
        limit!($field, $shape, $unit, $beyond, $doc, $reason, |limits| limits.$field, |limits, value| limits.$field = value)
    };
    (time $field:ident, $doc:literal, $reason:literal) => {
        limit!(
            $field,
            Shape::Time,
            "time",
            Fails,
            $doc,
            $reason,
            |limits| u64::try_from(limits.$field.as_nanos()).unwrap_or(u64::MAX),
            |limits, value| limits.$field = std::time::Duration::from_nanos(value)
        )
    };
    ($field:ident, $shape:expr, $unit:literal, $beyond:ident, $doc:literal, $reason:literal, $get:expr, $set:expr) => {
        Limit {
            key: Key { name: stringify!($field), doc: $doc, shape: $shape, default: None },
            unit: $unit,
            beyond: Beyond::$beyond,
            reason: $reason,
            get: $get,
            set: $set,
        }
    };
}

const COUNT: Shape = Shape::Count { min: 1, max: i64::MAX as u64 };

/// Every limit, by name.
pub static LIMITS: &[Limit] = &[
    limit!(time compile_time, "Time that compiling the component may take.", "ten times what a language runtime takes on two cores"),
    limit!(component_bytes, Shape::Bytes, "bytes", Fails, "Bytes of the component.", "a language runtime with its libraries has 40 MiB"),
    limit!(core_instances, COUNT, "instances", Fails, "Core modules that an instance is made of.", "large language runtimes have some 30"),
    limit!(
        finish_calls,
        COUNT,
        "calls",
        Fails,
        "Calls of `finish` that may answer something, before one must answer nothing.",
        "eight billion rows in batches of the usual 8,192; what never ends must not keep a run for ever"
    ),
    limit!(
        fuel,
        COUNT,
        "units of fuel",
        Fails,
        "Fuel per call: about one unit an executed WebAssembly instruction.",
        "some ten seconds of a core, so that the deadline usually speaks first, and a loop ends even where the clock stands still"
    ),
    limit!(
        handles,
        COUNT,
        "handles",
        Fails,
        "Host resources (frames, readers, writers, spans, streams, requests) that an instance may hold at once.",
        "a stage holds a handful at a time"
    ),
    limit!(
        http_bytes,
        Shape::Bytes,
        "bytes",
        Refused,
        "Bytes of the bodies of HTTP responses that one call may receive.",
        "a page of any API, not a download"
    ),
    limit!(
        http_requests,
        COUNT,
        "requests",
        Refused,
        "HTTP requests of an instance under way at once; one more is refused.",
        "enough to keep a server busy, and no way to use up the host's sockets"
    ),
    limit!(log_bytes, Shape::Bytes, "bytes", Cut, "Bytes of one log record; longer ones are cut.", "a stack trace of the usual depth"),
    limit!(logs, COUNT, "records", Dropped, "Log records per call; more are dropped and counted.", "what a person would read of one batch"),
    limit!(memory, Shape::Bytes, "bytes", Fails, "Bytes of linear memory of an instance.", "a hash table over a few million groups"),
    limit!(
        message,
        Shape::Bytes,
        "bytes",
        Cut,
        "Bytes of each text of an error that the stage reports; longer ones are cut.",
        "several pages"
    ),
    limit!(
        metrics,
        COUNT,
        "names",
        Dropped,
        "Distinct counters and histograms of the stage's own; more are dropped and counted.",
        "what a dashboard can show; every name is a series of its own wherever metrics are kept"
    ),
    limit!(nesting, COUNT, "levels", Fails, "How deep column types may nest.", "deeper than any table seen, shallow enough for any stack"),
    limit!(
        open_tables,
        COUNT,
        "tables",
        Refused,
        "Tables that an instance may have open at once; one more is refused.",
        "each holds files of the host open, and a process may often have 1,024"
    ),
    limit!(
        output_bytes,
        Shape::Bytes,
        "bytes",
        Fails,
        "Bytes of arrays that one call may put out; rows that it names again and again count as often, beyond the batch that they are of.",
        "as much as the default memory can hold"
    ),
    limit!(output_rows, COUNT, "rows", Fails, "Rows that one call may put out.", "two thousand batches of the usual 8,192 rows"),
    limit!(outputs, COUNT, "batches", Fails, "Batches that one call may put out.", "a few for each of the 64 ports that a stage may have"),
    limit!(
        position,
        Shape::Bytes,
        "bytes",
        Fails,
        "Bytes of the position of an extract's batch.",
        "a dozen bytes for each of tens of thousands of files; it is kept for every batch"
    ),
    limit!(
        read_bytes,
        Shape::Bytes,
        "bytes",
        Refused,
        "Bytes that one read of columns may copy into the component.",
        "as much as the default memory can hold"
    ),
    limit!(
        reason,
        Shape::Bytes,
        "bytes",
        Cut,
        "Bytes of the reason of one rejection; longer ones are cut.",
        "a sentence with a value in it"
    ),
    limit!(rejections, COUNT, "rows", Fails, "Rows that one call may reject.", "every row of a large batch"),
    limit!(
        schema_bytes,
        Shape::Bytes,
        "bytes",
        Fails,
        "Bytes of the names, formats and metadata of a schema that the stage declares.",
        "some 250 for each of the fields that it may have"
    ),
    limit!(
        schema_fields,
        COUNT,
        "fields",
        Fails,
        "Fields of a schema that the stage declares, nested ones included.",
        "wider than any table that a person made"
    ),
    limit!(
        snapshot,
        Shape::Bytes,
        "bytes",
        Fails,
        "Bytes of a snapshot of what the stage remembers.",
        "as much as the default memory can hold"
    ),
    limit!(
        span_attributes,
        COUNT,
        "attributes",
        Dropped,
        "Attributes, and events, of one of the stage's own spans; more are dropped and counted.",
        "what a trace viewer shows without scrolling"
    ),
    limit!(
        spans,
        COUNT,
        "spans",
        Dropped,
        "Spans of its own that the stage may open per call; more are dropped and counted.",
        "as many as OpenTelemetry allows attributes and events in a span"
    ),
    limit!(
        state,
        Shape::Bytes,
        "bytes",
        Refused,
        "Bytes that the stage may keep through the `state` grant: keys, values, and 64 for each key.",
        "a small store: what is larger belongs into a table"
    ),
    limit!(
        table_elements,
        COUNT,
        "elements",
        Fails,
        "Elements in all WebAssembly tables of an instance.",
        "function tables of large language runtimes have 20,000"
    ),
    limit!(time timeout, "Wall-clock time of one call.", "longer than any batch should take, short enough to notice"),
    limit!(
        wasm_memories,
        COUNT,
        "memories",
        Fails,
        "Linear memories of an instance.",
        "a component has one; each reserves gigabytes of the host's address space"
    ),
    limit!(
        wasm_tables,
        COUNT,
        "tables",
        Fails,
        "WebAssembly tables of an instance.",
        "a component has one or two for each core module in it"
    ),
];

// === impl Limit ===

impl Limit {
    /// What counts when the file does not say.
    pub fn default(&self) -> u64 {
        (self.get)(&Limits::default())
    }

    /// Its value as it would be written in a file.
    pub fn shown(&self, limits: &Limits) -> String {
        let value = (self.get)(limits);
        match self.key.shape {
            Shape::Bytes => units::write_bytes(value),
            Shape::Time => units::write_time(std::time::Duration::from_nanos(value)),
            _ => grouped(value),
        }
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

/// A number with `_` between its thousands, as TOML takes it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    grouped
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
        // How calls are metered is no amount, and a key of the stage.
        let fields: Vec<_> = fields.into_iter().filter(|field| *field != "metering").collect();
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
