//! What is different between the pipeline that runs and the one that shall run.

use std::sync::Arc;

use super::Step;
use crate::pipeline::{
    plan::{Edge, Plan, PlannedStage},
    run::{Graph, Stage},
};

/// How a stage is to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Another component, configuration, limits or grants: another version.
    Version,
    /// The same version with another number of instances or another bound of its queue.
    Settings,
}

/// What is to be done, each stage after those that feed it; or why it cannot be done while the pipeline runs.
pub fn differences(graph: &Graph, plan: Plan) -> Result<Vec<Step>, String> {
    let names: Vec<String> = plan.stages.iter().map(|stage| stage.name.clone()).collect();
    if let Some(gone) = graph.stages.all().iter().find(|stage| !names.contains(&stage.name)) {
        return Err(format!("stage `{}` cannot be removed while the pipeline runs; stop it and start it again", gone.name));
    }
    let mut steps = Vec::new();
    for mut planned in plan.stages {
        let Some(stage) = graph.stages.named(&planned.name) else {
            return Err(format!("stage `{}` cannot be added while the pipeline runs; stop it and start it again", planned.name));
        };
        for edge in &mut planned.inputs {
            edge.from = graph.stages.named(&names[edge.from]).map_or(usize::MAX, |from| from.index);
        }
        if let Some(what) = difference(&stage, &planned)? {
            steps.push(Step { stage, planned, what });
        }
    }
    Ok(steps)
}

fn difference(stage: &Arc<Stage>, planned: &PlannedStage) -> Result<Option<Difference>, String> {
    let old = stage.planned();
    let name = &stage.name;
    if old.kind != planned.kind {
        return Err(format!("`{name}` is a {} and cannot become a {} while the pipeline runs", old.kind, planned.kind));
    }
    let edges = |planned: &PlannedStage| planned.inputs.iter().map(|Edge { from, port }| (*from, *port)).collect::<Vec<_>>();
    if edges(&old) != edges(planned) {
        return Err(format!("the inputs of `{name}` cannot change while the pipeline runs; stop it and start it again"));
    }
    if let Some(what) = other_ports(&old, planned) {
        return Err(format!("`{name}` would put out something else: {what}"));
    }
    let opened = planned.is_opened();
    let resized = old.instances != planned.instances || old.queue_bytes != planned.queue_bytes;
    Ok(match (opened, resized) {
        (true, _) => Some(Difference::Version),
        (false, true) => Some(Difference::Settings),
        (false, false) => None,
    })
}

/// What of a stage's ways out is not as it was: those that it feeds were opened for them.
fn other_ports(old: &PlannedStage, new: &PlannedStage) -> Option<String> {
    let names = |planned: &PlannedStage| planned.ports.iter().map(|port| format!("`{}`", port.name)).collect::<Vec<_>>().join(", ");
    if old.ports.iter().map(|port| &port.name).ne(new.ports.iter().map(|port| &port.name)) {
        return Some(format!("the ports {} instead of {}", names(new), names(old)));
    }
    let (was, is) = old.ports.iter().zip(&new.ports).find(|(was, is)| was.schema != is.schema)?;
    let port = &was.name;
    let (was, is) = (was.schema.fields(), is.schema.fields());
    Some(match was.iter().zip(is.iter()).find(|(was, is)| was != is) {
        Some((was, is)) if was.name() == is.name() => {
            let null = |nullable: bool| if nullable { "nullable" } else { "not nullable" };
            let shown = |field: &arrow::datatypes::Field| format!("{} ({})", field.data_type(), null(field.is_nullable()));
            format!("column `{}` of port `{port}` is {} instead of {}", was.name(), shown(is), shown(was))
        }
        Some((was, is)) => format!("port `{port}` has the column `{}` where `{}` was", is.name(), was.name()),
        None => format!("port `{port}` has {} columns instead of {}", is.len(), was.len()),
    })
}
