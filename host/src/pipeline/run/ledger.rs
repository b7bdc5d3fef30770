//! The ledger of a stage: what its calls cost and where its rows went.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hdrhistogram::Histogram;

use crate::{
    pipeline::policy::Then,
    words::{
        observe::{Again, RowLedger},
        usage::{Origin, PortOrigins, Usage},
    },
};

/// Distinct reasons of rejections that are kept with their counts. More are counted together.
const REASONS: usize = 10;
/// Distinct names of a guest's own counters that are kept per stage.
const COUNTERS: usize = 64;

/// Everything known of one stage's calls so far.
#[derive(Clone)]
pub struct Account {
    /// Calls made, of any export.
    pub calls: u64,
    /// Calls that failed.
    pub failed_calls: u64,
    /// Rows that they were about.
    pub failed_rows: u64,
    /// Of those, rows that were written to the dead letters.
    pub dead_lettered: u64,
    /// Rows that were skipped.
    pub skipped: u64,
    /// Calls that were made again after a failure, by why.
    pub again: [u64; 2],
    /// Time in them.
    pub again_time: Duration,
    /// Instances that were opened in place of others, by why.
    pub restarts: BTreeMap<&'static str, u64>,
    /// Batches that went in.
    pub batches_in: u64,
    /// Batches that came out.
    pub batches_out: u64,
    /// Sum of all calls; `memory` is the most of any, `columns_read` and `origins` are kept below instead.
    pub total: Usage,
    /// Nanoseconds of a whole call.
    pub call_time: Histogram<u64>,
    /// Nanoseconds that batches waited in front of the stage.
    pub queue_wait: Histogram<u64>,
    /// Columns that were read, by input.
    pub columns_read: BTreeSet<(u32, u32)>,
    /// Where each output column came from, by port; the set has more than one member where that changed between calls.
    pub origins: BTreeMap<(u32, u32), BTreeSet<From>>,
    /// Reasons of rejections and how often.
    pub reasons: BTreeMap<String, u64>,
    /// Rejections whose reason is not among them.
    pub other_reasons: u64,
    /// The guest's own counters.
    pub counters: BTreeMap<String, u64>,
    /// Lineage of the last call.
    last: (u32, Vec<u32>, Vec<PortOrigins>),
}

/// Where an output column came from, with the input that the batch arrived by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum From {
    /// Input and column.
    Passed(u32, u32),
    /// Made by the guest.
    Made,
    /// Read from a table by the host.
    Table,
}

impl Default for Account {
    fn default() -> Self {
        // Two digits, one nanosecond to an hour: some 40 KB each, which no run outgrows.
        let histogram = || Histogram::new_with_bounds(1, 3_600_000_000_000, 2).unwrap_or_else(|_| unreachable!("the bounds are constants"));
        Account {
            calls: 0,
            failed_calls: 0,
            failed_rows: 0,
            dead_lettered: 0,
            skipped: 0,
            again: [0; 2],
            again_time: Duration::ZERO,
            restarts: BTreeMap::new(),
            batches_in: 0,
            batches_out: 0,
            total: Usage { fuel_exact: true, ..Usage::default() },
            call_time: histogram(),
            queue_wait: histogram(),
            columns_read: BTreeSet::new(),
            origins: BTreeMap::new(),
            reasons: BTreeMap::new(),
            other_reasons: 0,
            counters: BTreeMap::new(),
            last: Default::default(),
        }
    }
}

/// One call, as the ledger sees it.
pub struct Entry<'a> {
    /// What it cost.
    pub usage: &'a Usage,
    /// Rows that it began with.
    pub rows: u64,
    /// Whether it went well.
    pub failed: bool,
    /// The input its batch arrived by and how long that waited; `None` for a call without a batch.
    pub arrived: Option<(u32, Duration)>,
    /// Batches it put out.
    pub batches_out: u64,
    /// It failed and is made again by another version: it cost what it cost, and its rows are that other call's.
    pub made_again: bool,
    /// It failed, and what becomes of its rows is still open: they are in flight.
    pub open: bool,
    /// Its rows are some of a call's that was made before.
    pub again: Option<Again>,
}

impl Account {
    fn enter(&mut self, entry: &Entry<'_>) {
        let usage = entry.usage;
        self.calls += 1;
        if entry.failed {
            self.failed_calls += 1;
            self.failed_rows += if entry.made_again || entry.open { 0 } else { usage.rows_in };
        }
        if let Some(why) = entry.again {
            self.again[why as usize] += 1;
            self.again_time += usage.duration();
        }
        // What goes in goes in once, however often it is tried.
        let first = !entry.made_again && entry.again.is_none();
        self.batches_out += entry.batches_out;
        self.call_time.saturating_record(usage.duration().as_nanos() as u64);
        let input = entry.arrived.map_or(0, |(input, _)| input);
        if let Some((_, waited)) = entry.arrived.filter(|_| first) {
            self.batches_in += 1;
            self.queue_wait.saturating_record((waited.as_nanos() as u64).max(1));
        }
        self.add(usage);
        if !first {
            self.total.rows_in -= usage.rows_in;
        }
        if entry.made_again || entry.open {
            return;
        }
        // A stage answers nearly every batch alike, and then there is nothing new to learn.
        if self.last.0 == input && self.last.1 == usage.columns_read && self.last.2 == usage.origins {
            return;
        }
        self.last = (input, usage.columns_read.clone(), usage.origins.clone());
        self.learn(input, usage);
    }

    /// Lineage: which columns were read, and where those that came out came from.
    fn learn(&mut self, input: u32, usage: &Usage) {
        self.columns_read.extend(usage.columns_read.iter().map(|column| (input, *column)));
        for output in &usage.origins {
            for (column, origin) in output.columns.iter().enumerate() {
                let from = match origin {
                    Origin::Passed(passed) => From::Passed(input, *passed),
                    Origin::Made => From::Made,
                    Origin::Table => From::Table,
                };
                self.origins.entry((output.port, column as u32)).or_default().insert(from);
            }
        }
    }

    fn add(&mut self, usage: &Usage) {
        let total = &mut self.total;
        total.fuel += usage.fuel;
        total.fuel_exact &= usage.fuel_exact;
        total.memory = total.memory.max(usage.memory);
        total.memory_growth += usage.memory_growth;
        total.guest += usage.guest;
        total.copy += usage.copy;
        total.host += usage.host;
        total.bytes_read += usage.bytes_read;
        total.bytes_made += usage.bytes_made;
        total.bytes_stayed += usage.bytes_stayed;
        total.rows_in += usage.rows_in;
        total.rows_out += usage.rows_out;
        total.rows_kept += usage.rows_kept;
        total.rows_filtered += usage.rows_filtered;
        total.rows_held += usage.rows_held;
        total.rows_rejected += usage.rows_rejected;
        total.dropped += usage.dropped;
        for (name, by) in &usage.said.counters {
            if self.counters.len() < COUNTERS || self.counters.contains_key(name) {
                *self.counters.entry(name.clone()).or_default() += by;
            } else {
                self.total.dropped += 1;
            }
        }
    }

    fn reject(&mut self, reason: &str) {
        if let Some(count) = self.reasons.get_mut(reason) {
            *count += 1;
        } else if self.reasons.len() < REASONS {
            self.reasons.insert(reason.to_owned(), 1);
        } else {
            self.other_reasons += 1;
        }
    }
}

/// The account of one stage of a run. It goes on through all versions of the stage.
#[derive(Default)]
pub struct Ledger {
    account: Mutex<Account>,
    /// Rows of calls that are under way.
    in_flight: AtomicU64,
}

impl Ledger {
    /// A call about this many rows is about to be made.
    pub fn begin(&self, rows: u64) {
        self.in_flight.fetch_add(rows, Ordering::Relaxed);
    }

    /// Enters a call, and the reasons of its rejections.
    pub fn enter<'a>(&self, entry: &Entry<'_>, reasons: impl Iterator<Item = &'a str>) {
        let mut account = lock(&self.account);
        if !entry.open {
            self.in_flight.fetch_sub(entry.rows, Ordering::Relaxed);
        }
        account.enter(entry);
        reasons.for_each(|reason| account.reject(reason));
    }

    /// What becomes of rows whose calls failed: they were written to the dead letters, or skipped, or nothing was done about them.
    pub fn failed(&self, rows: u64, then: Then) {
        let mut account = lock(&self.account);
        self.in_flight.fetch_sub(rows, Ordering::Relaxed);
        account.failed_rows += rows;
        match then {
            Then::DeadLetter => account.dead_lettered += rows,
            Then::Skip => account.skipped += rows,
            Then::Fail => {}
        }
    }

    /// An instance was opened in place of another.
    pub fn restarted(&self, reason: &'static str) {
        *lock(&self.account).restarts.entry(reason).or_default() += 1;
    }

    /// The account as it stands.
    pub fn account(&self) -> Account {
        lock(&self.account).clone()
    }

    /// Calls and rows, cheaply: for a display that asks often.
    pub fn rows(&self) -> Rows {
        let account = lock(&self.account);
        let total = &account.total;
        Rows {
            calls: account.calls,
            rows_in: total.rows_in,
            rows_out: total.rows_out,
            rows_rejected: total.rows_rejected,
            busy: total.duration(),
        }
    }

    /// Where rows went, as far as calls know, and the time they took.
    pub fn level(&self) -> (RowLedger, Duration) {
        let account = lock(&self.account);
        let total = &account.total;
        let rows = RowLedger {
            in_flight: self.in_flight.load(Ordering::Relaxed),
            kept: total.rows_kept,
            filtered: total.rows_filtered,
            rejected: total.rows_rejected,
            held: total.rows_held,
            failed: account.failed_rows,
            ..RowLedger::default()
        };
        (rows, total.duration())
    }

    /// Rows that came out: of an extract, those that it brought in.
    pub fn rows_out(&self) -> u64 {
        lock(&self.account).total.rows_out
    }
}

/// Calls and rows of a stage so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Calls made.
    pub calls: u64,
    /// Rows that went in.
    pub rows_in: u64,
    /// Rows that came out.
    pub rows_out: u64,
    /// Rows that were rejected.
    pub rows_rejected: u64,
    /// Time spent in calls, over all instances.
    pub busy: Duration,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
