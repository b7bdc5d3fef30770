//! The seam between what runs and whoever watches it. A pipeline tells an observer of every batch and every call; what the
//! observer makes of it (spans, metrics, nothing) is not the pipeline's business.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

pub use super::flight::{BatchTrace, Flight};
use super::{call::CallError, stage::Kind, tables::Dataset, trace::SpanContext, usage::Usage};

/// Watches runs.
pub trait Observer: Send + Sync {
    /// A run begins. The probe answers what can only be asked of the run itself, as long as it lives.
    fn run(&self, run: &RunFacts, probe: Weak<dyn Probe>) -> Arc<dyn RunObserver>;
}

/// Watches one run.
pub trait RunObserver: Send + Sync {
    /// The run's own span.
    fn context(&self) -> SpanContext;
    /// Names the root span of a new batch, and decides whether the batch is recorded.
    fn root(&self) -> SpanContext;
    /// A thread begins to call an instance. What it returns lives on that thread.
    fn worker(&self, worker: &WorkerFacts) -> Box<dyn CallObserver>;
    /// A batch has gone all its way: nobody holds it any more.
    fn batch(&self, batch: &BatchTrace);
    /// A stage failed outside of any call: an instance or a thread could not be had (`open`, `start`), or the host panicked (`call`).
    fn failed(&self, _stage: &str, _during: &'static str, _error: &CallError) {}
    /// A stage joins the run, or another version of one is about to be called: what calls of this generation will be calls of. Told
    /// before the first of them. Indices of stages that join follow each other.
    fn version(&self, _stage: usize, _generation: u32, _facts: &StageFacts) {}
    /// What a stage runs, what feeds it or its bounds are others from now on.
    fn changed(&self, _stage: usize, _generation: u32, _facts: &StageFacts) {}
    /// A stage is no part of the pipeline any more: it works on what it has, and ends.
    fn removed(&self, _stage: usize) {}
    /// An instance was opened in place of another: after a `trap`, an exceeded `limit`, a `malformed` answer, an `error` of a stage that
    /// remembers, or to `recycle` its memory.
    fn restarted(&self, _stage: usize, _reason: &'static str) {}
    /// Rows of a batch were set aside.
    fn set_aside(&self, _aside: &SetAside<'_>) {}
    /// A stage has been changed, or was not.
    fn swapped(&self, _swap: &Swapped<'_>) {}
    /// A change was refused before any stage was touched.
    fn refused(&self, _change: &Refused<'_>) {}
    /// A checkpoint has been taken, or was not.
    fn checkpointed(&self, _checkpoint: &CheckpointFacts<'_>) {}
    /// The run has ended, well or not.
    fn ended(&self, outcome: &RunOutcome<'_>);
}

/// Watches the calls of one instance. The hot path: what it does is added to every call.
pub trait CallObserver: Send {
    /// A call is about to be made: names its span. `batch` is the one it works on, or would bring into being.
    fn begin(&mut self, export: Export, batch: Option<&Arc<BatchTrace>>) -> SpanContext;
    /// It has returned, or trapped.
    fn end(&mut self, call: &CallFacts<'_>);
}

/// Answers what can only be asked of a run itself.
pub trait Probe: Send + Sync {
    /// How a stage stands now.
    fn stage(&self, stage: usize) -> StageLevel;
}

/// What is known of a run before it begins.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// The pipeline's name.
    pub pipeline: String,
    /// Its stages, each after those that feed it.
    pub stages: Vec<StageFacts>,
    /// What the pipeline file says about watching it.
    pub settings: Settings,
}

/// What a pipeline file says about watching it: its table `[telemetry]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Which batches' spans are kept.
    pub keep: Keep,
    /// Upper bounds of the buckets of latency histograms, in seconds, ascending; none for the default ones.
    pub buckets: Vec<f64>,
}

/// What is known of a stage before it runs.
#[derive(Clone, Debug)]
pub struct StageFacts {
    /// Its name.
    pub name: String,
    /// Which of the three it is.
    pub kind: Kind,
    /// How the pipeline file refers to its component.
    pub component: String,
    /// What the component calls itself.
    pub version: String,
    /// The component's digest, in hexadecimal.
    pub digest: String,
    /// Instances side by side.
    pub instances: usize,
    /// Names of the extracts whose batches come here, itself for an extract.
    pub sources: Vec<String>,
    /// Names of the columns of each input.
    pub columns: Vec<Vec<String>>,
    /// The tables it reads or writes.
    pub datasets: Vec<Dataset>,
    /// Bytes that may wait in front of it; none for an extract.
    pub queue_bound: Option<u64>,
    /// Bytes of linear memory that an instance may have.
    pub memory_limit: u64,
}

/// Which batches are worth keeping when their fate is known: the pipeline file's `[telemetry] keep`.
#[derive(Clone, Debug, PartialEq)]
pub struct Keep {
    /// Those in which a call failed.
    pub failed: bool,
    /// Those of which rows were rejected.
    pub rejected: bool,
    /// Those that took longer than this from end to end.
    pub slower_than: Option<Duration>,
    /// The share of all others, 0 to 1, by trace id.
    pub ratio: f64,
}

/// An instance and the thread that calls it.
#[derive(Clone, Debug)]
pub struct WorkerFacts {
    /// Index of its stage.
    pub stage: usize,
    /// Its number among the stage's instances, from 0.
    pub instance: usize,
    /// Of the version that the instance is of: 1 for the one that the run began with, and another for each that was tried since.
    pub generation: u32,
}

/// The exports of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Export {
    /// An extract yields.
    Next,
    /// A transform takes a batch.
    Process,
    /// A transform puts out what it held.
    Finish,
    /// A load takes a batch.
    Write,
    /// A load makes durable.
    Commit,
}

/// Why a call is made that was made before, on the same rows or on more of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Again {
    /// It may go well this time.
    Retry,
    /// To find the rows at fault.
    Bisect,
}

/// Rows of a batch that a stage could not take, and that did not end the run.
pub struct SetAside<'a> {
    /// Index of the stage.
    pub stage: usize,
    /// `dead_letter` or `skip`.
    pub how: &'static str,
    /// How many.
    pub rows: u64,
    /// Of a batch of so many.
    pub of: u64,
    /// Calls that were made besides the one that failed.
    pub calls: u64,
    /// The batch.
    pub batch: &'a BatchTrace,
    /// The call that failed on the first of them.
    pub call: SpanContext,
    /// Why it did.
    pub error: &'a CallError,
}

/// A call that has ended.
pub struct CallFacts<'a> {
    /// What `begin` answered.
    pub context: SpanContext,
    /// Which export.
    pub export: Export,
    /// The batch that it worked on or brought into being.
    pub batch: Option<&'a Arc<BatchTrace>>,
    /// Which of the stage's inputs the batch came by.
    pub input: u32,
    /// What it cost.
    pub usage: &'a Usage,
    /// Why it failed.
    pub error: Option<&'a CallError>,
    /// How long its batch waited in front of the stage.
    pub waited: Duration,
    /// Batches it put out.
    pub batches_out: u64,
    /// Its rows have been a call's before.
    pub again: Option<Again>,
    /// It failed, and that does not end the run.
    pub handled: bool,
}

/// A change of what a stage runs, whatever came of it.
pub struct Swapped<'a> {
    /// Index of the stage.
    pub stage: usize,
    /// The stage as it is now.
    pub facts: &'a StageFacts,
    /// Generation of the version that it runs now.
    pub generation: u32,
    /// `swapped`, `resized`, `added`, `removed`, `replaced`, `rewired`, `refused` or `rolled_back`.
    pub outcome: &'static str,
    /// Why it did not stay, from a bounded set.
    pub reason: Option<&'static str>,
    /// The same for a person.
    pub message: Option<&'a str>,
    /// Who or what asked for it: `http`, `watch`, `signal` or `program`.
    pub trigger: &'static str,
    /// Generation and digest of what ran; none where the stage is new.
    pub old: Option<(u32, &'a str)>,
    /// Generation and digest of what was to run; none where nothing shall, or nothing could be tried.
    pub new: Option<(u32, &'a str)>,
    /// What was done, from when until when: `load`, `check`, `hand over`, `shadow`, `canary`, `switch`, `guard`, `switch back`, `retire`,
    /// `rewire`, those of them that there were.
    pub phases: &'a [(&'static str, Instant, Instant)],
    /// The longest that a thread was held up by the change itself.
    pub pause: Duration,
}

/// A change that was refused before any stage was touched.
pub struct Refused<'a> {
    /// The only stage that was to change, if that is known: its index and its name.
    pub stage: Option<(usize, &'a str)>,
    /// `load` or `check`.
    pub reason: &'static str,
    /// The same for a person.
    pub message: &'a str,
    /// Who or what asked for it.
    pub trigger: &'static str,
    /// How far it came, as above.
    pub phases: &'a [(&'static str, Instant, Instant)],
}

/// A checkpoint, whatever came of it.
pub struct CheckpointFacts<'a> {
    /// Its number, from 1, over all runs that go on from each other.
    pub number: u64,
    /// Time from one to the next, as the pipeline file has it.
    pub every: Duration,
    /// Bytes that all stages remembered; 0 if it did not come so far.
    pub bytes: u64,
    /// What was done for it, in order, from the moment at which extracts were asked to hold to that at which it was settled.
    pub phases: &'a [(&'static str, Instant, Instant)],
    /// What came of it.
    pub came: CheckpointCame<'a>,
}

/// What came of a checkpoint.
#[derive(Clone, Copy)]
pub enum CheckpointCame<'a> {
    /// It is where the next run would go on.
    Taken,
    /// Nothing: the run ended meanwhile, for another reason.
    GivenUp,
    /// It failed, and the run with it: the stage, empty where none is to blame, and its error.
    Failed(&'a str, &'a CallError),
}

/// How a run ended.
pub struct RunOutcome<'a> {
    /// `completed`, `stopped`, `failed` or `aborted`.
    pub outcome: &'static str,
    /// What failed: the stage and its error.
    pub failure: Option<(&'a str, &'a CallError)>,
    /// Rows that all loads made durable.
    pub rows: u64,
}

/// How a stage stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StageLevel {
    /// Batches that wait in front of it.
    pub queue_batches: u64,
    /// Bytes that wait in front of it.
    pub queue_bytes: u64,
    /// Time spent in calls, over all instances.
    pub busy: Duration,
    /// Where its rows went.
    pub rows: RowLedger,
}

/// Where the rows of a stage went: `in = kept + filtered + rejected + held + failed + in_flight`, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowLedger {
    /// Rows that were sent to it by the stages that feed it; for an extract, rows that it brought in.
    pub arrived: u64,
    /// Rows that wait in front of it.
    pub waiting: u64,
    /// Rows of calls that are under way.
    pub in_flight: u64,
    /// Rows that it passed on, whole or in part, or a load took.
    pub kept: u64,
    /// Rows that it left out.
    pub filtered: u64,
    /// Rows that it rejected.
    pub rejected: u64,
    /// Rows that it took in and holds: an aggregate answers for them at the end.
    pub held: u64,
    /// Rows of calls that failed.
    pub failed: u64,
}

// === impl Export ===

impl Export {
    /// As the contract names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Export::Next => "next",
            Export::Process => "process",
            Export::Finish => "finish",
            Export::Write => "write",
            Export::Commit => "commit",
        }
    }
}

// === impl CheckpointCame ===

impl CheckpointCame<'_> {
    /// In a word.
    pub fn as_str(&self) -> &'static str {
        match self {
            CheckpointCame::Taken => "taken",
            CheckpointCame::GivenUp => "given_up",
            CheckpointCame::Failed(..) => "failed",
        }
    }
}

// === impl Again ===

impl Again {
    /// Both, in the order of their numbers.
    pub const ALL: [Again; 2] = [Again::Retry, Again::Bisect];

    /// As attributes and labels name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Again::Retry => "retry",
            Again::Bisect => "bisect",
        }
    }
}

// === impl Keep ===

impl Default for Keep {
    /// Everything that was sampled.
    fn default() -> Self {
        Keep { failed: true, rejected: true, slower_than: None, ratio: 1.0 }
    }
}

// === impl RowLedger ===

impl RowLedger {
    /// Rows that are unaccounted for: negative when there are more than arrived. Anything but 0 is a bug of the host.
    pub fn imbalance(&self) -> i64 {
        let accounted = self.waiting + self.in_flight + self.kept + self.filtered + self.rejected + self.held + self.failed;
        self.arrived.wrapping_sub(accounted) as i64
    }
}

/// Watches nothing.
pub struct Unobserved;

impl Observer for Unobserved {
    fn run(&self, _: &RunFacts, _: Weak<dyn Probe>) -> Arc<dyn RunObserver> {
        Arc::new(Unobserved)
    }
}

impl RunObserver for Unobserved {
    fn context(&self) -> SpanContext {
        SpanContext::root(false)
    }

    fn root(&self) -> SpanContext {
        SpanContext::root(false)
    }

    fn worker(&self, _: &WorkerFacts) -> Box<dyn CallObserver> {
        Box::new(Unobserved)
    }

    fn batch(&self, _: &BatchTrace) {}

    fn ended(&self, _: &RunOutcome<'_>) {}
}

impl CallObserver for Unobserved {
    fn begin(&mut self, _: Export, batch: Option<&Arc<BatchTrace>>) -> SpanContext {
        batch.map_or_else(|| SpanContext::root(false), |batch| batch.root)
    }

    fn end(&mut self, _: &CallFacts<'_>) {}
}
