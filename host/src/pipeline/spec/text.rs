//! A string of the file with its variables filled in, each byte of which still knows its place.

use super::{literal::Literal, scope::Scope};
use crate::pipeline::{
    diagnostic::Diagnostic,
    source::Span,
    substitute::{SubstituteError, Substituted, substitute},
};

/// A string value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The value, with variables filled in.
    pub value: String,
    /// The whole literal, quotes included.
    pub span: Span,
    substituted: Substituted,
    literal: Option<Literal>,
}

// === impl Text ===

impl Text {
    /// Fills in the variables of a string that stands at `span`; complains where that fails.
    pub(super) fn read(scope: &Scope, written: &str, span: Span) -> Option<Self> {
        let raw = scope.source.text().get(span.start..span.end).unwrap_or_default();
        let literal = Literal::follow(raw, span.start, written);
        match substitute(written, scope.env) {
            Ok(substituted) => Some(Text { value: substituted.text.clone(), span, substituted, literal }),
            Err(error) => {
                let (SubstituteError::Missing { at, .. } | SubstituteError::Malformed { at, .. }) = &error;
                let place = literal.map_or(span, |literal| literal.place(at.clone()));
                scope.complain(complaint(scope, &error, place));
                None
            }
        }
    }

    /// Where byte `offset` of the value stands: the word or the quoted name that begins there, for something to underline.
    /// The whole literal when that cannot be told.
    pub fn place(&self, offset: usize) -> Span {
        let Some(literal) = &self.literal else { return self.span };
        let offset = offset.min(self.value.len());
        let length = token(self.value.get(offset..).unwrap_or_default());
        if length == 0 {
            let end = self.substituted.written(offset).start;
            return literal.place(end..end);
        }
        let (first, last) = (self.substituted.written(offset), self.substituted.written(offset + length - 1));
        literal.place(first.start..last.end)
    }
}

/// Bytes of the word, the quoted name or the sign that a text begins with.
fn token(text: &str) -> usize {
    let Some(first) = text.chars().next() else { return 0 };
    let quoted = "\"'`".contains(first).then(|| text[1..].find(first)).flatten();
    let word = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    quoted.map_or(word.max(first.len_utf8()), |closing| closing + 2)
}

fn complaint(scope: &Scope, error: &SubstituteError, place: Span) -> Diagnostic {
    let diagnostic = match error {
        SubstituteError::Missing { name, .. } => scope
            .error("unset-variable", place, error.to_string())
            .label("no value and no default")
            .help(format!("set it in the environment, or give a default: `${{{name}:-default}}`")),
        SubstituteError::Malformed { .. } => {
            scope.error("bad-variable", place, error.to_string()).label("expected `${NAME}` or `${NAME:-default}`")
        }
    };
    match error {
        SubstituteError::Malformed { .. } => diagnostic.help("write `$$` for a `$` that is meant as it is"),
        SubstituteError::Missing { .. } => diagnostic,
    }
}
