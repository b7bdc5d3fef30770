//! Recording rules: what alerts and long ranges of a dashboard ask for again and again, computed once. Named
//! `level:metric:operation`, where the level says which labels are left besides the job.

use super::{
    promql::{INSTANCE, JOB, Series, increase, quantile, rate, ratio, series, sum},
    thresholds::WINDOW,
};
use crate::telemetry::names::{label, metric};

/// A recording rule.
pub struct Recording {
    /// `level:metric:operation`.
    pub name: &'static str,
    /// What it records.
    pub expression: String,
}

/// Share of calls that failed.
pub const ERROR_RATIO: &str = "instance_stage:etl_calls:error_ratio_rate5m";
/// 95 of 100 batches took at most this long.
pub const BATCH_P95: &str = "instance_source:etl_batch_seconds:p95_rate5m";
/// Share of a queue's bound that is taken.
pub const QUEUE_RATIO: &str = "instance_stage:etl_queue_bytes:limit_ratio";
/// Share of the memory limit that is taken.
pub const MEMORY_RATIO: &str = "instance_stage:etl_guest_memory_bytes:limit_ratio";
/// Telemetry that was dropped.
pub const DROPPED: &str = "instance_signal:etl_telemetry_dropped:increase5m";

const STAGE: &[&str] = &[JOB, INSTANCE, label::STAGE];
const SOURCE: &[&str] = &[JOB, INSTANCE, label::SOURCE];
const SIGNAL: &[&str] = &[JOB, INSTANCE, label::SIGNAL];

/// All of them, in the order in which they are computed.
pub fn all() -> Vec<Recording> {
    let record = |name, expression| Recording { name, expression };
    let by_stage = |counter: &Series| sum(STAGE, rate(counter, WINDOW));
    let rows = |outcome| series(metric::ROWS).is(label::OUTCOME, outcome);
    let call = |share| quantile(share, STAGE, &series(metric::CALL_SECONDS), WINDOW);
    let batch = |share| quantile(share, SOURCE, &series(metric::BATCH_SECONDS), WINDOW);
    let failed = series(metric::CALLS).is(label::OUTCOME, "error");
    let (all_rows, all_calls) = (rate(&series(metric::ROWS_PROCESSED), WINDOW), rate(&series(metric::CALLS), WINDOW));
    vec![
        record("instance_stage:etl_rows_processed:rate5m", by_stage(&series(metric::ROWS_PROCESSED))),
        record("instance_stage:etl_calls:rate5m", by_stage(&series(metric::CALLS))),
        record(ERROR_RATIO, ratio(STAGE, rate(&failed, WINDOW), all_calls)),
        record("instance_stage:etl_call_seconds:p50_rate5m", call(0.5)),
        record("instance_stage:etl_call_seconds:p95_rate5m", call(0.95)),
        record("instance_stage:etl_call_seconds:p99_rate5m", call(0.99)),
        record("instance_source:etl_batch_seconds:p50_rate5m", batch(0.5)),
        record(BATCH_P95, batch(0.95)),
        record("instance_source:etl_batch_seconds:p99_rate5m", batch(0.99)),
        record("instance_stage:etl_fuel:per_row_rate5m", ratio(STAGE, rate(&series(metric::FUEL), WINDOW), all_rows)),
        record(
            "instance_stage:etl_rows:rejected_ratio_rate5m",
            ratio(STAGE, rate(&rows("rejected"), WINDOW), rate(&series(metric::ROWS_ARRIVED), WINDOW)),
        ),
        record(QUEUE_RATIO, ratio(STAGE, series(metric::QUEUE_BYTES), series(metric::QUEUE_LIMIT))),
        record(MEMORY_RATIO, ratio(STAGE, series(metric::GUEST_MEMORY), series(metric::GUEST_MEMORY_LIMIT))),
        record(DROPPED, sum(SIGNAL, increase(&series(metric::TELEMETRY_DROPPED), WINDOW))),
    ]
}
