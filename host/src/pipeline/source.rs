//! The text of a pipeline file, and places in it.

use serde::Serialize;

/// A range of bytes of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// First byte after.
    pub end: usize,
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Span { start: range.start, end: range.end }
    }
}

/// A place as a person counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Column of the first character after, on the same line: a longer place is cut at the line's end.
    pub end_column: usize,
    /// The line.
    pub text: String,
}

/// A file's name and text.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: String,
}

// === impl Source ===

impl Source {
    /// `name` as it is to be shown.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Source { name: name.into(), text: text.into() }
    }

    /// The name as shown.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a span is. A span that reaches beyond the file, or begins within a character, is moved to where it fits.
    pub fn position(&self, span: Span) -> Position {
        let start = floor(&self.text, span.start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let rest = &self.text[line_start..];
        let text = rest[..rest.find('\n').unwrap_or(rest.len())].trim_end_matches('\r');
        let end = floor(&self.text, span.end).clamp(start, (line_start + text.len()).max(start));
        let column = self.text[line_start..start].chars().count() + 1;
        Position {
            line: self.text[..line_start].matches('\n').count() + 1,
            column,
            end_column: column + self.text[start..end].chars().count(),
            text: text.to_owned(),
        }
    }

    /// A place as `file:line:column`, for a note.
    pub fn pointer(&self, span: Span) -> String {
        let position = self.position(span);
        format!("{}:{}:{}", self.name, position.line, position.column)
    }
}

/// The last boundary of a character at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_may_end_in_crlf() {
        let source = Source::new("f", "größe = 1\r\nzwei = \"ü\"\r\n");
        let position = source.position(Span { start: source.text().find('1').unwrap(), end: 99 });
        assert_eq!((position.line, position.column, position.end_column, position.text.as_str()), (1, 9, 10, "größe = 1"));
        let at = source.text().find('ü').unwrap();
        let position = source.position(Span { start: at + 1, end: at + 2 });
        assert_eq!((position.line, position.column, position.end_column), (2, 9, 10));
    }

    #[test]
    fn beyond_the_end_is_the_end() {
        let position = Source::new("f", "ab").position(Span { start: 10, end: 12 });
        assert_eq!((position.line, position.column, position.end_column), (1, 3, 3));
    }
}
