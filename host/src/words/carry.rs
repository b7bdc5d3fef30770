//! Context that travels with what leaves and arrives. Who writes and reads (tables) asks here; who knows the formats
//! (telemetry) answers. Without an answerer nothing travels, and what is written is what it would be without telemetry.

use std::sync::{Arc, PoisonError, RwLock};

use super::trace::{self, SpanContext};

/// A name and what travels under it.
pub type Pair = (&'static str, String);

/// Turns a span into what travels, and what arrived into a span.
pub trait Propagator: Send + Sync {
    /// What travels with work that is done in this span.
    fn inject(&self, context: &SpanContext) -> Vec<Pair>;
    /// The span that something came from. `look` answers what stands under a name.
    fn extract(&self, look: &dyn Fn(&str) -> Option<String>) -> Option<SpanContext>;
}

/// Names under which any format puts a span. Files with one of them carry a context; all others are left alone.
const SPANS: [&str; 3] = ["traceparent", "b3", "x-b3-traceid"];
/// Names that go with them.
const COMPANIONS: [&str; 6] = ["tracestate", "baggage", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags"];

static PROPAGATOR: RwLock<Option<Arc<dyn Propagator>>> = RwLock::new(None);

/// From now on this one answers, in the whole process; nobody with `None`.
pub fn answer_by(propagator: Option<Arc<dyn Propagator>>) {
    *PROPAGATOR.write().unwrap_or_else(PoisonError::into_inner) = propagator;
}

fn propagator() -> Option<Arc<dyn Propagator>> {
    PROPAGATOR.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// What a file that is finished now should carry: the span that this thread is in. Nothing where the span is not sampled: the
/// file outlives the run, and a link to a span that nobody recorded leads nowhere.
pub fn stamp() -> Vec<Pair> {
    let current = trace::current().filter(|context| context.sampled);
    current.and_then(|context| propagator().map(|propagator| propagator.inject(&context))).unwrap_or_default()
}

/// The span that wrote a file in whose metadata `look` looks.
pub fn origin(look: &dyn Fn(&str) -> Option<String>) -> Option<SpanContext> {
    propagator()?.extract(look)
}

/// Whether metadata with these names carries a context.
pub fn carries<'a>(mut names: impl Iterator<Item = &'a str>) -> bool {
    names.any(|name| SPANS.contains(&name))
}

/// Whether a name is one that a context travels under.
pub fn is_context(name: &str) -> bool {
    SPANS.contains(&name) || COMPANIONS.contains(&name)
}
