//! What is said of a collector: once when it fails, whatever was on its way there, and once when it is back. Three signals may go to
//! one collector, and three messages would say nothing that one does not.

use std::sync::{Mutex, PoisonError};

use crate::telemetry::health::{SIGNALS, Signal, counted};

/// Who speaks.
const SPEAKER: &str = "parshall::telemetry";
/// Outages of a collector that are told: one that fails every second time is soon no news.
const OUTAGES: u32 = 10;

/// The collectors of a process, as far as they have failed.
#[derive(Debug, Default)]
pub struct Collectors(Mutex<Vec<Collector>>);

/// One that has failed.
#[derive(Debug)]
struct Collector {
    name: String,
    /// Of each signal that is not taken now: its items that had been lost before.
    failing: [Option<u64>; 3],
    /// Of each signal, what was lost in this outage, as far as it is over.
    lost: [u64; 3],
    /// Whether this outage has been told.
    told: bool,
    outages: u32,
}

// === impl Collectors ===

impl Collectors {
    /// A collector did not take what it was sent. `lost` is what had been lost of this signal before; `ending` says that there is no
    /// next time, so that whoever sums up tells it.
    pub fn failed(&self, name: &str, signal: Signal, lost: u64, why: &str, ending: bool) {
        if let Some(message) = self.note_failure(name, signal, lost, why, ending) {
            tracing::warn!(target: SPEAKER, "{message}");
        }
    }

    /// It took what it was sent. `lost` is what has been lost of this signal so far.
    pub fn delivered(&self, name: &str, signal: Signal, lost: u64) {
        if let Some(message) = self.note_delivery(name, signal, lost) {
            tracing::warn!(target: SPEAKER, "{message}");
        }
    }

    fn note_failure(&self, name: &str, signal: Signal, lost: u64, why: &str, ending: bool) -> Option<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.iter().position(|collector| collector.name == name).unwrap_or_else(|| {
            all.push(Collector::new(name));
            all.len() - 1
        });
        let collector = &mut all[known];
        collector.failing[signal as usize].get_or_insert(lost);
        if collector.told || ending || collector.outages >= OUTAGES {
            return None;
        }
        (collector.told, collector.outages) = (true, collector.outages + 1);
        let hint = hint(why).map_or(String::new(), |hint| format!(" ({hint})"));
        let last = if collector.outages == OUTAGES { "; it has failed often, and this is not said again" } else { "" };
        Some(format!(
            "the collector at {name} does not take {}: {why}{hint}; the run goes on, and what is lost is counted{last}",
            signal.in_words()
        ))
    }

    fn note_delivery(&self, name: &str, signal: Signal, lost: u64) -> Option<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let collector = all.iter_mut().find(|collector| collector.name == name)?;
        let before = collector.failing[signal as usize].take()?;
        collector.lost[signal as usize] += lost.saturating_sub(before);
        if collector.failing.iter().any(Option::is_some) {
            return None;
        }
        let lost = std::mem::take(&mut collector.lost);
        let lost: Vec<_> =
            SIGNALS.into_iter().zip(lost).filter(|(_, lost)| *lost > 0).map(|(signal, lost)| counted(signal, lost)).collect();
        let lost = if lost.is_empty() { "nothing was lost".to_owned() } else { format!("lost meanwhile: {}", lost.join(" and ")) };
        let told = std::mem::take(&mut collector.told);
        told.then(|| format!("the collector at {name} takes telemetry again; {lost}"))
    }
}

impl Collector {
    fn new(name: &str) -> Self {
        let (failing, lost, told, outages) = Default::default();
        Collector { name: name.to_owned(), failing, lost, told, outages }
    }
}

/// What to do about it, where that can be said.
pub fn hint(why: &str) -> Option<&'static str> {
    let known = [
        // What gRPC says of an answer in HTTP/1.1, and what comes of HTTP/1.1 at a port of gRPC.
        ("frame with invalid size", "a port for OTLP over HTTP? OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf speaks it"),
        ("invalid HTTP version parsed", "a port for OTLP over gRPC? OTEL_EXPORTER_OTLP_PROTOCOL=grpc speaks it"),
        ("connection refused", "is one running there? OTEL_EXPORTER_OTLP_ENDPOINT names it, OTEL_SDK_DISABLED=true sends nothing"),
        ("no answer within", "OTEL_EXPORTER_OTLP_TIMEOUT gives it longer, in milliseconds"),
        ("HTTP 401", "OTEL_EXPORTER_OTLP_HEADERS carries credentials"),
        ("HTTP 403", "OTEL_EXPORTER_OTLP_HEADERS carries credentials"),
        ("Unauthenticated", "OTEL_EXPORTER_OTLP_HEADERS carries credentials"),
        (
            "HTTP 404",
            "is it a collector of OTLP? `none` in OTEL_TRACES_EXPORTER, OTEL_LOGS_EXPORTER or OTEL_METRICS_EXPORTER sends it none",
        ),
        ("invalid peer certificate", "OTEL_EXPORTER_OTLP_CERTIFICATE names those that are trusted"),
    ];
    known.into_iter().find(|(part, _)| why.contains(part)).map(|(_, hint)| hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: &str = "connection refused";

    /// Protects people against a message for each signal and each request, and against one that says nothing of what was lost.
    #[test]
    fn an_outage_is_told_once_and_so_is_its_end() {
        let collectors = Collectors::default();
        let first = collectors.note_failure("http://a", Signal::Spans, 5, REFUSED, false).unwrap();
        assert!(first.starts_with("the collector at http://a does not take spans: connection refused (is one running there?"), "{first}");
        assert_eq!(collectors.note_failure("http://a", Signal::Spans, 517, REFUSED, false), None);
        assert_eq!(collectors.note_failure("http://a", Signal::Logs, 0, REFUSED, false), None, "the same collector");
        assert_eq!(collectors.note_failure("http://a", Signal::Metrics, 0, REFUSED, false), None);
        assert!(collectors.note_failure("http://b", Signal::Metrics, 0, "HTTP 404 Not Found", false).is_some(), "another one");
        assert_eq!(collectors.note_delivery("http://a", Signal::Logs, 61), None, "it takes some of it");
        assert_eq!(collectors.note_delivery("http://a", Signal::Metrics, 0), None);
        let back = collectors.note_delivery("http://a", Signal::Spans, 1_029).unwrap();
        assert_eq!(back, "the collector at http://a takes telemetry again; lost meanwhile: 1024 spans and 61 log records");
        assert_eq!(collectors.note_delivery("http://a", Signal::Spans, 1_029), None);
    }

    /// Protects logs against a collector that fails every second time, and an end that is summed up against being told twice.
    #[test]
    fn outages_are_bounded_and_the_end_is_for_the_summary() {
        let collectors = Collectors::default();
        let told = (0..50).filter_map(|_| {
            let told = collectors.note_failure("http://a", Signal::Spans, 0, "HTTP 400", false);
            collectors.note_delivery("http://a", Signal::Spans, 1);
            told
        });
        let told: Vec<_> = told.collect();
        assert_eq!(told.len(), OUTAGES as usize);
        assert!(told.last().is_some_and(|last| last.ends_with("this is not said again")));
        assert_eq!(collectors.note_failure("http://b", Signal::Spans, 0, REFUSED, true), None);
        assert_eq!(collectors.note_delivery("http://b", Signal::Spans, 1), None, "nobody was told that it was gone");
    }
}
