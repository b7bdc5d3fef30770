//! The rows that reach each transform of a pipeline: its extracts and transforms, called one after the other, without a run. What loads
//! would write is thrown away, and nothing is committed.

use std::{
    collections::HashMap,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::arm::Failed;
use crate::{
    pipeline::{
        plan::{Edge, Opened, Plan, PlannedStage, PortId},
        rejections,
    },
    words::{
        batch::RecordBatch,
        call::CallError,
        stage::{Extract, Transform, Transformed},
    },
};

/// How long a source that has nothing now is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is asked again.
const AGAIN: Duration = Duration::from_millis(20);

/// What reaches a transform.
pub struct Captured {
    /// Index of the stage in the plan.
    pub stage: usize,
    /// Its batches, by input.
    pub inputs: Vec<Vec<Arc<RecordBatch>>>,
}

type Flow = HashMap<Edge, Vec<Arc<RecordBatch>>>;

/// Takes about so many rows of each extract through the pipeline.
pub fn capture(plan: &mut Plan, rows: usize) -> Result<Vec<Captured>, Failed> {
    let (mut flow, mut captured) = (Flow::new(), Vec::new());
    for at in 0..plan.stages.len() {
        let stage = &mut plan.stages[at];
        match stage.take_opened() {
            Some(Opened::Extract(extract)) => drain(stage, at, extract, rows, &mut flow)?,
            Some(Opened::Transform(transform)) => {
                let inputs: Vec<_> = stage.inputs.iter().map(|edge| flow.get(edge).cloned().unwrap_or_default()).collect();
                pass(stage, at, transform, &inputs, &mut flow)?;
                captured.push(Captured { stage: at, inputs });
            }
            Some(Opened::Load(_)) | None => {}
        }
    }
    Ok(captured)
}

fn failed(stage: &PlannedStage, during: &'static str) -> impl FnOnce(CallError) -> Failed {
    let stage = stage.name.clone();
    move |error| Failed { stage, during, error }
}

fn drain(stage: &PlannedStage, at: usize, mut extract: Box<dyn Extract>, rows: usize, flow: &mut Flow) -> Result<(), Failed> {
    let (mut taken, mut last) = (0, Instant::now());
    while taken < rows && last.elapsed() < PATIENCE {
        let Some(extracted) = extract.next().outcome.map_err(failed(stage, "next"))? else { break };
        if extracted.batch.num_rows() == 0 {
            // Nothing now.
            thread::sleep(AGAIN);
            continue;
        }
        (taken, last) = (taken + extracted.batch.num_rows(), Instant::now());
        flow.entry(Edge { from: at, port: PortId::Out(extracted.port) }).or_default().push(extracted.batch);
    }
    Ok(())
}

fn pass(
    stage: &PlannedStage,
    at: usize,
    mut transform: Box<dyn Transform>,
    inputs: &[Vec<Arc<RecordBatch>>],
    flow: &mut Flow,
) -> Result<(), Failed> {
    let mut send = |transformed: &Transformed| {
        for (port, batch) in &transformed.outputs {
            flow.entry(Edge { from: at, port: PortId::Out(*port) }).or_default().push(Arc::clone(batch));
        }
    };
    let mut rejected = Vec::new();
    for (input, batch) in inputs.iter().enumerate().flat_map(|(input, batches)| batches.iter().map(move |batch| (input, batch))) {
        let transformed = transform.process(input as u32, batch).outcome.map_err(failed(stage, "process"))?;
        send(&transformed);
        if !transformed.rejections.is_empty() {
            // Rows without a form of their own are taken by nobody: the plan refuses such an edge.
            rejected.extend(rejections::batch(batch, &stage.name, &transformed.rejections).map(Arc::new));
        }
    }
    while let Some(transformed) = transform.finish().outcome.map_err(failed(stage, "finish"))? {
        send(&transformed);
    }
    flow.insert(Edge { from: at, port: PortId::Rejected }, rejected);
    Ok(())
}
