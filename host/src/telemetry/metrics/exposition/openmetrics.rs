//! OpenMetrics 1.0.0, which the `prometheus` crate does not write:
//! <https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md>. Unlike in Prometheus' form a counter's
//! family is named without `_total`, units are told, and exemplars may follow a counter or a bucket.

use std::{fmt::Write as _, time::SystemTime};

use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};

use crate::telemetry::metrics::{
    exemplars::{Exemplar, Exemplars},
    schema,
};

/// The whole of it. Writing to a string does not fail.
pub fn text(families: &[MetricFamily], exemplars: &Exemplars) -> String {
    let mut text = String::with_capacity(64 << 10);
    for family in families {
        write_family(&mut text, family, exemplars);
    }
    text.push_str("# EOF\n");
    text
}

fn write_family(text: &mut String, family: &MetricFamily, exemplars: &Exemplars) {
    let (kind, name) = match (family.get_field_type(), family.name()) {
        (MetricType::COUNTER, name) => ("counter", name.strip_suffix("_total").unwrap_or(name)),
        (MetricType::HISTOGRAM, name) => ("histogram", name),
        (MetricType::GAUGE, name) => match name.strip_suffix("_info") {
            Some(name) => ("info", name),
            None => ("gauge", name),
        },
        // Nothing here is one.
        (MetricType::SUMMARY | MetricType::UNTYPED, _) => return,
    };
    let _ = writeln!(text, "# TYPE {name} {kind}");
    if let Some(unit) = schema::unit(name) {
        let _ = writeln!(text, "# UNIT {name} {unit}");
    }
    let _ = writeln!(text, "# HELP {name} {}", escaped(family.help()));
    for metric in family.get_metric() {
        let series = (family.name().to_owned(), metric.get_label().iter().map(|label| label.value().to_owned()).collect());
        let exemplars = exemplars.get(&series).map_or(&[][..], Vec::as_slice);
        match kind {
            "counter" => {
                write_sample(text, name, "_total", metric.get_label(), None, metric.get_counter().get_value(), exemplar(exemplars, 0))
            }
            "histogram" => write_histogram(text, name, metric, exemplars),
            "info" => write_sample(text, name, "_info", metric.get_label(), None, 1.0, None),
            _ => write_sample(text, name, "", metric.get_label(), None, metric.get_gauge().get_value(), None),
        }
    }
}

fn exemplar(exemplars: &[Option<Exemplar>], bucket: usize) -> Option<&Exemplar> {
    exemplars.get(bucket).and_then(Option::as_ref)
}

fn write_histogram(text: &mut String, name: &str, metric: &Metric, exemplars: &[Option<Exemplar>]) {
    let (labels, histogram) = (metric.get_label(), metric.get_histogram());
    let buckets = histogram.get_bucket();
    for (index, bucket) in buckets.iter().enumerate() {
        let (least, count) = (bucket.upper_bound(), bucket.cumulative_count() as f64);
        write_sample(text, name, "_bucket", labels, Some(least), count, exemplar(exemplars, index));
    }
    let count = histogram.get_sample_count() as f64;
    write_sample(text, name, "_bucket", labels, Some(f64::INFINITY), count, exemplar(exemplars, buckets.len()));
    write_sample(text, name, "_count", labels, None, count, None);
    write_sample(text, name, "_sum", labels, None, histogram.get_sample_sum(), None);
}

fn write_sample(text: &mut String, name: &str, suffix: &str, labels: &[LabelPair], least: Option<f64>, value: f64, of: Option<&Exemplar>) {
    text.push_str(name);
    text.push_str(suffix);
    let labels = labels.iter().map(|label| format!("{}=\"{}\"", label.name(), escaped(label.value())));
    let labels: Vec<String> = labels.chain(least.map(|least| format!("le=\"{}\"", bound(least)))).collect();
    if !labels.is_empty() {
        let _ = write!(text, "{{{}}}", labels.join(","));
    }
    let _ = write!(text, " {}", number(value));
    if let Some(exemplar) = of {
        // 63 of the 128 characters that the labels of an exemplar may have together.
        let (trace, span) = (exemplar.context.trace, exemplar.context.span);
        let at = exemplar.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let _ = write!(text, " # {{trace_id=\"{trace}\",span_id=\"{span}\"}} {} {:.3}", number(exemplar.value), at.as_secs_f64());
    }
    text.push('\n');
}

fn number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".into(),
        f64::NEG_INFINITY => "-Inf".into(),
        _ => value.to_string(),
    }
}

/// Bounds are always written as floating-point numbers, so that `1` and `1.0` are not two series.
fn bound(value: f64) -> String {
    if value.is_finite() && value.fract() == 0.0 { format!("{value:.1}") } else { number(value) }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
