//! How telemetry itself is doing: what waits, what was exported, what was dropped. Written by exporters, read by metrics.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::otlp::Collectors;

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

    /// Some of it, for people.
    pub fn in_words(self) -> &'static str {
        match self {
            Signal::Spans => "spans",
            Signal::Logs => "log records",
            Signal::Metrics => "metrics",
        }
    }
}

/// So much of a signal, for people: `1024 spans`.
pub fn counted(signal: Signal, items: u64) -> String {
    let of = match (signal, items) {
        (Signal::Spans, 1) => "span",
        (Signal::Logs, 1) => "log record",
        (Signal::Metrics, _) => "series",
        (other, _) => other.in_words(),
    };
    format!("{items} {of}")
}

/// A bound that spans wait within, and the setting that moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Buffer,
    Pending,
    Queue,
}

impl Bound {
    const ALL: [Bound; 3] = [Bound::Buffer, Bound::Pending, Bound::Queue];

    /// The variable that sets it.
    pub fn setting(self) -> &'static str {
        match self {
            Bound::Buffer => "PARSHALL_TRACE_BUFFER",
            Bound::Pending => "PARSHALL_TRACE_PENDING",
            Bound::Queue => "OTEL_BSP_MAX_QUEUE_SIZE",
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
    /// Which bounds were reached, a bit each.
    reached: AtomicU8,
    /// Why the first of them failed.
    why: Mutex<Option<String>>,
    /// Exports that failed.
    pub failures: AtomicU64,
    /// Items that wait.
    pub queue: AtomicU64,
    /// Items that may wait.
    pub queue_limit: AtomicU64,
    /// Durations of exports since somebody last looked.
    exports: Mutex<Vec<Duration>>,
}

/// The health of every signal, and of the collectors that they go to; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Healths(Arc<Inside>);

#[derive(Debug, Default)]
struct Inside {
    signals: [Health; 3],
    collectors: Collectors,
}

/// An export that failed.
#[derive(Clone, Copy, Debug)]
pub struct Failed<'a> {
    /// Where it went, as messages may name it.
    pub to: &'a str,
    /// Items that are lost with it.
    pub lost: u64,
    /// Why it failed.
    pub why: &'a str,
    /// Whether the end has come, so that whoever sums up tells of it.
    pub ending: bool,
}

impl Healths {
    /// Of one signal.
    pub fn of(&self, signal: Signal) -> &Health {
        &self.0.signals[signal as usize]
    }

    /// An export has failed: counts it, and says so if it is news.
    pub fn failed(&self, signal: Signal, failed: Failed<'_>) {
        let (health, before) = (self.of(signal), self.of(signal).lost());
        Health::add(&health.failures, 1);
        Health::add(&health.dropped_failed, failed.lost);
        health.failed_because(failed.why);
        self.0.collectors.failed(failed.to, signal, before, failed.why, failed.ending);
    }

    /// An export was taken as a whole: counts its items, and says so if it is news.
    pub fn delivered(&self, signal: Signal, to: &str, items: u64) {
        Health::add(&self.of(signal).exported, items);
        self.0.collectors.delivered(to, signal, self.of(signal).lost());
    }
}

impl Health {
    /// Items found no room within a bound.
    pub fn found_no_room(&self, items: u64, bound: Bound) {
        if items > 0 {
            Health::add(&self.dropped_full, items);
            self.reached.fetch_or(1 << bound as u8, Ordering::Relaxed);
        }
    }

    /// The bounds that were reached.
    pub fn reached(&self) -> Vec<Bound> {
        let reached = self.reached.load(Ordering::Relaxed);
        Bound::ALL.into_iter().filter(|bound| reached & (1 << *bound as u8) != 0).collect()
    }

    /// An export failed. What comes first is told: it is most often why the rest failed, too.
    pub fn failed_because(&self, why: &str) {
        self.why.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| why.to_owned());
    }

    /// Items that were dropped, for whatever reason.
    pub fn lost(&self) -> u64 {
        self.dropped_full.load(Ordering::Relaxed) + self.dropped_failed.load(Ordering::Relaxed)
    }

    /// Why the first export that failed did.
    pub fn why(&self) -> Option<String> {
        self.why.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

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
