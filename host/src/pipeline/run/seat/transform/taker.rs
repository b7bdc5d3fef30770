//! A transform as a policy sees it: its calls, its successors, and parts of its answers as one.

use std::sync::Arc;

use super::{Instance, Seat, answered};
use crate::{
    pipeline::run::{
        seat::{
            policy::{self, Taker},
            renew,
        },
        version::Version,
        worker::{About, Failing, Made, Part, Worker},
    },
    words::{batch::RecordBatch, call::CallError, observe::Export, stage::Transformed},
};

impl Taker for Seat<'_> {
    type Answer = Transformed;
    const EXPORT: Export = Export::Process;

    fn worker(&self) -> &Worker {
        &self.worker
    }

    fn version(&self) -> &Arc<Version> {
        &self.active.version
    }

    fn call(&mut self, part: Part<'_>) -> Made<Transformed> {
        let call = (Export::Process, About::Part(part), Failing::IsHandled);
        let input = self.active.version.input(part.item.input);
        let process = |stage: &mut Instance| stage.process(input, part.batch);
        let made = self.worker.make(&mut self.active, call, process, answered);
        self.growth.saw(made.cost.memory);
        made
    }

    fn recover(&mut self, error: &CallError) -> Result<(), CallError> {
        // What an instance remembers after it answered an error is anybody's guess.
        if !error.poisons() && !self.memory.remembers() {
            return Ok(());
        }
        self.memory.succeed(&mut self.active)?;
        self.growth.renewed();
        self.worker.restarted(renew::reason(error));
        Ok(())
    }

    fn went_on(&mut self) -> Result<(), CallError> {
        self.memory.moved_on();
        self.memory.ready(&mut self.active.instance)
    }

    fn join(parts: Vec<(usize, Transformed)>) -> Result<Transformed, CallError> {
        let mut joined = Transformed::default();
        let mut ports: Vec<(u32, Vec<Arc<RecordBatch>>)> = Vec::new();
        for (first, part) in parts {
            joined.rejections.extend(policy::moved(part.rejections, first));
            for (port, batch) in part.outputs {
                match ports.iter_mut().find(|(known, _)| *known == port) {
                    Some((_, batches)) => batches.push(batch),
                    None => ports.push((port, vec![batch])),
                }
            }
        }
        let together = |(port, batches)| policy::together(batches).map(|batch| (port, batch));
        joined.outputs = ports.into_iter().map(together).collect::<Result<_, _>>()?;
        Ok(joined)
    }
}
