//! In extism: bytes in, bytes out. Columns cross as they lie in Arrow's buffers, one after the other; arrays are made of what comes out, as
//! every other answers arrays.

use std::{hint::black_box, sync::Arc};

use anyhow::Result;
use arrow::{
    array::{ArrayRef, AsArray as _, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray},
    buffer::{Buffer, OffsetBuffer, ScalarBuffer},
    compute::filter_record_batch,
    datatypes::{Int32Type, Int64Type},
};
use extism::{Manifest, Plugin, PluginBuilder, Wasm};

use super::arrays;
use crate::{
    arm::Arm,
    functions::Function,
    rows::{COLUMNS, Columns},
};

pub struct Extism {
    plugin: Plugin,
    function: Function,
    /// Whether only the column that is asked for crosses, and the host filters.
    half: bool,
    batches: Vec<RecordBatch>,
    /// What crosses; kept, so that it need not be allocated again.
    input: Vec<u8>,
    turn: usize,
}

impl Extism {
    /// Deadlines are always on in extism; fuel if it is asked for.
    pub fn open(function: Function, half: bool, fuel: bool, batches: &[Columns]) -> Result<Self> {
        let manifest = Manifest::new([Wasm::data(super::guest("wasm32-unknown-unknown", "extism")?)]);
        let builder = PluginBuilder::new(manifest).with_cache_disabled();
        let builder = if fuel { builder.with_fuel_limit(20_000_000_000) } else { builder };
        let batches = batches.iter().map(arrays::batch).collect();
        Ok(Extism { plugin: builder.build()?, function, half, batches, input: Vec::new(), turn: 0 })
    }

    fn made(&mut self, at: usize) -> Result<RecordBatch> {
        let batch = &self.batches[at];
        self.input.clear();
        match self.function {
            Function::Gcd | Function::Add => {
                for column in batch.columns() {
                    self.input.extend_from_slice(column.as_primitive::<Int32Type>().values().inner());
                }
            }
            Function::Upper => {
                let texts: &StringArray = batch.column(0).as_string();
                self.input.extend_from_slice(&(batch.num_rows() as i32).to_le_bytes());
                self.input.extend_from_slice(texts.offsets().inner().inner());
                self.input.extend_from_slice(texts.value_data());
            }
            Function::Filter => {
                for column in &batch.columns()[..if self.half { 1 } else { COLUMNS }] {
                    self.input.extend_from_slice(column.as_primitive::<Int64Type>().values().inner());
                }
            }
        }
        let export = match self.function {
            Function::Filter if self.half => "stays",
            Function::Filter => "kept",
            other => other.name(),
        };
        let answer: &[u8] = self.plugin.call(export, self.input.as_slice())?;
        let ints = |bytes: &[u8]| ScalarBuffer::<i32>::from(Buffer::from(bytes));
        Ok(match self.function {
            Function::Gcd | Function::Add => arrays::of(vec![Arc::new(Int32Array::new(ints(answer), None))]),
            Function::Upper => {
                let (offsets, texts) = answer.split_at(4 * (batch.num_rows() + 1));
                arrays::of(vec![Arc::new(StringArray::try_new(OffsetBuffer::new(ints(offsets)), Buffer::from(texts), None)?)])
            }
            Function::Filter if self.half => {
                let mask: BooleanArray = answer.iter().map(|stays| Some(*stays != 0)).collect();
                filter_record_batch(batch, &mask)?
            }
            Function::Filter => {
                let longs = |bytes: &[u8]| Arc::new(Int64Array::new(ScalarBuffer::from(Buffer::from(bytes)), None)) as ArrayRef;
                arrays::of(answer.chunks_exact(answer.len() / COLUMNS).map(longs).collect())
            }
        })
    }
}

impl Arm for Extism {
    fn call(&mut self) -> Result<()> {
        self.turn += 1;
        let at = black_box(self.turn % self.batches.len());
        black_box(self.made(at)?);
        Ok(())
    }

    fn answer(&mut self) -> Result<Columns> {
        Ok(arrays::columns(&self.made(0)?))
    }
}
