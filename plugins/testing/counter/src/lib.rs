//! Remembers: passes every batch on, and says at the end how many rows there were. For tests of snapshots and swaps.

use arrow_array::UInt64Array;
use parshall_sdk::prelude::*;

struct Counter {
    rows: u64,
    batches: u64,
    told: bool,
}

impl Transform for Counter {
    type Config = NoConfig;
    const DESCRIPTION: Description = describe!("Counts rows and batches, and tells at the end").stateful();

    fn open(_: NoConfig, inputs: &[Input], restore: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        let mut counter = Self { rows: 0, batches: 0, told: false };
        if let Some(bytes) = restore {
            let Some((rows, batches)) = read(&bytes) else {
                return Err(StageError::Internal(format!("a snapshot has 16 bytes, not {}", bytes.len())));
            };
            (counter.rows, counter.batches) = (rows, batches);
        }
        let count = |name| Field::new(name, DataType::UInt64, false);
        let total = Schema::new(vec![count("rows"), count("batches")]);
        Ok((counter, vec![Port::named("out", same_schema(inputs)?), Port::named("total", total)]))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        self.rows += frame.rows() as u64;
        self.batches += 1;
        Ok(Answer::all())
    }

    fn finish(&mut self) -> Result<Option<Answer>, StageError> {
        if std::mem::replace(&mut self.told, true) {
            return Ok(None);
        }
        let column = |number: u64| UInt64Array::from(vec![number]).into();
        Ok(Some(Output::fresh(1, [column(self.rows), column(self.batches)]).port(1).into()))
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, StageError> {
        Ok([self.rows.to_le_bytes(), self.batches.to_le_bytes()].concat())
    }
}

fn read(bytes: &[u8]) -> Option<(u64, u64)> {
    let (rows, batches) = bytes.split_at_checked(8)?;
    Some((u64::from_le_bytes(rows.try_into().ok()?), u64::from_le_bytes(batches.try_into().ok()?)))
}

export_transform!(Counter);
