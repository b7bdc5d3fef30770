//! Every name that telemetry gives to anything: spans, attributes, metrics, labels. TELEMETRY.md is their schema.

/// Spans.
pub mod span {
    /// A run of a pipeline, from its start to its last commit: the root of the run's own trace.
    pub const RUN: &str = "run";
    /// A batch, from the call that brings it into being to the last that takes it: the root of the batch's trace.
    pub const BATCH: &str = "batch";
    // A call is named `EXPORT STAGE`: `process by_carrier`.
    /// A change of what a stage runs, whatever came of it. What was done for it is named `swap PHASE`: `swap guard`.
    pub const SWAP: &str = "swap";
    /// A checkpoint, whatever came of it. What was done for it is named `checkpoint PHASE`: `checkpoint drain`.
    pub const CHECKPOINT: &str = "checkpoint";
    /// An event of a call that failed, for those who opt in: what the log record of the same call says.
    pub const EXCEPTION: &str = "exception";
}

/// Attributes of spans and log records.
pub mod attribute {
    pub const PIPELINE: &str = "etl.pipeline.name";
    pub const STAGE: &str = "etl.stage.name";
    pub const KIND: &str = "etl.stage.kind";
    pub const INSTANCE: &str = "etl.stage.instance";
    pub const GENERATION: &str = "etl.stage.generation";
    pub const COMPONENT: &str = "etl.component.name";
    pub const VERSION: &str = "etl.component.version";
    pub const DIGEST: &str = "etl.component.digest";
    pub const EXPORT: &str = "etl.call.export";
    pub const OUTCOME: &str = "etl.call.outcome";
    pub const AGAIN: &str = "etl.call.again";
    pub const BLAME: &str = "etl.call.blame";
    pub const BATCH_SEQUENCE: &str = "etl.batch.sequence";
    pub const SOURCE: &str = "etl.batch.source";
    pub const BATCH_OUTCOME: &str = "etl.batch.outcome";
    pub const ROWS_IN: &str = "etl.rows.in";
    pub const ROWS_OUT: &str = "etl.rows.out";
    pub const ROWS_FILTERED: &str = "etl.rows.filtered";
    pub const ROWS_REJECTED: &str = "etl.rows.rejected";
    pub const ROWS_SET_ASIDE: &str = "etl.rows.set_aside";
    pub const ROWS_HELD: &str = "etl.rows.held";
    pub const ROWS_COMMITTED: &str = "etl.rows.committed";
    pub const BYTES_READ: &str = "etl.bytes.read";
    pub const BYTES_MADE: &str = "etl.bytes.made";
    pub const BYTES_STAYED: &str = "etl.bytes.stayed";
    pub const COLUMNS_READ: &str = "etl.columns.read";
    pub const FUEL: &str = "etl.fuel.used";
    pub const FUEL_EXACT: &str = "etl.fuel.exact";
    pub const MEMORY_PEAK: &str = "etl.memory.peak";
    pub const MEMORY_GROWTH: &str = "etl.memory.growth";
    pub const QUEUE_WAIT: &str = "etl.queue.wait";
    pub const TIME_GUEST: &str = "etl.time.guest";
    pub const TIME_COPY: &str = "etl.time.copy";
    pub const TIME_HOST: &str = "etl.time.host";
    pub const RUN_OUTCOME: &str = "etl.run.outcome";
    pub const SWAP_OUTCOME: &str = "etl.swap.outcome";
    pub const SWAP_TRIGGER: &str = "etl.swap.trigger";
    pub const SWAP_PAUSE: &str = "etl.swap.pause";
    pub const CHECKPOINT_NUMBER: &str = "etl.checkpoint.number";
    pub const CHECKPOINT_OUTCOME: &str = "etl.checkpoint.outcome";
    pub const CHECKPOINT_BYTES: &str = "etl.checkpoint.bytes";
    pub const OLD_GENERATION: &str = "etl.swap.old.generation";
    pub const OLD_DIGEST: &str = "etl.swap.old.digest";
    pub const NEW_GENERATION: &str = "etl.swap.new.generation";
    pub const NEW_DIGEST: &str = "etl.swap.new.digest";
    pub const DATASET_NAME: &str = "etl.dataset.name";
    pub const DATASET_FORMAT: &str = "etl.dataset.format";
    pub const DATASET_LOCATION: &str = "etl.dataset.location";
    pub const ERROR_TYPE: &str = "error.type";
    pub const HTTP_METHOD: &str = "http.request.method";
    pub const HTTP_STATUS: &str = "http.response.status_code";
    pub const SERVER_ADDRESS: &str = "server.address";
    pub const SERVER_PORT: &str = "server.port";
    pub const URL_SCHEME: &str = "url.scheme";
    pub const URL_PATH: &str = "url.path";
    pub const EXCEPTION_TYPE: &str = "exception.type";
    pub const EXCEPTION_MESSAGE: &str = "exception.message";
    pub const STREAM: &str = "log.iostream";
}

/// Metrics. The first four are the ones that the documents behind this project name, to the letter.
pub mod metric {
    pub const ROWS_PROCESSED: &str = "etl_rows_processed_total";
    pub const PROCESSING: &str = "etl_processing_seconds";
    pub const ERRORS: &str = "etl_errors_total";
    pub const MEMORY: &str = "etl_memory_bytes";

    pub const CALLS: &str = "etl_calls_total";
    pub const CALL_SECONDS: &str = "etl_call_seconds";
    pub const CALL_FUEL: &str = "etl_call_fuel";
    pub const CALL_MEMORY: &str = "etl_call_memory_bytes";
    pub const COPY_SECONDS: &str = "etl_copy_seconds";
    pub const QUEUE_WAIT: &str = "etl_queue_wait_seconds";
    pub const BATCH_SECONDS: &str = "etl_batch_seconds";
    pub const FUEL: &str = "etl_fuel_total";
    pub const MEMORY_GROWTH: &str = "etl_guest_memory_growth_bytes_total";
    pub const GUEST_MEMORY: &str = "etl_guest_memory_bytes";
    pub const GUEST_MEMORY_LIMIT: &str = "etl_guest_memory_limit_bytes";
    pub const BYTES: &str = "etl_bytes_total";

    pub const QUEUE_BYTES: &str = "etl_queue_bytes";
    pub const QUEUE_BATCHES: &str = "etl_queue_batches";
    pub const QUEUE_LIMIT: &str = "etl_queue_limit_bytes";
    pub const BUSY: &str = "etl_stage_busy_seconds_total";
    pub const UTILIZATION: &str = "etl_stage_utilization_ratio";
    pub const BOTTLENECK: &str = "etl_stage_bottleneck";
    pub const GENERATION: &str = "etl_stage_generation";
    pub const STAGE_INFO: &str = "etl_stage_info";

    pub const ROWS: &str = "etl_rows_total";
    pub const ROWS_ARRIVED: &str = "etl_rows_arrived_total";
    pub const ROWS_IN_FLIGHT: &str = "etl_rows_in_flight";
    pub const IMBALANCE: &str = "etl_ledger_imbalance_rows";
    pub const SOURCE_LAG: &str = "etl_source_lag_seconds";

    pub const TRAPS: &str = "etl_traps_total";
    pub const RESTARTS: &str = "etl_instance_restarts_total";
    pub const AGAIN: &str = "etl_calls_again_total";
    pub const AGAIN_SECONDS: &str = "etl_calls_again_seconds_total";
    pub const SET_ASIDE: &str = "etl_rows_set_aside_total";
    pub const SWAPS: &str = "etl_swaps_total";
    pub const CHECKPOINTS: &str = "etl_checkpoints_total";
    pub const CHECKPOINT_SECONDS: &str = "etl_checkpoint_seconds";
    pub const CHECKPOINT_PHASE_SECONDS: &str = "etl_checkpoint_phase_seconds_total";
    pub const CHECKPOINT_BYTES: &str = "etl_checkpoint_bytes";
    pub const CHECKPOINT_INTERVAL: &str = "etl_checkpoint_interval_seconds";
    pub const LAST_CHECKPOINT: &str = "etl_last_checkpoint_timestamp_seconds";
    pub const RUNS: &str = "etl_runs_total";
    pub const LAST_SUCCESS: &str = "etl_last_success_timestamp_seconds";
    pub const PIPELINE_LOADED: &str = "etl_pipeline_load_timestamp_seconds";

    pub const GUEST_COUNT: &str = "etl_guest_count_total";
    pub const GUEST_OBSERVATION: &str = "etl_guest_observation";
    pub const GUEST_DROPPED: &str = "etl_guest_telemetry_dropped_total";

    pub const TELEMETRY_DROPPED: &str = "etl_telemetry_dropped_total";
    pub const TELEMETRY_EXPORTED: &str = "etl_telemetry_exported_total";
    pub const TELEMETRY_QUEUE: &str = "etl_telemetry_queue_length";
    pub const TELEMETRY_QUEUE_LIMIT: &str = "etl_telemetry_queue_limit";
    pub const TELEMETRY_EXPORT_SECONDS: &str = "etl_telemetry_export_seconds";
    pub const TELEMETRY_EXPORT_FAILURES: &str = "etl_telemetry_export_failures_total";

    pub const BUILD_INFO: &str = "etl_build_info";
    pub const PIPELINE_INFO: &str = "etl_pipeline_info";
}

/// Labels of metrics, and what they may be.
pub mod label {
    /// A stage's name.
    pub const STAGE: &str = "stage";
    /// The extract (or extracts, joined by `+`) that a row comes from.
    pub const SOURCE: &str = "source";
    /// `extract`, `transform` or `load`.
    pub const OPERATION: &str = "operation";
    /// A reason of `CallError::reason`.
    pub const ERROR_TYPE: &str = "error_type";
    /// Calls: `ok`, `error`. Rows: `kept`, `filtered`, `rejected`, `held`, `failed`. Runs: `completed`, `stopped`, `failed`,
    /// `aborted`. Changes of a stage: `swapped`, `failed`, `resized`, `added`, `removed`, `replaced`, `rewired`. Rows that
    /// were set aside: `dead_letter`, `skip`.
    pub const OUTCOME: &str = "outcome";
    pub const PHASE: &str = "phase";
    /// `read`, `made`, `stayed`.
    pub const DIRECTION: &str = "direction";
    /// Why a guest trapped, or the limit it exceeded. Why telemetry was dropped: `full`, `failed`. Why an instance was replaced: `trap`,
    /// `limit`, `malformed`, `error`, `recycle`. Why a call was made again: `retry`, `bisect`.
    pub const REASON: &str = "reason";
    /// `spans`, `logs`, `metrics`.
    pub const SIGNAL: &str = "signal";
    /// A name that a guest gave: bounded in number per stage.
    pub const NAME: &str = "name";
    /// A pipeline's name.
    pub const PIPELINE: &str = "pipeline";
    /// `extract`, `transform` or `load`.
    pub const KIND: &str = "kind";
    /// How the pipeline file refers to a component.
    pub const COMPONENT: &str = "component";
    /// What a program or a component calls its version.
    pub const VERSION: &str = "version";
}
