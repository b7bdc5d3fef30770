//! Is it well? One number for each way in which it may not be.

use super::WINDOW;
use crate::telemetry::{
    dashboards::{
        board::Row,
        panel::Panel,
        promql::{ALERTS, INSTANCE, JOB, happened, max, quantile_or_zero, rate, seen, series, sum},
        thresholds::{BATCH_P95_SECONDS, SOURCE_LAG_SECONDS},
    },
    names::{label, metric},
};

pub fn row() -> Row {
    let failed = seen(metric::CALLS).is(label::OUTCOME, "error");
    let firing = series(ALERTS).like("alertname", "Parshall.*").is("alertstate", "firing");
    let panels = vec![
        Panel::stat("Rows brought in", "Rows a second that all extracts yield. 0 while a run goes on: see `Source lag`.")
            .unit("rowsps")
            .query("in", rows_of("extract")),
        Panel::stat("Rows loaded", "Rows a second that all loads take. Far below what is brought in: look for filtered and rejected rows below.")
            .unit("rowsps")
            .query("out", rows_of("load")),
        Panel::stat("Slow batches (p95)", "95 of 100 batches take at most this long from end to end. Red: the service level is missed; find the bottleneck.")
            .unit("s")
            .red_from(BATCH_P95_SECONDS)
            .query("p95", quantile_or_zero(0.95, &[], &seen(metric::BATCH_SECONDS), WINDOW)),
        Panel::stat("Failed calls", "Calls that failed within the chosen time. Any: `Errors` says which and why.")
            .red_from(1.0)
            .query("failed", sum(&[], happened(&failed, "$__range"))),
        Panel::stat("Unaccounted rows", "Rows that arrived somewhere and of which nobody knows. Anything but 0 is a bug of the host: stop the run and report it.")
            .red_from(1.0)
            .query("rows", sum(&[], format!("abs({})", seen(metric::IMBALANCE)))),
        Panel::stat("Alerts", "Alerts that fire, of any instance: their runbooks say what to do.")
            .red_from(1.0)
            .query("firing", format!("count({firing}) or on () vector(0)")),
        Panel::stat("Bottleneck", "The stage that all others wait for, and how busy it is. More instances of any other stage change nothing.")
            .unit("percentunit")
            .width(8)
            .with_names()
            .query("{{stage}}", bottleneck()),
        Panel::stat("Source lag", "The longest time since an extract that is not at its end yielded a batch. Red: its store is slow or silent, or the queue behind it is full.")
            .unit("s")
            .red_from(SOURCE_LAG_SECONDS)
            .query("lag", max(&[], seen(metric::SOURCE_LAG))),
        Panel::stat("Process memory", "Resident memory of host, batches and guests. Grows without end: look at `Guest memory` and at the queues.")
            .unit("bytes")
            .query("resident", sum(&[], seen(metric::MEMORY))),
        Panel::stat("Instances", "Processes that run the chosen pipelines, each with its version of Parshall: more than one version after an update means that some were not restarted.")
            .width(8)
            .with_names()
            .query("{{version}}", format!("count by ({}) ({})", label::VERSION, seen(metric::BUILD_INFO))),
    ];
    Row { title: "Overview", panels }
}

/// Rows a second that the stages of one kind work on.
fn rows_of(kind: &str) -> String {
    let by = [JOB, INSTANCE, label::STAGE];
    let kind = max(&by, seen(metric::STAGE_INFO).is(label::KIND, kind));
    let rows = sum(&by, rate(&seen(metric::ROWS_PROCESSED), WINDOW));
    format!("sum({rows} * on ({}) {kind}) or on () vector(0)", by.join(", "))
}

/// How busy the stages are that are bottlenecks.
fn bottleneck() -> String {
    format!("{} and on ({JOB}, {INSTANCE}, {}) {} == 1", seen(metric::UTILIZATION), label::STAGE, seen(metric::BOTTLENECK))
}
