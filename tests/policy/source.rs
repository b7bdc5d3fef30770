//! An extract of the test's own that does not answer certain calls, or too late.

use std::{collections::HashSet, sync::Arc};

use arrow::{
    array::{ArrayRef, Int64Array},
    datatypes::{DataType, Field, Schema},
};
use parshall::words::{
    batch::RecordBatch,
    call::{Call, CallError, StageError},
    stage::{Component, Extract, Extracted, Port},
    usage::Usage,
};
use serde_json::Value;

use crate::native;

struct Open {
    calls: Arc<std::sync::atomic::AtomicU64>,
    rows: i64,
    next: i64,
    away: HashSet<u64>,
    late: HashSet<u64>,
}

const BATCH: i64 = 50;

fn call<T>(outcome: Result<T, CallError>, rows: u64) -> Call<T> {
    Call { outcome, usage: Usage { rows_out: rows, fuel_exact: true, ..Usage::default() } }
}

/// The extract, as a component. It counts its calls over all instances.
pub fn away() -> Arc<dyn Component> {
    let calls = Arc::default();
    native::extract("away", move |opening| {
        let numbers = |key: &str| {
            let numbers = opening.config.get(key).and_then(Value::as_array).into_iter().flatten();
            numbers.filter_map(Value::as_u64).collect::<HashSet<_>>()
        };
        let next = opening.restore.as_ref().map_or(0, |at| i64::from_le_bytes(at[..].try_into().unwrap()));
        let rows = opening.config["rows"].as_i64().unwrap();
        let open = Open { calls: Arc::clone(&calls), rows, next, away: numbers("away"), late: numbers("late") };
        call(Ok((Box::new(open), vec![Port { name: "out".into(), schema: schema() }])), 0)
    })
}

fn schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]))
}

impl Extract for Open {
    fn next(&mut self) -> Call<Option<Extracted>> {
        let number = self.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if self.away.contains(&number) {
            return call(Err(StageError::Unavailable("the source is away".into()).into()), 0);
        }
        if self.late.contains(&number) {
            return call(Err(CallError::Limit { limit: "timeout", current: 0, requested: 0, allowed: 1, unit: "milliseconds" }), 0);
        }
        if self.next >= self.rows {
            return call(Ok(None), 0);
        }
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(self.next..self.next + BATCH));
        self.next += BATCH;
        let batch = Arc::new(RecordBatch::try_new(schema(), vec![numbers]).unwrap());
        call(Ok(Some(Extracted { port: 0, batch, position: self.next.to_le_bytes().to_vec() })), BATCH as u64)
    }
}
