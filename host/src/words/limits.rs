//! What one stage may use. Every limit is a named setting with a unit, a default and a reason.

use std::time::Duration;

/// The least `timeout`: deadlines are looked at this often, and a call may exceed its own by as much.
pub const LEAST_TIMEOUT: Duration = Duration::from_millis(10);

/// What one instance of a stage may use.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Fuel (about one unit an executed WASM instruction) per call. Default 20 billion: some ten seconds of a core, so
    /// that the deadline usually speaks first, and a loop ends even where the clock stands still.
    pub fuel: u64,
    /// Bytes of linear memory over all memories of an instance. Default 256 MiB: a hash table over a few million groups.
    pub memory: u64,
    /// Wall-clock time of one call. Default 30 s: longer than any batch should take, short enough to notice.
    pub timeout: Duration,
    /// Elements in all tables of an instance. Default 100,000: function tables of large language runtimes have 20,000.
    pub table_elements: u64,
    /// Rows that one call may put out. Default 16,777,216.
    pub output_rows: u64,
    /// Bytes of arrays that one call may put out. Default 256 MiB.
    pub output_bytes: u64,
    /// Bytes that one `read` may copy into the guest. Default 256 MiB.
    pub read_bytes: u64,
    /// Bytes of the reason of one rejection; longer ones are cut. Default 512 B: a sentence with a value in it.
    pub reason: u64,
    /// Log records per call; more are dropped and counted. Default 100.
    pub logs: u64,
    /// Bytes of one log record; longer ones are cut. Default 4 KiB.
    pub log_bytes: u64,
    /// Distinct counters and histograms of a stage's own; more are dropped and counted. Default 64.
    pub metrics: u64,
    /// Spans of its own that a stage may open per call; more are dropped and counted. Default 128: as many as OpenTelemetry
    /// allows attributes and events in a span.
    pub spans: u64,
    /// Attributes, and events, of one such span; more are dropped and counted. Default 32.
    pub span_attributes: u64,
    /// Fields of a schema that a stage declares, nested ones included. Default 4,096.
    pub schema_fields: u64,
    /// How deep types may nest. Default 32.
    pub nesting: u64,
    /// Bytes that the `state` import may hold, keys included. Default 16 MiB.
    pub state: u64,
    /// Bytes of the bodies of HTTP responses that one call may receive. Default 64 MiB: a page of any API, not a download.
    pub http_bytes: u64,
    /// HTTP requests of an instance under way at once, responses that are still being read included; one more is refused.
    /// Default 32: enough to keep a server busy, and no way to use up the host's sockets.
    pub http_requests: u64,
    /// Host resources (frames, readers, writers, spans, streams, requests) that a stage may hold at once. Default 1,024.
    pub handles: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            fuel: 20_000_000_000,
            memory: 256 << 20,
            timeout: Duration::from_secs(30),
            table_elements: 100_000,
            output_rows: 1 << 24,
            output_bytes: 256 << 20,
            read_bytes: 256 << 20,
            reason: 512,
            logs: 100,
            log_bytes: 4 << 10,
            metrics: 64,
            spans: 128,
            span_attributes: 32,
            schema_fields: 4_096,
            nesting: 32,
            state: 16 << 20,
            http_bytes: 64 << 20,
            http_requests: 32,
            handles: 1_024,
        }
    }
}
