//! What was read when somebody asked: samples by metric and labels, added up where several runs have the same, and handed to the
//! registry in its own types.

use std::collections::BTreeMap;

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};

use super::{scale::Scale, schema::Family, tally::Observed};

/// Series of ended runs that are carried on, so that no counter falls back. A process that runs ever new pipelines does not
/// remember all of them for ever.
const MAX_PAST: usize = 20_000;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    /// Of a counter or a gauge.
    Number(f64),
    /// Of a histogram: upper bounds with how many observations each bucket alone has, and the sum.
    Histogram { bounds: Vec<f64>, buckets: Vec<u64>, sum: f64 },
}

/// Samples by metric and by values of its labels, in the order of the schema.
#[derive(Clone, Debug, Default)]
pub struct Samples(BTreeMap<&'static str, BTreeMap<Vec<String>, Sample>>);

impl Samples {
    /// A counter or a gauge.
    pub fn number(&mut self, name: &'static str, labels: &[&str], value: f64) {
        self.put(name, labels, Sample::Number(value));
    }

    /// A whole number.
    pub fn count(&mut self, name: &'static str, labels: &[&str], value: u64) {
        self.number(name, labels, value as f64);
    }

    /// A histogram, also when it has observed nothing yet: a series that appears with its first value hides it from `rate`.
    pub fn histogram(&mut self, name: &'static str, labels: &[&str], scale: &Scale, observed: &Observed) {
        let mut buckets = observed.buckets.clone();
        buckets.resize(scale.buckets(), 0);
        let sum = observed.sum as f64 / scale.unit;
        self.put(name, labels, Sample::Histogram { bounds: scale.exposed.clone(), buckets, sum });
    }

    /// A histogram whose sum is no whole number.
    pub fn histogram_of(&mut self, name: &'static str, labels: &[&str], bounds: &[f64], buckets: &[u64], sum: f64) {
        self.put(name, labels, Sample::Histogram { bounds: bounds.to_vec(), buckets: buckets.to_vec(), sum });
    }

    /// Two samples of the same labels are added if they are of a counter; of two gauges the later counts.
    fn put(&mut self, name: &'static str, labels: &[&str], sample: Sample) {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        merge(self.0.entry(name).or_default(), Family::of(name).kind, labels, sample);
    }

    /// Keeps what must not fall back when its run is forgotten: counters and histograms.
    pub fn retire(&mut self) {
        self.0.retain(|name, _| Family::of(name).kind != MetricType::GAUGE);
        let mut room = MAX_PAST;
        for samples in self.0.values_mut() {
            let mut kept = 0;
            samples.retain(|_, _| {
                kept += 1;
                kept <= room
            });
            room -= samples.len();
        }
    }

    /// In the registry's types.
    pub fn families(self) -> Vec<MetricFamily> {
        self.0.into_iter().map(|(name, samples)| family(Family::of(name), samples)).collect()
    }
}

fn merge(into: &mut BTreeMap<Vec<String>, Sample>, kind: MetricType, labels: Vec<String>, sample: Sample) {
    let merged = match (into.get(&labels), sample) {
        (Some(Sample::Number(before)), Sample::Number(now)) if kind == MetricType::COUNTER => Sample::Number(before + now),
        (Some(Sample::Histogram { bounds, buckets, sum }), Sample::Histogram { bounds: mine, buckets: more, sum: by })
            if *bounds == mine =>
        {
            Sample::Histogram { bounds: mine, buckets: buckets.iter().zip(&more).map(|(a, b)| a + b).collect(), sum: sum + by }
        }
        (_, sample) => sample,
    };
    into.insert(labels, merged);
}

fn family(family: &Family, samples: BTreeMap<Vec<String>, Sample>) -> MetricFamily {
    let mut made = MetricFamily::default();
    made.set_name(family.name.to_owned());
    made.set_help(family.help.to_owned());
    made.set_field_type(family.kind);
    made.set_metric(samples.into_iter().map(|(values, sample)| metric(family, values, sample)).collect());
    made
}

fn metric(family: &Family, values: Vec<String>, sample: Sample) -> Metric {
    let mut made = Metric::from_label(family.labels.iter().zip(values).map(|(name, value)| pair(name, value)).collect());
    match sample {
        Sample::Number(value) if family.kind == MetricType::COUNTER => {
            let mut counter = Counter::default();
            counter.set_value(value);
            made.set_counter(counter);
        }
        Sample::Number(value) => {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            made.set_gauge(gauge);
        }
        Sample::Histogram { bounds, buckets, sum } => made.set_histogram(histogram(&bounds, &buckets, sum)),
    }
    made
}

/// A label with its value.
pub fn pair(name: &str, value: String) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value);
    pair
}

fn histogram(bounds: &[f64], buckets: &[u64], sum: f64) -> Histogram {
    let mut cumulated = 0;
    let bucket = |(bound, count): (&f64, &u64)| {
        cumulated += count;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(cumulated);
        bucket
    };
    // The bucket of what is above all bounds is the count.
    let made = bounds.iter().zip(buckets).map(bucket).collect();
    let mut histogram = Histogram::default();
    histogram.set_bucket(made);
    histogram.set_sample_count(buckets.iter().sum());
    histogram.set_sample_sum(sum);
    histogram
}
