//! Where each byte of a TOML string stands in the file, escapes and all.
//!
//! The parser answers a string's value and the span of its literal, quotes included. A component that complains about
//! byte 12 of an expression means byte 12 of the value; this finds the column.

use crate::pipeline::source::Span;

/// The bytes of a string's value, as runs that lead back to the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Literal {
    runs: Vec<Run>,
    /// The place of the closing quote.
    end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// First byte in the value.
    value: usize,
    /// Bytes in the value.
    length: usize,
    /// Where it stands in the file.
    file: Span,
}

// === impl Literal ===

impl Literal {
    /// Follows the literal `raw`, which begins at byte `at` of the file. Nothing when it does not amount to `value`:
    /// then only the place of the whole is known.
    pub fn follow(raw: &str, at: usize, value: &str) -> Option<Self> {
        let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| raw.starts_with(quote))?;
        let body = raw.get(quote.len()..)?.strip_suffix(quote)?;
        // A line break straight after the opening quotes is not part of a multi-line string.
        let trimmed = match quote.len() {
            3 => body.strip_prefix("\r\n").or_else(|| body.strip_prefix('\n')).unwrap_or(body),
            _ => body,
        };
        let start = at + raw.len() - quote.len() - trimmed.len();
        let mut walk = Walk { literal: Literal { runs: Vec::new(), end: start + trimmed.len() }, value: String::new(), start };
        walk.all(trimmed, quote.starts_with('"'))?;
        (walk.value == value).then_some(walk.literal)
    }

    /// Where bytes of the value stand. An escape is one place; the end of the value is that of the closing quote.
    pub fn place(&self, bytes: std::ops::Range<usize>) -> Span {
        let start = self.byte(bytes.start);
        match bytes.len() {
            0 => Span { start: start.start, end: start.start },
            _ => Span { start: start.start, end: self.byte(bytes.end - 1).end },
        }
    }

    fn byte(&self, offset: usize) -> Span {
        match self.runs.iter().find(|run| (run.value..run.value + run.length).contains(&offset)) {
            Some(run) if run.length == run.file.end - run.file.start => {
                let at = run.file.start + offset - run.value;
                Span { start: at, end: at + 1 }
            }
            Some(run) => run.file,
            None => Span { start: self.end, end: self.end },
        }
    }
}

/// A walk through the text between the quotes.
struct Walk {
    literal: Literal,
    value: String,
    start: usize,
}

impl Walk {
    fn all(&mut self, body: &str, escapes: bool) -> Option<()> {
        let mut at = 0;
        while at < body.len() {
            let rest = &body[at..];
            at += if escapes && rest.starts_with('\\') {
                let (text, length) = escape(rest)?;
                self.take(&text, at, length);
                length
            } else {
                let length = rest.find('\\').filter(|_| escapes).unwrap_or(rest.len());
                self.take(&rest[..length], at, length);
                length
            };
        }
        Some(())
    }

    fn take(&mut self, text: &str, at: usize, length: usize) {
        let file = Span { start: self.start + at, end: self.start + at + length };
        self.literal.runs.push(Run { value: self.value.len(), length: text.len(), file });
        self.value.push_str(text);
    }
}

/// What an escape stands for, and its length.
fn escape(rest: &str) -> Option<(String, usize)> {
    let kind = rest[1..].chars().next()?;
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    if digits > 0 {
        let code = u32::from_str_radix(rest.get(2..2 + digits)?, 16).ok()?;
        return Some((char::from_u32(code)?.to_string(), 2 + digits));
    }
    let one = match kind {
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        '"' | '\\' => kind,
        // A backslash at a line's end swallows all white space that follows.
        c if c.is_whitespace() => return Some((String::new(), rest.len() - rest[1..].trim_start().len())),
        _ => return None,
    };
    Some((one.to_string(), 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in the file where `bytes` of the value are.
    fn found(raw: &str, bytes: std::ops::Range<usize>) -> String {
        let document = format!("k = {raw}");
        let table = toml::de::DeTable::parse(&document).unwrap();
        let value = table.get_ref().get("k").unwrap();
        let text = value.get_ref().as_str().unwrap();
        let literal = Literal::follow(&document[value.span()], value.span().start, text).expect(raw);
        let span = literal.place(bytes);
        document[span.start..span.end].to_owned()
    }

    #[test]
    fn plain_strings() {
        assert_eq!(found("\"a + b\"", 4..5), "b");
        assert_eq!(found("'a \\ b'", 5..6), "");
        assert_eq!(found("'a \\ b'", 4..5), "b");
        assert_eq!(found("'größe + b'", 10..11), "b");
    }

    #[test]
    fn escapes_are_one_place() {
        assert_eq!(found(r#""\"a\" + b""#, 0..3), r#"\"a\""#);
        assert_eq!(found(r#""\"a\" + b""#, 6..7), "b");
        assert_eq!(found(r#""\u00e4b""#, 1..2), "\\u00e4");
        assert_eq!(found(r#""\u00e4b""#, 2..3), "b");
    }

    #[test]
    fn several_lines() {
        assert_eq!(found("\"\"\"\na\r\nb + c\"\"\"", 7..8), "c");
        assert_eq!(found("'''\na\nb + c'''", 6..7), "c");
        assert_eq!(found("\"\"\"a \\\n   b + c\"\"\"", 6..7), "c");
        assert_eq!(found("\"\"\"a\"\"\"\"", 1..2), "\"");
    }

    #[test]
    fn the_end_is_a_place() {
        assert_eq!(Literal::follow("\"ab\"", 10, "ab").unwrap().place(2..2), Span { start: 13, end: 13 });
    }

    #[test]
    fn what_does_not_amount_to_the_value_is_not_trusted() {
        assert_eq!(Literal::follow("\"ab\"", 0, "abc"), None);
        assert_eq!(Literal::follow("bare", 0, "bare"), None);
    }
}
