//! `config = { … }`: from TOML to the JSON that a component is opened with, every value keeping its place.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    scope::Scope,
    table::{in_order, integer},
    text::Text,
};
use crate::pipeline::source::Span;

/// Where the values of a configuration stand, by JSON Pointer (RFC 6901).
#[derive(Clone, Debug, Default)]
pub struct Places(HashMap<String, Place>);

/// Where one value stands.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its key, where it has one.
    pub key: Option<Span>,
    /// The value.
    pub value: Span,
    /// Its text, where it is a string.
    pub text: Option<Text>,
}

// === impl Places ===

impl Places {
    /// The place of a value, or of the nearest one around it: what is missing is missing there.
    pub fn find(&self, pointer: &str) -> Option<&Place> {
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.0.get(pointer) {
                return Some(place);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }

    /// Where to point for a complaint about the value, or about byte `offset` of it when it is a string.
    pub fn span(&self, pointer: &str, offset: Option<u32>) -> Option<Span> {
        let place = self.find(pointer)?;
        match (&place.text, offset) {
            (Some(text), Some(offset)) if self.0.contains_key(pointer) => Some(text.place(offset as usize)),
            _ => Some(place.value),
        }
    }
}

/// A key as one step of a JSON Pointer.
pub fn step(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Reads a configuration.
pub(super) fn read(scope: &Scope, key: Span, value: &Spanned<DeValue>, table: &DeTable) -> (Value, Places) {
    let mut reading = Reading { scope, places: Places::default() };
    reading.note(String::new(), Some(key), value.span().into(), None);
    let json = reading.table("", table);
    (json, reading.places)
}

struct Reading<'a> {
    scope: &'a Scope<'a>,
    places: Places,
}

// === impl Reading ===

impl Reading<'_> {
    fn note(&mut self, pointer: String, key: Option<Span>, value: Span, text: Option<Text>) {
        self.places.0.insert(pointer, Place { key, value, text });
    }

    fn table(&mut self, pointer: &str, table: &DeTable) -> Value {
        let mut object = Map::new();
        for (key, value) in in_order(table) {
            let pointer = format!("{pointer}/{}", step(key.get_ref()));
            let value = self.value(pointer, Some(key.span().into()), value);
            object.insert(key.get_ref().to_string(), value);
        }
        Value::Object(object)
    }

    fn value(&mut self, pointer: String, key: Option<Span>, value: &Spanned<DeValue>) -> Value {
        let span = value.span().into();
        if let DeValue::String(written) = value.get_ref() {
            // A variable that is not set was reported; the run does not get as far as using the empty string.
            let text = Text::read(self.scope, written, span);
            let json = Value::from(text.as_ref().map_or("", |text| text.value.as_str()));
            self.note(pointer, key, span, text);
            return json;
        }
        self.note(pointer.clone(), key, span, None);
        match value.get_ref() {
            DeValue::Table(table) => self.table(&pointer, table),
            DeValue::Array(array) => {
                array.iter().enumerate().map(|(at, element)| self.value(format!("{pointer}/{at}"), None, element)).collect()
            }
            DeValue::Boolean(flag) => Value::from(*flag),
            DeValue::Datetime(datetime) => Value::from(datetime.to_string()),
            DeValue::Integer(written) => self.number(span, integer(written).and_then(Number::from_i128)),
            DeValue::Float(written) => self.number(span, written.as_str().parse().ok().and_then(Number::from_f64)),
            DeValue::String(_) => unreachable!("handled above"),
        }
    }

    /// JSON has no infinities, and the contract none beyond 64 bits.
    fn number(&self, span: Span, number: Option<Number>) -> Value {
        if number.is_none() {
            let diagnostic = self.scope.error("no-such-number", span, "a configuration cannot hold this number");
            self.scope.complain(diagnostic.label("expected a finite number; integers have 64 bits"));
        }
        number.map_or(Value::Null, Value::Number)
    }
}
