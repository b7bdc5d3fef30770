//! A load running as a component.

use std::sync::Arc;

use wasmtime::component::{Resource, TypedFunc};

use super::{
    contract::{self, StageError},
    frame::Frame,
    host::Host,
    instance::Instance,
    recipe,
    transform::{said, snapshot},
};
use crate::words::{
    batch::{RecordBatch, Sizer},
    call::{Call, CallError},
    stage::{Load, Receipt, Rejection},
};

type Said<T> = Result<T, StageError>;
type Write = TypedFunc<(u32, u64, Resource<Frame>), (Said<Vec<contract::Rejection>>,)>;

/// A load running as a component.
pub struct WasmLoad {
    instance: Instance,
    write: Write,
    commit: TypedFunc<(bool,), (Said<contract::Receipt>,)>,
    snapshot: TypedFunc<(), (Said<Vec<u8>>,)>,
    sizer: Sizer,
}

impl WasmLoad {
    /// Takes an instance that was opened.
    pub fn new(mut instance: Instance) -> Result<Self, CallError> {
        Ok(WasmLoad {
            write: instance.function("write")?,
            commit: instance.function("commit")?,
            snapshot: instance.function("snapshot")?,
            sizer: Sizer::default(),
            instance,
        })
    }
}

impl Load for WasmLoad {
    fn write(&mut self, input: u32, batch: &Arc<RecordBatch>) -> Call<Vec<Rejection>> {
        let parameters = (input, batch.num_rows() as u64, Host::lent_handle());
        let (outcome, mut cost) = self.instance.call(&self.write, parameters, Some(Arc::clone(batch)));
        cost.usage.bytes_stayed = self.sizer.of(batch).saturating_sub(cost.usage.bytes_read);
        let outcome = said(outcome, &self.instance.host().limits).and_then(|rejections| {
            let limits = &self.instance.host().limits;
            recipe::refused(rejections, batch.num_rows(), limits).inspect_err(|_| self.instance.poison())
        });
        if let Ok(rejections) = &outcome {
            cost.usage.rows_rejected = rejections.len() as u64;
            cost.usage.rows_kept = cost.usage.rows_in - cost.usage.rows_rejected;
            cost.usage.rows_out = cost.usage.rows_kept;
        }
        cost.close(outcome)
    }

    fn commit(&mut self, last: bool) -> Call<Receipt> {
        let (outcome, cost) = self.instance.call(&self.commit, (last,), None);
        let outcome = said(outcome, &self.instance.host().limits);
        cost.close(outcome.map(|receipt| Receipt { rows: receipt.rows, location: receipt.location.chars().take(4096).collect() }))
    }

    fn snapshot(&mut self) -> Call<Vec<u8>> {
        snapshot(&mut self.instance, &self.snapshot)
    }
}
