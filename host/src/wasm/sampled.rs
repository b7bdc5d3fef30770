//! A transform of which one call in so many counts its fuel: two instances of a component that remembers nothing, one in the form that
//! counts and one in the form that does not.

use std::sync::Arc;

use super::transform::WasmTransform;
use crate::words::{
    batch::RecordBatch,
    call::Call,
    stage::{Transform, Transformed},
    usage::Usage,
};

/// A transform of which one call in so many counts its fuel.
pub struct Sampled {
    counted: WasmTransform,
    uncounted: WasmTransform,
    every: u32,
    /// Calls until the next one is counted.
    left: u32,
    /// Fuel and rows of the calls that were counted; each halves what those before it weigh.
    fuel: u64,
    rows: u64,
    /// Linear memory of the two, as they last said.
    memory: [u64; 2],
}

impl Sampled {
    pub fn new(counted: WasmTransform, uncounted: WasmTransform, every: u32) -> Self {
        Sampled { counted, uncounted, every, left: 0, fuel: 0, rows: 0, memory: [0; 2] }
    }

    fn learn(&mut self, usage: &Usage) {
        self.fuel = self.fuel / 2 + usage.fuel;
        self.rows = self.rows / 2 + usage.rows_in;
    }

    /// What a call with so many rows has probably used.
    fn estimate(&self, rows: u64) -> u64 {
        (u128::from(self.fuel) * u128::from(rows) / u128::from(self.rows.max(1))) as u64
    }

    /// Both instances are there, whichever is called.
    fn both(&mut self, which: usize, usage: &mut Usage) {
        self.memory[which] = usage.memory;
        usage.memory = self.memory.iter().sum();
    }
}

impl Transform for Sampled {
    fn process(&mut self, input: u32, batch: &Arc<RecordBatch>) -> Call<Transformed> {
        if self.left == 0 {
            self.left = self.every - 1;
            let mut call = self.counted.process(input, batch);
            self.learn(&call.usage);
            self.both(0, &mut call.usage);
            return call;
        }
        self.left -= 1;
        let mut call = self.uncounted.process(input, batch);
        call.usage.fuel = self.estimate(call.usage.rows_in);
        self.both(1, &mut call.usage);
        call
    }

    // Whoever remembers nothing says the same at the end, whichever instance is asked: it is to be said once.
    fn finish(&mut self) -> Call<Option<Transformed>> {
        let mut call = self.counted.finish();
        self.both(0, &mut call.usage);
        call
    }

    fn snapshot(&mut self) -> Call<Vec<u8>> {
        let mut call = self.counted.snapshot();
        self.both(0, &mut call.usage);
        call
    }
}
