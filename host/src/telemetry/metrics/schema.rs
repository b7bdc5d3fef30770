//! Every metric that is exposed: its kind, its labels in order, and what it says of itself. TELEMETRY.md has the same table with
//! the values of the labels; a test compares both with what runs expose.

use prometheus::{core::Desc, proto::MetricType};

use crate::telemetry::names::{label::*, metric::*};

/// One metric.
pub struct Family {
    /// From `names`.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: MetricType,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// What it says of itself.
    pub help: &'static str,
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    Family { name, kind: MetricType::COUNTER, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    Family { name, kind: MetricType::GAUGE, labels, help }
}

const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    Family { name, kind: MetricType::HISTOGRAM, labels, help }
}

/// All of them but those that the `prometheus` crate keeps of the process.
pub const FAMILIES: &[Family] = &[
    counter(ROWS_PROCESSED, &[SOURCE, STAGE], "Rows that a stage worked on: those it took, or for an extract those it brought in."),
    histogram(PROCESSING, &[OPERATION], "Time of a call of any stage of this kind, as seen from outside."),
    counter(ERRORS, &[STAGE, ERROR_TYPE], "Calls that failed, by why."),
    gauge(MEMORY, &[], "Memory of the whole process that is resident: the host, its batches and all guests."),
    counter(CALLS, &[STAGE, OUTCOME], "Calls of a stage."),
    histogram(CALL_SECONDS, &[STAGE], "Time of a call: guest, copying and imports together."),
    histogram(CALL_FUEL, &[STAGE], "Fuel of a call."),
    histogram(CALL_MEMORY, &[STAGE], "Linear memory of the instance after a call."),
    histogram(COPY_SECONDS, &[STAGE], "Time of a call spent in copying, checking answers and carrying out recipes."),
    histogram(
        QUEUE_WAIT,
        &[STAGE],
        "Time that a batch waited in front of a stage, from when it was offered: also for room in a full queue.",
    ),
    histogram(BATCH_SECONDS, &[SOURCE], "Time from the call that brings a batch into being until the last stage lets go of it."),
    counter(FUEL, &[STAGE], "Fuel, over all calls."),
    counter(MEMORY_GROWTH, &[STAGE], "Linear memory that guests asked for."),
    gauge(GUEST_MEMORY, &[STAGE], "Linear memory of a stage's instances."),
    gauge(GUEST_MEMORY_LIMIT, &[STAGE], "Linear memory that a stage's instances may have together."),
    counter(BYTES, &[STAGE, DIRECTION], "Bytes of columns that went into a guest, came out of it, or never crossed."),
    gauge(QUEUE_BYTES, &[STAGE], "Bytes of batches that wait in front of a stage."),
    gauge(QUEUE_BATCHES, &[STAGE], "Batches that wait in front of a stage."),
    gauge(QUEUE_LIMIT, &[STAGE], "Bytes that may wait in front of a stage; one batch always may."),
    counter(BUSY, &[STAGE], "Time in calls, over all instances of a stage."),
    gauge(UTILIZATION, &[STAGE], "Share of the time that a stage's instances were in calls, over the last 15 seconds."),
    gauge(BOTTLENECK, &[STAGE], "1 for the stage with the highest utilization, 0 for all others."),
    gauge(GENERATION, &[STAGE], "Generation of the version that the stage runs, from 1; every version that was tried has its own."),
    gauge(STAGE_INFO, &[STAGE, KIND, COMPONENT, VERSION], "What a stage is."),
    counter(ROWS, &[STAGE, OUTCOME], "Where the rows of a stage went."),
    counter(ROWS_ARRIVED, &[STAGE], "Rows that were sent to a stage; for an extract, that it brought in."),
    gauge(ROWS_IN_FLIGHT, &[STAGE], "Rows that have arrived and of which nothing is known yet: they wait, or their call is under way."),
    gauge(
        IMBALANCE,
        &[STAGE],
        "Rows that arrived and are in none of etl_rows_total and etl_rows_in_flight. Anything but 0 is a bug of the host.",
    ),
    gauge(
        SOURCE_LAG,
        &[SOURCE],
        "Time since an extract last yielded a batch, or since the start of the run before the first; 0 after its end.",
    ),
    counter(TRAPS, &[STAGE, REASON], "Calls in which the guest trapped or exceeded a limit."),
    counter(RESTARTS, &[STAGE, REASON], "Instances that were opened in place of others, by why."),
    counter(AGAIN, &[STAGE, REASON], "Calls that were made again after a failure."),
    counter(AGAIN_SECONDS, &[STAGE, REASON], "Time in calls that were made again after a failure."),
    counter(SET_ASIDE, &[STAGE, OUTCOME], "Rows that a stage could not take and that did not end the run."),
    counter(CHECKPOINTS, &[OUTCOME], "Checkpoints, by what came of them."),
    histogram(
        CHECKPOINT_SECONDS,
        &[],
        "Time that a checkpoint held the extracts up, from when they were asked to hold until it was settled.",
    ),
    counter(CHECKPOINT_PHASE_SECONDS, &[PHASE], "The same time, over all checkpoints, by what it was spent on."),
    gauge(CHECKPOINT_BYTES, &[], "Bytes that all stages remembered at the last checkpoint: positions and states."),
    gauge(CHECKPOINT_INTERVAL, &[], "Time from one checkpoint to the next that the pipeline file asks for."),
    gauge(LAST_CHECKPOINT, &[], "When a checkpoint was last settled: where a run that goes on would begin."),
    counter(SWAPS, &[STAGE, OUTCOME], "Changes of a stage while it runs."),
    counter(RUNS, &[OUTCOME], "Runs that have ended."),
    gauge(LAST_SUCCESS, &[], "When a run last completed, in Unix time."),
    gauge(PIPELINE_LOADED, &[], "When a pipeline file was last loaded well, in Unix time."),
    counter(GUEST_COUNT, &[STAGE, NAME], "What a stage counts itself, by the name that it gives."),
    histogram(GUEST_OBSERVATION, &[STAGE, NAME], "What a stage observes itself, by the name that it gives."),
    counter(GUEST_DROPPED, &[STAGE], "Telemetry of a stage's own that exceeded a bound, or was no number."),
    counter(TELEMETRY_DROPPED, &[SIGNAL, REASON], "Items of telemetry that were dropped."),
    counter(TELEMETRY_EXPORTED, &[SIGNAL], "Items of telemetry that were exported."),
    gauge(TELEMETRY_QUEUE, &[SIGNAL], "Items of telemetry that wait for their export."),
    gauge(TELEMETRY_QUEUE_LIMIT, &[SIGNAL], "Items of telemetry that may wait."),
    histogram(TELEMETRY_EXPORT_SECONDS, &[SIGNAL], "Time of an export."),
    counter(TELEMETRY_EXPORT_FAILURES, &[SIGNAL], "Exports that failed."),
    gauge(BUILD_INFO, &[VERSION], "Which Parshall this is."),
    gauge(PIPELINE_INFO, &[PIPELINE], "Which pipeline this is."),
];

impl Family {
    /// The metric of this name.
    pub fn of(name: &str) -> &'static Family {
        FAMILIES.iter().find(|family| family.name == name).unwrap_or_else(|| unreachable!("{name} is in the table"))
    }

    /// As the registry wants it described.
    pub fn desc(&self) -> Desc {
        let labels = self.labels.iter().map(|label| (*label).to_owned()).collect();
        Desc::new(self.name.into(), self.help.into(), labels, Default::default()).unwrap_or_else(|error| unreachable!("{error}"))
    }
}

/// The unit that a metric's name ends with, as OpenMetrics writes it.
pub fn unit(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix("_total").unwrap_or(name);
    ["seconds", "bytes", "ratio", "rows"].into_iter().find(|unit| name.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects whoever reads TELEMETRY.md and /metrics against two different stories: what a metric says of itself is how its row in the
    /// table begins.
    #[test]
    fn what_a_metric_says_of_itself_is_what_the_table_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../TELEMETRY.md");
        let table = std::fs::read_to_string(path).unwrap();
        for Family { name, help, .. } in FAMILIES {
            let row = table.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap_or_else(|| panic!("{name} has no row"));
            let said = row.trim_end_matches('|').rsplit(" | ").next().unwrap().replace('`', "");
            assert!(said.starts_with(help.trim_end_matches('.')), "{name}: {help:?} is not how {said:?} begins");
        }
    }
}
