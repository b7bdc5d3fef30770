//! Exemplars: for each bucket of a latency histogram the latest observation whose trace was kept, so that a dashboard leads from a
//! slow bucket to a trace of it. One for each bucket: their number is bounded with that of the series.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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

/// Exemplars of a run's durations, of series that are known when it begins.
pub struct Kept {
    scale: Arc<Scale>,
    series: Vec<Series>,
    /// Of each series, empty until there is one.
    slots: Mutex<Vec<Vec<Option<Exemplar>>>>,
}

/// Exemplars, being written.
pub struct Writing<'a> {
    scale: &'a Scale,
    slots: MutexGuard<'a, Vec<Vec<Option<Exemplar>>>>,
    at: SystemTime,
}

impl Kept {
    /// None yet.
    pub fn new(scale: &Arc<Scale>, series: Vec<Series>) -> Self {
        let slots = Mutex::new(vec![Vec::new(); series.len()]);
        Kept { scale: Arc::clone(scale), series, slots }
    }

    /// To be written, all of one moment.
    pub fn write(&self, at: SystemTime) -> Writing<'_> {
        Writing { scale: &self.scale, slots: self.slots.lock().unwrap_or_else(PoisonError::into_inner), at }
    }

    /// Adds them to those of other runs.
    pub fn read(&self, into: &mut Exemplars) {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.series.iter().zip(&*slots).filter(|(_, slots)| !slots.is_empty());
        into.extend(known.map(|(series, slots)| (series.clone(), slots.clone())));
    }
}

impl Writing<'_> {
    /// A duration that the histogram of this number has observed.
    pub fn observed(&mut self, series: usize, duration: Duration, context: SpanContext) {
        self.put(series, self.scale.buckets(), self.scale.bucket(duration.as_nanos() as u64), duration, context);
    }

    /// A duration by which the counter of this number has grown.
    pub fn counted(&mut self, series: usize, duration: Duration, context: SpanContext) {
        self.put(series, 1, 0, duration, context);
    }

    fn put(&mut self, series: usize, buckets: usize, bucket: usize, duration: Duration, context: SpanContext) {
        let Some(slots) = self.slots.get_mut(series) else { return };
        slots.resize(buckets, None);
        // Spans are kept in no particular order.
        if slots[bucket].is_none_or(|before| before.at <= self.at) {
            slots[bucket] = Some(Exemplar { value: duration.as_secs_f64(), context, at: self.at });
        }
    }
}
