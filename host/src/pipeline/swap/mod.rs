//! Changing what runs while data flows: one way for every trigger, from a pipeline file as it shall be.
//!
//! ```text
//! load beside ─► check ─► hand over ─► [shadow] ─► [canary] ─► switch ─► guard ─► retire
//!      └───────────┴── refused           └────────────┴──────────────────┴── rolled back
//! ```
//! Whoever asks for a change does the work, on a thread of their own: components are compiled and opened there, and what is no longer
//! needed is dropped there. The data path sees a new instance at a batch boundary, and nothing else.

mod cause;
mod difference;
mod judge;
mod record;
mod settings;

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

pub use cause::Cause;
pub use judge::judge;
pub use record::{Outcome, Phases, Record, Trigger};
pub use settings::SwapSettings;

use self::{
    difference::{Difference, differences},
    record::Work,
};
use super::{
    diagnostic::Diagnostic,
    plan::{ComponentError, ComponentRef, Components, Opened, Plan, PlannedStage},
    run::{Candidate, Change, Graph, Phase, Stage, Trial, Version, source},
    spec::{Spec, StageSpec},
};
use crate::words::{
    observe::{Refused, Swapped, WorkerFacts},
    scope,
    stage::{Component, Kind},
};

/// Records that are remembered.
const RECORDS: usize = 1_000;
/// How long a rolled-back or passed trial may take to settle before its record is written without waiting for it: threads
/// that are held up by a full queue settle when it moves.
const SETTLING: Duration = Duration::from_secs(5);

/// Changes a run while it runs.
pub struct Swaps {
    graph: Arc<Graph>,
    components: Arc<dyn Components + Send + Sync>,
    /// The pipeline as it runs.
    spec: Mutex<Spec>,
    records: Mutex<VecDeque<Record>>,
    /// One change at a time.
    turn: Mutex<()>,
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

/// A stage, and what it shall be.
struct Step {
    stage: Arc<Stage>,
    planned: PlannedStage,
    what: Difference,
}

// === impl Swaps ===

impl Swaps {
    /// For a run of this spec, with whoever finds and compiles components.
    pub fn new(graph: Arc<Graph>, spec: Spec, components: Arc<dyn Components + Send + Sync>) -> Self {
        let (records, turn) = Default::default();
        Swaps { graph, components, spec: Mutex::new(spec), records, turn }
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

    /// Swaps the component of one stage. A component that is the one which runs is no change: there is no record then.
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
    /// of the pipeline count. `stage` is the only one that shall change, if it is known.
    fn make(
        &self,
        wanted: impl FnOnce(Spec) -> Result<Spec, Refusal>,
        stage: Option<&str>,
        trigger: Trigger,
        settings: Option<SwapSettings>,
    ) -> Result<Vec<Record>, Refusal> {
        let _turn = lock(&self.turn);
        let mut ready = Phases::new();
        let (spec, steps) = self.prepare(wanted, &mut ready).inspect_err(|refusal| self.refused(stage, trigger, refusal, &ready))?;
        let settings = settings.unwrap_or(spec.swap);
        let mut records = Vec::with_capacity(steps.len());
        let mut running = self.spec();
        running.swap = spec.swap;
        for step in steps {
            let name = step.stage.name.clone();
            let record = self.carry_out(step, trigger, settings, ready.clone());
            let stays = record.outcome == Outcome::Swapped;
            records.push(record);
            if let (true, Some(wanted), Some(stage)) =
                (stays, spec.stage(&name), running.stages.iter_mut().find(|stage| stage.name == name))
            {
                *stage = wanted.clone();
            }
        }
        *lock(&self.spec) = running;
        Ok(records)
    }

    /// Everything that can be done before what runs is touched.
    fn prepare(&self, wanted: impl FnOnce(Spec) -> Result<Spec, Refusal>, phases: &mut Phases) -> Result<(Spec, Vec<Step>), Refusal> {
        let began = Instant::now();
        let loaded = wanted(self.spec()).and_then(|spec| self.load_beside(&spec).map(|plan| (spec, plan)));
        let ended = Instant::now();
        phases.push(("load", began, ended));
        let (spec, plan) = loaded?;
        let steps = self.check(plan);
        phases.push(("check", ended, Instant::now()));
        Ok((spec, steps?))
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

    /// Compiles and opens what is new, off the data path; what is not new is not touched.
    fn load_beside(&self, spec: &Spec) -> Result<Plan, Refusal> {
        let running: Vec<_> = self.graph.stages.all().iter().map(|stage| stage.planned()).collect();
        let components = Known { inner: &*self.components, running: &running };
        Plan::beside(spec, &components, &running).map_err(Refusal::Mistakes)
    }

    /// What is different, if all of it can be changed while it runs.
    fn check(&self, plan: Plan) -> Result<Vec<Step>, Refusal> {
        if self.graph.control.given_up() || self.graph.finished() {
            return Err(Refusal::Impossible("the run is ending".to_owned()));
        }
        differences(&self.graph, plan).map_err(Refusal::Impossible)
    }

    /// Changes one stage, and says what came of it.
    fn carry_out(&self, step: Step, trigger: Trigger, settings: SwapSettings, ready: Phases) -> Record {
        let (work, old) = (Work { ready, handed_over: Instant::now() }, step.stage.version());
        let Step { stage, mut planned, what } = step;
        let instances = planned.instances;
        let mut record = match what {
            Difference::Version => {
                let version = stage.try_version(&planned);
                let trial = self.put_on_trial(&stage, &mut planned, &version, settings);
                let planned = Arc::new(planned);
                match trial {
                    Ok(trial) => {
                        self.try_out(&stage, &trial);
                        let tried = Instant::now();
                        self.conclude(&stage, &trial, planned, &version);
                        Record::of(&stage, trigger, (&old, &version), &trial, (work, tried))
                    }
                    Err(message) => Record::refused(&stage, trigger, (&old, &version), message, work),
                }
            }
            Difference::Settings => {
                stage.runs(Arc::new(planned), Arc::clone(&old));
                Record::settings(&stage, trigger, &old, work)
            }
        };
        if record.outcome == Outcome::Swapped {
            self.resize(&stage, instances, &mut record);
        }
        self.tell(&stage, &record);
        record
    }

    /// Leaves a candidate in the post of every seat.
    fn put_on_trial(
        &self,
        stage: &Arc<Stage>,
        planned: &mut PlannedStage,
        version: &Arc<Version>,
        settings: SwapSettings,
    ) -> Result<Arc<Trial>, String> {
        let (old, seats) = (stage.planned(), stage.seats());
        let settings = if stage.kind == Kind::Transform { settings } else { SwapSettings { shadow: 0, canary: 0.0, ..settings } };
        let remembers = stage.kind == Kind::Transform && stateful(&old)?;
        if remembers && !stateful(planned)? {
            return Err("what the old version remembers would be lost: the new one says that it remembers nothing".to_owned());
        }
        if remembers && settings.canary > 0.0 {
            return Err("a stage that remembers cannot have a canary: each version would know of a part of the batches only".to_owned());
        }
        let facts = super::run::facts_of(planned, self.graph.stages.sources(stage.index));
        self.graph.observer.version(stage.index, version.generation, &facts);
        let trial = Arc::new(Trial::new(settings, seats.len()));
        if !stage.put_on_trial(&trial) {
            return Err("the swap before has not settled yet: a thread of the stage is held up".to_owned());
        }
        let mut instances =
            self.instances(planned, seats.len(), remembers).inspect_err(|_| (0..seats.len()).for_each(|_| trial.settle()))?;
        for (number, seat) in seats.iter().enumerate() {
            let facts = WorkerFacts { stage: stage.index, instance: number, generation: version.generation };
            let candidate = Candidate {
                trial: Arc::clone(&trial),
                version: Arc::clone(version),
                calls: self.graph.observer.worker(&facts),
                source: source(planned),
                ready: instances.pop(),
                previous: source(&old),
                replay_bytes: planned.queue_bytes,
            };
            if !seat.put(Change::Swap(Box::new(candidate))) {
                trial.settle();
            }
        }
        stage.nudge();
        Ok(trial)
    }

    /// Instances that are open before any seat is asked: none where the seats must open them with the state that they have.
    fn instances(&self, planned: &mut PlannedStage, seats: usize, remembers: bool) -> Result<Vec<Opened>, String> {
        let first = planned.take_opened();
        if remembers {
            // It has shown that the new version opens; what it would remember is to come.
            drop(first);
            return Ok(Vec::new());
        }
        let mut instances: Vec<Opened> = first.into_iter().collect();
        let _scope = scope::within(&self.graph.name, &planned.name);
        while instances.len() < seats {
            instances.push(source(planned).open(None).map_err(|error| format!("another instance cannot be opened: {error}"))?);
        }
        Ok(instances)
    }

    /// Waits for the phases of a trial, each as long as patience lasts.
    fn try_out(&self, stage: &Stage, trial: &Trial) {
        let until = Instant::now() + trial.settings.patience;
        let mut phase = trial.phase();
        loop {
            // Where the stage is idle nobody would notice that a phase has ended.
            stage.nudge();
            if phase.is_last() {
                break;
            }
            let now = trial.wait_beyond(phase, until);
            if now == phase {
                self.withdraw(stage, trial);
                trial.expire();
            }
            phase = trial.phase();
        }
        if !trial.wait_settled(until.min(Instant::now() + SETTLING)) {
            self.withdraw(stage, trial);
            trial.wait_settled(Instant::now() + SETTLING);
        }
    }

    /// Takes back what no seat has taken: it did not come to a batch boundary. If none has, nothing was tried at all.
    fn withdraw(&self, stage: &Stage, trial: &Trial) {
        let mut withdrawn = 0;
        for seat in stage.seats() {
            if let Some(Change::Swap(candidate)) = seat.take() {
                candidate.trial.settle();
                withdrawn += 1;
            }
        }
        if withdrawn > 0 {
            trial.roll_back(Cause::NoBoundary(trial.settings.patience));
        }
    }

    /// The version that stays is from now on what the stage runs; the other goes, with its memory.
    fn conclude(&self, stage: &Stage, trial: &Trial, planned: Arc<PlannedStage>, version: &Arc<Version>) {
        // The run may have ended with the guard: it has seen nothing bad.
        trial.expire();
        if trial.phase() == Phase::Passed {
            stage.runs(planned, Arc::clone(version));
        }
        trial.bury();
    }

    /// As many instances as there shall be: more are opened and seated, others leave at a batch boundary.
    fn resize(&self, stage: &Arc<Stage>, instances: usize, record: &mut Record) {
        let seats = stage.seats();
        for seat in seats.iter().skip(instances.max(1)) {
            seat.put(Change::Leave);
        }
        stage.nudge();
        let planned = stage.planned();
        if let Some(queue) = &stage.queue {
            queue.set_bound(planned.queue_bytes);
        }
        for _ in seats.len()..instances {
            match source(&planned).open(None) {
                Ok(instance) => {
                    self.graph.add_seat(stage, instance);
                }
                Err(error) => record.message = Some(format!("another instance cannot be opened: {error}")),
            }
        }
        record.instances = instances;
    }

    fn tell(&self, stage: &Arc<Stage>, record: &Record) {
        let facts = super::run::stage_facts(&self.graph.stages, stage);
        self.graph.observer.swapped(&Swapped {
            stage: stage.index,
            facts: &facts,
            generation: stage.version().generation,
            outcome: record.outcome.as_str(),
            reason: record.reason,
            message: record.message.as_deref(),
            trigger: record.trigger.as_str(),
            old: (record.old.generation, &record.old.digest),
            new: (record.new.generation, &record.new.digest),
            phases: &record.phases,
            pause: Duration::from_secs_f64(record.pause_seconds),
        });
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
            ComponentRef::Std(_) => None,
        };
        let mut files: Vec<PathBuf> = spec.stages.iter().filter_map(file).collect();
        files.sort_unstable();
        files.dedup();
        files
    }
}

fn stateful(planned: &PlannedStage) -> Result<bool, String> {
    let description = planned.component.description();
    description
        .map(|description| description.stateful)
        .map_err(|error| format!("`{}` does not describe itself: {error}", planned.reference))
}

/// Finds components, those that run among them: what comes with the host is not loaded again.
struct Known<'a> {
    inner: &'a dyn Components,
    running: &'a [Arc<PlannedStage>],
}

impl Components for Known<'_> {
    fn load(&self, reference: &ComponentRef, base: &Path) -> Result<Arc<dyn Component>, ComponentError> {
        let runs = |planned: &&Arc<PlannedStage>| planned.reference == *reference && matches!(reference, ComponentRef::Std(_));
        match self.running.iter().find(runs) {
            Some(planned) => Ok(Arc::clone(&planned.component)),
            None => self.inner.load(reference, base),
        }
    }

    fn std_names(&self) -> Vec<String> {
        self.inner.std_names()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
