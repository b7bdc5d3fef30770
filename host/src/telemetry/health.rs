//! How telemetry itself is doing: what waits, what was exported, what was dropped. Written by exporters, read by metrics.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The three kinds of telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Spans,
    Logs,
    Metrics,
}

/// All three, in the order of their numbers.
pub const SIGNALS: [Signal; 3] = [Signal::Spans, Signal::Logs, Signal::Metrics];

impl Signal {
    /// As its label is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Signal::Spans => "spans",
            Signal::Logs => "logs",
            Signal::Metrics => "metrics",
        }
    }
}

/// How one signal's export is doing.
#[derive(Debug, Default)]
pub struct Health {
    /// Items that were exported.
    pub exported: AtomicU64,
    /// Items that were dropped because the queue was full.
    pub dropped_full: AtomicU64,
    /// Items that were dropped because their export failed, or the time for the last flush ran out.
    pub dropped_failed: AtomicU64,
    /// Exports that failed.
    pub failures: AtomicU64,
    /// Items that wait.
    pub queue: AtomicU64,
    /// Items that may wait.
    pub queue_limit: AtomicU64,
    /// Durations of exports since somebody last looked.
    exports: Mutex<Vec<Duration>>,
}

/// The health of every signal; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Healths(Arc<[Health; 3]>);

impl Healths {
    /// Of one signal.
    pub fn of(&self, signal: Signal) -> &Health {
        &self.0[signal as usize]
    }
}

impl Health {
    /// An export took this long.
    pub fn export_took(&self, duration: Duration) {
        let mut exports = self.exports.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody looks: the oldest are the least interesting.
        if exports.len() >= 1024 {
            exports.clear();
        }
        exports.push(duration);
    }

    /// Durations of exports since this was last asked.
    pub fn take_exports(&self) -> Vec<Duration> {
        std::mem::take(&mut self.exports.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds to one of the numbers.
    pub fn add(number: &AtomicU64, by: u64) {
        number.fetch_add(by, Ordering::Relaxed);
    }
}
