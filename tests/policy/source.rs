//! An extract of the test's own that does not answer certain calls, or too late.

use std::{collections::HashSet, sync::Arc};

use arrow::{
    array::{ArrayRef, Int64Array},
    datatypes::{DataType, Field, Schema},
};
use parshall::words::{
    batch::RecordBatch,
    call::{Call, CallError, StageError},
    digest::Digest,
    stage::{Component, Description, Extract, Extracted, Kind, Load, Opening, Port, Transform},
    usage::Usage,
};
use serde_json::Value;

/// The extract, as a component. It counts its calls over all instances.
#[derive(Default)]
pub struct Away(Arc<std::sync::atomic::AtomicU64>);

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

fn schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]))
}

impl Component for Away {
    fn kind(&self) -> Kind {
        Kind::Extract
    }

    fn digest(&self) -> Digest {
        Digest::of(b"away")
    }

    fn description(&self) -> Result<Arc<Description>, CallError> {
        let text = || "away".to_owned();
        let config_schema = serde_json::json!({"type": "object"});
        Ok(Arc::new(Description { name: text(), version: text(), summary: text(), documentation: text(), config_schema, stateful: false }))
    }

    fn imports(&self) -> Vec<String> {
        Vec::new()
    }

    fn open_extract(&self, opening: &Opening) -> Call<(Box<dyn Extract>, Vec<Port>)> {
        let numbers = |key: &str| {
            let numbers = opening.config.get(key).and_then(Value::as_array).into_iter().flatten();
            numbers.filter_map(Value::as_u64).collect::<HashSet<_>>()
        };
        let next = opening.restore.as_ref().map_or(0, |at| i64::from_le_bytes(at[..].try_into().unwrap()));
        let rows = opening.config["rows"].as_i64().unwrap();
        let open = Open { calls: Arc::clone(&self.0), rows, next, away: numbers("away"), late: numbers("late") };
        call(Ok((Box::new(open), vec![Port { name: "out".into(), schema: schema() }])), 0)
    }

    fn open_transform(&self, _: &Opening) -> Call<(Box<dyn Transform>, Vec<Port>)> {
        unreachable!("it is an extract")
    }

    fn open_load(&self, _: &Opening) -> Call<Box<dyn Load>> {
        unreachable!("it is an extract")
    }
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
