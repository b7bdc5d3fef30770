//! The running graph: a thread for each instance, a bounded queue in front of each stage.
//!
//! A run ends in one of three ways. It completes when every extract has come to its end; it is stopped when somebody
//! asked the extracts to stop, and what was in flight has been finished and committed; it fails with the first stage that
//! does, and then no load commits.

mod control;
mod facts;
mod ledger;
mod order;
mod outlets;
mod queue;
mod report;
mod worker;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, Weak, atomic::AtomicU64},
    thread::{self, JoinHandle},
    time::Duration,
};

pub use control::Failure;
pub use ledger::Rows;
pub use queue::Level;
pub use report::{CallReport, ColumnReport, Outcome, PortReport, Quantiles, QueueReport, RejectionReport, Report, RowReport, StageReport};

use self::{
    control::Control,
    facts::Levels,
    ledger::Ledger,
    order::Order,
    outlets::{Outlet, Outlets},
    queue::Queue,
    worker::{Ended, Worker},
};
use super::plan::{Opened, Plan, PlannedStage};
use crate::words::{
    call::CallError,
    observe::{Observer, Probe, RunObserver, RunOutcome, Unobserved, WorkerFacts},
    scope,
    stage::{Kind, Receipt},
};

/// A pipeline that is running.
pub struct Run {
    name: String,
    stages: Vec<PlannedStage>,
    queues: Vec<Option<Arc<Queue>>>,
    control: Arc<Control>,
    ledger: Arc<Ledger>,
    observer: Arc<dyn RunObserver>,
    sequence: Arc<AtomicU64>,
    receipts: Arc<Mutex<Vec<Option<Receipt>>>>,
    threads: Vec<JoinHandle<()>>,
    /// What the observer may ask; it holds it weakly.
    _levels: Arc<Levels>,
}

/// A handle that can end a run from another thread, such as that of a signal handler.
#[derive(Clone)]
pub struct Stopper(Arc<Control>);

impl Stopper {
    /// Stops the extracts; what is in flight is finished and committed.
    pub fn stop(&self) {
        self.0.stop();
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
    pub fn observed(mut plan: Plan, observer: &dyn Observer) -> Result<Self, Box<Failure>> {
        let facts = facts::of(&plan);
        let queues = queues(&plan.stages);
        let orders: Vec<_> = plan.stages.iter().map(|_| Arc::new(Order::default())).collect();
        let threads = plan.stages.iter().map(|stage| stage.instances.max(1)).sum();
        let control = Arc::new(Control::new(threads, queues.iter().flatten().cloned().collect(), orders.clone()));
        let ledger = Arc::new(Ledger::new(plan.stages.len()));
        let levels = Arc::new(Levels { queues: queues.clone(), ledger: Arc::clone(&ledger) });
        let probe: Weak<dyn Probe> = Arc::downgrade(&(Arc::clone(&levels) as Arc<dyn Probe>));
        let observer = observer.run(&facts, probe);
        let opened = open_all(&mut plan.stages).inspect_err(|failure| {
            observer.failed(&failure.stage, failure.during, &failure.error);
            let failure = Some((failure.stage.as_str(), &failure.error));
            observer.ended(&RunOutcome { outcome: Outcome::Failed.as_str(), failure, rows: 0 });
        })?;
        let mut run = Run {
            name: plan.name,
            receipts: Arc::new(Mutex::new(vec![None; plan.stages.len()])),
            stages: plan.stages,
            queues,
            control,
            ledger,
            observer,
            sequence: Arc::default(),
            threads: Vec::with_capacity(threads),
            _levels: levels,
        };
        for (stage, instances) in opened.into_iter().enumerate() {
            let outlets = Arc::new(Outlets::new(run.outlets(stage)));
            for (number, instance) in instances.into_iter().enumerate() {
                let calls = run.observer.worker(&WorkerFacts { stage, instance: number, generation: 1 });
                let worker = Worker {
                    stage,
                    name: run.stages[stage].name.clone(),
                    control: Arc::clone(&run.control),
                    ledger: Arc::clone(&run.ledger),
                    outlets: Arc::clone(&outlets),
                    observer: Arc::clone(&run.observer),
                    calls,
                    sequence: Arc::clone(&run.sequence),
                };
                run.spawn(worker, instance, &orders[stage]);
            }
        }
        Ok(run)
    }

    /// Where edges that begin at a stage lead.
    fn outlets(&self, stage: usize) -> Vec<Outlet> {
        let mut outlets = Vec::new();
        for (consumer, queue) in self.stages.iter().zip(&self.queues) {
            for (input, edge) in consumer.inputs.iter().enumerate().filter(|(_, edge)| edge.from == stage) {
                if let Some(queue) = queue {
                    outlets.push(Outlet { port: edge.port, queue: Arc::clone(queue), input: input as u32 });
                }
            }
        }
        outlets
    }

    fn spawn(&mut self, worker: Worker, instance: Opened, order: &Arc<Order>) {
        let (stage, name) = (worker.stage, worker.name.clone());
        let (control, queue, order, receipts) =
            (Arc::clone(&self.control), self.queues[stage].clone(), Arc::clone(order), Arc::clone(&self.receipts));
        let (pipeline, observer) = (self.name.clone(), Arc::clone(&self.observer));
        let body = move || {
            let _scope = scope::within(&pipeline, &name);
            let work = AssertUnwindSafe(|| work(worker, instance, queue.as_deref(), &order));
            match catch_unwind(work) {
                Ok(Ok(receipt)) => {
                    if let Some(receipt) = receipt {
                        receipts.lock().unwrap_or_else(PoisonError::into_inner)[stage] = Some(receipt);
                    }
                }
                Ok(Err(Ended)) => {}
                Err(_) => fail_outside(&control, &*observer, panicked(&name)),
            }
        };
        match thread::Builder::new().name(format!("stage {}", self.stages[stage].name)).spawn(body) {
            Ok(thread) => self.threads.push(thread),
            Err(error) => {
                let error = CallError::Host(format!("no thread could be started: {error}"));
                let failure = Failure { stage: self.stages[stage].name.clone(), during: "start", batch: None, error };
                fail_outside(&self.control, &*self.observer, failure);
            }
        }
    }

    /// A handle that can end the run.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.control))
    }

    /// The stages, in the order of the indices below.
    pub fn stages(&self) -> &[PlannedStage] {
        &self.stages
    }

    /// A stage's rows so far.
    pub fn rows(&self, stage: usize) -> Rows {
        self.ledger.rows(stage)
    }

    /// How full the queue in front of a stage is; `None` for an extract.
    pub fn queue(&self, stage: usize) -> Option<Level> {
        self.queues[stage].as_ref().map(|queue| queue.level())
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.ledger.elapsed()
    }

    /// Whether every thread has ended.
    pub fn finished(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Waits for the end.
    pub fn wait(mut self) -> Report {
        for thread in self.threads.drain(..) {
            // The closure catches panics, so there is nothing to learn from a join.
            let _ = thread.join();
        }
        let report = report::of(&self);
        let failure = self.control.failure();
        let rows = report.stages.iter().filter_map(|stage| stage.receipt.as_ref()).map(|receipt| receipt.rows).sum();
        let failure = failure.as_ref().map(|failure| (failure.stage.as_str(), &failure.error));
        self.observer.ended(&RunOutcome { outcome: report.outcome.as_str(), failure, rows });
        report
    }
}

/// A failure that no call has told the observer of.
fn fail_outside(control: &Control, observer: &dyn RunObserver, failure: Failure) {
    observer.failed(&failure.stage, failure.during, &failure.error);
    control.fail(failure);
}

fn panicked(stage: &str) -> Failure {
    let error = CallError::Host("the host panicked while it carried out what the stage asked; this is a bug in Parshall".into());
    Failure { stage: stage.to_owned(), during: "call", batch: None, error }
}

/// One thread's work.
fn work(mut worker: Worker, instance: Opened, queue: Option<&Queue>, order: &Order) -> Result<Option<Receipt>, Ended> {
    let control = Arc::clone(&worker.control);
    match (instance, queue) {
        (Opened::Load(stage), Some(queue)) => return worker::load(worker, stage, queue).map(Some),
        (Opened::Extract(stage), _) => worker::extract(&mut worker, stage)?,
        (Opened::Transform(stage), Some(queue)) => worker::transform(&mut worker, stage, queue, order)?,
        (_, None) => {}
    }
    // The stage's ways out close before it counts as done.
    drop(worker);
    control.done();
    Ok(None)
}

/// The queue in front of every stage that has inputs. It ends when each edge that leads to it has been closed.
fn queues(stages: &[PlannedStage]) -> Vec<Option<Arc<Queue>>> {
    let queue = |stage: &PlannedStage| Arc::new(Queue::new(stage.queue_bytes, stage.inputs.len()));
    stages.iter().map(|stage| (stage.kind != Kind::Extract).then(|| queue(stage))).collect()
}

/// All instances of all stages: the one that the plan opened, and as many more as the stage asks for.
fn open_all(stages: &mut [PlannedStage]) -> Result<Vec<Vec<Opened>>, Box<Failure>> {
    stages.iter_mut().map(open).collect()
}

fn open(stage: &mut PlannedStage) -> Result<Vec<Opened>, Box<Failure>> {
    let mut instances = Vec::with_capacity(stage.instances);
    instances.extend(stage.opened.take());
    while instances.len() < stage.instances.max(1) {
        let opened = match stage.kind {
            Kind::Extract => stage.component.open_extract(&stage.opening).outcome.map(|(extract, _)| Opened::Extract(extract)),
            Kind::Transform => stage.component.open_transform(&stage.opening).outcome.map(|(transform, _)| Opened::Transform(transform)),
            Kind::Load => stage.component.open_load(&stage.opening).outcome.map(Opened::Load),
        };
        let failure = |error| Box::new(Failure { stage: stage.name.clone(), during: "open", batch: None, error });
        instances.push(opened.map_err(failure)?);
    }
    Ok(instances)
}
