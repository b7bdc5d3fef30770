//! Changing what runs while data flows: one way for every trigger, from a pipeline file as it shall be.
//!
//! ```text
//! load beside ─► check ─► hand over ─► [shadow] ─► [canary] ─► switch ─► guard ─► retire        a version: `trying`
//!      │           │     └── refused     └────────────┴──────────────────┴── rolled back
//!      └───────────┴─► rewire ─► settle                                                           the graph: `structure`
//! ```
//! Versions are tried first. Where one does not stay, the graph stays as it is, too.
//!
//! Whoever asks for a change does the work, on a thread of their own: components are compiled and opened there, and what is no longer
//! needed is dropped there. The data path sees a new instance at a batch boundary, and nothing else.

mod cause;
mod difference;
mod judge;
mod record;
mod settings;
mod structure;
mod trying;

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

pub use cause::Cause;
pub use judge::judge;
pub use record::{Outcome, Phases, Record, Trigger};
pub use settings::SwapSettings;

use self::{
    difference::{Difference, Differences, differences},
    structure::Ready,
};
use super::{
    diagnostic::Diagnostic,
    footing::Footing,
    plan::{ComponentError, ComponentRef, Components, Origin, Plan, PlannedStage},
    run::{Graph, Stage},
    spec::{Spec, StageSpec},
};
use crate::words::{
    limits::Loading,
    observe::{Refused, Swapped},
    stage::Component,
};

/// Records that are remembered.
const RECORDS: usize = 1_000;

/// Changes a run while it runs.
pub struct Swaps {
    graph: Arc<Graph>,
    components: Arc<dyn Components + Send + Sync>,
    /// The pipeline as it runs.
    spec: Mutex<Spec>,
    records: Mutex<VecDeque<Record>>,
}

/// What one stage shall run instead.
#[derive(Clone, Debug)]
pub struct Request {
    /// The stage's name.
    pub stage: String,
    /// The component, as a pipeline file would refer to it. A relative path starts at the pipeline file.
    pub component: ComponentRef,
    /// How it is tried.
    pub settings: SwapSettings,
    /// Who or what asks.
    pub trigger: Trigger,
}

/// Why a change was not begun. What runs goes on untouched.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such stage.
    #[error("there is no stage `{name}` in this pipeline; it has {known}")]
    NoStage {
        /// As asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// The pipeline as it shall be has mistakes.
    #[error("{} in the pipeline as it shall be", count(.0.len()))]
    Mistakes(Vec<Diagnostic>),
    /// It cannot be changed so while it runs.
    #[error("{0}")]
    Impossible(String),
}

// === impl Refusal ===

impl Refusal {
    /// In which phase, which is why: `load` or `check`.
    pub fn reason(&self) -> &'static str {
        match self {
            Refusal::Mistakes(_) => "load",
            Refusal::NoStage { .. } | Refusal::Impossible(_) => "check",
        }
    }

    /// All of it that fits into a line.
    pub fn message(&self) -> String {
        match self {
            Refusal::Mistakes(mistakes) => mistakes.first().map_or_else(|| self.to_string(), |first| format!("{self}: {}", first.message)),
            _ => self.to_string(),
        }
    }
}

fn count(mistakes: usize) -> String {
    if mistakes == 1 { "there is a mistake".to_owned() } else { format!("there are {mistakes} mistakes") }
}

/// A stage that goes on, and what it shall be.
struct Step {
    stage: Arc<Stage>,
    planned: PlannedStage,
    what: Difference,
}

/// Who asked for a change and how.
struct Asked {
    trigger: Trigger,
    settings: SwapSettings,
    /// What was done before anything was touched: `load` and `check`, once for all stages that change together.
    ready: Phases,
}

/// A change that can be carried out.
struct Prepared {
    /// The pipeline as it shall be.
    spec: Spec,
    /// Stages that run something else, or in another number.
    steps: Vec<Step>,
    /// The graph as it shall be, if it is another.
    structure: Option<Ready>,
}

// === impl Swaps ===

impl Swaps {
    /// For a run of this spec, with whoever finds and compiles components.
    pub fn new(graph: Arc<Graph>, spec: Spec, components: Arc<dyn Components + Send + Sync>) -> Self {
        Swaps { graph, components, spec: Mutex::new(spec), records: Mutex::default() }
    }

    /// The pipeline as it runs.
    pub fn spec(&self) -> Spec {
        lock(&self.spec).clone()
    }

    /// What runs.
    pub fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    /// What has been changed, or was refused, the newest last.
    pub fn records(&self) -> Vec<Record> {
        lock(&self.records).iter().cloned().collect()
    }

    /// Swaps the component of one stage; which stages there are stays as it is. A component that is the one which runs is no change: there is no record then.
    pub fn swap(&self, request: &Request) -> Result<Option<Record>, Refusal> {
        let wanted = |mut spec: Spec| {
            let known = || spec.stages.iter().map(|stage| format!("`{}`", stage.name)).collect::<Vec<_>>().join(", ");
            let Some(at) = spec.stages.iter().position(|stage| stage.name == request.stage) else {
                return Err(Refusal::NoStage { name: request.stage.clone(), known: known() });
            };
            spec.stages[at].component = request.component.clone();
            Ok(spec)
        };
        let records = self.make(wanted, Some(&request.stage), request.trigger, Some(request.settings))?;
        Ok(records.into_iter().find(|record| record.stage == request.stage))
    }

    /// Makes what runs into another pipeline: what is the same in both goes on untouched.
    pub fn change(&self, spec: Spec, trigger: Trigger, settings: SwapSettings) -> Result<Vec<Record>, Refusal> {
        self.make(|_| Ok(spec), None, trigger, Some(settings))
    }

    /// What runs goes on by what is now in the files of its components.
    pub fn refresh(&self, trigger: Trigger) -> Result<Vec<Record>, Refusal> {
        self.make(Ok, None, trigger, None)
    }

    /// What shall be is asked for in its turn: made of what runs by then, it undoes no change that came between. Without settings those
    /// of the pipeline count. `stage` is the only one that shall change, if it is known: then the graph stays as it is.
    fn make(
        &self,
        wanted: impl FnOnce(Spec) -> Result<Spec, Refusal>,
        stage: Option<&str>,
        trigger: Trigger,
        settings: Option<SwapSettings>,
    ) -> Result<Vec<Record>, Refusal> {
        let control = Arc::clone(&self.graph.control);
        let _turn = lock(&control.changing);
        let mut ready = Phases::new();
        let prepared = self.prepare(wanted, stage, &mut ready);
        let Prepared { spec, steps, structure } = prepared.inspect_err(|refusal| self.refused(stage, trigger, refusal, &ready))?;
        let asked = Asked { trigger, settings: settings.unwrap_or(spec.swap), ready };
        let (versions, sizes): (Vec<_>, Vec<_>) = steps.into_iter().partition(|step| step.what == Difference::Version);
        let mut records: Vec<Record> = versions.into_iter().map(|step| self.carry_out(step, &asked)).collect();
        if let Some(structure) = structure {
            let failed = records.iter().find(|record| !record.outcome.stays()).map(|record| record.stage.clone());
            self.restructure(structure, failed, &asked, &mut records);
        }
        for step in sizes {
            self.size(step, &asked, &mut records);
        }
        self.remember(spec, &records);
        control.stands_on(Footing::of(&lock(&self.spec)).text());
        Ok(records)
    }

    /// Everything that can be done, and refused, before what runs is touched.
    fn prepare(
        &self,
        wanted: impl FnOnce(Spec) -> Result<Spec, Refusal>,
        stage: Option<&str>,
        phases: &mut Phases,
    ) -> Result<Prepared, Refusal> {
        let began = Instant::now();
        let loaded = wanted(self.spec()).and_then(|spec| self.load_beside(&spec).map(|plan| (spec, plan)));
        let ended = Instant::now();
        phases.push(("load", began, ended));
        let (spec, plan) = loaded?;
        let checked = self.check(plan, stage.is_none());
        phases.push(("check", ended, Instant::now()));
        let (steps, structure) = checked?;
        Ok(Prepared { spec, steps, structure })
    }

    /// Tells that a change was not begun, as far as it came: by whoever could not even read what was to be, too.
    pub fn refused(&self, stage: Option<&str>, trigger: Trigger, refusal: &Refusal, phases: &Phases) {
        let stage = stage.and_then(|name| self.graph.stages.named(name));
        self.graph.observer.refused(&Refused {
            stage: stage.as_ref().map(|stage| (stage.index, &*stage.name)),
            reason: refusal.reason(),
            message: &refusal.message(),
            trigger: trigger.as_str(),
            phases,
        });
    }

    /// The pipeline that runs now: the one that was asked for, or as much of it as stays.
    fn remember(&self, spec: Spec, records: &[Record]) {
        let mut running = lock(&self.spec);
        if records.iter().all(|record| record.outcome.stays()) {
            let name = std::mem::take(&mut running.name);
            *running = Spec { name, ..spec };
            return;
        }
        running.swap = spec.swap;
        running.keys.clone_from(&spec.keys);
        for record in records.iter().filter(|record| record.outcome.stays()) {
            if let (Some(wanted), Some(stage)) =
                (spec.stage(&record.stage), running.stages.iter_mut().find(|stage| stage.name == record.stage))
            {
                // The graph has stayed as it was.
                let inputs = std::mem::take(&mut stage.inputs);
                *stage = StageSpec { inputs, ..wanted.clone() };
            }
        }
    }

    /// Compiles and opens what is new, off the data path; what is not new is not touched.
    fn load_beside(&self, spec: &Spec) -> Result<Plan, Refusal> {
        let running: Vec<_> = self.graph.stages.all().iter().map(|stage| stage.planned()).collect();
        let components = Known { inner: &*self.components, running: &running };
        Plan::beside(spec, &components, &running).map_err(Refusal::Mistakes)
    }

    /// What is different, if all of it can be changed while it runs; all that is new is open then.
    fn check(&self, plan: Plan, graph_too: bool) -> Result<(Vec<Step>, Option<Ready>), Refusal> {
        if self.graph.control.given_up() || self.graph.finished() {
            return Err(Refusal::Impossible("the run is ending".to_owned()));
        }
        let Differences { steps, structure } = differences(&self.graph, plan).map_err(Refusal::Impossible)?;
        if structure.is_some() && self.graph.control.is_delivering() {
            // A checkpoint stands on the graph that it was taken of.
            let help = "stop the run, change the file and run it with `--restart`, or remove `checkpoint`";
            return Err(Refusal::Impossible(format!("stages cannot come, go or be fed by others in a run that takes checkpoints; {help}")));
        }
        let structure = structure.map(|structure| structure.open(&self.graph, graph_too)).transpose();
        Ok((steps, structure.map_err(Refusal::Impossible)?))
    }

    /// Tells whoever watches the stage, and remembers.
    fn tell(&self, stage: &Stage, record: &Record) {
        let facts = super::run::stage_facts(&self.graph.stages, stage);
        self.graph.observer.swapped(&Swapped {
            stage: stage.index,
            facts: &facts,
            generation: stage.version().generation,
            outcome: record.outcome.as_str(),
            reason: record.reason,
            message: record.message.as_deref(),
            trigger: record.trigger.as_str(),
            old: record.old.as_ref().map(|old| (old.generation, &*old.digest)),
            new: record.new.as_ref().map(|new| (new.generation, &*new.digest)),
            phases: &record.phases,
            pause: Duration::from_secs_f64(record.pause_seconds),
        });
        self.note(record);
    }

    /// Tells of a stage that there is not, and remembers.
    fn tell_refused(&self, record: &Record) {
        self.graph.observer.refused(&Refused {
            stage: None,
            reason: record.reason.unwrap_or("graph"),
            message: record.message.as_deref().unwrap_or_default(),
            trigger: record.trigger.as_str(),
            phases: &record.phases,
        });
        self.note(record);
    }

    fn note(&self, record: &Record) {
        let mut records = lock(&self.records);
        if records.len() >= RECORDS {
            records.pop_front();
        }
        records.push_back(record.clone());
    }

    /// The files that components are read from, each once.
    pub fn component_files(&self) -> Vec<PathBuf> {
        let spec = lock(&self.spec);
        let file = |stage: &StageSpec| match &stage.component {
            ComponentRef::Path(path) => Some(spec.base.join(path)),
            ComponentRef::Std(_) | ComponentRef::Oci(_) => None,
        };
        let mut files: Vec<PathBuf> = spec.stages.iter().filter_map(file).collect();
        files.sort_unstable();
        files.dedup();
        files
    }
}

/// Finds components, those that run among them: what comes with the host is not loaded again.
struct Known<'a> {
    inner: &'a dyn Components,
    running: &'a [Arc<PlannedStage>],
}

impl Components for Known<'_> {
    fn load(&self, reference: &ComponentRef, origin: &Origin, limits: Loading) -> Result<Arc<dyn Component>, ComponentError> {
        let runs = |planned: &&Arc<PlannedStage>| {
            let same = planned.reference == *reference && matches!(reference, ComponentRef::Std(_));
            same && (!limits.uncounted || planned.opening.limits.loading().uncounted)
        };
        match self.running.iter().find(runs) {
            Some(planned) => Ok(Arc::clone(&planned.component)),
            None => self.inner.load(reference, origin, limits),
        }
    }

    fn std_names(&self) -> Vec<String> {
        self.inner.std_names()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
