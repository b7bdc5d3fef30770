//! What is written down of a call while it is hot: plain numbers in one fixed size, and a box for what is rare.

use std::time::{Duration, Instant};

use crate::words::{
    blame::Blame,
    guest_span::GuestSpan,
    observe::{Again, BatchTrace, CallFacts, CheckpointCame, CheckpointFacts, Export, Refused, Swapped, WorkerFacts},
    tables::Dataset,
    trace::{SpanContext, SpanId},
};

/// A call that may be exported: it is sampled.
#[derive(Debug)]
pub struct CallRecord {
    /// Its span; the trace is that of its batch, or of the run.
    pub span: SpanId,
    /// Number of its batch; none for a call that is about the run.
    pub batch: Option<u64>,
    pub export: Export,
    pub stage: u32,
    pub instance: u32,
    pub generation: u32,
    /// Which of the stage's inputs its batch came by.
    pub input: u32,
    pub started: Instant,
    /// Nanoseconds in the queue.
    pub waited: u64,
    /// Nanoseconds in the guest, copying, and in imports.
    pub guest: u64,
    pub copy: u64,
    pub host: u64,
    pub fuel: u64,
    pub fuel_exact: bool,
    /// Its rows have been a call's before.
    pub again: Option<Again>,
    pub memory: u64,
    pub memory_growth: u64,
    pub bytes_read: u64,
    pub bytes_made: u64,
    pub bytes_stayed: u64,
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_filtered: u64,
    pub rows_rejected: u64,
    pub rows_held: u64,
    /// The first columns that were read, a bit each. The others are rare.
    pub columns: u128,
    pub rare: Option<Box<Rare>>,
}

/// A call of a batch that is not sampled: what the slowest batches are told by, in one cache line.
#[derive(Clone, Copy, Debug)]
pub struct Brief {
    /// Number of its batch.
    pub batch: u64,
    pub export: Export,
    pub stage: u32,
    pub started: Instant,
    /// Nanoseconds, as above.
    pub waited: u64,
    pub guest: u64,
    pub copy: u64,
    pub host: u64,
}

/// What most calls have nothing of.
#[derive(Debug, Default)]
pub struct Rare {
    pub failure: Option<Failure>,
    pub spans: Vec<GuestSpan>,
    /// Tables that were opened in this call.
    pub datasets: Vec<Dataset>,
    /// Columns read beyond the first [`COLUMNS`].
    pub columns: Vec<u32>,
}

/// Why a call failed.
#[derive(Clone, Debug)]
pub struct Failure {
    pub reason: &'static str,
    pub blame: Blame,
    pub message: String,
}

/// Columns that have a bit of their own.
pub const COLUMNS: u32 = u128::BITS;

/// A batch that has gone all its way.
#[derive(Debug)]
pub struct RootRecord {
    pub context: SpanContext,
    pub sequence: u64,
    /// The stage that brought it into being.
    pub origin: usize,
    pub started: Instant,
    pub ended: Instant,
    pub links: Vec<SpanContext>,
    pub failed: bool,
    pub rejected: bool,
    /// It was thrown away, because the run was given up.
    pub dropped: bool,
    /// There was no batch.
    pub void: bool,
}

/// A run that has ended.
#[derive(Debug)]
pub struct RunRecord {
    pub ended: Instant,
    pub outcome: &'static str,
    pub rows: u64,
    /// The stage that failed, and why.
    pub failure: Option<(String, Failure)>,
}

/// A change of what a stage runs, whatever came of it.
#[derive(Debug)]
pub struct SwapRecord {
    pub span: SpanId,
    pub began: Instant,
    pub ended: Instant,
    /// The stage; none where the change was refused before it was known.
    pub stage: Option<String>,
    pub trigger: &'static str,
    pub outcome: &'static str,
    /// Why it did not stay: from a bounded set, and for a person.
    pub failure: Option<(&'static str, String)>,
    /// Where there were two: generation and digest of what ran, and of what was to run.
    pub versions: [Option<(u32, String)>; 2],
    /// The longest that a thread was held up by it.
    pub pause: Duration,
    /// What was done for it.
    pub phases: Vec<PhaseRecord>,
}

/// A checkpoint, whatever came of it.
#[derive(Debug)]
pub struct CheckpointRecord {
    pub span: SpanId,
    pub number: u64,
    pub began: Instant,
    pub ended: Instant,
    /// Bytes that all stages remembered.
    pub bytes: u64,
    /// What came of it, in a word.
    pub outcome: &'static str,
    /// Why it failed, and the stage, if one is to blame.
    pub failure: Option<(String, Failure)>,
    /// What was done for it.
    pub phases: Vec<PhaseRecord>,
}

/// Something that happens to a run, seldom, and in phases.
#[derive(Debug)]
pub enum Happened {
    Swap(SwapRecord),
    Checkpoint(CheckpointRecord),
}

/// What was done for a change or a checkpoint.
#[derive(Debug)]
pub struct PhaseRecord {
    pub span: SpanId,
    pub name: &'static str,
    pub began: Instant,
    pub ended: Instant,
}

// === impl CallRecord ===

impl CallRecord {
    /// Of a call that a worker has made.
    #[inline]
    pub fn of(worker: &WorkerFacts, call: &CallFacts<'_>) -> Self {
        let usage = call.usage;
        let (columns, more) = columns(&usage.columns_read);
        let ordinary = call.error.is_none() && usage.said.spans.is_empty() && usage.said.datasets.is_empty() && more.is_empty();
        CallRecord {
            span: call.context.span,
            batch: call.batch.map(|batch| batch.sequence),
            export: call.export,
            stage: worker.stage as u32,
            instance: worker.instance as u32,
            generation: worker.generation,
            input: call.input,
            // Nothing was called: it took no time, now.
            started: usage.started.unwrap_or_else(Instant::now),
            waited: nanoseconds(call.waited),
            guest: nanoseconds(usage.guest),
            copy: nanoseconds(usage.copy),
            host: nanoseconds(usage.host),
            fuel: usage.fuel,
            fuel_exact: usage.fuel_exact,
            again: call.again,
            memory: usage.memory,
            memory_growth: usage.memory_growth,
            bytes_read: usage.bytes_read,
            bytes_made: usage.bytes_made,
            bytes_stayed: usage.bytes_stayed,
            rows_in: usage.rows_in,
            rows_out: usage.rows_out,
            rows_filtered: usage.rows_filtered,
            rows_rejected: usage.rows_rejected,
            rows_held: usage.rows_held,
            columns,
            rare: if ordinary { None } else { Some(rare(call, more)) },
        }
    }

    /// All of the call.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.guest + self.copy + self.host)
    }

    /// How many spans it becomes: its own and its guest's.
    pub fn spans(&self) -> usize {
        1 + self.rare.as_ref().map_or(0, |rare| rare.spans.len())
    }

    /// What the slowest batches are told by.
    pub fn brief(&self) -> Brief {
        let CallRecord { export, stage, started, waited, guest, copy, host, .. } = *self;
        Brief { batch: self.batch.unwrap_or_default(), export, stage, started, waited, guest, copy, host }
    }

    /// Why it failed.
    pub fn failure(&self) -> Option<&Failure> {
        self.rare.as_ref().and_then(|rare| rare.failure.as_ref())
    }

    /// The columns that it read, ascending.
    pub fn columns(&self) -> impl Iterator<Item = u32> + Clone + '_ {
        let mut left = self.columns;
        let with_bit = std::iter::from_fn(move || {
            let column = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            (column < COLUMNS).then_some(column)
        });
        let more = self.rare.as_ref().map_or(&[][..], |rare| rare.columns.as_slice());
        with_bit.chain(more.iter().copied())
    }
}

#[cold]
fn rare(call: &CallFacts<'_>, columns: &[u32]) -> Box<Rare> {
    let (spans, datasets) = (call.usage.said.spans.clone(), call.usage.said.datasets.clone());
    Box::new(Rare { failure: call.error.map(Failure::of), spans, datasets, columns: columns.to_vec() })
}

/// Columns as bits, and those that have none. They come ascending.
#[inline]
fn columns(read: &[u32]) -> (u128, &[u32]) {
    let with_bit = read.iter().take_while(|column| **column < COLUMNS);
    let (bits, taken) = with_bit.fold((0, 0), |(bits, taken), column| (bits | 1 << column, taken + 1));
    (bits, &read[taken..])
}

/// All of a duration in one number.
#[inline]
pub fn nanoseconds(duration: Duration) -> u64 {
    // 584 years fit.
    duration.as_secs() * 1_000_000_000 + u64::from(duration.subsec_nanos())
}

// === impl Brief ===

impl Brief {
    /// Of a call on a batch.
    #[inline]
    pub fn of(stage: usize, batch: u64, call: &CallFacts<'_>) -> Self {
        let usage = call.usage;
        Brief {
            batch,
            export: call.export,
            stage: stage as u32,
            started: usage.started.unwrap_or_else(Instant::now),
            waited: nanoseconds(call.waited),
            guest: nanoseconds(usage.guest),
            copy: nanoseconds(usage.copy),
            host: nanoseconds(usage.host),
        }
    }
}

// === impl Failure ===

impl Failure {
    /// Of a failed call.
    pub fn of(error: &crate::words::call::CallError) -> Self {
        Failure { reason: error.reason(), blame: error.blame(), message: error.to_string() }
    }
}

// === impl RootRecord ===

impl RootRecord {
    /// Of a batch that nobody holds any more.
    pub fn of(batch: &BatchTrace, ended: Instant) -> Self {
        RootRecord {
            context: batch.root,
            sequence: batch.sequence,
            origin: batch.origin,
            started: batch.started,
            ended,
            links: batch.linked(),
            failed: batch.failed(),
            rejected: batch.rejected(),
            dropped: batch.dropped(),
            void: batch.is_void(),
        }
    }

    /// From end to end.
    pub fn duration(&self) -> Duration {
        self.ended.saturating_duration_since(self.started)
    }
}

// === impl SwapRecord ===

impl SwapRecord {
    /// Of a change that came as far as a stage.
    pub fn of(swap: &Swapped<'_>) -> Self {
        let failed = ["refused", "rolled_back"].contains(&swap.outcome);
        SwapRecord {
            stage: Some(swap.facts.name.clone()),
            outcome: swap.outcome,
            failure: failed.then(|| (swap.reason.unwrap_or("unknown"), swap.message.unwrap_or_default().to_owned())),
            versions: [swap.old, swap.new].map(|version| version.map(|(generation, digest)| (generation, digest.to_owned()))),
            pause: swap.pause,
            ..SwapRecord::begun(swap.trigger, swap.phases)
        }
    }

    /// Of a change that did not.
    pub fn refused(change: &Refused<'_>) -> Self {
        SwapRecord {
            stage: change.stage.map(|(_, name)| name.to_owned()),
            failure: Some((change.reason, change.message.to_owned())),
            ..SwapRecord::begun(change.trigger, change.phases)
        }
    }

    fn begun(trigger: &'static str, phases: &[Phase]) -> Self {
        let (began, ended) = within(phases);
        SwapRecord {
            span: SpanId::fresh(),
            began,
            ended,
            stage: None,
            trigger,
            outcome: "refused",
            failure: None,
            versions: [None, None],
            pause: Duration::ZERO,
            phases: phase_records(phases),
        }
    }
}

// === impl CheckpointRecord ===

impl CheckpointRecord {
    /// Of one that was taken, or of which nothing came.
    pub fn of(checkpoint: &CheckpointFacts<'_>) -> Self {
        let (began, ended) = within(checkpoint.phases);
        CheckpointRecord {
            span: SpanId::fresh(),
            number: checkpoint.number,
            began,
            ended,
            bytes: checkpoint.bytes,
            outcome: checkpoint.came.as_str(),
            failure: match checkpoint.came {
                CheckpointCame::Failed(stage, error) => Some((stage.to_owned(), Failure::of(error))),
                CheckpointCame::Taken | CheckpointCame::GivenUp => None,
            },
            phases: phase_records(checkpoint.phases),
        }
    }
}

// === impl Happened ===

impl Happened {
    /// How many spans it becomes: its own and those of its phases.
    pub fn spans(&self) -> usize {
        let (Happened::Swap(SwapRecord { phases, .. }) | Happened::Checkpoint(CheckpointRecord { phases, .. })) = self;
        1 + phases.len()
    }
}

/// A phase as it is told: its name, when it began, when it ended.
type Phase = (&'static str, Instant, Instant);

/// From the first that began to the last that ended.
fn within(phases: &[Phase]) -> (Instant, Instant) {
    let now = Instant::now();
    let began = phases.iter().map(|(_, began, _)| *began).min().unwrap_or(now);
    (began, phases.iter().map(|(.., ended)| *ended).max().unwrap_or(now))
}

fn phase_records(phases: &[Phase]) -> Vec<PhaseRecord> {
    phases.iter().map(|&(name, began, ended)| PhaseRecord { span: SpanId::fresh(), name, began, ended }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against records that grow unnoticed: thousands of them wait in buffers.
    #[test]
    fn a_record_stays_small() {
        assert!(size_of::<CallRecord>() <= 240, "{} bytes", size_of::<CallRecord>());
        assert!(size_of::<Brief>() <= 64, "{} bytes", size_of::<Brief>());
    }

    /// Protects against lineage that ends at the last column with a bit.
    #[test]
    fn columns_beyond_the_bits_are_kept() {
        let read: Vec<u32> = vec![0, 5, 127, 128, 500];
        let (bits, more) = columns(&read);
        assert_eq!((bits, more), (1 | 1 << 5 | 1 << 127, &[128, 500][..]));
        assert_eq!(columns(&[]), (0, &[][..]));
    }
}
