//! The running graph: a thread for each instance, a bounded queue in front of each stage.
//!
//! A run ends in one of three ways. It completes when every extract has come to its end; it is stopped when somebody
//! asked the extracts to stop, and what was in flight has been finished and committed; it fails with the first stage that
//! does, and then no load commits.

mod checkpoint;
mod control;
mod facts;
mod graph;
mod ledger;
mod order;
mod outlets;
mod policy;
mod post;
mod queue;
mod report;
mod rewire;
mod seat;
mod settling;
mod stage;
mod tap;
mod trial;
mod version;
mod worker;

use std::{
    sync::{Arc, Weak},
    thread::JoinHandle,
    time::Duration,
};

pub use checkpoint::Delivering;
pub use control::Failure;
pub use facts::facts as facts_of;
pub use graph::Graph;
pub use ledger::Rows;
pub use post::{Candidate, Change, Source};
pub use queue::Level;
pub use report::{
    CallReport, ColumnReport, FailureReport, Outcome, PortReport, Quantiles, QueueReport, RejectionReport, Report, RowReport, StageReport,
    VersionReport,
};
pub use rewire::Place;
pub use stage::{Stage, Stages, source};
pub use tap::{Seen, Side, Tap, TooMany};
pub use trial::{Findings, Phase, Trial};
pub use version::{Span, Tally, Version};

use self::{checkpoint::Checkpoints, control::Control};
use super::plan::{Opened, Plan, PlannedStage};
use crate::words::{
    call::CallError,
    observe::{Observer, Probe, RunOutcome, StageFacts, Unobserved},
};

/// A pipeline that is running.
pub struct Run {
    graph: Arc<Graph>,
    checkpoints: Option<(Arc<Checkpoints>, JoinHandle<()>)>,
}

/// A handle that can end a run from another thread, such as that of a signal handler.
#[derive(Clone)]
pub struct Stopper(Arc<Control>);

impl Stopper {
    /// Ends the run: what is in flight is finished and committed.
    pub fn stop(&self) {
        self.0.end();
    }

    /// Gives up at once; nothing is committed.
    pub fn abort(&self) {
        self.0.abort();
    }
}

impl Run {
    /// Starts a planned pipeline that nobody watches. Fails when another instance of a stage cannot be opened.
    pub fn start(plan: Plan) -> Result<Self, Box<Failure>> {
        Run::observed(plan, &Unobserved)
    }

    /// Starts a planned pipeline, watched. Fails when another instance of a stage cannot be opened.
    pub fn observed(plan: Plan, observer: &dyn Observer) -> Result<Self, Box<Failure>> {
        Run::delivered(plan, observer, None)
    }

    /// Starts a planned pipeline, watched, that takes checkpoints where it is told how.
    pub fn delivered(mut plan: Plan, observer: &dyn Observer, delivering: Option<Delivering>) -> Result<Self, Box<Failure>> {
        let facts = facts::of(&plan);
        // The run's clock starts before its instances are opened.
        let (control, stages) = (Arc::new(Control::default()), Arc::new(Stages::default()));
        let probe: Weak<dyn Probe> = Arc::downgrade(&(Arc::clone(&stages) as Arc<dyn Probe>));
        let observer = observer.run(&facts, probe);
        let opened = open_all(&mut plan.stages).inspect_err(|failure| {
            observer.failed(&failure.stage, failure.during, &failure.error);
            let failure = Some((failure.stage.as_str(), &failure.error));
            observer.ended(&RunOutcome { outcome: Outcome::Failed.as_str(), failure, rows: 0 });
        })?;
        let joined: Vec<_> = plan.stages.into_iter().map(|planned| stages.join(planned).index).collect();
        stages.arrange(joined);
        let graph = Arc::new(Graph::new(plan.name, stages, control, observer));
        let checkpoints = delivering.map(|delivering| Arc::new(Checkpoints::new(Arc::clone(&graph), delivering)));
        graph.start(opened);
        let checkpoints = checkpoints.map(|checkpoints| {
            let thread = checkpoints.start().map_err(|error| CallError::Host(format!("no thread could be started: {error}")));
            thread.map(|thread| (checkpoints, thread))
        });
        let checkpoints = checkpoints.transpose().map_err(|error| {
            graph.control.abort();
            Box::new(Failure { stage: String::new(), during: "checkpoint", batch: None, error })
        })?;
        Ok(Run { graph, checkpoints })
    }

    /// What runs, for whoever looks at it or changes it from another thread.
    pub fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    /// A handle that can end the run.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.graph.control))
    }

    /// Its stages.
    pub fn stages(&self) -> Vec<Arc<Stage>> {
        self.graph.stages.all()
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.graph.control.elapsed()
    }

    /// Whether every thread has ended.
    pub fn finished(&self) -> bool {
        self.graph.finished()
    }

    /// Waits for the end.
    pub fn wait(self) -> Report {
        self.graph.join();
        let control = &self.graph.control;
        let mut taken = None;
        if let Some((checkpoints, thread)) = self.checkpoints {
            checkpoints.over();
            let _ = thread.join();
            if !control.given_up() && !control.stopping() {
                checkpoints.finish();
            }
            taken = Some(checkpoints.taken());
        }
        let report = Report { checkpoints: taken, ..report::of(&self.graph) };
        let failure = self.graph.control.failure();
        let rows = report.stages.iter().filter_map(|stage| stage.receipt.as_ref()).map(|receipt| receipt.rows).sum();
        let failure = failure.as_ref().map(|failure| (failure.stage.as_str(), &failure.error));
        self.graph.observer.ended(&RunOutcome { outcome: report.outcome.as_str(), failure, rows });
        report
    }
}

/// What an observer is told of a stage as it is now.
pub fn stage_facts(stages: &Stages, stage: &Stage) -> StageFacts {
    facts::facts(&stage.planned(), stages.sources(stage.index))
}

/// All instances of all stages: the one that the plan opened, and as many more as the stage asks for.
fn open_all(stages: &mut [PlannedStage]) -> Result<Vec<Vec<Opened>>, Box<Failure>> {
    stages.iter_mut().map(open).collect()
}

/// All instances of a stage.
pub fn open(stage: &mut PlannedStage) -> Result<Vec<Opened>, Box<Failure>> {
    let mut instances = Vec::with_capacity(stage.instances);
    instances.extend(stage.take_opened());
    while instances.len() < stage.instances.max(1) {
        let failure = |error| Box::new(Failure { stage: stage.name.clone(), during: "open", batch: None, error });
        instances.push(source(stage).open(None).map_err(failure)?);
    }
    Ok(instances)
}
