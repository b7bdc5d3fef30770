//! Ids as all formats write them: lower-case hexadecimal, of one length, not zero.

use crate::words::trace::{SpanId, TraceId};

/// Whether this is lower-case hexadecimal. The standard library's parsers also take capitals and a sign.
pub fn is_lower(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// 32 digits.
pub fn trace(text: &str) -> Option<TraceId> {
    is_lower(text).then(|| TraceId::parse(text)).flatten()
}

/// 16 digits.
pub fn span(text: &str) -> Option<SpanId> {
    is_lower(text).then(|| SpanId::parse(text)).flatten()
}
