//! A JSON object taken apart key by key. Every complaint begins with the JSON Pointer of what is wrong, `: ` behind it, so
//! that a stage which passes its configuration on can say where the mistake is.

use std::fmt::Display;

use serde_json::{Map, Value};

use crate::{tables::nearest::hint, words::tables::TableError};

/// What is left of an object, and where it stands.
pub struct Given {
    pointer: String,
    left: Map<String, Value>,
    /// The keys that were asked for.
    known: Vec<&'static str>,
}

/// A complaint about the value that a pointer names; an empty one stands for the whole.
pub fn mistake(pointer: &str, what: impl Display) -> TableError {
    TableError::Options(if pointer.is_empty() { what.to_string() } else { format!("{pointer}: {what}") })
}

/// A key below a pointer (RFC 6901).
pub fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

// === impl Given ===

impl Given {
    pub fn new(pointer: String, left: Map<String, Value>) -> Self {
        Given { pointer, left, known: Vec::new() }
    }

    /// The pointer of a key.
    pub fn at(&self, key: &str) -> String {
        below(&self.pointer, key)
    }

    /// The value of a key; `null` counts as absent.
    pub fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.left.remove(key).filter(|value| !value.is_null())
    }

    pub fn integer(&mut self, key: &'static str, default: i64) -> Result<i64, TableError> {
        let Some(value) = self.take(key) else { return Ok(default) };
        value.as_i64().ok_or_else(|| mistake(&self.at(key), format_args!("{value} is no whole number of 64 bits")))
    }

    /// A whole number within bounds.
    pub fn count(&mut self, key: &'static str, default: u64, (least, most): (u64, u64)) -> Result<u64, TableError> {
        let Some(value) = self.take(key) else { return Ok(default) };
        let within = value.as_u64().filter(|count| (least..=most).contains(count));
        within.ok_or_else(|| mistake(&self.at(key), format_args!("{value} is no whole number between {least} and {most}")))
    }

    pub fn number(&mut self, key: &'static str, default: f64) -> Result<f64, TableError> {
        let Some(value) = self.take(key) else { return Ok(default) };
        value.as_f64().filter(|number| number.is_finite()).ok_or_else(|| mistake(&self.at(key), format_args!("{value} is no number")))
    }

    /// A number from 0 to 1.
    pub fn share(&mut self, key: &'static str, default: f64) -> Result<f64, TableError> {
        match self.number(key, default)? {
            share if (0.0..=1.0).contains(&share) => Ok(share),
            other => Err(mistake(&self.at(key), format_args!("{other} is no share; it must be between 0 and 1"))),
        }
    }

    pub fn flag(&mut self, key: &'static str) -> Result<bool, TableError> {
        let Some(value) = self.take(key) else { return Ok(false) };
        value.as_bool().ok_or_else(|| mistake(&self.at(key), format_args!("{value} is neither true nor false")))
    }

    pub fn text(&mut self, key: &'static str) -> Result<Option<String>, TableError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(mistake(&self.at(key), format_args!("{other} is no string"))),
        }
    }

    /// Refuses what nobody asked for.
    pub fn finish(self) -> Result<(), TableError> {
        let Some(key) = self.left.keys().next() else { return Ok(()) };
        let (hint, known) = (hint(key, self.known.iter().copied()), self.known.join(", "));
        Err(mistake(&below(&self.pointer, key), format_args!("there is no option {key:?}, known are {known}{hint}")))
    }
}
