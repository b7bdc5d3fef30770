//! An extract running as a component.

use std::sync::Arc;

use arrow::array::RecordBatchOptions;
use wasmtime::component::TypedFunc;

use super::{
    contract::{self, Fresh, StageError, Values},
    instance::Instance,
    lift::Lifting,
    transform::said,
};
use crate::words::{
    batch::{self, RecordBatch},
    call::{Call, CallError},
    limits::Limits,
    stage::{Extract, Extracted, Port},
    usage::{Origin, PortOrigins, Usage},
};

/// An extract running as a component.
pub struct WasmExtract {
    instance: Instance,
    next: TypedFunc<(), (Result<Option<contract::Extracted>, StageError>,)>,
    ports: Vec<Port>,
    ended: bool,
}

impl WasmExtract {
    /// Takes an instance that was opened with these ports.
    pub fn new(mut instance: Instance, ports: Vec<Port>) -> Result<Self, CallError> {
        Ok(WasmExtract { next: instance.function("next")?, instance, ports, ended: false })
    }

    fn take(&mut self, extracted: contract::Extracted, usage: &mut Usage) -> Result<Extracted, CallError> {
        let contract::Extracted { port: number, values, position } = extracted;
        let limits = &self.instance.host().limits;
        CallError::within("position", position.len() as u64, limits.position, "bytes")?;
        let port = self
            .ports
            .get(number as usize)
            .ok_or_else(|| CallError::Malformed(format!("port {number} does not exist; the stage declared {}", self.ports.len())))?;
        let (batch, origin) = match values {
            Values::Frame(frame) => {
                let frame = self.instance.host().handles.delete(frame);
                let frame = frame.map_err(|error| CallError::Malformed(format!("a frame was answered that is not valid: {error}")))?;
                if frame.batch.schema_ref().fields() != port.schema.fields() {
                    return Err(CallError::Malformed(format!("a frame was answered whose schema is not that of port `{}`", port.name)));
                }
                usage.bytes_stayed = batch::size(&frame.batch);
                (under(frame.batch, port)?, Origin::Table)
            }
            Values::Made(fresh) => {
                usage.bytes_made = fresh.columns.buffers.iter().map(|buffer| buffer.len() as u64).sum();
                CallError::within("output_bytes", usage.bytes_made, self.instance.host().limits.output_bytes, "bytes")?;
                (Arc::new(assemble(fresh, port, &self.instance.host().limits)?), Origin::Made)
            }
        };
        usage.rows_out = batch.num_rows() as u64;
        usage.origins = vec![PortOrigins { port: number, columns: vec![origin; batch.num_columns()].into() }];
        Ok(Extracted { port: number, batch, position })
    }
}

/// The batch under the port's own schema: whatever follows can tell by a pointer that it is the one it was opened with.
fn under(batch: Arc<RecordBatch>, port: &Port) -> Result<Arc<RecordBatch>, CallError> {
    let batch = Arc::unwrap_or_clone(batch).with_schema(Arc::clone(&port.schema));
    batch.map(Arc::new).map_err(|error| CallError::Malformed(error.to_string()))
}

fn assemble(fresh: Fresh, port: &Port, limits: &Limits) -> Result<RecordBatch, CallError> {
    CallError::within("output_rows", fresh.rows, limits.output_rows, "rows")?;
    let rows = fresh.rows as usize;
    let mut lifting = Lifting::new(fresh.columns);
    let columns = port.schema.fields().iter().map(|field| lifting.column(field, rows)).collect::<Result<Vec<_>, _>>();
    let columns = columns.map_err(|error| CallError::Malformed(error.to_string()))?;
    lifting.finish().map_err(CallError::Malformed)?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(&port.schema), columns, &options).map_err(|error| CallError::Malformed(error.to_string()))
}

impl Extract for WasmExtract {
    fn next(&mut self) -> Call<Option<Extracted>> {
        if self.ended {
            return Call { outcome: Ok(None), usage: Usage::default() };
        }
        let (outcome, mut cost) = self.instance.call(&self.next, (), None);
        let outcome = said(outcome, &self.instance.host().limits).and_then(|extracted| {
            extracted.map(|extracted| self.take(extracted, &mut cost.usage).inspect_err(|_| self.instance.poison())).transpose()
        });
        self.ended = matches!(outcome, Ok(None));
        cost.close(outcome)
    }
}
