//! Calls made one after the other: batches in, what came out.

use std::sync::Arc;

use arrow::compute::concat_batches;

use super::card::Finding;
use crate::words::{
    batch::RecordBatch,
    call::CallError,
    stage::{Rejection, Transform, Transformed},
    usage::Usage,
};

/// So many answers of `finish` are as good as no end.
const ENDLESS: usize = 10_000;

/// What came out of some calls.
#[derive(Default)]
pub struct Came {
    /// Batches and the ports they left by.
    pub outputs: Vec<(u32, Arc<RecordBatch>)>,
    /// Refused rows, by batch.
    pub rejections: Vec<Vec<Rejection>>,
    /// What each call cost.
    pub usage: Vec<Usage>,
}

// === impl Came ===

impl Came {
    /// All rows that left by a port, as one batch.
    pub fn port(&self, port: u32) -> Option<RecordBatch> {
        let mut batches = self.outputs.iter().filter(|(left_by, _)| *left_by == port).map(|(_, batch)| &**batch).peekable();
        let schema = batches.peek()?.schema();
        Some(concat_batches(&schema, batches).expect("batches of one port have its schema"))
    }

    /// Whether the same rows left by the same ports, whatever batches they left in.
    pub fn same_rows(&self, other: &Came) -> bool {
        let ports = |came: &Came| came.outputs.iter().map(|(port, _)| *port).max().map_or(0, |port| port + 1);
        let rows = |came: &Came, port| came.port(port).filter(|batch| batch.num_rows() > 0);
        (0..ports(self).max(ports(other))).all(|port| rows(self, port) == rows(other, port))
    }

    fn take(&mut self, transformed: Transformed) {
        self.outputs.extend(transformed.outputs);
        self.rejections.push(transformed.rejections);
    }

    /// Units of fuel of all calls.
    pub fn fuel(&self) -> u64 {
        self.usage.iter().map(|usage| usage.fuel).sum()
    }
}

/// Hands batches over, one call each.
pub fn process(transform: &mut dyn Transform, batches: &[Arc<RecordBatch>]) -> Result<Came, CallError> {
    let mut came = Came::default();
    for batch in batches {
        let call = transform.process(0, batch);
        came.usage.push(call.usage);
        came.take(call.outcome?);
    }
    Ok(came)
}

/// Asks for what is still held until nothing is left.
pub fn finish(transform: &mut dyn Transform) -> Result<Came, Finding> {
    let mut came = Came::default();
    for _ in 0..ENDLESS {
        let call = transform.finish();
        came.usage.push(call.usage);
        match call.outcome.map_err(|error| Finding::failed("`finish` fails", &error))? {
            Some(transformed) => came.take(transformed),
            None => return Ok(came),
        }
    }
    Err(Finding::Fails(format!("`finish` has no end: {ENDLESS} answers and more to come")))
}

/// Both.
pub fn run(transform: &mut dyn Transform, batches: &[Arc<RecordBatch>]) -> Result<Came, Finding> {
    let mut came = process(transform, batches).map_err(|error| Finding::failed("`process` fails", &error))?;
    let rest = finish(transform)?;
    came.outputs.extend(rest.outputs);
    came.rejections.extend(rest.rejections);
    came.usage.extend(rest.usage);
    Ok(came)
}
