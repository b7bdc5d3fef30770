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

/// Series of a run that have exemplars: which, and the number of the stage, kind or source that it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// A stage's histogram of calls.
    Calls(usize),
    /// A stage's time in calls.
    Busy(usize),
    /// The histogram of all stages of a kind.
    Kind(usize),
    /// The histogram of all batches of a source.
    Source(usize),
}

/// Of each series, empty until there is one.
type Slots = BTreeMap<Of, Vec<Option<Exemplar>>>;

/// Exemplars of a run's durations.
pub struct Kept {
    scale: Arc<Scale>,
    slots: Mutex<Slots>,
}

/// Exemplars, being written.
pub struct Writing<'a> {
    scale: &'a Scale,
    slots: MutexGuard<'a, Slots>,
    at: SystemTime,
}

impl Kept {
    /// None yet.
    pub fn new(scale: &Arc<Scale>) -> Self {
        Kept { scale: Arc::clone(scale), slots: Mutex::default() }
    }

    /// To be written, all of one moment.
    pub fn write(&self, at: SystemTime) -> Writing<'_> {
        Writing { scale: &self.scale, slots: self.slots.lock().unwrap_or_else(PoisonError::into_inner), at }
    }

    /// Adds them to those of other runs, each under the name of its series.
    pub fn read(&self, name: impl Fn(Of) -> Option<Series>, into: &mut Exemplars) {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        into.extend(slots.iter().filter_map(|(of, slots)| Some((name(*of)?, slots.clone()))));
    }
}

impl Writing<'_> {
    /// A duration that a histogram has observed.
    pub fn observed(&mut self, series: Of, duration: Duration, context: SpanContext) {
        self.put(series, self.scale.buckets(), self.scale.bucket(duration.as_nanos() as u64), duration, context);
    }

    /// A duration by which a counter has grown.
    pub fn counted(&mut self, series: Of, duration: Duration, context: SpanContext) {
        self.put(series, 1, 0, duration, context);
    }

    fn put(&mut self, series: Of, buckets: usize, bucket: usize, duration: Duration, context: SpanContext) {
        let slots = self.slots.entry(series).or_default();
        slots.resize(buckets, None);
        // Spans are kept in no particular order.
        if slots[bucket].is_none_or(|before| before.at <= self.at) {
            slots[bucket] = Some(Exemplar { value: duration.as_secs_f64(), context, at: self.at });
        }
    }
}
