//! Exemplars: for each bucket of a latency histogram the latest observation whose trace was kept, so that a dashboard leads from a
//! slow bucket to a trace of it. One for each bucket: their number is bounded with that of the series.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use super::scale::Scale;
use crate::words::trace::SpanContext;

/// One observation and the span that it was made in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exemplar {
    /// What was observed; for a counter, by how much it grew.
    pub value: f64,
    /// The span.
    pub context: SpanContext,
    /// When.
    pub at: SystemTime,
}

/// A series: its metric, and the values of its labels in the order of the schema.
pub type Series = (String, Vec<String>);

/// Exemplars by series: one for each bucket of a histogram, the one above all bounds last; exactly one for a counter.
pub type Exemplars = BTreeMap<Series, Vec<Option<Exemplar>>>;

/// Exemplars of a run's durations.
pub struct Kept {
    scale: Arc<Scale>,
    series: Mutex<Exemplars>,
}

impl Kept {
    /// None yet.
    pub fn new(scale: &Arc<Scale>) -> Self {
        Kept { scale: Arc::clone(scale), series: Mutex::default() }
    }

    /// A duration that a histogram has observed.
    pub fn observed(&self, name: &str, labels: &[&str], duration: Duration, context: SpanContext, at: SystemTime) {
        let bucket = self.scale.bucket(duration.as_nanos() as u64);
        self.put(name, labels, self.scale.buckets(), bucket, Exemplar { value: duration.as_secs_f64(), context, at });
    }

    /// A duration by which a counter has grown.
    pub fn counted(&self, name: &str, labels: &[&str], duration: Duration, context: SpanContext, at: SystemTime) {
        self.put(name, labels, 1, 0, Exemplar { value: duration.as_secs_f64(), context, at });
    }

    fn put(&self, name: &str, labels: &[&str], buckets: usize, bucket: usize, exemplar: Exemplar) {
        let series = (name.to_owned(), labels.iter().map(|label| (*label).to_owned()).collect());
        let mut kept = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = kept.entry(series).or_insert_with(|| vec![None; buckets]);
        // Spans are kept in no particular order.
        if slots[bucket].is_none_or(|before| before.at <= exemplar.at) {
            slots[bucket] = Some(exemplar);
        }
    }

    /// Adds them to those of other runs.
    pub fn read(&self, into: &mut Exemplars) {
        into.extend(self.series.lock().unwrap_or_else(PoisonError::into_inner).clone());
    }
}
