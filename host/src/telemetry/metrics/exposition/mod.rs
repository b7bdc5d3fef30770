//! Metrics as text, in the form that whoever asks understands: Prometheus' own, or OpenMetrics, which has exemplars.

mod openmetrics;

use prometheus::{Encoder as _, TextEncoder, proto::MetricFamily};

use super::{Gathered, samples::pair};

/// A form of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Prometheus' text form 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
    /// What OpenMetrics was called before it was settled; the text is the same.
    EarlyOpenMetrics,
}

impl Form {
    /// The best of what an `Accept` header asks for. Who asks for nothing that there is gets Prometheus' form, as its own libraries
    /// do it: a scrape that fails helps nobody.
    pub fn asked_for(accept: &str) -> Self {
        let mut best = (Form::Prometheus, 0.0);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let (mut quality, mut version) = (1.0, None);
            for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
                match name.trim().to_ascii_lowercase().as_str() {
                    "q" => quality = value.trim().parse::<f64>().ok().filter(|q| (0.0..=1.0).contains(q)).unwrap_or(0.0),
                    "version" => version = Some(value.trim().trim_matches('"')),
                    _ => {}
                }
            }
            let form = match (kind.as_str(), version) {
                ("application/openmetrics-text", None | Some("1.0.0")) => Form::OpenMetrics,
                ("application/openmetrics-text", Some("0.0.1")) => Form::EarlyOpenMetrics,
                ("text/plain", None | Some("0.0.4")) | ("text/*" | "*/*", _) => Form::Prometheus,
                _ => continue,
            };
            // Of two that are as welcome as each other, the first: Prometheus writes down what it likes best before the rest.
            if quality > best.1 {
                best = (form, quality);
            }
        }
        best.0
    }

    /// The `Content-Type` to answer with.
    pub fn content_type(self) -> &'static str {
        match self {
            Form::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Form::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Form::EarlyOpenMetrics => "application/openmetrics-text; version=0.0.1; charset=utf-8",
        }
    }
}

impl Gathered {
    /// As text.
    pub fn text(&self, form: Form) -> String {
        match form {
            Form::Prometheus => prometheus(&self.families),
            Form::OpenMetrics | Form::EarlyOpenMetrics => openmetrics::text(&self.families, &self.exemplars),
        }
    }

    /// As text for the node exporter, which puts what several programs have written beside its own metrics: without those of the
    /// process, which it has itself, and with the pipeline's name on all others, so that no two files have the same series.
    pub fn textfile(&self, pipeline: &str) -> String {
        let mut families = self.families.clone();
        families.retain(|family| !family.name().starts_with("process_"));
        for metric in families.iter_mut().flat_map(MetricFamily::mut_metric) {
            let mut labels = metric.take_label();
            if !labels.iter().any(|label| label.name() == crate::telemetry::names::label::PIPELINE) {
                labels.insert(0, pair(crate::telemetry::names::label::PIPELINE, pipeline.to_owned()));
            }
            metric.set_label(labels);
        }
        prometheus(&families)
    }

    /// Series that there are: a histogram has one for each bucket, and two.
    pub fn series(&self) -> u64 {
        let of = |metric: &prometheus::proto::Metric| match metric.get_histogram().get_bucket().len() {
            0 => 1,
            buckets => buckets as u64 + 3,
        };
        self.families.iter().flat_map(MetricFamily::get_metric).map(of).sum()
    }
}

fn prometheus(families: &[MetricFamily]) -> String {
    let mut text = Vec::new();
    if let Err(error) = TextEncoder::new().encode(families, &mut text) {
        tracing::warn!("metrics cannot be written as text: {error}");
    }
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a Prometheus that gets something else than it asked for: these are the headers of versions 2.42 and 3.5.
    #[test]
    fn the_form_is_the_one_that_is_liked_best_of_those_there_are() {
        let two = "application/openmetrics-text; version=1.0.0,application/openmetrics-text; version=0.0.1;q=0.75,\
                   text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let three = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                     text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        let protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,text/plain;q=0.3";
        for (accept, form) in [
            (two, Form::OpenMetrics),
            (three, Form::OpenMetrics),
            (protobuf, Form::Prometheus),
            ("", Form::Prometheus),
            ("*/*", Form::Prometheus),
            ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", Form::Prometheus),
            ("application/openmetrics-text", Form::OpenMetrics),
            ("application/openmetrics-text;q=0", Form::Prometheus),
            ("application/openmetrics-text;q=0.2, text/plain", Form::Prometheus),
            ("Application/OpenMetrics-Text; Version=0.0.1", Form::EarlyOpenMetrics),
            ("application/openmetrics-text; version=2.0.0, text/plain;q=0.1", Form::Prometheus),
        ] {
            assert_eq!(Form::asked_for(accept), form, "{accept}");
        }
    }
}
