//! What an observer is told of a run before it begins, and of a stage that changes.

use crate::{
    pipeline::plan::{Plan, PlannedStage},
    words::{
        observe::{RunFacts, StageFacts},
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

/// Of one stage, with the extracts whose batches come there.
pub fn facts(stage: &PlannedStage, sources: Vec<String>) -> StageFacts {
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
