//! PromQL, put together from names: selectors and the few shapes of expression that dashboards and rules are made of.

use std::fmt;

use crate::telemetry::names::label;

/// Label that Prometheus gives: which configuration a target comes from.
pub const JOB: &str = "job";
/// Label that Prometheus gives: which target.
pub const INSTANCE: &str = "instance";
/// Label of a histogram's buckets.
pub const LE: &str = "le";
/// Metric that Prometheus gives: whether a target could be scraped.
pub const UP: &str = "up";
/// Metric that Prometheus gives: alerts that wait or fire.
pub const ALERTS: &str = "ALERTS";
/// Metric of the `prometheus` crate's process collector.
pub const CPU: &str = "process_cpu_seconds_total";

/// Series of one metric.
#[derive(Clone, Debug)]
pub struct Series {
    name: String,
    matchers: Vec<String>,
}

/// All series of a metric.
pub fn series(name: &str) -> Series {
    Series { name: name.to_owned(), matchers: Vec::new() }
}

/// Those that the dashboard's choice of pipeline, job and instance leaves. An instance that is scraped runs one pipeline; what was
/// pushed comes from an instance that may have run many, and has the pipeline as a label of its own.
pub fn seen(name: &str) -> Series {
    series(name).like(JOB, "$job").like(INSTANCE, "$instance").like(label::PIPELINE, "$pipeline|")
}

/// Those that the dashboard's choice of stages leaves, too.
pub fn seen_of_stage(name: &str) -> Series {
    seen(name).like(label::STAGE, "$stage")
}

// === impl Series ===

impl Series {
    /// Of these, those whose label is this.
    pub fn is(self, label: &str, value: &str) -> Self {
        self.matching(label, "=", value)
    }

    /// Of these, those whose label matches.
    pub fn like(self, label: &str, pattern: &str) -> Self {
        self.matching(label, "=~", pattern)
    }

    fn matching(mut self, label: &str, how: &str, value: &str) -> Self {
        self.matchers.push(format!("{label}{how}\"{value}\""));
        self
    }

    /// A part of a histogram: `_bucket`, `_sum` or `_count`.
    pub fn part(&self, suffix: &str) -> Self {
        Series { name: self.name.clone() + suffix, matchers: self.matchers.clone() }
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.matchers.as_slice() {
            [] => f.write_str(&self.name),
            matchers => write!(f, "{}{{{}}}", self.name, matchers.join(", ")),
        }
    }
}

/// How fast counters grow, a second.
pub fn rate(counters: &Series, window: &str) -> String {
    format!("rate({counters}[{window}])")
}

/// How much counters grew.
pub fn increase(counters: &Series, window: &str) -> String {
    format!("increase({counters}[{window}])")
}

/// How much counters grew, those included that were not there before: what begins at 1, as what seldom happens does, and what was
/// pushed once, has not grown as far as `increase` can see.
pub fn happened(counters: &Series, window: &str) -> String {
    format!("(({counters} unless {counters} offset {window}) or {})", increase(counters, window))
}

/// The sum over all labels but these.
pub fn sum(by: &[&str], expression: impl fmt::Display) -> String {
    aggregate("sum", by, expression)
}

/// The highest over all labels but these.
pub fn max(by: &[&str], expression: impl fmt::Display) -> String {
    aggregate("max", by, expression)
}

fn aggregate(how: &str, by: &[&str], expression: impl fmt::Display) -> String {
    match by {
        [] => format!("{how}({expression})"),
        by => format!("{how} by ({}) ({expression})", by.join(", ")),
    }
}

/// The value below which this share of a histogram's observations lie.
pub fn quantile(share: f64, by: &[&str], histogram: &Series, window: &str) -> String {
    let by = [by, &[LE]].concat();
    format!("histogram_quantile({share}, {})", sum(&by, rate(&histogram.part("_bucket"), window)))
}

/// The same, and 0 where nothing was observed: a quantile of nothing is not a number, and draws nothing.
pub fn quantile_or_zero(share: f64, by: &[&str], histogram: &Series, window: &str) -> String {
    let count = sum(by, rate(&histogram.part("_count"), window));
    format!("({} >= 0) or 0 * {count}", quantile(share, by, histogram, window))
}

/// Two sums over the same labels, one divided by the other.
pub fn ratio(by: &[&str], part: impl fmt::Display, whole: impl fmt::Display) -> String {
    format!("{} / {}", sum(by, part), sum(by, whole))
}

/// A ratio, and 0 where there is nothing to divide by.
pub fn ratio_or_zero(by: &[&str], part: impl fmt::Display, whole: impl fmt::Display) -> String {
    let (part, whole) = (sum(by, part), sum(by, whole));
    format!("{part} / ({whole} > 0) or 0 * {whole}")
}
