//! The plan: a pipeline as checked. Every component loaded, every stage opened, every edge resolved.

use std::sync::{Arc, Mutex, PoisonError};

use super::{
    diagnostic::{self, Diagnostic, Severity},
    policy::StagePolicy,
    spec::Spec,
};
use crate::words::{
    delivery::Kept,
    observe::Settings,
    stage::{Component, Extract, Input, Kind, Load, Opening, Port, Transform},
    tables::Dataset,
};

mod alike;
pub mod components;
mod config_keys;
mod fitness;
mod mistakes;
mod open;
mod order;
mod ports;

pub use alike::takes;
pub use components::{BUILD, ComponentError, ComponentErrorKind, ComponentRef, Components, Origin};

/// A pipeline that can run.
pub struct Plan {
    /// The pipeline's name.
    pub name: String,
    /// Its stages: each after those that feed it, otherwise in the order in which they were written.
    pub stages: Vec<PlannedStage>,
    /// How it wants to be watched.
    pub telemetry: Settings,
    /// What is probably not as it was meant.
    pub warnings: Vec<Diagnostic>,
}

/// A stage that can run.
pub struct PlannedStage {
    /// Its name, unique in the pipeline.
    pub name: String,
    /// Which of the three it is.
    pub kind: Kind,
    /// How the file refers to its component.
    pub reference: ComponentRef,
    /// What it runs.
    pub component: Arc<dyn Component>,
    /// What every instance of it is opened with.
    pub opening: Opening,
    /// The ports it declared, in the order of their indices. Without the implicit `rejected`; empty for a load.
    pub ports: Vec<Port>,
    /// What feeds it, in the order of its input indices. Empty for an extract.
    pub inputs: Vec<Edge>,
    /// How many instances work side by side.
    pub instances: usize,
    /// Bytes that may wait in front of it.
    pub queue_bytes: u64,
    /// What is done when a call of it fails, or an instance has grown too large.
    pub policy: StagePolicy,
    /// The tables that it opened.
    pub datasets: Vec<Dataset>,
    /// The first instance, opened while checking, for the run to take. A stage that runs already is not opened again.
    pub opened: Mutex<Option<Opened>>,
}

/// An open instance.
pub enum Opened {
    /// Of an extract.
    Extract(Box<dyn Extract>),
    /// Of a transform.
    Transform(Box<dyn Transform>),
    /// Of a load.
    Load(Box<dyn Load>),
}

/// Where an input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// Index into [`Plan::stages`], always less than that of the stage that is fed.
    pub from: usize,
    /// Which way out of it.
    pub port: PortId,
}

/// A way out of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortId {
    /// One of [`PlannedStage::ports`].
    Out(u32),
    /// The implicit port of rejected rows.
    Rejected,
}

// === impl Plan ===

impl Plan {
    /// Checks a pipeline: loads its components, opens its stages, and resolves its edges.
    ///
    /// On failure answers everything that is wrong, warnings included, in the order of the file. A stage that cannot be
    /// judged because one that feeds it failed is not complained about.
    pub fn make(spec: &Spec, components: &dyn Components) -> Result<Plan, Vec<Diagnostic>> {
        Plan::checked(spec, components, &[], &[])
    }

    /// Checks a pipeline that goes on from a checkpoint: stages are opened with what they remembered.
    pub fn resumed(spec: &Spec, components: &dyn Components, kept: &[Kept]) -> Result<Plan, Vec<Diagnostic>> {
        Plan::checked(spec, components, &[], kept)
    }

    /// Checks a pipeline beside one that runs: stages that are the same in both are not opened again.
    pub fn beside(spec: &Spec, components: &dyn Components, running: &[Arc<PlannedStage>]) -> Result<Plan, Vec<Diagnostic>> {
        Plan::checked(spec, components, running, &[])
    }

    fn checked(spec: &Spec, components: &dyn Components, running: &[Arc<PlannedStage>], kept: &[Kept]) -> Result<Plan, Vec<Diagnostic>> {
        let mut diagnostics = Vec::new();
        let loaded = components::load_all(spec, components, &mut diagnostics);
        let fitting: Vec<_> = spec
            .stages
            .iter()
            .zip(loaded)
            .map(|(stage, component)| component.filter(|component| fitness::check(spec, stage, component.as_ref(), &mut diagnostics)))
            .collect();
        let stages = open::open_all(spec, &fitting, (running, kept), &mut diagnostics);
        if stages.len() == spec.stages.len() {
            diagnostics.extend(ports::untaken(spec, &stages));
        }
        diagnostic::sort(&mut diagnostics);
        if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
            return Err(diagnostics);
        }
        Ok(Plan { name: spec.name.clone(), stages, telemetry: spec.telemetry.clone(), warnings: diagnostics })
    }
}

// === impl PlannedStage ===

impl PlannedStage {
    /// Takes the instance that was opened while checking.
    pub fn take_opened(&mut self) -> Option<Opened> {
        self.opened.get_mut().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The same, fed otherwise.
    pub fn rewired(&self, of: Vec<Input>, inputs: Vec<Edge>) -> Self {
        let mut same = self.sized(self.instances, self.queue_bytes);
        (same.opening.inputs, same.inputs) = (of, inputs);
        same
    }

    /// The same in another number of instances, or with another queue.
    pub fn sized(&self, instances: usize, queue_bytes: u64) -> Self {
        PlannedStage {
            name: self.name.clone(),
            kind: self.kind,
            reference: self.reference.clone(),
            component: Arc::clone(&self.component),
            opening: self.opening.clone(),
            ports: self.ports.clone(),
            inputs: self.inputs.clone(),
            instances,
            queue_bytes,
            policy: self.policy.clone(),
            datasets: self.datasets.clone(),
            opened: Mutex::default(),
        }
    }

    /// Whether an instance was opened while checking.
    pub fn is_opened(&self) -> bool {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

#[cfg(test)]
pub(in crate::pipeline) mod fake;
#[cfg(test)]
mod tests;
