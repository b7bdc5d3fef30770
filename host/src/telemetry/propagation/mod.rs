//! Propagation: a span's context on its way between processes, and between pipelines. One carrier trait for every transport
//! (environment, headers, metadata of files), one file for each format, chosen by `OTEL_PROPAGATORS`.
//!
//! Everything that arrives is somebody else's word: it is parsed to the letter of its specification, within bounds, and what does
//! not fit is as if it were not there. `opentelemetry_sdk` has propagators for W3C's formats, which are laxer than that (ids of any
//! length, a version of any width, `00-…-01-` with a dash at its end, baggage values cut at `=`) and keep baggage in a map without
//! order; for B3 it has none.

mod b3;
mod baggage;
mod carrier;
mod chosen;
mod environment;
mod hex;
mod trace_parent;
mod trace_state;

pub use baggage::Baggage;
pub use carrier::{Carrier, Headers};
pub use chosen::{Format, Propagators, Remote};
pub use environment::parent_from_environment;

use crate::words::{
    carry::{Pair, Propagator},
    trace::SpanContext,
};

/// What leaves this process: spans of its own, with the baggage and the trace state that the process was started with.
pub struct Outgoing {
    propagators: Propagators,
    parent: Option<Remote>,
}

// === impl Outgoing ===

impl Outgoing {
    /// By these formats, for a process with this parent.
    pub fn new(propagators: Propagators, parent: Option<Remote>) -> Self {
        Outgoing { propagators, parent }
    }
}

impl Propagator for Outgoing {
    fn inject(&self, context: &SpanContext) -> Vec<Pair> {
        let mut pairs = Vec::new();
        let parent = self.parent.as_ref();
        // Trace state is said of one trace; baggage goes wherever work goes.
        let state = parent.filter(|parent| parent.context.trace == context.trace).map_or("", |parent| parent.trace_state.as_str());
        let baggage = parent.map_or(const { &Baggage::EMPTY }, |parent| &parent.baggage);
        self.propagators.inject(context, state, baggage, &mut pairs);
        pairs
    }

    fn extract(&self, look: &dyn Fn(&str) -> Option<String>) -> Option<SpanContext> {
        self.propagators.extract(&look).map(|remote| remote.context)
    }
}
