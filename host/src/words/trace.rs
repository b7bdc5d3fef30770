//! Whom work belongs to: W3C trace context as plain values, and the one that is current on this thread.

use std::{
    cell::Cell,
    collections::hash_map::RandomState,
    fmt,
    hash::{BuildHasher as _, Hasher as _},
    num::{NonZeroU64, NonZeroU128},
};

/// Sixteen bytes that name a trace. Never zero, which W3C calls invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(pub NonZeroU128);

/// Eight bytes that name a span. Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpanId(pub NonZeroU64);

/// A span as others refer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanContext {
    /// The trace it is part of.
    pub trace: TraceId,
    /// The span.
    pub span: SpanId,
    /// Whether it is recorded. Tail rules may still drop it; nothing that is not sampled is ever kept.
    pub sampled: bool,
}

thread_local! {
    static CURRENT: Cell<Option<SpanContext>> = const { Cell::new(None) };
    static RANDOM: Cell<u64> = Cell::new(seed());
}

/// The innermost span that this thread is in: that of the call under way, or one that its guest opened.
pub fn current() -> Option<SpanContext> {
    CURRENT.get()
}

/// Makes a span the current one until the guard is dropped.
#[must_use = "the span is current only as long as this lives"]
pub fn within(context: SpanContext) -> Within {
    Within { before: CURRENT.replace(Some(context)) }
}

/// Makes another span the current one, or none. For whoever cannot hold a guard; an outer guard still restores what was.
pub fn set_current(context: Option<SpanContext>) {
    CURRENT.set(context);
}

/// Restores the span that was current before.
pub struct Within {
    before: Option<SpanContext>,
}

impl Drop for Within {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

// Ids need to be unlike each other, not secret: splitmix64 (Steele et al. 2014), seeded from the operating system.
fn random() -> u64 {
    let state = RANDOM.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    RANDOM.set(state);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn seed() -> u64 {
    // Every `RandomState` of a process hashes differently, and its first keys come from the operating system.
    RandomState::new().build_hasher().finish()
}

// === impl TraceId, SpanId ===

impl TraceId {
    /// A new one.
    pub fn fresh() -> Self {
        TraceId(NonZeroU128::new(u128::from(random()) << 64 | u128::from(random())).unwrap_or(NonZeroU128::MIN))
    }

    /// From 32 hexadecimal digits.
    pub fn parse(hex: &str) -> Option<Self> {
        (hex.len() == 32).then(|| u128::from_str_radix(hex, 16).ok().and_then(NonZeroU128::new).map(TraceId)).flatten()
    }
}

impl SpanId {
    /// A new one.
    pub fn fresh() -> Self {
        SpanId(NonZeroU64::new(random()).unwrap_or(NonZeroU64::MIN))
    }

    /// From 16 hexadecimal digits.
    pub fn parse(hex: &str) -> Option<Self> {
        (hex.len() == 16).then(|| u64::from_str_radix(hex, 16).ok().and_then(NonZeroU64::new).map(SpanId)).flatten()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

// === impl SpanContext ===

impl SpanContext {
    /// The root of a new trace.
    pub fn root(sampled: bool) -> Self {
        SpanContext { trace: TraceId::fresh(), span: SpanId::fresh(), sampled }
    }

    /// A span below this one.
    pub fn child(&self) -> Self {
        SpanContext { span: SpanId::fresh(), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against spans that hang below a span which has ended.
    #[test]
    fn the_span_before_is_current_again_when_the_guard_goes() {
        assert_eq!(current(), None);
        let outer = SpanContext::root(true);
        let inner = outer.child();
        {
            let _outer = within(outer);
            {
                let _inner = within(inner);
                assert_eq!(current(), Some(inner));
            }
            assert_eq!(current(), Some(outer));
        }
        assert_eq!(current(), None);
    }

    /// Protects against two threads giving the same names.
    #[test]
    fn threads_do_not_repeat_each_other() {
        let ids = || (0..1000).map(|_| SpanId::fresh()).collect::<Vec<_>>();
        let mut all: Vec<_> = (0..4).map(|_| std::thread::spawn(ids)).flat_map(|thread| thread.join().unwrap()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 4000);
    }

    #[test]
    fn ids_are_written_and_read_as_w3c_says() {
        let trace = TraceId::parse("0af7651916cd43dd8448eb211c80319c").unwrap();
        assert_eq!(trace.to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(SpanId::parse("00f067aa0ba902b7").unwrap().to_string(), "00f067aa0ba902b7");
        assert_eq!(SpanId::parse("0000000000000000"), None);
        assert_eq!(TraceId::parse("0af7"), None);
    }
}
