//! What telemetry and the process say of themselves.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use super::{
    samples::Samples,
    scale::{NANOS, SECONDS, Scale},
    tally::Observed,
};
use crate::telemetry::{
    health::{Health, Healths, SIGNALS},
    names::metric,
};

/// Reads the health of exports, the process's memory, and which program this is.
pub struct Itself {
    healths: Healths,
    scale: Scale,
    /// Durations of exports by signal; the exporters' own record is emptied by looking.
    exports: Mutex<[Observed; 3]>,
}

impl Itself {
    /// Of these exports.
    pub fn new(healths: Healths) -> Self {
        Itself { healths, scale: Scale::new(&SECONDS, NANOS), exports: Mutex::default() }
    }

    /// Puts everything into samples.
    pub fn sample(&self, samples: &mut Samples) {
        let mut exports = self.exports.lock().unwrap_or_else(PoisonError::into_inner);
        for (signal, observed) in SIGNALS.into_iter().zip(exports.iter_mut()) {
            let (health, signal) = (self.healths.of(signal), signal.as_str());
            self.take_exports(health, observed);
            let number = |number: &AtomicU64| number.load(Relaxed);
            samples.count(metric::TELEMETRY_DROPPED, &[signal, "full"], number(&health.dropped_full));
            samples.count(metric::TELEMETRY_DROPPED, &[signal, "failed"], number(&health.dropped_failed));
            samples.count(metric::TELEMETRY_EXPORTED, &[signal], number(&health.exported));
            samples.count(metric::TELEMETRY_EXPORT_FAILURES, &[signal], number(&health.failures));
            samples.count(metric::TELEMETRY_QUEUE, &[signal], number(&health.queue));
            samples.count(metric::TELEMETRY_QUEUE_LIMIT, &[signal], number(&health.queue_limit));
            samples.histogram(metric::TELEMETRY_EXPORT_SECONDS, &[signal], &self.scale, observed);
        }
        samples.number(metric::BUILD_INFO, &[env!("CARGO_PKG_VERSION")], 1.0);
        if let Some(resident) = resident() {
            samples.count(metric::MEMORY, &[], resident);
        }
    }

    fn take_exports(&self, health: &Health, observed: &mut Observed) {
        observed.buckets.resize(self.scale.buckets(), 0);
        for duration in health.take_exports() {
            let nanos = duration.as_nanos() as u64;
            observed.buckets[self.scale.bucket(nanos)] += 1;
            observed.sum += nanos;
        }
    }
}

/// Memory of this process that is resident, in bytes; known on Linux.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
}
