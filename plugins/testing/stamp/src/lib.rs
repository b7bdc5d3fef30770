//! Stamps every row with who it is, for audits of swaps: the stamp is in the component's bytes, so that a test makes another version of
//! it by writing other digits there.

use arrow_array::Int64Array;
use misbehave::{Do, Fuse, Misbehaviour, lie, numbers, reject_all};
use parshall_sdk::prelude::*;

/// Four digits, found by the text before them.
static STAMP: [u8; 16] = *b"stamp-of-me=0001";

struct Stamp {
    fuse: Fuse,
    stamp: i64,
}

impl Transform for Stamp {
    type Config = Misbehaviour;
    const DESCRIPTION: Description = describe!("Adds a column that says which version it was");

    fn open(config: Misbehaviour, inputs: &[Input], _: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        let schema = same_schema(inputs)?;
        let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
        fields.push(Field::new("stamp", DataType::Int64, false).into());
        // Read as if anybody might have written there, which is so.
        let bytes = core::hint::black_box(&STAMP);
        let stamp = bytes[12..].iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
        Ok((Self { fuse: Fuse::new(config), stamp }, Port::out(Schema::new(fields))))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        match self.fuse.batch(&numbers!(self.fuse, frame))? {
            Do::AsUsual => {}
            Do::Reject => return Ok(reject_all(frame)),
            Do::Lie => return Ok(lie()),
        }
        let stamps = Int64Array::from_value(self.stamp, frame.rows());
        let columns = (0..frame.schema().fields().len()).map(Column::Input).chain([Column::made(&stamps)]);
        Ok(Output::of(Rows::All).columns(columns).into())
    }
}

export_transform!(Stamp);
