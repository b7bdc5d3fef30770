//! What comes out of a component that is called with a case's rows: the calls of a pipeline, without one.

use std::{collections::BTreeMap, sync::Arc};

use arrow::compute::concat_batches;

use super::case::Case;
use crate::words::{
    batch::{RecordBatch, SchemaRef},
    call::{Call, CallError},
    limits::Limits,
    stage::{Component, Input, Kind, Opening, Port, Receipt, Transform, Transformed},
    usage::Usage,
};

/// So many answers are as good as no end.
const ENDLESS: usize = 10_000;

/// What came out of the component.
#[derive(Default)]
pub struct Came {
    /// Its ways out.
    pub ports: Vec<Port>,
    /// By the index of the port.
    outputs: BTreeMap<u32, Vec<Arc<RecordBatch>>>,
    /// Rows that were refused, counted through all batches.
    pub rejections: Vec<(usize, String)>,
    /// Of a load's last commit.
    pub receipt: Option<Receipt>,
    /// Of each call.
    pub usage: Vec<Usage>,
}

// === impl Came ===

impl Came {
    /// Calls it as a pipeline would, to the end.
    pub fn run(
        &mut self,
        case: &Case,
        component: &dyn Component,
        inputs: &[(String, SchemaRef, Vec<RecordBatch>)],
    ) -> Result<(), CallError> {
        let opening = Opening {
            stage: case.name.clone(),
            config: case.setting.config.clone().into(),
            inputs: inputs.iter().map(|(name, schema, _)| Input { name: name.clone(), schema: Arc::clone(schema) }).collect(),
            limits: Limits::default(),
            grants: case.grants(),
            restore: None,
        };
        match component.kind() {
            Kind::Extract => self.extract(case, component, &opening),
            Kind::Transform => self.transform(component, &opening, inputs),
            Kind::Load => self.load(component, &opening, inputs),
        }
    }

    /// All batches, of a source without an end those until it has nothing now.
    fn extract(&mut self, case: &Case, component: &dyn Component, opening: &Opening) -> Result<(), CallError> {
        let (mut extract, ports) = self.called(component.open_extract(opening))?;
        self.ports = ports;
        for _ in 0..case.setting.batches.unwrap_or(ENDLESS) {
            match self.called(extract.next())? {
                Some(extracted) if extracted.batch.num_rows() > 0 => {
                    self.outputs.entry(extracted.port).or_default().push(extracted.batch);
                }
                _ => return Ok(()),
            }
        }
        let endless = || {
            CallError::Malformed(format!("there is no end: {ENDLESS} batches and more to come; `batches = N` in case.toml takes the first"))
        };
        case.setting.batches.map(drop).ok_or_else(endless)
    }

    fn transform(
        &mut self,
        component: &dyn Component,
        opening: &Opening,
        inputs: &[(String, SchemaRef, Vec<RecordBatch>)],
    ) -> Result<(), CallError> {
        let (mut transform, ports) = self.called(component.open_transform(opening))?;
        self.ports = ports;
        let mut row = 0;
        for (input, (_, _, batches)) in inputs.iter().enumerate() {
            for batch in batches {
                let transformed = self.called(transform.process(input as u32, &Arc::new(batch.clone())))?;
                self.take(transformed, row);
                row += batch.num_rows();
            }
        }
        self.finish(&mut *transform)
    }

    /// All batches, and the last commit.
    fn load(
        &mut self,
        component: &dyn Component,
        opening: &Opening,
        inputs: &[(String, SchemaRef, Vec<RecordBatch>)],
    ) -> Result<(), CallError> {
        let mut load = self.called(component.open_load(opening))?;
        let mut row = 0;
        for (input, (_, _, batches)) in inputs.iter().enumerate() {
            for batch in batches {
                let refused = self.called(load.write(input as u32, &Arc::new(batch.clone())))?;
                self.rejections.extend(refused.into_iter().map(|rejection| (row + rejection.row as usize, rejection.reason)));
                row += batch.num_rows();
            }
        }
        self.receipt = Some(self.called(load.commit(true))?);
        Ok(())
    }

    fn called<T>(&mut self, call: Call<T>) -> Result<T, CallError> {
        self.usage.push(call.usage);
        call.outcome
    }

    fn finish(&mut self, transform: &mut dyn Transform) -> Result<(), CallError> {
        for _ in 0..ENDLESS {
            match self.called(transform.finish())? {
                Some(transformed) => self.take(transformed, 0),
                None => return Ok(()),
            }
        }
        Err(CallError::Malformed(format!("`finish` has no end: {ENDLESS} answers and more to come")))
    }

    fn take(&mut self, transformed: Transformed, first_row: usize) {
        for (port, batch) in transformed.outputs {
            self.outputs.entry(port).or_default().push(batch);
        }
        self.rejections.extend(transformed.rejections.into_iter().map(|rejection| (first_row + rejection.row as usize, rejection.reason)));
    }

    /// All rows that left by a port.
    pub fn port(&self, name: &str) -> Option<RecordBatch> {
        let index = self.ports.iter().position(|port| port.name == name)?;
        let batches = self.outputs.get(&(index as u32)).map(Vec::as_slice).unwrap_or_default();
        concat_batches(&self.ports[index].schema, batches.iter().map(|batch| &**batch)).ok()
    }
}
