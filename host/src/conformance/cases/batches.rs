//! Batches of every size and form.

use std::sync::Arc;

use arrow::{array::UInt64Array, compute::take_record_batch};

use super::{Case, must, should};
use crate::{
    conformance::{
        calls,
        card::{Asked, Finding, does_not_apply, fails},
        subject::{Role, Subject},
    },
    words::{
        batch::RecordBatch,
        call::{CallError, StageError},
        stage::Transform,
    },
};

pub const CASES: &[Case] = &[
    must("an empty batch", empty),
    must("batches of 1, 100, 8,192 and 65,536 rows", sizes),
    must("a column of nulls only", all_null),
    must("a slice of a batch", slices),
    must("the same rows give the same answer", deterministic),
    should("the same rows cost the same fuel", same_fuel),
];

/// The subject, open, or the finding that the case cannot be asked.
pub fn opened(subject: &Subject) -> Result<Box<dyn Transform>, Finding> {
    subject.open().or_else(|error| does_not_apply(format!("it does not open ({})", error.reason())))
}

fn empty(subject: &Subject) -> Asked {
    let mut transform = opened(subject)?;
    let batches = [subject.batch(0), subject.batch(3), subject.batch(0)];
    let came = calls::run(&mut *transform, &batches)?;
    if subject.stateful() && subject.role() == Role::Any {
        return Ok("taken; what is remembered of it is the stage's business".into());
    }
    let alone = calls::run(&mut *opened(subject)?, &batches[1..2])?;
    if !came.same_rows(&alone) {
        return fails("an empty batch before and after changes what comes out");
    }
    Ok("before and after others".into())
}

fn sizes(subject: &Subject) -> Asked {
    let mut transform = opened(subject)?;
    let mut times = Vec::new();
    for rows in [1, 100, 8_192, 65_536, 1] {
        let batch = subject.batch(rows);
        let call = transform.process(0, &batch);
        call.outcome.map_err(|error| Finding::failed(format!("{rows} rows"), &error))?;
        times.push(format!("{:.0}", call.usage.duration().as_secs_f64() * 1e6));
    }
    calls::finish(&mut *transform)?;
    Ok(format!("{} µs", times[..4].join(" / ")))
}

/// Data that cannot be worked on may be refused, in words.
fn all_null(subject: &Subject) -> Asked {
    opened(subject)?;
    let batch = subject.batch(20);
    let nullable: Vec<_> = (0..batch.num_columns()).filter(|index| batch.schema().field(*index).is_nullable()).collect();
    if nullable.is_empty() {
        return does_not_apply("no column of its input may hold nulls");
    }
    let mut columns = batch.columns().to_vec();
    for index in nullable {
        columns[index] = arrow::array::new_null_array(batch.schema().field(index).data_type(), 20);
    }
    let nulls = Arc::new(RecordBatch::try_new(batch.schema(), columns).expect("nulls of the schema"));
    let mut transform = opened(subject)?;
    match calls::process(&mut *transform, &[nulls]) {
        Ok(came) => match came.rejections.iter().map(Vec::len).sum() {
            0 => Ok("taken".into()),
            rejected => Ok(format!("{rejected} of 20 rows rejected: {}", came.rejections[0][0].reason)),
        },
        Err(CallError::Stage(StageError::Data(message))) => Ok(format!("refused: {message}")),
        Err(error) => Err(Finding::failed("20 rows of nulls", &error)),
    }
}

/// Arrow slices without copying: buffers begin elsewhere, bitmaps in the middle of a byte.
fn slices(subject: &Subject) -> Asked {
    let whole = subject.batch(1_000);
    for (offset, length) in [(3, 50), (8, 64), (333, 667)] {
        let slice = Arc::new(whole.slice(offset, length));
        let indices: UInt64Array = (offset..offset + length).map(|row| row as u64).collect();
        let copy = Arc::new(take_record_batch(&whole, &indices).expect("rows of the batch"));
        let of_slice = calls::run(&mut *opened(subject)?, &[slice])?;
        let of_copy = calls::run(&mut *opened(subject)?, &[copy])?;
        if !of_slice.same_rows(&of_copy) || of_slice.rejections != of_copy.rejections {
            return fails(format!("rows {offset} to {} give another answer as a slice than as a copy", offset + length));
        }
    }
    Ok("3 slices as their copies".into())
}

fn deterministic(subject: &Subject) -> Asked {
    let batches = [subject.batch(100), subject.batch(1_000)];
    let one = calls::run(&mut *opened(subject)?, &batches)?;
    let two = calls::run(&mut *opened(subject)?, &batches)?;
    if one.outputs != two.outputs || one.rejections != two.rejections {
        return fails("two instances answer the same batches differently");
    }
    if subject.stateful() {
        return Ok("in two instances".into());
    }
    let again = calls::run(&mut *opened(subject)?, &[Arc::clone(&batches[0]), Arc::clone(&batches[0])])?;
    let half = again.outputs.len() / 2;
    if again.outputs[..half] != again.outputs[half..] {
        return fails("it says that it is stateless, and answers the same batch otherwise the second time");
    }
    Ok("in two instances, and in one twice".into())
}

fn same_fuel(subject: &Subject) -> Asked {
    let batches = [subject.batch(100), subject.batch(1_000)];
    let one = calls::run(&mut *opened(subject)?, &batches)?.fuel();
    let two = calls::run(&mut *opened(subject)?, &batches)?.fuel();
    if one != two {
        return fails(format!("{one} units of fuel and {two}"));
    }
    Ok(format!("{one} units"))
}
