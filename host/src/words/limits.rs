//! What one stage may use. Every limit is a named setting with a unit, a default and a reason.

use std::time::Duration;

/// The least `timeout`: deadlines are looked at this often, and a call may exceed its own by as much.
pub const LEAST_TIMEOUT: Duration = Duration::from_millis(10);

/// What one instance of a stage may use.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// How calls are metered.
    pub metering: Metering,
    /// Fuel (about one unit an executed WASM instruction) per call. Default 20 billion: some ten seconds of a core, so
    /// that the deadline usually speaks first, and a loop ends even where the clock stands still.
    pub fuel: u64,
    /// Bytes of linear memory over all memories of an instance. Default 256 MiB: a hash table over a few million groups.
    pub memory: u64,
    /// Wall-clock time of one call. Default 30 s: longer than any batch should take, short enough to notice.
    pub timeout: Duration,
    /// Elements in all tables of an instance. Default 100,000: function tables of large language runtimes have 20,000.
    pub table_elements: u64,
    /// WebAssembly tables of an instance. Default 64: a component has one or two for each core module in it.
    pub wasm_tables: u64,
    /// Linear memories of an instance, each of which reserves address space of the host. Default 16: a component has one.
    pub wasm_memories: u64,
    /// Core modules that an instance is made of. Default 256: large language runtimes have some 30.
    pub core_instances: u64,
    /// Bytes of the component. Default 64 MiB: a whole language runtime with its libraries has 40.
    pub component_bytes: u64,
    /// Time that compiling the component may take. Default 2 min: ten times what a language runtime takes on two cores.
    pub compile_time: Duration,
    /// Rows that one call may put out. Default 16,777,216.
    pub output_rows: u64,
    /// Bytes of arrays that one call may put out; rows that it names again and again count as often, beyond the batch that they are of.
    /// Default 256 MiB.
    pub output_bytes: u64,
    /// Batches that one call may put out. Default 1,024: a few for each of 64 ports.
    pub outputs: u64,
    /// Bytes that one `read` may copy into the guest. Default 256 MiB.
    pub read_bytes: u64,
    /// Calls of `finish` that may answer something before one must answer nothing. Default 1,048,576: a stage that never ends ends
    /// the run, not the host.
    pub finish_calls: u64,
    /// Rows that one call may reject. Default 1,048,576: every row of a large batch.
    pub rejections: u64,
    /// Bytes of the reason of one rejection; longer ones are cut. Default 512 B: a sentence with a value in it.
    pub reason: u64,
    /// Bytes of each text of an error that a stage reports; longer ones are cut. Default 16 KiB: a page.
    pub message: u64,
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
    /// Bytes of names, formats and metadata of a schema that a stage declares. Default 1 MiB: a few hundred for each field.
    pub schema_bytes: u64,
    /// Bytes that the `state` import may hold: keys, values, and 64 for each key. Default 16 MiB.
    pub state: u64,
    /// Bytes of a `snapshot`. Default 256 MiB: as much as a stage can remember.
    pub snapshot: u64,
    /// Bytes of the position of an extract's batch. Default 1 MiB: a dozen bytes for each of tens of thousands of files.
    pub position: u64,
    /// Bytes of the bodies of HTTP responses that one call may receive. Default 64 MiB: a page of any API, not a download.
    pub http_bytes: u64,
    /// HTTP requests of an instance under way at once, responses that are still being read included; one more is refused.
    /// Default 32: enough to keep a server busy, and no way to use up the host's sockets.
    pub http_requests: u64,
    /// Host resources (frames, readers, writers, spans, streams, requests) that a stage may hold at once. Default 1,024.
    pub handles: u64,
    /// Tables that a stage may have open at once, each of which holds files of the host open. Default 64.
    pub open_tables: u64,
}

/// How the calls of a stage are metered. Counting fuel is compiled into the guest's loops, and so is the deadline, which is always there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metering {
    /// Every call counts its fuel, and ends when that is used up.
    #[default]
    Fuel,
    /// No call counts any: a call ends at its deadline.
    Epoch,
    /// One call in so many counts its fuel. That of the others is estimated by their rows, and they end at their deadline.
    Sampled(u32),
}

/// What a component may cost before any instance of it is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loading {
    /// [`Limits::component_bytes`].
    pub bytes: u64,
    /// [`Limits::compile_time`].
    pub time: Duration,
    /// Whether it is needed in the form that counts no fuel as well.
    pub uncounted: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            metering: Metering::Fuel,
            fuel: 20_000_000_000,
            memory: 256 << 20,
            timeout: Duration::from_secs(30),
            table_elements: 100_000,
            wasm_tables: 64,
            wasm_memories: 16,
            core_instances: 256,
            component_bytes: 64 << 20,
            compile_time: Duration::from_secs(120),
            output_rows: 1 << 24,
            output_bytes: 256 << 20,
            outputs: 1_024,
            read_bytes: 256 << 20,
            finish_calls: 1 << 20,
            rejections: 1 << 20,
            reason: 512,
            message: 16 << 10,
            logs: 100,
            log_bytes: 4 << 10,
            metrics: 64,
            spans: 128,
            span_attributes: 32,
            schema_fields: 4_096,
            nesting: 32,
            schema_bytes: 1 << 20,
            state: 16 << 20,
            snapshot: 256 << 20,
            position: 1 << 20,
            http_bytes: 64 << 20,
            http_requests: 32,
            handles: 1_024,
            open_tables: 64,
        }
    }
}

// === impl Limits ===

impl Limits {
    /// What `describe` runs within, whoever asks: it belongs to no stage. A tenth of the fuel, some second of a core, because it
    /// only says what is known already.
    pub fn describing() -> Self {
        let limits = Limits::default();
        Limits { fuel: limits.fuel / 10, ..limits }
    }

    /// What the component may cost before any instance of it is there.
    pub fn loading(&self) -> Loading {
        Loading { bytes: self.component_bytes, time: self.compile_time, uncounted: self.metering != Metering::Fuel }
    }
}

// === impl Loading ===

impl Default for Loading {
    fn default() -> Self {
        Limits::default().loading()
    }
}

impl Loading {
    /// What both allow, in every form that either needs: a component is loaded once for all stages that name it.
    pub fn both(self, other: Self) -> Self {
        Loading { bytes: self.bytes.min(other.bytes), time: self.time.min(other.time), uncounted: self.uncounted || other.uncounted }
    }
}
