//! Can the rest be believed: how is telemetry itself?

use super::WINDOW;
use crate::telemetry::{
    dashboards::{
        board::Row,
        panel::Panel,
        promql::{increase, quantile, quantile_or_zero, rate, ratio_or_zero, seen, seen_of_stage, sum},
        thresholds::QUEUE_RATIO,
    },
    names::{label, metric},
};

pub fn row() -> Row {
    const SIGNAL: &[&str] = &[label::SIGNAL];
    let (queue, limit) = (seen(metric::TELEMETRY_QUEUE), seen(metric::TELEMETRY_QUEUE_LIMIT));
    let panels = vec![
        Panel::lines("Dropped", "Spans, logs and metrics that were dropped: `full` because the collector is too slow, `failed` because it did not take them. Data is not affected; traces have gaps.")
            .stacked()
            .query("{{signal}} {{reason}}", sum(&[label::SIGNAL, label::REASON], increase(&seen(metric::TELEMETRY_DROPPED), WINDOW))),
        Panel::lines("Exported", "Items a second that were exported. 0 without a collector: set OTEL_EXPORTER_OTLP_ENDPOINT.")
            .unit("cps")
            .query("{{signal}}", sum(SIGNAL, rate(&seen(metric::TELEMETRY_EXPORTED), WINDOW))),
        Panel::lines("Queues, of their bounds", "How full the queues of the exporters are. Near 1: drops are next; keep fewer spans.")
            .unit("percentunit")
            .up_to(1.0)
            .red_from(QUEUE_RATIO)
            .query("{{signal}}", ratio_or_zero(SIGNAL, queue, limit)),
        Panel::lines("Exports (p95)", "95 of 100 exports take at most this long; 0 when there were none. Seconds: the collector is slow or far away.")
            .unit("s")
            .query("{{signal}}", quantile_or_zero(0.95, SIGNAL, &seen(metric::TELEMETRY_EXPORT_SECONDS), WINDOW)),
        Panel::lines("Exports that failed", "Any that go on: see whether the collector is there and takes what is sent; the log has its answer.")
            .query("{{signal}}", sum(SIGNAL, increase(&seen(metric::TELEMETRY_EXPORT_FAILURES), WINDOW))),
        Panel::lines("Dropped from guests", "Logs, metrics and spans of a stage's own that exceeded a bound. Any: the stage says more than anybody reads; tell its author.")
            .query("{{stage}}", sum(&[label::STAGE], increase(&seen_of_stage(metric::GUEST_DROPPED), WINDOW))),
        Panel::lines("What guests count", "The twenty counters of stages' own that grow fastest, a second; one line at 0 when stages count nothing.")
            .query(
                "{{stage}} {{name}}",
                format!(
                    "topk(20, {}) or on () vector(0)",
                    sum(&[label::STAGE, label::NAME], rate(&seen_of_stage(metric::GUEST_COUNT), WINDOW))
                ),
            ),
        Panel::lines("What guests observe (p95)", "The twenty highest of stages' own observations, in units that only the stage knows; one line at 0 when stages observe nothing.")
            .query(
                "{{stage}} {{name}}",
                format!(
                    "topk(20, {}) or on () vector(0)",
                    quantile(
                        0.95,
                        &[label::STAGE, label::NAME],
                        &seen_of_stage(metric::GUEST_OBSERVATION),
                        WINDOW
                    )
                ),
            ),
    ];
    Row { title: "Telemetry itself", panels }
}
