//! What is different between the pipeline that runs and the one that shall run.

use std::{cmp::Ordering, sync::Arc};

use super::{
    Step,
    structure::{Place, Structure},
    trying::stateful,
};
use crate::{
    pipeline::{
        plan::{Edge, Plan, PlannedStage, PortId, takes},
        rejections,
        run::{Graph, Stage},
    },
    words::stage::{Input, Kind},
};

/// How a stage that goes on is to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Another component, configuration, limits or grants: another version.
    Version,
    /// The same version with another number of instances or another bound of its queue.
    Settings,
}

/// All that is different.
pub struct Differences {
    /// Stages that run something else, each after those that feed it.
    pub steps: Vec<Step>,
    /// Stages that come or go, or are fed by others.
    pub structure: Option<Structure>,
}

/// What is to be done; or why it cannot be done while the pipeline runs.
pub fn differences(graph: &Graph, plan: Plan) -> Result<Differences, String> {
    let (running, mut planned) = (graph.stages.all(), plan.stages);
    let fed_by: Vec<Vec<(String, String)>> = planned.iter().map(|stage| feeders(&stage.inputs, |at| planned.get(at))).collect();
    let (mut steps, mut places, mut structural) = (Vec::new(), Vec::with_capacity(planned.len()), false);
    // Those that stay, by their places: an edge from anything else is a new one.
    let mut stay: Vec<Option<usize>> = Vec::with_capacity(planned.len());
    for (mut planned, fed_by) in planned.drain(..).zip(fed_by) {
        let stage = running.iter().find(|stage| stage.name == planned.name);
        let Some((stage, old)) = stage.map(|stage| (stage, stage.planned())) else {
            (structural, _) = (true, stay.push(None));
            places.push(Place::Joins { planned: Box::new(planned), replaces: None });
            continue;
        };
        if let Some(why) = cannot_go_on(&old, &planned) {
            keeps_nothing(&old, &why)?;
            (structural, _) = (true, stay.push(None));
            places.push(Place::Joins { planned: Box::new(planned), replaces: Some((Arc::clone(stage), why)) });
            continue;
        }
        stay.push(Some(stage.index));
        let edges = std::mem::replace(&mut planned.inputs, old.inputs.clone());
        let is: Vec<_> = edges.iter().map(|edge| (stay.get(edge.from).copied().flatten(), edge.port)).collect();
        structural |= old.inputs.iter().map(|edge| (Some(edge.from), edge.port)).ne(is);
        let was_fed_by = feeders(&old.inputs, |at| Some(graph.stages.at(at)?.planned()));
        let rewired = was_fed_by != fed_by;
        places.push(Place::Stays { stage: Arc::clone(stage), inputs: planned.opening.inputs.clone(), edges, rewired });
        let resized = old.instances != planned.instances || old.queue_bytes != planned.queue_bytes || old.policy != planned.policy;
        if let Some(what) = if planned.is_opened() { Some(Difference::Version) } else { resized.then_some(Difference::Settings) } {
            steps.push(Step { stage: Arc::clone(stage), planned, what });
        }
    }
    let kept = |stage: &Arc<Stage>| places.iter().any(|place| place.name() == stage.name);
    let removed: Vec<_> = running.iter().filter(|stage| !kept(stage)).cloned().collect();
    structural |= !removed.is_empty();
    Ok(Differences { steps, structure: structural.then_some(Structure { places, removed }) })
}

/// What feeds a stage, by the names of stages and ports.
fn feeders<P: std::ops::Deref<Target = PlannedStage>>(edges: &[Edge], at: impl Fn(usize) -> Option<P>) -> Vec<(String, String)> {
    let named = |edge: &Edge| {
        let from = at(edge.from)?;
        let port = match edge.port {
            PortId::Out(port) => from.ports.get(port as usize).map_or("", |port| port.name.as_str()),
            PortId::Rejected => rejections::PORT,
        };
        Some((from.name.clone(), port.to_owned()))
    };
    edges.iter().map(|edge| named(edge).unwrap_or_default()).collect()
}

/// Why what runs cannot go on as what the stage shall be, also not by another version: another stage must take its place.
fn cannot_go_on(old: &PlannedStage, new: &PlannedStage) -> Option<String> {
    if old.kind != new.kind {
        return Some(format!("`{}` would be of kind {} instead of {}", new.name, new.kind, old.kind));
    }
    if let Some(what) = other_ports(old, new) {
        return Some(format!("`{}` would put out something else: {what}", new.name));
    }
    let (was, is) = (&old.opening.inputs, &new.opening.inputs);
    // Another version of a transform can be opened for more inputs than those by which batches are on their way.
    let more = old.kind == Kind::Transform && was.len() < is.len() && was.iter().zip(is).all(|(was, is)| was.schema == is.schema);
    if takes(old.kind, was, is) || more {
        None
    } else {
        Some(format!("`{}` would be given something else: {}", new.name, other_inputs(was, is)))
    }
}

/// A stage that another takes the place of ends, and what it remembers ends with it: that must be meant.
fn keeps_nothing(old: &PlannedStage, why: &str) -> Result<(), String> {
    let loses = match old.kind {
        Kind::Extract => "where it is in its source",
        Kind::Transform if stateful(old)? => "what it remembers",
        Kind::Transform | Kind::Load => return Ok(()),
    };
    Err(format!(
        "{why}. Another stage would have to take its place, and {loses} would be lost; give it another name if it shall end and begin anew"
    ))
}

/// What of a stage's inputs is not as it was.
fn other_inputs(was: &[Input], is: &[Input]) -> String {
    let differs = was.iter().zip(is).find(|(was, is)| was.schema != is.schema);
    match (differs, was.len().cmp(&is.len())) {
        (Some((_, is)), _) => format!("`{}` has other columns", is.name),
        (None, Ordering::Equal) => "nothing".to_owned(),
        (None, _) => format!("{} inputs instead of {}", is.len(), was.len()),
    }
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
