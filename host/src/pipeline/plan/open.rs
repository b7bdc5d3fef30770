//! Opens every stage, each after those that feed it, so that what flows along every edge is known.

use std::sync::{Arc, Mutex};

use super::{Edge, Opened, PlannedStage, alike, fitness, mistakes, order, ports};
use crate::{
    pipeline::{
        diagnostic::Diagnostic,
        policy::StagePolicy,
        spec::{Spec, StageSpec},
    },
    words::{
        call::CallError,
        delivery::Kept,
        scope,
        stage::{Component, Input, Kind, Opening, Port},
        tables::Dataset,
    },
};

/// Opens the stages whose components fit, in topological order. One that fails, and all that it feeds, are left out;
/// only the first is reported.
///
/// A stage that runs already and is the same is taken over as it is, without an instance; one of which something was kept is opened with
/// that.
pub(super) fn open_all(
    spec: &Spec,
    components: &[Option<Arc<dyn Component>>],
    (running, kept): (&[Arc<PlannedStage>], &[Kept]),
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<PlannedStage> {
    let mut planned: Vec<PlannedStage> = Vec::with_capacity(spec.stages.len());
    for at in order::topological(spec) {
        let (stage, Some(component)) = (&spec.stages[at], &components[at]) else {
            continue;
        };
        let Some(inputs) = inputs(spec, stage, &planned, diagnostics) else {
            continue;
        };
        let (edges, inputs) = inputs.into_iter().unzip();
        let opening = Opening {
            stage: stage.name.clone(),
            config: stage.config.clone(),
            inputs,
            limits: fitness::limits(stage, component.as_ref()),
            grants: stage.grants.clone(),
            restore: None,
        };
        let plan = |(opened, ports, datasets), opening| PlannedStage {
            name: stage.name.clone(),
            kind: stage.kind,
            reference: stage.component.clone(),
            component: component.clone(),
            opening,
            ports,
            inputs: edges,
            instances: stage.instances,
            queue_bytes: stage.queue_bytes,
            policy: policy(spec, stage, component.as_ref()),
            datasets,
            opened: Mutex::new(opened),
        };
        if let Some(same) = running.iter().find(|running| alike::is_same(running, stage, component.as_ref(), &opening)) {
            planned.push(plan((None, same.ports.clone(), same.datasets.clone()), opening));
            continue;
        }
        let _scope = scope::within(&spec.name, &stage.name);
        let restore = kept.iter().find(|kept| kept.stage == stage.name).and_then(|kept| kept.state.clone());
        match open(stage.kind, component.as_ref(), &Opening { restore, ..opening.clone() }) {
            Ok((opened, ports, datasets)) => planned.push(plan((Some(opened), ports, datasets), opening)),
            Err(error) => diagnostics.extend(mistakes::of_opening(spec, stage, component.as_ref(), &opening.inputs, &error)),
        }
    }
    planned
}

fn policy(spec: &Spec, stage: &StageSpec, component: &dyn Component) -> StagePolicy {
    // What is kept beside an instance goes with it, and a load's rows do until they are committed.
    let stays = stage.kind == Kind::Load || fitness::keeps_beside(stage, component);
    StagePolicy {
        on_error: stage.on_error,
        recycle: stage.recycle.or((!stays).then_some(stage.limits.memory / 4 * 3)),
        dead_letters: spec.dead_letters.clone(),
        pipeline: spec.name.clone(),
        file: spec.base.join(std::path::Path::new(spec.source.name()).file_name().unwrap_or_default()),
    }
}

/// The inputs of a stage. Nothing when one of them is not to be had, which is reported if it has not been.
fn inputs(spec: &Spec, stage: &StageSpec, planned: &[PlannedStage], diagnostics: &mut Vec<Diagnostic>) -> Option<Vec<(Edge, Input)>> {
    let mut inputs = Some(Vec::with_capacity(stage.inputs.len()));
    for input in &stage.inputs {
        let resolved = planned.iter().position(|from| from.name == input.stage).and_then(|from| {
            match ports::resolve(spec, stage, input, &planned[from]) {
                Ok((port, schema)) => Some((Edge { from, port }, Input { name: input.written.clone(), schema })),
                Err(diagnostic) => {
                    diagnostics.push(*diagnostic);
                    None
                }
            }
        });
        // After a failure the others are still resolved, for what is to be said about them.
        inputs = inputs.zip(resolved).map(|(mut inputs, resolved)| {
            inputs.push(resolved);
            inputs
        });
    }
    inputs
}

fn open(kind: Kind, component: &dyn Component, opening: &Opening) -> Result<(Opened, Vec<Port>, Vec<Dataset>), CallError> {
    let call = match kind {
        Kind::Extract => component.open_extract(opening).map(|(stage, ports)| (Opened::Extract(stage), ports)),
        Kind::Transform => component.open_transform(opening).map(|(stage, ports)| (Opened::Transform(stage), ports)),
        Kind::Load => component.open_load(opening).map(|stage| (Opened::Load(stage), Vec::new())),
    };
    let (opened, declared) = call.outcome?;
    match ports::malformed(&declared) {
        Some(message) => Err(CallError::Malformed(message)),
        None => Ok((opened, declared, call.usage.said.datasets.clone())),
    }
}
