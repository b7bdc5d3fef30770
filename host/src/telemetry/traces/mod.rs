//! Spans: records written beside the calls, encoded and exported behind them.
//!
//! ```text
//! call ── begin: an id ──► … ── end: one record ──► buffer of the thread ┐
//! batch ── last holder lets go: one record ────────► buffer of the run ──┤ background: by batch, tail rules
//!                                                                         └──► file, outbox ──► collector
//! ```
//! A call pays for an id and a record of fixed size. Everything that allocates, waits or fails happens on one thread behind;
//! every place where records wait is bounded, and what does not fit is counted ([`super::health`]).

mod assemble;
mod background;
mod buffer;
mod constant;
mod encode;
#[cfg(test)]
mod expand;
mod failure;
mod file;
#[cfg(test)]
mod oracle;
mod outbox;
mod pending;
mod record;
mod request;
mod run;
mod sampler;
mod settings;
mod slowest;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use self::{assemble::Assembler, background::Background, file::TraceFile, outbox::Outbox, slowest::Slowest};
use super::{
    health::{Healths, Signal},
    metrics::RunMetrics,
    otlp::{BuildError, Envelope, Sender},
};
use crate::words::observe::RunFacts;

pub use self::{
    background::Left,
    background::Told,
    run::{CallTraces, RunTraces},
    sampler::Sampler,
    settings::{Bounds, Settings},
    slowest::{Slow, SlowBatch, SlowCall},
};

/// Records and exports the spans of runs. A handle: cheap to clone.
#[derive(Clone)]
pub struct Traces {
    settings: Arc<Settings>,
    healths: Healths,
    told: Arc<Told>,
    /// Whether there is a background that takes what is recorded.
    recording: bool,
}

/// The background of [`Traces`]. Dropped, it flushes.
pub struct Recording {
    traces: Traces,
    thread: Option<JoinHandle<Left>>,
    flush: Duration,
}

/// Recording could not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The exporter does not take its settings.
    #[error("spans cannot be exported: {0}")]
    Exporter(#[from] BuildError),
    /// The file cannot be written.
    #[error("spans cannot be written to `{}`: {error}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The machine has no thread, or no way to wait for the network.
    #[error("no thread for telemetry: {0}")]
    Thread(#[from] io::Error),
}

/// How long the slowest batches may take to be known.
const SETTLE: Duration = Duration::from_secs(2);

// === impl Recording ===

impl Recording {
    /// Begins to record. Nothing runs in the background if nothing is wanted.
    pub fn start(settings: Settings, healths: &Healths) -> Result<Self, StartError> {
        let (flush, recording) = (settings.flush, settings.exports() || settings.slowest > 0);
        let told = Arc::new(Told::default());
        let thread = if recording { Some(spawn(&settings, healths, &told)?) } else { None };
        let traces = Traces { settings: Arc::new(settings), healths: healths.clone(), told, recording };
        Ok(Recording { traces, thread, flush })
    }

    /// What runs are watched with.
    pub fn traces(&self) -> Traces {
        self.traces.clone()
    }

    /// Nothing more will be recorded: what there is begins to leave. Answers the slowest batches.
    pub fn settle(&mut self) -> Slow {
        if self.thread.is_none() {
            return Slow::default();
        }
        self.begin_to_end();
        let told = &self.traces.told;
        let slow = told.slow.lock().unwrap_or_else(PoisonError::into_inner);
        // The background has only memory to go through; one that panicked never answers.
        let settled = told.settled.wait_timeout_while(slow, SETTLE, |slow| slow.is_none());
        settled.unwrap_or_else(PoisonError::into_inner).0.take().unwrap_or_default()
    }

    /// Flushes, within the deadline, and ends.
    pub fn finish(mut self) -> Left {
        self.close()
    }

    fn begin_to_end(&self) {
        let mut closing = self.traces.told.closing.lock().unwrap_or_else(PoisonError::into_inner);
        closing.get_or_insert_with(|| Instant::now() + self.flush);
        self.traces.told.wake.notify_one();
    }

    fn close(&mut self) -> Left {
        self.begin_to_end();
        let Some(thread) = self.thread.take() else { return Left::default() };
        // A background that panicked has nothing left to tell; the run itself is done.
        thread.join().unwrap_or_default()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.close();
    }
}

fn spawn(settings: &Settings, healths: &Healths, told: &Arc<Told>) -> Result<JoinHandle<Left>, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sender = settings.collector.clone().map(|collector| Sender::new(Signal::Spans, collector)).transpose()?;
    let outbox =
        sender.map(|sender| Outbox::new(sender, Envelope::of(&settings.resource), settings.bounds, settings.exception_events, healths));
    let create = |path: &PathBuf| {
        let file = TraceFile::create(path, &settings.resource, settings.exception_events);
        file.map_err(|error| StartError::File { path: path.clone(), error })
    };
    let background = Background {
        told: Arc::clone(told),
        assembler: Assembler::new(settings.bounds.pending, Slowest::new(settings.slowest), healths.clone()),
        outbox,
        file: settings.file.as_ref().map(create).transpose()?,
        healths: healths.clone(),
        delay: settings.bounds.delay,
    };
    Ok(thread::Builder::new().name("telemetry spans".into()).spawn(move || background.run(runtime))?)
}

// === impl Traces ===

impl Traces {
    /// A run begins. What is kept of it is told to the metrics, for exemplars.
    pub fn run(&self, run: &RunFacts, metrics: Option<Arc<RunMetrics>>) -> Arc<RunTraces> {
        let run = Arc::new(RunTraces::new(run, &self.settings, metrics, self.healths.clone(), Arc::clone(&self.told.wake)));
        if self.recording {
            self.told.runs.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&run));
        }
        run
    }
}
