//! B3 of Zipkin (<https://github.com/openzipkin/b3-propagation>), as one value or as several.

use super::{carrier::Carrier, hex};
use crate::words::trace::{SpanContext, TraceId};

/// The name of the single form.
pub const SINGLE: &str = "b3";
/// Names of the multiple form.
pub const TRACE: &str = "x-b3-traceid";
pub const SPAN: &str = "x-b3-spanid";
pub const SAMPLED: &str = "x-b3-sampled";
pub const FLAGS: &str = "x-b3-flags";

/// Bytes of the longest value: trace, span, state, parent.
const LONGEST: usize = 32 + 1 + 16 + 1 + 1 + 1 + 16;

/// Writes the single form.
pub fn write_single(context: &SpanContext, carrier: &mut impl Carrier) {
    carrier.set(SINGLE, format!("{}-{}-{}", context.trace, context.span, u8::from(context.sampled)));
}

/// Writes the multiple form.
pub fn write_multiple(context: &SpanContext, carrier: &mut impl Carrier) {
    carrier.set(TRACE, context.trace.to_string());
    carrier.set(SPAN, context.span.to_string());
    carrier.set(SAMPLED, u8::from(context.sampled).to_string());
}

/// Reads either form; the single one comes first, as Zipkin says.
pub fn read(carrier: &impl Carrier) -> Option<SpanContext> {
    carrier.get(SINGLE).and_then(|text| single(&text)).or_else(|| multiple(carrier))
}

/// `TRACE-SPAN`, `TRACE-SPAN-STATE` or `TRACE-SPAN-STATE-PARENT`. A state alone names no span.
fn single(text: &str) -> Option<SpanContext> {
    if text.len() > LONGEST {
        return None;
    }
    let parts: Vec<_> = text.split('-').collect();
    let (trace, span, state) = match parts.as_slice() {
        [trace, span] => (*trace, *span, None),
        [trace, span, state] => (*trace, *span, Some(*state)),
        [trace, span, state, parent] => {
            hex::span(parent)?;
            (*trace, *span, Some(*state))
        }
        _ => return None,
    };
    let sampled = match state {
        None => DEFERRED,
        Some("1" | "d") => true,
        Some("0") => false,
        Some(_) => return None,
    };
    Some(SpanContext { trace: trace_id(trace)?, span: hex::span(span)?, sampled })
}

fn multiple(carrier: &impl Carrier) -> Option<SpanContext> {
    let (trace, span) = (carrier.get(TRACE)?, carrier.get(SPAN)?);
    let debug = carrier.get(FLAGS).is_some_and(|flags| flags == "1");
    let sampled = match carrier.get(SAMPLED).as_deref() {
        _ if debug => true,
        None => DEFERRED,
        // Older senders write words.
        Some("1" | "true") => true,
        Some("0" | "false") => false,
        Some(_) => return None,
    };
    Some(SpanContext { trace: trace_id(&trace)?, span: hex::span(&span)?, sampled })
}

/// Who says nothing of sampling leaves the decision to the receiver; we have no reason to say no.
const DEFERRED: bool = true;

/// 32 digits, or 16 that stand for the lower half.
fn trace_id(text: &str) -> Option<TraceId> {
    match text.len() {
        16 => hex::trace(&format!("{:0>32}", text)),
        _ => hex::trace(text),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const TRACE_ID: &str = "80f198ee56343ba864fe8b2a57d3eff7";
    const SPAN_ID: &str = "e457b5a2e4d86bd1";

    fn of<const N: usize>(pairs: [(&str, &str); N]) -> HashMap<String, String> {
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn both_forms_are_read_as_written() {
        for context in [SpanContext::root(true), SpanContext::root(false)] {
            let (mut single, mut multiple) = (of([]), of([]));
            write_single(&context, &mut single);
            write_multiple(&context, &mut multiple);
            assert_eq!((read(&single), read(&multiple)), (Some(context), Some(context)));
            assert_eq!((single.len(), multiple.len()), (1, 3));
        }
    }

    #[test]
    fn what_zipkin_writes_is_understood() {
        let sampled = |value: String| read(&of([(SINGLE, &value)])).map(|context| context.sampled);
        let ids = format!("{TRACE_ID}-{SPAN_ID}");
        for (tail, expected) in [("", true), ("-1", true), ("-d", true), ("-0", false), ("-1-05e3ac9a4f6e3b90", true)] {
            assert_eq!(sampled(format!("{ids}{tail}")), Some(expected), "{tail}");
        }
        let short = read(&of([(SINGLE, &format!("64fe8b2a57d3eff7-{SPAN_ID}"))])).unwrap();
        assert_eq!(short.trace.to_string(), "000000000000000064fe8b2a57d3eff7");
        let debug = read(&of([(TRACE, TRACE_ID), (SPAN, SPAN_ID), (FLAGS, "1"), (SAMPLED, "0")])).unwrap();
        assert!(debug.sampled);
    }

    #[test]
    fn what_is_malformed_is_not_there() {
        for tail in ["0", "1", "", "-", "d-1"] {
            assert_eq!(read(&of([(SINGLE, tail)])), None, "{tail}");
        }
        let ids = format!("{TRACE_ID}-{SPAN_ID}");
        for tail in ["-2", "-1-", "-1-xyz", "-1-05e3ac9a4f6e3b90-", "-", "-11"] {
            assert_eq!(read(&of([(SINGLE, &format!("{ids}{tail}"))])), None, "{tail}");
        }
        assert_eq!(read(&of([(SINGLE, &ids.to_uppercase())])), None);
        assert_eq!(read(&of([(TRACE, &"0".repeat(32)), (SPAN, SPAN_ID)])), None);
        assert_eq!(read(&of([(TRACE, TRACE_ID)])), None);
        assert_eq!(read(&of([(TRACE, TRACE_ID), (SPAN, SPAN_ID), (SAMPLED, "maybe")])), None);
    }
}
