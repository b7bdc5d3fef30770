//! `traceparent` of W3C Trace Context (<https://www.w3.org/TR/trace-context-2/>, 3.2).

use super::hex;
use crate::words::trace::SpanContext;

/// The name it stands under.
pub const NAME: &str = "traceparent";

/// Bytes of version 00, which later versions may only add to.
const LENGTH: usize = 55;
/// Bytes that are looked at at most: whatever a later version adds is not for us.
const MOST: usize = 512;
/// The flag of a sampled span.
const SAMPLED: u8 = 1;

/// As it is written.
pub fn write(context: &SpanContext) -> String {
    format!("00-{}-{}-{:02x}", context.trace, context.span, u8::from(context.sampled))
}

/// Version 00 to the letter, and of later versions what they share with it.
pub fn parse(text: &str) -> Option<SpanContext> {
    let text = text.trim_matches([' ', '\t']);
    if text.len() < LENGTH || text.len() > MOST || !text.is_ascii() {
        return None;
    }
    let (known, added) = text.split_at(LENGTH);
    let mut parts = known.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let shaped = parts.next().is_none() && version.len() == 2 && flags.len() == 2 && hex::is_lower(version) && hex::is_lower(flags);
    let ends = match version {
        "00" => added.is_empty(),
        "ff" => false,
        _ => added.is_empty() || added.starts_with('-'),
    };
    if !shaped || !ends {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()?;
    Some(SpanContext { trace: hex::trace(trace)?, span: hex::span(span)?, sampled: flags & SAMPLED != 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_written_is_read() {
        for context in [SpanContext::root(true), SpanContext::root(false)] {
            assert_eq!(parse(&write(&context)), Some(context));
        }
        assert!(parse(GOOD).unwrap().sampled);
    }

    /// Protects against what other parsers let through, and against refusing what is still to come.
    #[test]
    fn it_is_read_to_the_letter() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for good in [
            GOOD.to_owned(),
            format!(" {GOOD}\t"),
            GOOD.replace("-01", "-09"),
            GOOD.replacen("00-", "cc-", 1),
            GOOD.replacen("00-", "01-", 1) + "-what-comes-later",
        ] {
            assert!(parse(&good).is_some_and(|context| context.sampled), "{good}");
        }
        for wrong in [
            String::new(),
            "00".into(),
            format!("{GOOD}-"),
            format!("{GOOD}-more"),
            GOOD.replacen("00-", "ff-", 1),
            GOOD.replacen("00-", "0-", 1),
            GOOD.replacen("00-", "+0-", 1),
            GOOD.replacen("00-", "01-", 1) + "x",
            GOOD.replace(trace, &"0".repeat(32)),
            GOOD.replace(trace, &trace.to_uppercase()),
            GOOD.replace(trace, &format!("+{}", &trace[1..])),
            GOOD.replace(trace, &trace[1..]),
            GOOD.replace("00f067aa0ba902b7", "0000000000000000"),
            GOOD.replace("00f067aa0ba902b7", "00f067aa0ba902bg"),
            GOOD.replace("-01", "-0G"),
            GOOD.replace('-', "_"),
            GOOD.replace('4', "é"),
            format!("{GOOD},{GOOD}"),
        ] {
            assert_eq!(parse(&wrong), None, "{wrong}");
        }
    }
}
