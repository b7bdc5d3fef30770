//! The rungs: what is around a call, one thing more each.

use serde::Serialize;

use super::watch::{Layers, Spans};
use crate::wasm::Accounting;

/// A rung of the ladder. Each has what those before it have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// The component called, its answer checked and carried out, and nothing counted.
    Call,
    /// The same once more: what this machine cannot tell apart.
    Control,
    /// Ends at a deadline (wasmtime's epochs).
    Deadline,
    /// Counts fuel.
    Fuel,
    /// Holds memory and tables to their limits.
    Limiter,
    /// Tells time in the guest from time in the host.
    Clock,
    /// Metrics.
    Metrics,
    /// Spans are named, for guests and logs, and none is recorded.
    SpansUnsampled,
    /// One batch in a hundred is recorded.
    #[serde(rename = "spans_1_percent")]
    SpansOnePercent,
    /// Every batch is recorded and encoded.
    #[serde(rename = "spans_100_percent")]
    SpansSampled,
    /// And sent to a receiver of OTLP that is there.
    Export,
}

impl Rung {
    /// From the bottom.
    pub const ALL: [Rung; 11] = [
        Rung::Call,
        Rung::Control,
        Rung::Deadline,
        Rung::Fuel,
        Rung::Limiter,
        Rung::Clock,
        Rung::Metrics,
        Rung::SpansUnsampled,
        Rung::SpansOnePercent,
        Rung::SpansSampled,
        Rung::Export,
    ];

    /// As a table names it.
    pub fn name(self) -> &'static str {
        match self {
            Rung::Call => "component call",
            Rung::Control => "the same again",
            Rung::Deadline => "+ deadline",
            Rung::Fuel => "+ fuel",
            Rung::Limiter => "+ limiter",
            Rung::Clock => "+ clock",
            Rung::Metrics => "+ metrics",
            Rung::SpansUnsampled => "+ spans, unsampled",
            Rung::SpansOnePercent => "+ spans, 1 %",
            Rung::SpansSampled => "+ spans, 100 %",
            Rung::Export => "+ export",
        }
    }

    /// Its place in [`Rung::ALL`].
    pub fn place(self) -> usize {
        self as usize
    }

    /// The rung that it is compared with: the one below, and the call for the control and what stands on it.
    pub fn below(self) -> Rung {
        match self {
            Rung::Call | Rung::Control | Rung::Deadline => Rung::Call,
            other => Rung::ALL[other.place() - 1],
        }
    }

    /// How the engine accounts.
    pub fn accounting(self) -> Accounting {
        let on = |from: Rung| self.place() >= from.place();
        Accounting { deadline: on(Rung::Deadline), fuel: on(Rung::Fuel), limiter: on(Rung::Limiter), clock: on(Rung::Clock) }
    }

    /// Who watches. The last rung's spans go where `export` says.
    pub fn layers(self, export: &Spans) -> Layers {
        let spans = match self {
            Rung::SpansUnsampled => Some(Spans::sampled(0.0)),
            Rung::SpansOnePercent => Some(Spans::sampled(0.01)),
            Rung::SpansSampled => Some(Spans::sampled(1.0)),
            Rung::Export => Some(export.clone()),
            _ => None,
        };
        Layers { spans, metrics: self.place() >= Rung::Metrics.place() }
    }
}
