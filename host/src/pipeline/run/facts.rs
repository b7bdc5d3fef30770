//! What an observer is told of a run before it begins, and what it may ask while it lives.

use std::{sync::Arc, thread, time::Duration};

use super::{ledger::Ledger, queue::Queue};
use crate::{
    pipeline::plan::{Plan, PlannedStage},
    words::{
        observe::{Probe, RunFacts, StageFacts, StageLevel},
        stage::Kind,
    },
};

/// Of a plan.
pub fn of(plan: &Plan) -> RunFacts {
    let mut sources: Vec<Vec<String>> = Vec::with_capacity(plan.stages.len());
    for stage in &plan.stages {
        let mut of = match stage.kind {
            Kind::Extract => vec![stage.name.clone()],
            _ => stage.inputs.iter().flat_map(|edge| sources[edge.from].clone()).collect(),
        };
        of.sort_unstable();
        of.dedup();
        sources.push(of);
    }
    let stages = plan.stages.iter().zip(sources).map(|(stage, sources)| facts(stage, sources)).collect();
    RunFacts { pipeline: plan.name.clone(), stages, settings: plan.telemetry.clone() }
}

fn facts(stage: &PlannedStage, sources: Vec<String>) -> StageFacts {
    let names = |input: &crate::words::stage::Input| input.schema.fields().iter().map(|field| field.name().clone()).collect();
    StageFacts {
        name: stage.name.clone(),
        kind: stage.kind,
        component: stage.reference.to_string(),
        version: stage.component.description().map_or_else(|_| String::new(), |description| description.version.clone()),
        digest: stage.component.digest().to_string(),
        instances: stage.instances.max(1),
        sources,
        columns: stage.opening.inputs.iter().map(names).collect(),
        datasets: stage.datasets.clone(),
        queue_bound: (stage.kind != Kind::Extract).then_some(stage.queue_bytes),
        memory_limit: stage.opening.limits.memory,
    }
}

/// Answers how stages stand.
pub struct Levels {
    /// Queues in front of stages; none in front of an extract.
    pub queues: Vec<Option<Arc<Queue>>>,
    /// The run's ledger.
    pub ledger: Arc<Ledger>,
}

impl Levels {
    fn level(&self, stage: usize) -> StageLevel {
        let Some(queue) = &self.queues[stage] else {
            let (mut rows, busy) = self.ledger.level(stage);
            rows.arrived = self.ledger.extracted(stage);
            rows.kept = rows.arrived;
            return StageLevel { busy, rows, ..StageLevel::default() };
        };
        let queued = queue.level();
        let (mut rows, busy) = self.ledger.level(stage);
        rows.arrived = queued.rows_arrived;
        rows.waiting = queued.rows;
        StageLevel { queue_batches: queued.batches, queue_bytes: queued.bytes, busy, rows }
    }
}

impl Probe for Levels {
    /// The queue and the ledger are read one after the other, and a batch may pass from one to the other in between: what looks
    /// unbalanced is looked at again before it is said.
    fn stage(&self, stage: usize) -> StageLevel {
        let mut level = self.level(stage);
        for pause in [0, 50, 500, 5_000] {
            if level.rows.imbalance() == 0 {
                break;
            }
            thread::sleep(Duration::from_micros(pause));
            level = self.level(stage);
        }
        level
    }
}
