//! A complaint as text: headline, place, the line of the file with the place underlined, help and notes.

use super::{Diagnostic, Severity};
use crate::pipeline::source::Position;

/// Characters of a line of the file that are shown; of a longer one, those around the place.
const SHOWN: usize = 120;
/// Characters shown before the place when a line is cut.
const BEFORE: usize = 40;
/// A tab is shown as this, so that the underline stands where it should.
const TAB: &str = "    ";

pub(super) fn render(diagnostic: &Diagnostic, colour: bool) -> String {
    let paint = Paint { colour };
    let hue = match diagnostic.severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
    };
    let mut out = paint.with(hue, &diagnostic.severity.to_string());
    out += &paint.with("1", &format!(": {}", tame(&diagnostic.message).replace('\n', " ")));
    out.push('\n');
    let margin = diagnostic.position.as_ref().map_or(1, |position| position.line.to_string().len());
    match &diagnostic.position {
        Some(position) => out += &excerpt(diagnostic, position, &paint, hue),
        None => out += &format!("  {} {}\n", paint.with("1;34", "-->"), tame(&diagnostic.file)),
    }
    let asides = diagnostic.help.iter().map(|text| ("help", text)).chain(diagnostic.notes.iter().map(|text| ("note", text)));
    for (word, text) in asides {
        let head = format!("{:margin$}  {} ", "", paint.with("1;34", "="));
        // Further lines of the text stand under its first one.
        let text = tame(text).replace('\n', &format!("\n{:width$}", "", width = margin + 10));
        out += &format!("{head}{} {text}\n", paint.with("1", &format!("{word}:")));
    }
    out
}

/// The arrow line, the line of the file, and the line under it.
fn excerpt(diagnostic: &Diagnostic, position: &Position, paint: &Paint, hue: &str) -> String {
    let margin = position.line.to_string().len();
    let bar = paint.with("1;34", "|");
    let (line, start, width) = window(position);
    let carets = paint.with(hue, &"^".repeat(width));
    let label = diagnostic.label.as_ref().map(|label| format!(" {}", paint.with(hue, &tame(label).replace('\n', " "))));
    format!(
        "{:margin$} {} {}:{}:{}\n{:margin$}  {bar}\n {} {bar} {line}\n{:margin$}  {bar} {:start$}{carets}{}\n",
        "",
        paint.with("1;34", "-->"),
        tame(&diagnostic.file),
        position.line,
        position.column,
        "",
        paint.with("1;34", &position.line.to_string()),
        "",
        "",
        label.unwrap_or_default(),
    )
}

/// The line as shown, and where in it the underline starts and how long it is, in characters.
fn window(position: &Position) -> (String, usize, usize) {
    let characters: Vec<char> = position.text.chars().collect();
    let (start, end) = (position.column - 1, position.end_column - 1);
    let from = if characters.len() > SHOWN { start.saturating_sub(BEFORE) } else { 0 };
    let to = characters.len().min(from + SHOWN);
    let shown = |range: std::ops::Range<usize>| -> String {
        let range = range.start.min(characters.len())..range.end.min(characters.len());
        tame(&characters[range].iter().collect::<String>())
    };
    let ahead = if from > 0 { "… " } else { "" };
    let behind = if to < characters.len() { " …" } else { "" };
    let before = format!("{ahead}{}", shown(from..start));
    let width = shown(start..end.min(to)).chars().count().max(1);
    (format!("{before}{}{behind}", shown(start..to)), before.chars().count(), width)
}

/// Text that cannot command a terminal: file names, messages of components and lines of the file come from others.
fn tame(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => out.push_str(TAB),
            '\n' => out.push('\n'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Wraps text in ANSI escapes, or not.
struct Paint {
    colour: bool,
}

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::source::{Source, Span};

    fn at(text: &str, start: usize, end: usize) -> String {
        Diagnostic::at("x", &Source::new("f.toml", text), Span { start, end }, "wrong").label("here").render(false)
    }

    #[test]
    fn looks_like_rustc() {
        let source = Source::new("flights.toml", "[transform.x]\ninptus = [\"flights\"]\n");
        let rendered = Diagnostic::at("unknown-key", &source, Span { start: 14, end: 20 }, "unknown key `inptus`")
            .label("expected one of: inputs")
            .help("did you mean `inputs`?")
            .note("first\nsecond")
            .render(false);
        let expected = "\
error: unknown key `inptus`
  --> flights.toml:2:1
   |
 2 | inptus = [\"flights\"]
   | ^^^^^^ expected one of: inputs
   = help: did you mean `inputs`?
   = note: first
           second
";
        assert_eq!(rendered, expected);
    }

    #[test]
    fn a_tab_and_a_wide_line_number_keep_the_underline_in_place() {
        let text = "\n".repeat(99) + "\tab = 1";
        assert!(at(&text, 100, 102).ends_with("100 |     ab = 1\n     |     ^^ here\n"), "{}", at(&text, 100, 102));
    }

    #[test]
    fn of_a_long_line_the_place_is_shown() {
        let text = format!("{}HERE{}", "a".repeat(500), "b".repeat(500));
        let rendered = at(&text, 500, 504);
        let lines: Vec<&str> = rendered.lines().collect();
        let caret = lines[4].find('^').unwrap();
        assert_eq!(lines[3].chars().skip(caret).take(4).collect::<String>(), "HERE");
        assert!(lines[3].chars().count() < 140 && lines[3].contains('…'));
    }

    #[test]
    fn a_file_cannot_command_the_terminal() {
        assert!(!at("a = \u{1b}[31m", 0, 1).contains('\u{1b}'));
    }

    #[test]
    fn the_end_of_the_file_is_a_place_too() {
        assert!(at("a =", 3, 3).contains(" 1 | a =\n   |    ^ here"));
        assert!(at("a = [\n", 6, 6).contains(" 2 | \n   | ^ here"));
    }

    #[test]
    fn colours_come_only_when_asked_for() {
        let diagnostic = Diagnostic::error("x", "f.toml", "gone");
        assert_eq!(diagnostic.render(false), "error: gone\n  --> f.toml\n");
        assert!(diagnostic.render(true).contains("\u{1b}[1;31merror"));
    }
}
