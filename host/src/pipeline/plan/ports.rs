//! Which port an input means, and which ports nobody takes.

use std::sync::Arc;

use super::{PlannedStage, PortId};
use crate::{
    pipeline::{
        diagnostic::{Diagnostic, nearest},
        rejections::{self, NoRejections},
        spec::{InputSpec, Spec, StageSpec},
    },
    words::{
        batch::SchemaRef,
        stage::{Input, Kind, Port},
    },
};

/// The name of a port when there is only one, and of the one that is meant when none is named.
const OUT: &str = "out";

/// The port that an input of `stage` means, and the schema of what leaves by it.
pub(super) fn resolve(
    spec: &Spec,
    stage: &StageSpec,
    input: &InputSpec,
    from: &PlannedStage,
) -> Result<(PortId, SchemaRef), Box<Diagnostic>> {
    if input.port.as_deref() == Some(rejections::PORT) {
        let schema = rejected(&from.opening.inputs).map_err(|error| {
            let message = format!("the rows that `{}` rejects cannot leave it: {error}", from.name);
            Box::new(Diagnostic::at("no-rejections", &spec.source, input.span, message).label(format!("taken by {}", stage.title())))
        })?;
        return Ok((PortId::Rejected, schema));
    }
    let found = match &input.port {
        Some(name) => from.ports.iter().position(|port| port.name == *name),
        None if from.ports.len() == 1 => Some(0),
        None => from.ports.iter().position(|port| port.name == OUT),
    };
    match found {
        Some(at) => Ok((PortId::Out(at as u32), from.ports[at].schema.clone())),
        None => Err(Box::new(no_port(spec, input, from))),
    }
}

fn no_port(spec: &Spec, input: &InputSpec, from: &PlannedStage) -> Diagnostic {
    let error = |code, message: String| Diagnostic::at(code, &spec.source, input.span, message);
    let names: Vec<&str> = from.ports.iter().map(|port| port.name.as_str()).collect();
    let full: Vec<String> = names.iter().map(|name| format!("\"{}.{name}\"", from.name)).collect();
    match &input.port {
        _ if names.is_empty() => {
            let hint =
                (from.kind != Kind::Extract).then(|| format!("write \"{}.{}\" for the rows that it rejects", from.name, rejections::PORT));
            error("unknown-port", format!("nothing comes out of `{}`", from.name)).label("it declared no port").help_if(hint)
        }
        Some(port) => {
            let near = nearest(port, names.iter().copied().chain([rejections::PORT]));
            let near = near.map(|near| format!("did you mean \"{}.{near}\"?", from.name));
            error("unknown-port", format!("`{}` has no port `{port}`", from.name))
                .label(format!("expected one of: {}", full.join(", ")))
                .help_if(near)
        }
        None => error("which-port", format!("`{}` has several ports, and none is called `{OUT}`", from.name))
            .label(format!("expected one of: {}", full.join(", "))),
    }
}

/// The schema of the rows that a stage with these inputs rejects.
fn rejected(inputs: &[Input]) -> Result<SchemaRef, NoRejections> {
    let Some(first) = inputs.first() else {
        return rejections::schema(&arrow::datatypes::Schema::empty()).map(Arc::new);
    };
    if let Some(other) = inputs.iter().find(|input| input.schema != first.schema) {
        return Err(NoRejections::InputsDiffer(first.name.clone(), other.name.clone()));
    }
    rejections::schema(&first.schema).map(Arc::new)
}

/// What is wrong with the ports that a stage declared, if anything.
pub(super) fn malformed(ports: &[Port]) -> Option<String> {
    for (at, port) in ports.iter().enumerate() {
        if port.name == rejections::PORT {
            return Some(format!("it declares a port `{}`, a name that belongs to the host", port.name));
        }
        if port.name.is_empty() || port.name.chars().any(char::is_control) {
            return Some("it declares a port without a readable name".to_owned());
        }
        if ports[..at].iter().any(|earlier| earlier.name == port.name) {
            return Some(format!("it declares two ports called `{}`", port.name));
        }
    }
    None
}

/// A warning for every port that nobody takes. Rejected rows that nobody takes are counted and dropped: that is usual.
pub(super) fn untaken(spec: &Spec, stages: &[PlannedStage]) -> Vec<Diagnostic> {
    let taken = |from: usize, port: usize| {
        let edges = stages.iter().flat_map(|stage| &stage.inputs);
        edges.into_iter().any(|edge| edge.from == from && edge.port == PortId::Out(port as u32))
    };
    let mut warnings = Vec::new();
    for (at, stage) in stages.iter().enumerate() {
        let free: Vec<&Port> = stage.ports.iter().enumerate().filter(|(port, _)| !taken(at, *port)).map(|(_, port)| port).collect();
        let Some(written) = spec.stage(&stage.name) else { continue };
        let warn = |message: String| Diagnostic::at("untaken-output", &spec.source, written.places.name, message).warning();
        if free.len() == stage.ports.len() && !free.is_empty() {
            let help = format!("add \"{}\" to the inputs of another stage, or remove this one", stage.name);
            warnings.push(warn(format!("nobody takes what `{}` puts out", stage.name)).label("its batches are dropped").help(help));
        } else {
            warnings.extend(free.into_iter().map(|port| {
                warn(format!("nobody takes what `{}` puts out by its port `{}`", stage.name, port.name)).label("these batches are dropped")
            }));
        }
    }
    warnings
}
