//! Reading a table whose keys are known: unknown ones are reported with the nearest known one, values with their type.

use std::time::Duration;

use toml::{
    Spanned,
    de::{DeArray, DeInteger, DeString, DeTable, DeValue},
};

use super::{
    keys::Key,
    scope::Scope,
    text::Text,
    units::{self, UnitError},
};
use crate::pipeline::{diagnostic::nearest, source::Span};

/// A table of known keys.
pub(super) struct Table<'a> {
    pub scope: &'a Scope<'a>,
    /// The table's name in complaints: `[transform.x]`; empty for the file itself.
    title: String,
    entries: &'a DeTable<'a>,
    known: Vec<&'static str>,
}

/// A key and its value, each with its place.
pub(super) type Entry<'a> = (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>);

// === impl Table ===

impl<'a> Table<'a> {
    /// Takes a table and reports its unknown keys.
    pub fn new(
        scope: &'a Scope<'a>,
        title: impl Into<String>,
        entries: &'a DeTable<'a>,
        known: impl Iterator<Item = &'static Key>,
    ) -> Self {
        let table = Table { scope, title: title.into(), entries, known: known.map(|key| key.name).collect() };
        for (key, _) in in_order(entries) {
            if !table.known.contains(&key.get_ref().as_ref()) {
                table.unknown(key);
            }
        }
        table
    }

    fn unknown(&self, key: &Spanned<DeString>) {
        let message = match self.title.as_str() {
            "" => format!("unknown key `{}` at the top of the file", key.get_ref()),
            title => format!("unknown key `{}` in {title}", key.get_ref()),
        };
        let diagnostic = self
            .scope
            .error("unknown-key", key.span().into(), message)
            .label(format!("expected one of: {}", self.known.join(", ")))
            .nearest(nearest(key.get_ref(), self.known.iter().copied()));
        self.scope.complain(diagnostic);
    }

    /// How complaints name the value of a key.
    pub fn title_of(&self, key: &str) -> String {
        match self.title.as_str() {
            "" => format!("`{key}`"),
            title => format!("`{key}` in {title}"),
        }
    }

    pub fn get(&self, key: &str) -> Option<Entry<'a>> {
        debug_assert!(self.known.contains(&key), "`{key}` is read but not among the keys of {}", self.title);
        self.entries.get_key_value(key)
    }

    /// Whether a key that is not known was probably meant to be this one: then this one is not missing besides.
    pub fn is_misspelt(&self, key: &str) -> bool {
        let unknown = self.entries.keys().map(|written| written.get_ref().as_ref()).filter(|written| !self.known.contains(written));
        unknown.into_iter().any(|written| nearest(written, self.known.iter().copied()) == Some(key))
    }

    pub fn text(&self, key: &str, expected: &str) -> Option<Text> {
        let (_, value) = self.get(key)?;
        self.scope.text(&self.title_of(key), expected, value)
    }

    pub fn flag(&self, key: &str) -> Option<bool> {
        let (_, value) = self.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.scope.complain(self.scope.wrong_type(&self.title_of(key), "`true` or `false`", value));
        }
        flag
    }

    pub fn count(&self, key: &str, min: u64, max: u64) -> Option<(u64, Span)> {
        let (_, value) = self.get(key)?;
        Some((count(self.scope, &self.title_of(key), value, min, max)?, value.span().into()))
    }

    pub fn bytes(&self, key: &str) -> Option<u64> {
        let (_, value) = self.get(key)?;
        bytes(self.scope, &self.title_of(key), value)
    }

    /// A table within, whose keys are `known`.
    pub fn table(&self, key: &str, known: impl Iterator<Item = &'static Key>) -> Option<Table<'a>> {
        let (_, value) = self.get(key)?;
        match value.get_ref().as_table() {
            Some(entries) => {
                let title = if self.title.is_empty() { format!("[{key}]") } else { self.title_of(key) };
                Some(Table::new(self.scope, title, entries, known))
            }
            None => {
                self.scope.complain(self.scope.wrong_type(&self.title_of(key), "a table", value));
                None
            }
        }
    }

    /// An array of strings, and its place. An element that is no string is reported and left out.
    pub fn texts(&self, key: &str, of: &str) -> Option<(Vec<Text>, Span)> {
        let (_, value) = self.get(key)?;
        let Some(array) = value.get_ref().as_array() else {
            let diagnostic = self.scope.wrong_type(&self.title_of(key), &format!("an array of {of}"), value);
            let help = value.get_ref().as_str().map(|text| format!("write `{key} = [{}]`", serde_json::Value::from(text)));
            self.scope.complain(diagnostic.help_if(help));
            return None;
        };
        Some((self.elements(key, of, array), value.span().into()))
    }

    fn elements(&self, key: &str, of: &str, array: &DeArray) -> Vec<Text> {
        let what = format!("an element of {}", self.title_of(key));
        array.iter().filter_map(|element| self.scope.text(&what, &format!("a string: {of}"), element)).collect()
    }
}

/// A table's entries as they stand in the file; the parser keeps them by name.
pub(super) fn in_order<'a>(table: &'a DeTable<'a>) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// An integer's value. Larger ones than TOML promises are read as far as 64 bits go.
pub(super) fn integer(integer: &DeInteger) -> Option<i128> {
    i128::from_str_radix(integer.as_str(), integer.radix()).ok()
}

pub(super) fn count(scope: &Scope, what: &str, value: &Spanned<DeValue>, min: u64, max: u64) -> Option<u64> {
    let Some(written) = value.get_ref().as_integer() else {
        scope.complain(scope.wrong_type(what, "an integer", value));
        return None;
    };
    let count = integer(written).and_then(|count| u64::try_from(count).ok()).filter(|count| (min..=max).contains(count));
    if count.is_none() {
        let expected = match max {
            _ if max >= i64::MAX as u64 => format!("expected {min} or more"),
            _ => format!("expected {min} to {max}"),
        };
        scope.complain(scope.error("out-of-range", value.span().into(), format!("{what} is out of range")).label(expected));
    }
    count
}

pub(super) fn bytes(scope: &Scope, what: &str, value: &Spanned<DeValue>) -> Option<u64> {
    match value.get_ref() {
        DeValue::Integer(_) => count(scope, what, value, 1, i64::MAX as u64),
        _ => {
            let text = scope.text(what, "a size such as \"64MiB\", or an integer of bytes", value)?;
            positive(scope, what, &text, units::bytes(&text.value), &0)
        }
    }
}

pub(super) fn time(scope: &Scope, what: &str, value: &Spanned<DeValue>, least: Duration) -> Option<Duration> {
    if let Some(number) = value.get_ref().as_integer() {
        let help = format!("write \"{}s\" or \"{}ms\"", number.as_str(), number.as_str());
        scope.complain(scope.wrong_type(what, "a time with its unit", value).help(help));
        return None;
    }
    let text = scope.text(what, "a time such as \"5s\" or \"250ms\"", value)?;
    let span = text.span;
    let time = positive(scope, what, &text, units::time(&text.value), &Duration::ZERO)?;
    if time < least {
        let diagnostic = scope.error("out-of-range", span, format!("{what} is out of range"));
        scope.complain(diagnostic.label(format!("expected {} or more: clocks are looked at no oftener", units::write_time(least))));
        return None;
    }
    Some(time)
}

/// The quantity, unless it is none or nothing.
fn positive<T: PartialEq>(scope: &Scope, what: &str, text: &Text, quantity: Result<T, UnitError>, zero: &T) -> Option<T> {
    let diagnostic = match quantity {
        Ok(quantity) if quantity != *zero => return Some(quantity),
        Ok(_) => scope.error("out-of-range", text.span, format!("{what} is out of range")).label("expected more than nothing"),
        Err(error) => {
            let diagnostic = scope.error("bad-quantity", text.span, format!("{what}: {error}"));
            match error {
                UnitError::NoNumber(_) => diagnostic.label("expected a number and a unit"),
                UnitError::NoUnit { example, .. } => diagnostic.label("expected a unit").help(format!("write \"{example}\"")),
                UnitError::UnknownUnit { known, nearest, .. } => diagnostic.label(format!("expected one of: {known}")).nearest(nearest),
                UnitError::TooLarge(_) => diagnostic.label("expected a size that fits into 64 bits"),
            }
        }
    };
    scope.complain(diagnostic);
    None
}
