//! What all readers of a pipeline file share: the text, the environment, and the complaints so far.

use std::{cell::RefCell, path::Path};

use toml::{Spanned, de::DeValue};

use super::text::Text;
use crate::pipeline::{
    diagnostic::{Diagnostic, nearest},
    source::{Source, Span},
};

/// Shared by everything that reads one file.
pub(super) struct Scope<'a> {
    pub source: &'a Source,
    /// Folder that relative paths start from: absolute and normalised.
    pub base: &'a Path,
    pub env: &'a dyn Fn(&str) -> Option<String>,
    diagnostics: RefCell<Vec<Diagnostic>>,
}

impl<'a> Scope<'a> {
    pub fn new(source: &'a Source, base: &'a Path, env: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Scope { source, base, env, diagnostics: RefCell::default() }
    }

    /// An error at a place, to be completed and handed to [`Scope::complain`].
    pub fn error(&self, code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::at(code, self.source, span, message)
    }

    pub fn complain(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics.into_inner()
    }

    /// Complains that `what` is of another type than expected.
    pub fn wrong_type(&self, what: &str, expected: &str, found: &Spanned<DeValue>) -> Diagnostic {
        let message = format!("{what} has the wrong type");
        let label = format!("expected {expected}, found {}", type_name(found.get_ref()));
        self.error("wrong-type", found.span().into(), message).label(label)
    }

    /// A string with its variables filled in.
    pub fn text(&self, what: &str, expected: &str, found: &Spanned<DeValue>) -> Option<Text> {
        match found.get_ref().as_str() {
            Some(written) => Text::read(self, written, found.span().into()),
            None => {
                self.complain(self.wrong_type(what, expected, found));
                None
            }
        }
    }

    /// One of the words that there are; `noun` is what they are.
    pub fn word(&self, what: &str, found: &Spanned<DeValue>, (code, noun): (&'static str, &str), known: &[&str]) -> Option<Text> {
        let text = self.text(what, "a string", found)?;
        if known.contains(&text.value.as_str()) {
            return Some(text);
        }
        let listed = known.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let diagnostic = self.error(code, text.span, format!("{what}: there is no {noun} `{}`", text.value));
        let diagnostic = diagnostic.label(format!("expected one of: {listed}"));
        self.complain(diagnostic.nearest(nearest(&text.value, known.iter().copied())));
        None
    }
}

/// A type's name with its article.
fn type_name(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
