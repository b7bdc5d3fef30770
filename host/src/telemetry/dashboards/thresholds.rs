//! Where alerts begin: every number in one place, with its unit and why it is what it is.

/// Share of calls that may fail, from 0 to 1. A stage that works fails none; one in a hundred is no accident.
pub const ERROR_RATIO: f64 = 0.01;
/// Seconds that 95 of 100 batches stay below, from the call that brings a batch into being until its last stage lets go of it: the
/// service level that the default pipeline is held to.
pub const BATCH_P95_SECONDS: f64 = 5.0;
/// Seconds that an extract may take for a batch: well above the slowest object store, well below a coffee break.
pub const SOURCE_LAG_SECONDS: f64 = 300.0;
/// Seconds without a run that completed before somebody should look: 26 h, a nightly run with two hours of grace.
pub const NO_SUCCESS_SECONDS: f64 = 26.0 * 3_600.0;
/// Checkpoints that may be left out: a swap on trial delays one, a slow batch another.
pub const CHECKPOINTS_LATE: f64 = 10.0;
/// Share of the time that checkpoints may hold extracts up: beyond that, less often is faster.
pub const CHECKPOINT_RATIO: f64 = 0.1;
/// Share of a queue's bound from which it counts as full. The last batch seldom fits exactly, so it is not 1.
pub const QUEUE_RATIO: f64 = 0.9;
/// Share of a stage's memory limit from which an allocation may soon fail.
pub const MEMORY_RATIO: f64 = 0.9;
/// Rows that may be unaccounted for: none.
pub const IMBALANCE_ROWS: f64 = 0.0;
/// Items of telemetry that may be dropped within a window: none.
pub const TELEMETRY_DROPPED: f64 = 0.0;
/// Share of rows that may be rejected before the dashboard turns red. No alert: only who knows the data knows how much is too much.
pub const REJECTED_RATIO: f64 = 0.05;
/// Utilization from which a stage is what the others wait for.
pub const BUSY_RATIO: f64 = 0.9;

/// What recording rules and alerts look back over: four scrapes at Prometheus' default of one a minute.
pub const WINDOW: &str = "5m";
/// What alerts on single events look back over: long enough for somebody to see them.
pub const EVENT_WINDOW: &str = "15m";

/// How long before an alert fires that is about rates: a window, so that one bad moment is not enough.
pub const FOR_RATES: &str = "5m";
/// How long before a service level counts as missed.
pub const FOR_LATENCY: &str = "10m";
/// How long a queue may be full: back pressure is what queues are for, so a while.
pub const FOR_QUEUES: &str = "15m";
/// How long before a level counts: two scrapes, so that one that came in the middle of a change is not enough.
pub const FOR_LEVELS: &str = "2m";
/// How long before an event counts: it has already happened.
pub const FOR_EVENTS: &str = "0m";
/// How long a target may be away: a restart takes less.
pub const FOR_TARGETS: &str = "1m";
