//! `std:generate`: rows that the host makes. None enters the sandbox; this stage says what to make and passes frames on.

use parshall_sdk::{
    prelude::*,
    tables::{Reader, TableError},
};
use serde_json::{Map, Value};

/// The location of rows that the host makes.
const GENERATOR: &str = "generate:";

struct Generate {
    reader: Reader,
}

impl Extract for Generate {
    /// As it is written: the host, which makes the rows, knows what may be asked of it.
    type Config = Map<String, Value>;
    const DESCRIPTION: Description = describe!("Makes rows: sequences, numbers, texts, times, at a set rate or as fast as it goes");

    fn open(config: Map<String, Value>, position: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        let config = Value::Object(config);
        let mut reader = Reader::open(GENERATOR, &config.to_string()).map_err(|error| placed(error, &config))?;
        let port = Port::out(reader.schema()?);
        if let Some(position) = position {
            reader.seek(&position).map_err(|error| error.at(""))?;
        }
        Ok((Self { reader }, port))
    }

    fn next(&mut self) -> Result<Option<Extracted>, StageError> {
        let Some(frame) = self.reader.next().map_err(|error| error.at(""))? else {
            return Ok(None);
        };
        Ok(Some(Extracted { port: 0, values: Values::Frame(frame), position: self.reader.position() }))
    }
}

/// The host's complaint at the value that it names: `POINTER: message; advice`. A pointer may hold a colon itself, so the
/// first that leads somewhere counts.
fn placed(error: TableError, config: &Value) -> StageError {
    let TableError::Options(text) = error else { return error.at("") };
    let ends = || text.match_indices(": ").map(|(at, _)| at);
    let end = ends().find(|&at| config.pointer(&text[..at]).is_some()).or_else(|| ends().next());
    let (pointer, message) = match end {
        Some(at) if text.starts_with('/') => (&text[..at], &text[at + 2..]),
        _ => ("", text.as_str()),
    };
    match message.rsplit_once("; ") {
        Some((message, advice)) => StageError::config(pointer, message).help(advice),
        None => StageError::config(pointer, message),
    }
}

export_extract!(Generate);

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a mistake that is shown at another value than the one it is in.
    #[test]
    fn a_complaint_is_shown_at_the_value_it_names() {
        let config: Value = serde_json::from_str(r#"{"rows": 1, "columns": {"a": "x", "a: b": "y"}}"#).unwrap();
        let placed = |text: &str| match placed(TableError::Options(text.into()), &config) {
            StageError::Config(error) => (error.pointer, error.message, error.help.unwrap_or_default()),
            other => panic!("{other:?}"),
        };
        let told = |pointer: &str, message: &str, help: &str| (pointer.to_owned(), message.to_owned(), help.to_owned());
        assert_eq!(placed("/rows: \"x\" is no number"), told("/rows", "\"x\" is no number", ""));
        assert_eq!(placed("/columns/b: no kind; did you mean \"c\"?"), told("/columns/b", "no kind", "did you mean \"c\"?"));
        assert_eq!(placed("there are no columns; name some: all"), told("", "there are no columns", "name some: all"));
        assert_eq!(placed("/columns/a: b: no: kind").0, "/columns/a");
    }

    /// Protects against a published schema that names other keys than the host takes. `tests/generate.rs` has the host's side.
    #[test]
    fn the_schema_is_json_and_closed() {
        let schema: Value = serde_json::from_str(include_str!("../config.schema.json")).unwrap();
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], serde_json::json!(["columns"]));
    }
}
