//! A record for people: a line on a terminal. What the host says of it stands before what is said in it.

use tracing::Level;

use super::{GUEST, Record};
use crate::{telemetry::names::attribute, words::guest_span::Value};

/// How much of an id is shown: enough to tell the batches of a run apart, and to find the whole by.
const SHORT: usize = 8;

/// The record, with its line's end. `ids` shows the trace and the span, in short.
pub fn line(record: &Record, ids: bool, colour: bool) -> String {
    let (on, off) = if colour { (shade(record.level), "\u{1b}[0m") } else { ("", "") };
    let mut line = format!("{on}{:>5}{off} {}", record.level.as_str(), who(record));
    if let Some(context) = record.context.filter(|_| ids) {
        let (trace, span) = (context.trace.to_string(), context.span.to_string());
        line.push_str(&format!(" [{} {}]", &trace[..SHORT], &span[..SHORT]));
    }
    line.push_str(": ");
    push(&mut line, &record.body);
    for (name, value) in record.attributes.iter().filter(|(name, _)| ![attribute::PIPELINE, attribute::STAGE].contains(&name.as_ref())) {
        line.push(' ');
        push(&mut line, name);
        line.push('=');
        match value {
            Value::Text(text) => push(&mut line, &format!("{text:?}")),
            Value::Integer(integer) => line.push_str(&integer.to_string()),
            Value::Number(number) => line.push_str(&number.to_string()),
            Value::Flag(flag) => line.push_str(&flag.to_string()),
        }
    }
    line.push('\n');
    line
}

/// The stage where a stage speaks; the part of the program, and the stage that it works for, where the host does.
fn who(record: &Record) -> String {
    match (record.target, record.text(attribute::STAGE)) {
        (GUEST, Some(stage)) => stage.to_owned(),
        (target, Some(stage)) => format!("{target} for {stage}"),
        (target, None) => target.to_owned(),
    }
}

/// Text without what would begin a line, or move the cursor, or turn the direction of writing.
fn push(line: &mut String, text: &str) {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    line.extend(text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }));
}

fn shade(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\u{1b}[31m",
        Level::WARN => "\u{1b}[33m",
        Level::INFO => "\u{1b}[32m",
        _ => "\u{1b}[2m",
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::words::trace::SpanContext;

    fn record(target: &'static str, body: &str) -> Record {
        let context = Some(SpanContext::root(true));
        let attributes = vec![
            (attribute::PIPELINE.into(), Value::Text("p".into())),
            (attribute::STAGE.into(), Value::Text("s".into())),
            ("why".into(), Value::Text("a\nb".into())),
        ];
        Record { time: SystemTime::now(), level: Level::INFO, target, body: body.into(), context, attributes }
    }

    #[test]
    fn the_host_speaks_first() {
        assert_eq!(line(&record("guest", "hello"), false, false), " INFO s: hello why=\"a\\nb\"\n");
        assert_eq!(line(&record("parshall::x", "hello"), false, false), " INFO parshall::x for s: hello why=\"a\\nb\"\n");
        let record = record("guest", "hello");
        let (trace, span) = record.context.map(|c| (c.trace.to_string(), c.span.to_string())).unwrap();
        assert_eq!(line(&record, true, false), format!(" INFO s [{} {}]: hello why=\"a\\nb\"\n", &trace[..8], &span[..8]));
        assert!(line(&record, false, true).starts_with("\u{1b}[32m INFO\u{1b}[0m s: "));
    }

    /// Protects against a guest that writes lines of its own, colours, or backwards.
    #[test]
    fn a_text_stays_within_its_line() {
        let line = line(&record("guest", "a\nERROR other: b\u{1b}[31m\u{202e}c\u{2028}"), false, false);
        assert!(
            line.starts_with(" INFO s: a ERROR other: b [31m c ") && line.matches('\n').count() == 1 && !line.contains('\u{1b}'),
            "{line}"
        );
    }
}
