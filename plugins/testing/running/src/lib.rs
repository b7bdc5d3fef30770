//! A running aggregate: passes batches on, remembers the number of rows and the sum of column `n`, and tells both at the end. For tests
//! of swaps of stages that remember.

use arrow_array::{Int64Array, UInt64Array};
use misbehave::{Do, Fuse, Misbehaviour, What, lie, numbers, reject_all};
use parshall_sdk::prelude::*;

struct Running {
    fuse: Fuse,
    rows: u64,
    sum: u64,
    told: bool,
}

impl Transform for Running {
    type Config = Misbehaviour;
    const DESCRIPTION: Description = describe!("Counts rows and adds up `n`, and tells at the end").stateful();

    fn open(config: Misbehaviour, inputs: &[Input], restore: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        let mut running = Self { fuse: Fuse::new(config), rows: 0, sum: 0, told: false };
        if let Some(state) = restore {
            let Some((rows, sum)) = read(&state).filter(|_| config.misbehave != What::RefuseState) else {
                return Err(StageError::Internal("this is not what I remember".into()));
            };
            (running.rows, running.sum) = (rows, sum);
        }
        let count = |name| Field::new(name, DataType::UInt64, false);
        let total = Schema::new(vec![count("rows"), count("sum")]);
        Ok((running, vec![Port::named("out", same_schema(inputs)?), Port::named("total", total)]))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        match self.fuse.batch(&numbers!(self.fuse, frame))? {
            Do::AsUsual => {}
            Do::Reject => return Ok(reject_all(frame)),
            Do::Lie => return Ok(lie()),
        }
        let column = column_index(frame.schema(), "n", "")?;
        let numbers = frame.typed::<Int64Array>(column)?;
        self.rows += frame.rows() as u64;
        self.sum = numbers.values().iter().fold(self.sum, |sum, number| sum.wrapping_add(*number as u64));
        Ok(Answer::all())
    }

    fn finish(&mut self) -> Result<Option<Answer>, StageError> {
        if std::mem::replace(&mut self.told, true) {
            return Ok(None);
        }
        if self.fuse.is(What::TrapAtEnd) {
            panic!("misbehaves");
        }
        let column = |number: u64| UInt64Array::from(vec![number]).into();
        Ok(Some(Output::fresh(1, [column(self.rows), column(self.sum)]).port(1).into()))
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, StageError> {
        if self.fuse.is(What::TrapInSnapshot) {
            panic!("misbehaves");
        }
        Ok([self.rows.to_le_bytes(), self.sum.to_le_bytes()].concat())
    }
}

fn read(bytes: &[u8]) -> Option<(u64, u64)> {
    let (rows, sum) = bytes.split_at_checked(8)?;
    Some((u64::from_le_bytes(rows.try_into().ok()?), u64::from_le_bytes(sum.try_into().ok()?)))
}

export_transform!(Running);
