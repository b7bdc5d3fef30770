//! A load of the test's own that keeps the numbers of its rows, and cannot take negative ones or, told so, those of a multiple.

use std::sync::{Arc, Mutex};

use arrow::{array::AsArray as _, datatypes::Int64Type};
use parshall::words::{
    batch::RecordBatch,
    call::{Call, CallError, StageError},
    stage::{Component, Load, Receipt, Rejection},
    usage::Usage,
};

use crate::native;

/// What was taken, in the order in which it came.
#[derive(Clone, Default)]
pub struct Rows(Arc<Mutex<Vec<i64>>>);

/// What its configuration says.
struct Open {
    rows: Rows,
    /// Rows that it cannot take.
    every: Option<i64>,
    /// Calls that fail because something outside does not answer.
    away: u64,
}

impl Rows {
    /// All of them.
    pub fn take(&self) -> Vec<i64> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// The load, as a component.
pub fn sink(rows: &Rows) -> Arc<dyn Component> {
    let rows = rows.clone();
    native::load("keep", move |opening| {
        let every = opening.config.get("every").and_then(|every| every.as_i64());
        let away = opening.config.get("away").and_then(|away| away.as_u64()).unwrap_or(0);
        done(Ok(Box::new(Open { rows: rows.clone(), every, away })), 0)
    })
}

fn done<T>(outcome: Result<T, CallError>, rows: u64) -> Call<T> {
    let taken = if outcome.is_ok() { rows } else { 0 };
    Call { outcome, usage: Usage { rows_in: rows, rows_out: taken, rows_kept: taken, fuel_exact: true, ..Usage::default() } }
}

impl Load for Open {
    fn write(&mut self, _: u32, batch: &Arc<RecordBatch>) -> Call<Vec<Rejection>> {
        let count = batch.num_rows() as u64;
        if self.away > 0 {
            self.away -= 1;
            return done(Err(StageError::Unavailable("the store is away".into()).into()), count);
        }
        let numbers = batch.column_by_name("n").expect("the source's column").as_primitive::<Int64Type>();
        if let Some(every) = self.every
            && numbers.values().iter().any(|number| number % every == 0)
        {
            return done(Err(StageError::Data("a row that the store does not take".into()).into()), count);
        }
        self.rows.0.lock().unwrap().extend_from_slice(numbers.values());
        done(Ok(Vec::new()), count)
    }

    fn commit(&mut self, _: bool) -> Call<Receipt> {
        let rows = self.rows.0.lock().unwrap().len() as u64;
        done(Ok(Receipt { rows, location: "memory".into() }), 0)
    }

    fn snapshot(&mut self) -> Call<Vec<u8>> {
        done(Ok(Vec::new()), 0)
    }
}
