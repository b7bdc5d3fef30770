//! By Arrow's kernels, on this machine's own processor.

use std::{hint::black_box, sync::Arc};

use anyhow::Result;
use arrow::{
    array::{Array as _, AsArray as _, BooleanArray, Int32Array, RecordBatch, StringArray, builder::StringBuilder},
    compute::{binary, filter_record_batch},
    datatypes::{Int32Type, Int64Type},
};

use super::arrays;
use crate::{
    arm::Arm,
    functions::Function,
    rows::{Columns, values},
};

pub struct Native {
    function: Function,
    batches: Vec<RecordBatch>,
    turn: usize,
}

impl Native {
    pub fn open(function: Function, batches: &[Columns]) -> Self {
        Native { function, batches: batches.iter().map(arrays::batch).collect(), turn: 0 }
    }
}

impl Arm for Native {
    fn call(&mut self) -> Result<()> {
        self.turn += 1;
        black_box(made(self.function, black_box(&self.batches[self.turn % self.batches.len()]))?);
        Ok(())
    }

    fn answer(&mut self) -> Result<Columns> {
        Ok(arrays::columns(&made(self.function, &self.batches[0])?))
    }
}

fn made(function: Function, batch: &RecordBatch) -> Result<RecordBatch> {
    let ints = |column: usize| batch.column(column).as_primitive::<Int32Type>();
    Ok(match function {
        Function::Gcd => arrays::of(vec![Arc::new(binary::<_, _, _, Int32Type>(ints(0), ints(1), values::gcd)? as Int32Array)]),
        Function::Add => arrays::of(vec![Arc::new(binary::<_, _, _, Int32Type>(ints(0), ints(1), values::add)? as Int32Array)]),
        Function::Upper => {
            let texts: &StringArray = batch.column(0).as_string();
            let mut upper = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
            texts.iter().for_each(|text| upper.append_option(text.map(values::upper)));
            arrays::of(vec![Arc::new(upper.finish())])
        }
        Function::Filter => {
            let mask = BooleanArray::from_unary(batch.column(0).as_primitive::<Int64Type>(), values::stays);
            filter_record_batch(batch, &mask)?
        }
    })
}
