//! What one call cost, as plain values.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{guest_span::GuestSpan, tables::Dataset, trace::SpanContext};

/// What one call cost. Complete also when the guest trapped, with one exception: wasmtime charges fuel per basic block
/// and keeps the running count in a register, so after a trap `fuel` may miss what was spent since the last
/// synchronisation (wasmtime #13802); `fuel_exact` says so. Where calls are not metered by fuel, or not all
/// ([`Metering`](super::limits::Metering)), `fuel` is none or an estimate, and `fuel_exact` says that too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// When the call began; none when there was nothing to call.
    pub started: Option<Instant>,
    /// Units of fuel spent by guest code.
    pub fuel: u64,
    /// Whether `fuel` is exact: it was counted, and the call returned.
    pub fuel_exact: bool,
    /// Bytes of linear memory after the call. Linear memory never shrinks, so this is also the peak.
    pub memory: u64,
    /// Bytes by which linear memory grew during the call.
    pub memory_growth: u64,
    /// Wall-clock time from entering the guest to leaving it, without `host`.
    pub guest: Duration,
    /// Time copying columns into and out of the guest, validating what came out, and carrying out the recipe.
    pub copy: Duration,
    /// Time in imports that do work of their own (tables, telemetry, state).
    pub host: Duration,
    /// Bytes of column buffers that were copied into the guest.
    pub bytes_read: u64,
    /// Bytes of column buffers that were copied out of the guest.
    pub bytes_made: u64,
    /// Bytes of the batch that never crossed the boundary.
    pub bytes_stayed: u64,
    /// Rows of the batch that went in.
    pub rows_in: u64,
    /// Rows of all batches that came out (or, for a load, that were accepted).
    pub rows_out: u64,
    /// Rows of the input that are in an output, whole or in part, or that a load took.
    pub rows_kept: u64,
    /// Rows of the input that are in no output, were not rejected and are not held.
    pub rows_filtered: u64,
    /// Rows of the input that a stage with state took in and put nothing out for (aggregate).
    pub rows_held: u64,
    /// Rows that were rejected.
    pub rows_rejected: u64,
    /// Top-level input columns that were read during this call, ascending.
    pub columns_read: Vec<u32>,
    /// For each output, where each column came from.
    pub origins: Vec<PortOrigins>,
    /// Log records, metrics and spans of the guest that exceeded a limit and were dropped.
    pub dropped: u64,
    /// What few calls say: metrics and spans of the guest's own, tables.
    pub said: Rarely,
}

/// What a call says beside its costs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// What the guest counted in counters of its own.
    pub counters: Vec<(String, u64)>,
    /// What the guest observed in histograms of its own.
    pub observations: Vec<(String, f64)>,
    /// Spans within the call, in the order in which they ended. Only of a call that is sampled.
    pub spans: Vec<GuestSpan>,
    /// Tables that were opened in this call.
    pub datasets: Vec<Dataset>,
    /// Spans, of other runs, that wrote what was read in this call, by the word of the files: each once.
    pub written_by: Vec<SpanContext>,
}

/// [`Said`], which most calls have nothing of: a usage is moved a dozen times in every call, and carries one word of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rarely(Option<Box<Said>>);

impl From<Said> for Rarely {
    fn from(said: Said) -> Self {
        Rarely(Some(Box::new(said)))
    }
}

impl Deref for Rarely {
    type Target = Said;

    fn deref(&self) -> &Said {
        static NOTHING: Said =
            Said { counters: Vec::new(), observations: Vec::new(), spans: Vec::new(), datasets: Vec::new(), written_by: Vec::new() };
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for Rarely {
    fn deref_mut(&mut self) -> &mut Said {
        self.0.get_or_insert_default()
    }
}

impl Usage {
    /// The whole call: guest, copying and imports.
    pub fn duration(&self) -> Duration {
        self.guest + self.copy + self.host
    }
}

/// Where the columns of one output came from: the raw material of column lineage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortOrigins {
    /// Index of the port.
    pub port: u32,
    /// One entry for each column of the output.
    pub columns: Arc<[Origin]>,
}

/// Where an output column came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Input column *n*, its values untouched.
    Passed(u32),
    /// Made by the guest, from the columns read in this call or before.
    Made,
    /// Read from a table by the host: it never was in the guest.
    Table,
}
