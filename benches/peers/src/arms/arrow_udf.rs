//! In arrow-udf-runtime. It takes and gives arrays of Arrow 58; inside, batches cross as files of Arrow IPC.

use std::{hint::black_box, sync::Arc};

use anyhow::Result;
use arrow_array::{
    Array as _, ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray,
    cast::AsArray as _,
    types::{Int32Type, Int64Type},
};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::filter::filter_record_batch;
use arrow_udf_runtime::wasm::{FunctionHandle, Runtime};

use crate::{arm::Arm, functions::Function, rows::Columns};

pub struct ArrowUdf {
    runtime: Runtime,
    function: FunctionHandle,
    batches: Vec<RecordBatch>,
    /// Whether only the column that is asked for crosses, and the host filters.
    half: bool,
    turn: usize,
}

impl ArrowUdf {
    pub fn open(function: Function, half: bool, batches: &[Columns]) -> Result<Self> {
        let runtime = Runtime::new(&super::guest("wasm32-wasip1", "arrow_udf")?)?;
        let (ints, texts) = (|| vec![DataType::Int32, DataType::Int32], vec![DataType::Utf8]);
        let function = match function {
            Function::Gcd => runtime.find_function("gcd", ints(), DataType::Int32),
            Function::Add => runtime.find_function("add", ints(), DataType::Int32),
            Function::Upper => runtime.find_function("upper", texts, DataType::Utf8),
            Function::Filter if half => runtime.find_function("stays", vec![DataType::Int64], DataType::Boolean),
            Function::Filter => runtime.find_function("kept", vec![DataType::Int64], DataType::Int64),
        }?;
        Ok(ArrowUdf { runtime, function, batches: batches.iter().map(batch).collect(), half, turn: 0 })
    }

    fn made(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        if !self.half {
            return self.runtime.call(&self.function, batch);
        }
        let answer = self.runtime.call(&self.function, &batch.project(&[0])?)?;
        Ok(filter_record_batch(batch, answer.column(0).as_boolean())?)
    }
}

impl Arm for ArrowUdf {
    fn call(&mut self) -> Result<()> {
        self.turn += 1;
        black_box(self.made(black_box(&self.batches[self.turn % self.batches.len()]))?);
        Ok(())
    }

    fn answer(&mut self) -> Result<Columns> {
        Ok(columns(&self.made(&self.batches[0])?))
    }
}

fn batch(columns: &Columns) -> RecordBatch {
    let arrays: Vec<ArrayRef> = match columns {
        Columns::Ints(columns) => columns.iter().map(|column| Arc::new(Int32Array::from(column.clone())) as ArrayRef).collect(),
        Columns::Longs(columns) => columns.iter().map(|column| Arc::new(Int64Array::from(column.clone())) as ArrayRef).collect(),
        Columns::Texts(texts) => vec![Arc::new(StringArray::from_iter_values(texts))],
    };
    let fields: Vec<_> =
        arrays.iter().enumerate().map(|(at, array)| Field::new(format!("c{at}"), array.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns of one length")
}

fn columns(batch: &RecordBatch) -> Columns {
    match batch.column(0).data_type() {
        // Of a function, one column; a second would tell of errors.
        DataType::Int32 => Columns::Ints(vec![batch.column(0).as_primitive::<Int32Type>().values().to_vec()]),
        DataType::Int64 => {
            Columns::Longs(batch.columns().iter().map(|column| column.as_primitive::<Int64Type>().values().to_vec()).collect())
        }
        _ => Columns::Texts(batch.column(0).as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect()),
    }
}
