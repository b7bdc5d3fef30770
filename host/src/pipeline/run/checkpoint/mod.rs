//! Checkpoints of a run: stop at a common boundary, record where everything stands, go on.
//!
//! ```text
//! hold extracts ─► work off what is in flight ─► ask for states ─► loads prepare ─► decide ─► settle ─► let extracts go on
//! ```
//! Nothing is in flight when states are asked for, so they fit to each other whatever the shape of the graph: fan-in, several instances,
//! named ports. What it costs is the time in which the graph runs empty and fills again. What a stage still holds is not put out: it is
//! part of its state.

mod request;

use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use request::{Answer, Closed, Gate, Rung};
pub use request::{Bell, Request};

use super::{
    Change, Graph, Stage,
    control::{Control, Failure},
    graph::fail_outside,
};
use crate::words::{
    call::CallError,
    delivery::{Checkpoint, Delivery, Journal, Kept},
    observe::{CheckpointCame, CheckpointFacts},
    stage::Kind,
};

/// How long to wait before it is looked again whether the graph has run empty: doubled from one to the other.
const LEAST_PAUSE: Duration = Duration::from_micros(20);
const MOST_PAUSE: Duration = Duration::from_millis(1);
/// How often whoever waits for a seat looks whether the run was given up.
const LOOK: Duration = Duration::from_millis(20);

/// What a run needs to take checkpoints.
pub struct Delivering {
    /// From one to the next.
    pub every: Duration,
    /// Bytes that all stages may remember together.
    pub snapshot_bytes: u64,
    /// Shared with whoever writes tables.
    pub delivery: Arc<Delivery>,
    /// Records them.
    pub journal: Arc<dyn Journal>,
    /// Stages that had come to their end by the checkpoint that the run goes on from.
    pub ended: Vec<String>,
}

/// Takes the checkpoints of a run.
pub struct Checkpoints {
    graph: Arc<Graph>,
    delivering: Delivering,
    bell: Arc<Bell>,
    taken: AtomicU64,
}

/// A checkpoint could not be taken: which stage is to blame, if any, and why.
struct Failed {
    stage: Option<String>,
    error: CallError,
}

/// Why no checkpoint came of it: the run was given up.
struct GivenUp;

enum Why {
    GivenUp,
    Failed(Failed),
}

impl From<GivenUp> for Why {
    fn from(_: GivenUp) -> Self {
        Why::GivenUp
    }
}

/// A checkpoint on its way.
struct Taking {
    number: u64,
    /// Bytes that all stages remember, once they are known.
    bytes: u64,
    /// What has been done for it, one after the other.
    phases: Vec<(&'static str, Instant, Instant)>,
    since: Instant,
}

/// Releases what `Control::hold` holds.
struct Held<'a>(&'a Control);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

// === impl Taking ===

impl Taking {
    fn begin(number: u64) -> Self {
        Taking { number, bytes: 0, phases: Vec::with_capacity(6), since: Instant::now() }
    }

    /// Does something, which is a phase also if it fails.
    fn during<T>(&mut self, phase: &'static str, what: impl FnOnce() -> T) -> T {
        let did = what();
        let now = Instant::now();
        self.phases.push((phase, self.since, now));
        self.since = now;
        did
    }
}

// === impl Checkpoints ===

impl Checkpoints {
    /// Of a run that is about to start.
    pub fn new(graph: Arc<Graph>, mut delivering: Delivering) -> Self {
        let bell = Arc::new(Bell::default());
        graph.control.takes_checkpoints(Arc::clone(&bell), std::mem::take(&mut delivering.ended));
        Checkpoints { graph, delivering, bell, taken: AtomicU64::new(0) }
    }

    /// Takes one whenever it is time, on a thread of its own.
    pub fn start(self: &Arc<Self>) -> std::io::Result<JoinHandle<()>> {
        let this = Arc::clone(self);
        thread::Builder::new().name("checkpoints".into()).spawn(move || this.run())
    }

    fn run(&self) {
        let mut before = 0;
        loop {
            let rung = self.bell.wait(self.delivering.every);
            if rung == Rung::Over || self.graph.control.given_up() {
                return;
            }
            let brought = self.brought();
            // Where nothing has come since the last one, there is nothing to be recorded.
            if rung == Rung::Time && brought == before {
                continue;
            }
            before = brought;
            if !self.take(rung == Rung::Stop) || rung == Rung::Stop {
                return;
            }
        }
    }

    /// How many have been taken.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// The run is over: whoever waits for the next checkpoint goes.
    pub fn over(&self) {
        self.bell.over();
    }

    /// Takes one; the last ends the run with it. Answers false when the run is ending anyway.
    fn take(&self, last: bool) -> bool {
        let control = &self.graph.control;
        let _turn = control.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if !control.hold() {
            return false;
        }
        let _held = Held(control);
        let (mut taking, gate) = (Taking::begin(self.delivering.delivery.under_way()), Arc::new(Gate::default()));
        let closed = Closed(Arc::clone(&gate));
        let outcome = self.take_all(&gate, &mut taking);
        if let (true, Ok(())) = (last, &outcome) {
            // Before the extracts go on: they bring nothing more.
            control.leave();
        }
        drop(closed);
        self.tell(&taking, &outcome);
        if let Err(Why::Failed(failed)) = outcome {
            self.fail(failed);
            return false;
        }
        outcome.is_ok()
    }

    fn take_all(&self, gate: &Arc<Gate>, taking: &mut Taking) -> Result<(), Why> {
        let stages = self.positions(gate, taking)?;
        let (checkpoint, bytes) = taking.during("prepare", || self.record(stages))?;
        taking.bytes = bytes;
        self.conclude(&checkpoint, taking)
    }

    fn tell(&self, taking: &Taking, outcome: &Result<(), Why>) {
        let came = match outcome {
            Ok(()) => CheckpointCame::Taken,
            Err(Why::GivenUp) => CheckpointCame::GivenUp,
            Err(Why::Failed(Failed { stage, error })) => CheckpointCame::Failed(stage.as_deref().unwrap_or_default(), error),
        };
        let &Taking { number, bytes, ref phases, .. } = taking;
        self.graph.observer.checkpointed(&CheckpointFacts { number, every: self.delivering.every, bytes, phases, came });
    }

    /// The last checkpoint, of a run whose stages have all come to their end: its loads have prepared, and nothing is to be done again.
    pub fn finish(&self) {
        let mut taking = Taking::begin(self.delivering.delivery.under_way());
        let ended = |stage: &Arc<Stage>| Kept { stage: stage.name.clone(), state: None, ended: true };
        let checkpoint = self.checkpoint(self.graph.stages.all().iter().map(ended).collect());
        let concluded = self.conclude(&checkpoint, &mut taking);
        self.tell(&taking, &concluded);
        if let Err(Why::Failed(failed)) = concluded {
            self.fail(failed);
        }
    }

    fn fail(&self, Failed { stage, error }: Failed) {
        let failure = Failure { stage: stage.unwrap_or_default(), during: "checkpoint", batch: None, error };
        fail_outside(&self.graph.control, &*self.graph.observer, failure);
    }

    /// Rows that extracts have brought so far.
    fn brought(&self) -> u64 {
        self.of_kind(Kind::Extract).iter().map(|stage| stage.ledger.rows_out()).sum()
    }

    fn of_kind(&self, kind: Kind) -> Vec<Arc<Stage>> {
        self.graph.stages.all().into_iter().filter(|stage| stage.kind == kind).collect()
    }

    /// Holds the extracts, waits until nothing is in flight any more, and asks everybody but the loads.
    fn positions(&self, gate: &Arc<Gate>, taking: &mut Taking) -> Result<Vec<Kept>, Why> {
        let mut stages = taking.during("hold", || self.ask(Kind::Extract, Some(gate)))?;
        taking.during("drain", || self.run_empty())?;
        stages.extend(taking.during("states", || self.ask(Kind::Transform, None))?);
        Ok(stages)
    }

    /// Loads prepare, and say what they remember.
    fn record(&self, mut stages: Vec<Kept>) -> Result<(Checkpoint, u64), Why> {
        stages.extend(self.ask(Kind::Load, None)?);
        let bytes = stages.iter().filter_map(|kept| kept.state.as_ref()).map(|state| state.len() as u64).sum();
        let allowed = self.delivering.snapshot_bytes;
        if bytes > allowed {
            let most = stages.iter().max_by_key(|kept| kept.state.as_ref().map_or(0, Vec::len)).map(|kept| kept.stage.clone());
            let error = CallError::Limit { limit: "delivery.snapshot", current: 0, requested: bytes, allowed, unit: "bytes" };
            return Err(Why::Failed(Failed { stage: most, error }));
        }
        Ok((self.checkpoint(stages), bytes))
    }

    fn checkpoint(&self, stages: Vec<Kept>) -> Checkpoint {
        let rows_out = self.graph.stages.all().iter().filter_map(|stage| stage.receipt()).map(|receipt| receipt.rows).sum();
        let (number, footing) = (self.delivering.delivery.under_way(), self.graph.control.footing());
        Checkpoint { number, stages, footing, rows_in: self.brought(), rows_out }
    }

    /// Decides, and settles.
    fn conclude(&self, checkpoint: &Checkpoint, taking: &mut Taking) -> Result<(), Why> {
        let failed = |message: String| {
            let error = CallError::Host(format!("checkpoint {}: {message}", checkpoint.number));
            Why::Failed(Failed { stage: None, error })
        };
        taking.during("decide", || self.delivering.journal.decide(checkpoint)).map_err(failed)?;
        self.taken.fetch_add(1, Ordering::Relaxed);
        taking.during("settle", || self.delivering.delivery.advance()).map_err(|error| failed(error.to_string()))
    }

    /// Waits until nothing is in flight. Extracts are held or have ended, so the only other source of batches are stages whose
    /// inputs have all closed: they put out what they hold, and close their ways out. Stages are looked at in topological order, so whoever was found at
    /// rest stays so; once all are, the batches that are still on their way can only become fewer.
    fn run_empty(&self) -> Result<(), GivenUp> {
        let control = &self.graph.control;
        let at_rest = |stage: &Arc<Stage>| stage.queue.as_ref().is_none_or(|queue| !queue.is_closed()) || stage.has_closed();
        let mut pause = LEAST_PAUSE;
        loop {
            if control.given_up() {
                return Err(GivenUp);
            }
            if self.graph.stages.all().iter().all(at_rest) && control.flight.batches() == 0 {
                return Ok(());
            }
            thread::sleep(pause);
            pause = (pause * 2).min(MOST_PAUSE);
        }
    }

    /// Asks all seats of the stages of a kind, and waits for what they answer.
    fn ask(&self, kind: Kind, gate: Option<&Arc<Gate>>) -> Result<Vec<Kept>, Why> {
        let asked = self.of_kind(kind).into_iter().map(|stage| Ok((self.post(&stage, gate)?, stage)));
        // All are asked before the first is waited for.
        let asked: Vec<_> = asked.collect::<Result<_, GivenUp>>()?;
        self.graph.control.nudge();
        asked.into_iter().map(|(receivers, stage)| self.kept(&stage, receivers)).collect()
    }

    /// Leaves a request in the post of every seat of a stage.
    fn post(&self, stage: &Arc<Stage>, gate: Option<&Arc<Gate>>) -> Result<Vec<Receiver<Answer>>, GivenUp> {
        let mut receivers = Vec::new();
        for seat in stage.seats() {
            let (request, receiver) = Request::new(gate);
            let mut request = Change::Checkpoint(request);
            // An instance that was asked to leave does so first.
            while let Err(again) = seat.offer(request) {
                if self.graph.control.given_up() {
                    return Err(GivenUp);
                }
                stage.nudge();
                thread::sleep(MOST_PAUSE);
                request = again;
                if !stage.seats().iter().any(|other| Arc::ptr_eq(other, &seat)) {
                    break;
                }
            }
            receivers.push(receiver);
        }
        stage.nudge();
        Ok(receivers)
    }

    /// What the seats of a stage answer. Several instances remember nothing, so the first that remembers counts.
    fn kept(&self, stage: &Arc<Stage>, receivers: Vec<Receiver<Answer>>) -> Result<Kept, Why> {
        let (mut kept, mut answered) = (Kept { stage: stage.name.clone(), ..Kept::default() }, false);
        for receiver in receivers {
            let Some(Answer { state, receipt }) = self.receive(&receiver)? else { continue };
            answered = true;
            let state = state.map_err(|error| Why::Failed(Failed { stage: Some(stage.name.clone()), error }))?;
            kept.state = kept.state.or(state);
            if let Some(receipt) = receipt {
                stage.has_loaded(receipt);
            }
        }
        kept.ended = !answered;
        Ok(kept)
    }

    /// An answer; nothing from a seat that has ended.
    fn receive(&self, receiver: &Receiver<Answer>) -> Result<Option<Answer>, GivenUp> {
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(answer) => return Ok(Some(answer)),
                Err(RecvTimeoutError::Disconnected) if self.graph.control.given_up() => return Err(GivenUp),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) if self.graph.control.given_up() => return Err(GivenUp),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}
