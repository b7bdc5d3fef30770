//! A load of the test's own that keeps what an audit needs of every row that it is given, and nothing else.

use std::sync::{Arc, Mutex, MutexGuard};

use arrow::{array::AsArray as _, datatypes::Int64Type};
use parshall::words::{
    batch::RecordBatch,
    call::{Call, CallError},
    stage::{Component, Load, Receipt, Rejection},
    usage::Usage,
};

use crate::native;

/// What was seen, in the order in which it came.
#[derive(Clone, Default)]
pub struct Audit(Arc<Mutex<Seen>>, Arc<Mutex<()>>);

#[derive(Default)]
struct Seen {
    rows: u64,
    next: i64,
    /// What is wrong with the order of `n`, which counts from 0: the first mistake.
    mistake: Option<String>,
    /// Runs of batches with the same stamp: the stamp, and the first row of the run.
    stamps: Vec<(i64, i64)>,
}

impl Audit {
    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.0.lock().unwrap().rows
    }

    /// Lets nothing more in, as long as what it answers is held.
    pub fn hold(&self) -> MutexGuard<'_, ()> {
        self.1.lock().unwrap()
    }

    /// Every row from 0 on came exactly once, in order.
    pub fn assert_complete(&self) {
        let seen = self.0.lock().unwrap();
        assert_eq!(seen.mistake, None);
        assert_eq!(seen.next as u64, seen.rows, "rows came exactly once");
    }

    /// Runs of rows with the same stamp, in order: the stamp, and the first row.
    pub fn stamps(&self) -> Vec<(i64, i64)> {
        self.0.lock().unwrap().stamps.clone()
    }

    fn take(&self, batch: &RecordBatch) {
        drop(self.hold());
        let mut seen = self.0.lock().unwrap();
        let numbers = batch.column_by_name("n").expect("the source's column").as_primitive::<Int64Type>();
        let stamps = batch.column_by_name("stamp").map(|stamps| stamps.as_primitive::<Int64Type>());
        for (row, number) in numbers.values().iter().enumerate() {
            if *number != seen.next && seen.mistake.is_none() {
                seen.mistake = Some(format!("row {number} came where {} was expected", seen.next));
            }
            seen.next = number + 1;
            if let Some(stamp) = stamps.map(|stamps| stamps.value(row))
                && seen.stamps.last().is_none_or(|(last, _)| *last != stamp)
            {
                seen.stamps.push((stamp, *number));
            }
        }
        seen.rows += batch.num_rows() as u64;
    }
}

struct Open(Audit);

/// The load, as a component.
pub fn sink(audit: &Audit) -> Arc<dyn Component> {
    let audit = audit.clone();
    native::load("audit", move |_| done(Ok(Box::new(Open(audit.clone()))), 0))
}

fn done<T>(outcome: Result<T, CallError>, rows: u64) -> Call<T> {
    Call { outcome, usage: Usage { rows_in: rows, rows_out: rows, rows_kept: rows, fuel_exact: true, ..Usage::default() } }
}

impl Load for Open {
    fn write(&mut self, _: u32, batch: &Arc<RecordBatch>) -> Call<Vec<Rejection>> {
        self.0.take(batch);
        done(Ok(Vec::new()), batch.num_rows() as u64)
    }

    fn commit(&mut self, _: bool) -> Call<Receipt> {
        done(Ok(Receipt { rows: self.0.rows(), location: "the audit".into() }), 0)
    }

    fn snapshot(&mut self) -> Call<Vec<u8>> {
        done(Ok(Vec::new()), 0)
    }
}
