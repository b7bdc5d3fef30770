//! A transform running as a component.

use std::sync::Arc;

use wasmtime::component::{Resource, TypedFunc};

use super::{
    contract::{self, Answer, StageError},
    frame::Frame,
    host::Host,
    instance::{Cost, Instance},
    recipe::{self, Outgoing},
};
use crate::words::{
    batch::{RecordBatch, Sizer},
    call::{Call, CallError},
    limits::Limits,
    stage::{Port, Transform, Transformed},
};

type Said<T> = Result<T, StageError>;

/// A transform running as a component.
pub struct WasmTransform {
    instance: Instance,
    process: TypedFunc<(u32, u64, Resource<Frame>), (Said<Answer>,)>,
    finish: TypedFunc<(), (Said<Option<Answer>>,)>,
    snapshot: TypedFunc<(), (Said<Vec<u8>>,)>,
    ports: Vec<Outgoing>,
    limits: Limits,
    sizer: Sizer,
    stateful: bool,
    /// Answers of `finish` so far.
    finished: u64,
}

impl WasmTransform {
    /// Takes an instance that was opened with these ports.
    pub fn new(mut instance: Instance, ports: &[Port], stateful: bool) -> Result<Self, CallError> {
        Ok(WasmTransform {
            process: instance.function("process")?,
            finish: instance.function("finish")?,
            snapshot: instance.function("snapshot")?,
            limits: instance.host().limits.clone(),
            ports: ports.iter().map(Outgoing::new).collect(),
            instance,
            sizer: Sizer::default(),
            stateful,
            finished: 0,
        })
    }

    fn carry_out(&mut self, answer: Answer, frame: Option<&Arc<RecordBatch>>, cost: &mut Cost) -> Result<Transformed, CallError> {
        let carried = recipe::carry_out(answer, frame, &mut self.ports, &self.limits).inspect_err(|_| self.instance.poison())?;
        let usage = &mut cost.usage;
        usage.bytes_made = carried.bytes_made;
        usage.origins = carried.origins;
        usage.rows_out = carried.transformed.outputs.iter().map(|(_, batch)| batch.num_rows() as u64).sum();
        usage.rows_rejected = carried.transformed.rejections.len() as u64;
        usage.rows_kept = carried.rows_kept;
        let left = usage.rows_in - carried.rows_kept - usage.rows_rejected;
        // A stateful stage that puts nothing out is holding its rows back, not filtering them.
        match self.stateful && carried.transformed.outputs.is_empty() {
            true => usage.rows_held = left,
            false => usage.rows_filtered = left,
        }
        Ok(carried.transformed)
    }
}

impl Transform for WasmTransform {
    fn process(&mut self, input: u32, batch: &Arc<RecordBatch>) -> Call<Transformed> {
        let parameters = (input, batch.num_rows() as u64, Host::lent_handle());
        let (outcome, mut cost) = self.instance.call(&self.process, parameters, Some(Arc::clone(batch)));
        cost.usage.bytes_stayed = self.sizer.of(batch).saturating_sub(cost.usage.bytes_read);
        let outcome = said(outcome, &self.limits).and_then(|answer| self.carry_out(answer, Some(batch), &mut cost));
        cost.close(outcome)
    }

    fn finish(&mut self) -> Call<Option<Transformed>> {
        let (outcome, mut cost) = self.instance.call(&self.finish, (), None);
        let outcome = said(outcome, &self.limits).and_then(|answer| {
            self.finished += u64::from(answer.is_some());
            CallError::within("finish_calls", self.finished, self.limits.finish_calls, "calls").inspect_err(|_| self.instance.poison())?;
            answer.map(|answer| self.carry_out(answer, None, &mut cost)).transpose()
        });
        cost.close(outcome)
    }

    fn snapshot(&mut self) -> Call<Vec<u8>> {
        snapshot(&mut self.instance, &self.snapshot)
    }
}

/// What the guest said, with its own errors as call errors.
pub fn said<T>(outcome: Result<Result<T, contract::StageError>, CallError>, limits: &Limits) -> Result<T, CallError> {
    outcome.and_then(|said| said.map_err(|error| CallError::Stage(error.within(limits.message as usize))))
}

/// Asks for what a stage remembers. One that remembers too much can still be called.
pub fn snapshot(instance: &mut Instance, function: &TypedFunc<(), (Said<Vec<u8>>,)>) -> Call<Vec<u8>> {
    let (outcome, cost) = instance.call(function, (), None);
    let limits = &instance.host().limits;
    let outcome = said(outcome, limits).and_then(|state| {
        CallError::within("snapshot", state.len() as u64, limits.snapshot, "bytes")?;
        Ok(state)
    });
    cost.close(outcome)
}
