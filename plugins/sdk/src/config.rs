//! A stage's configuration: JSON in, the stage's own type out, mistakes with a pointer to where they are.

use serde::de::DeserializeOwned;

use crate::{
    error::{ConfigError, StageError},
    nearest::nearest,
};

/// Reads a configuration. Use `#[serde(deny_unknown_fields)]` on the type, so that misspelt keys are found.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, StageError> {
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| StageError::Config(explain(error)))
}

fn explain(error: serde_path_to_error::Error<serde_json::Error>) -> ConfigError {
    let mut pointer = pointer(error.path());
    let said = error.into_inner().to_string();
    // Line and column belong to the JSON that the host made of the pipeline file, not to anything a person wrote.
    let message = said.split(" at line ").next().unwrap_or(&said).to_string();
    let mut help = None;
    if let Some((key, expected)) = unknown_name(&message) {
        if message.starts_with("unknown field") && !pointer.ends_with(&format!("/{}", escaped(key))) {
            pointer = format!("{pointer}/{}", escaped(key));
        }
        help = nearest(key, expected).map(|name| format!("did you mean `{name}`?"));
    }
    ConfigError { pointer, offset: None, message, help }
}

/// The name that serde did not know, and those that it would have.
fn unknown_name(message: &str) -> Option<(&str, impl Iterator<Item = &str>)> {
    let rest = message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("unknown variant `"))?;
    let (name, rest) = rest.split_once('`')?;
    Some((name, rest.split('`').skip(1).step_by(2)))
}

/// The path as a JSON Pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escaped(key)),
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}

/// One of the words that a value may be; `what` they are is said of any other: `mode`.
pub fn one_of(pointer: &str, what: &str, written: &str, known: &[&'static str]) -> Result<&'static str, StageError> {
    if let Some(word) = known.iter().find(|word| **word == written) {
        return Ok(word);
    }
    let error = StageError::config(pointer, format!("`{written}` is not a {what}; expected one of {}", known.join(", ")));
    Err(match nearest(written, known.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    })
}

/// A key as it stands in a JSON Pointer.
pub fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Config {
        path: String,
        #[serde(default)]
        csv: Option<Csv>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Csv {
        header: bool,
    }

    fn mistake(text: &str) -> ConfigError {
        match read::<Config>(text) {
            Err(StageError::Config(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    /// Protects against a misspelt key that nobody is told about, or told about somewhere else.
    #[test]
    fn an_unknown_key_is_named_and_the_nearest_offered() {
        let error = mistake(r#"{"path": "a", "cvs": {"header": true}}"#);
        assert_eq!(error.pointer, "/cvs");
        assert_eq!(error.help.as_deref(), Some("did you mean `csv`?"));
        assert!(error.message.contains("expected `path` or `csv`"), "{}", error.message);
        assert_eq!(mistake(r#"{"path": "a", "csv": {"headre": true}}"#).pointer, "/csv/headre");
    }

    /// Protects against "invalid type" with no hint where.
    #[test]
    fn a_wrong_type_is_pointed_at() {
        let error = mistake(r#"{"path": "a", "csv": {"header": "yes"}}"#);
        assert_eq!(error.pointer, "/csv/header");
        assert_eq!(error.message, "invalid type: string \"yes\", expected a boolean");
    }

    /// Protects against a missing key being blamed on a neighbour.
    #[test]
    fn a_missing_key_is_named() {
        let error = mistake("{}");
        assert_eq!((error.pointer.as_str(), error.message.as_str()), ("", "missing field `path`"));
    }
}
