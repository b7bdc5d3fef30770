//! From what was gathered to OTLP's own messages. Names stay as they are: a query reads the same whether its backend scraped or was
//! pushed to. <https://opentelemetry.io/docs/specs/otel/metrics/data-model/>

use std::time::SystemTime;

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value},
    metrics::v1::{
        AggregationTemporality, Exemplar, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics,
        Sum, exemplar, metric::Data, number_data_point,
    },
    resource::v1::Resource,
};
use prometheus::proto::{self, MetricFamily, MetricType};

use crate::telemetry::metrics::{Gathered, exemplars, schema};

/// Who made the metrics.
const SCOPE: &str = "parshall";

/// The whole request.
pub fn request(gathered: &Gathered, resource: &opentelemetry_sdk::Resource) -> ExportMetricsServiceRequest {
    let attributes = resource.iter().map(|(key, value)| text(key.as_str(), value.as_str().into_owned())).collect();
    let scope = InstrumentationScope { name: SCOPE.into(), version: env!("CARGO_PKG_VERSION").into(), ..Default::default() };
    let metrics = gathered.families.iter().filter_map(|family| metric(gathered, family)).collect();
    let scopes = vec![ScopeMetrics { scope: Some(scope), metrics, schema_url: String::new() }];
    let resource = Resource { attributes, ..Default::default() };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics { resource: Some(resource), scope_metrics: scopes, schema_url: String::new() }],
    }
}

fn metric(gathered: &Gathered, family: &MetricFamily) -> Option<Metric> {
    let cumulative = AggregationTemporality::Cumulative as i32;
    let data = match family.get_field_type() {
        MetricType::COUNTER => {
            let point = |metric: &proto::Metric| number(gathered, family, metric, metric.get_counter().get_value(), true);
            let data_points = family.get_metric().iter().map(point).collect();
            Data::Sum(Sum { data_points, aggregation_temporality: cumulative, is_monotonic: true })
        }
        MetricType::GAUGE => {
            let point = |metric: &proto::Metric| number(gathered, family, metric, metric.get_gauge().get_value(), false);
            Data::Gauge(Gauge { data_points: family.get_metric().iter().map(point).collect() })
        }
        MetricType::HISTOGRAM => {
            let data_points = family.get_metric().iter().map(|metric| histogram(gathered, family, metric)).collect();
            Data::Histogram(Histogram { data_points, aggregation_temporality: cumulative })
        }
        MetricType::SUMMARY | MetricType::UNTYPED => return None,
    };
    let unit = match schema::unit(family.name()) {
        Some("seconds") => "s",
        Some("bytes") => "By",
        Some("rows") => "{row}",
        _ => "1",
    };
    let (name, description) = (family.name().to_owned(), family.help().to_owned());
    Some(Metric { name, description, unit: unit.into(), metadata: Vec::new(), data: Some(data) })
}

fn number(gathered: &Gathered, family: &MetricFamily, metric: &proto::Metric, value: f64, sum: bool) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(metric),
        // A gauge has no beginning.
        start_time_unix_nano: if sum { nanos(gathered.since) } else { 0 },
        time_unix_nano: nanos(gathered.at),
        exemplars: exemplars(gathered, family, metric),
        value: Some(number_data_point::Value::AsDouble(value)),
        ..Default::default()
    }
}

fn histogram(gathered: &Gathered, family: &MetricFamily, metric: &proto::Metric) -> HistogramDataPoint {
    let histogram = metric.get_histogram();
    let mut before = 0;
    let mut alone = |cumulated: u64| cumulated - std::mem::replace(&mut before, cumulated);
    let mut bucket_counts: Vec<u64> = histogram.get_bucket().iter().map(|bucket| alone(bucket.cumulative_count())).collect();
    bucket_counts.push(alone(histogram.get_sample_count()));
    HistogramDataPoint {
        attributes: attributes(metric),
        start_time_unix_nano: nanos(gathered.since),
        time_unix_nano: nanos(gathered.at),
        count: histogram.get_sample_count(),
        sum: Some(histogram.get_sample_sum()),
        bucket_counts,
        explicit_bounds: histogram.get_bucket().iter().map(proto::Bucket::upper_bound).collect(),
        exemplars: exemplars(gathered, family, metric),
        ..Default::default()
    }
}

fn exemplars(gathered: &Gathered, family: &MetricFamily, metric: &proto::Metric) -> Vec<Exemplar> {
    let series = (family.name().to_owned(), metric.get_label().iter().map(|label| label.value().to_owned()).collect());
    let exemplar = |exemplar: &exemplars::Exemplar| Exemplar {
        filtered_attributes: Vec::new(),
        time_unix_nano: nanos(exemplar.at),
        span_id: exemplar.context.span.0.get().to_be_bytes().to_vec(),
        trace_id: exemplar.context.trace.0.get().to_be_bytes().to_vec(),
        value: Some(exemplar::Value::AsDouble(exemplar.value)),
    };
    gathered.exemplars.get(&series).into_iter().flatten().flatten().map(exemplar).collect()
}

fn attributes(metric: &proto::Metric) -> Vec<KeyValue> {
    metric.get_label().iter().map(|label| text(label.name(), label.value().to_owned())).collect()
}

fn text(key: &str, value: String) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(Value::StringValue(value)) }), ..Default::default() }
}

fn nanos(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}
