//! The thread behind the calls: takes what they wrote, keeps what is worth it, sends it on. It alone waits for anybody.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{runtime::Runtime, sync::Notify};

use super::{
    assemble::Assembler,
    file::{TraceFile, Written},
    outbox::Outbox,
    run::RunTraces,
    settings::COLLECT,
    slowest::Slow,
};
use crate::telemetry::health::{Health, Healths, Signal};

/// What others tell the background.
#[derive(Default)]
pub struct Told {
    /// Something is there to be taken.
    pub wake: Arc<Notify>,
    /// Runs that have begun.
    pub runs: Mutex<Vec<Arc<RunTraces>>>,
    /// It is to end, at this moment at the latest.
    pub closing: Mutex<Option<Instant>>,
    /// The slowest batches, once all are known; told as soon as nothing more is recorded, not when everything has been sent.
    pub slow: Mutex<Option<Slow>>,
    /// They are there.
    pub settled: Condvar,
}

/// The thread's state.
pub struct Background {
    pub told: Arc<Told>,
    pub assembler: Assembler,
    pub outbox: Option<Outbox>,
    pub file: Option<TraceFile>,
    pub healths: Healths,
    /// How long spans may wait for others in their line of the file.
    pub delay: Duration,
}

/// What is left when it has ended.
#[derive(Debug, Default)]
pub struct Left {
    /// The slowest batches.
    pub slow: Slow,
    /// Why the file is not complete.
    pub file: Option<std::io::Error>,
}

// === impl Background ===

impl Background {
    /// Runs until it is told to end.
    pub fn run(mut self, runtime: Runtime) -> Left {
        runtime.block_on(self.work());
        // A lookup of a name may hang in a thread of its own: nobody waits for it.
        runtime.shutdown_background();
        Left { slow: self.assembler.slowest.told(), file: self.file.and_then(TraceFile::broken) }
    }

    async fn work(&mut self) {
        let mut flushed = Instant::now();
        let told = Arc::clone(&self.told);
        let deadline = loop {
            self.wait(&told.wake, COLLECT).await;
            // Asked before the last look, so that everything written before the question is found.
            let closing = *told.closing.lock().unwrap_or_else(PoisonError::into_inner);
            self.collect();
            if flushed.elapsed() >= self.delay || closing.is_some() {
                self.flush_file();
                flushed = Instant::now();
            }
            match closing {
                Some(deadline) => break deadline,
                None => self.outbox.iter_mut().for_each(|outbox| outbox.send(false)),
            }
        };
        self.assembler.finish();
        *told.slow.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.assembler.slowest.told());
        told.settled.notify_all();
        self.drain(deadline).await;
    }

    /// Until it is woken, some time has gone, or an export has ended.
    async fn wait(&mut self, wake: &Notify, time: Duration) {
        let sent = async {
            match &mut self.outbox {
                Some(outbox) => outbox.sent().await,
                None => std::future::pending().await,
            }
        };
        let outcome = tokio::select! {
            outcome = sent => Some(outcome),
            () = wake.notified() => None,
            () = tokio::time::sleep(time) => None,
        };
        if let (Some(outcome), Some(outbox)) = (outcome, &mut self.outbox) {
            outbox.note(outcome);
        }
    }

    fn collect(&mut self) {
        let begun = std::mem::take(&mut *self.told.runs.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(file) = self.file.as_mut().filter(|_| !begun.is_empty()) {
            file.begin();
        }
        begun.into_iter().for_each(|run| self.assembler.add(run));
        let (file, outbox) = (&mut self.file, &mut self.outbox);
        let mut written = Written::default();
        self.assembler.collect(|kept| {
            // What is dropped is no exemplar of anything.
            if file.is_some() || outbox.as_ref().is_some_and(|outbox| outbox.has_room(&kept)) {
                kept.tell();
            }
            if let Some(file) = file {
                let more = file.add(&kept);
                written.spans += more.spans;
                written.lost += more.lost;
            }
            match outbox {
                Some(outbox) => outbox.push(kept),
                None => kept.spent(),
            }
        });
        self.count(written);
    }

    fn flush_file(&mut self) {
        let written = self.file.as_mut().map(TraceFile::flush).unwrap_or_default();
        self.count(written);
    }

    /// Where spans go to a collector, too, it is the collector's that count.
    fn count(&self, written: Written) {
        if self.outbox.is_none() {
            let health = self.healths.of(Signal::Spans);
            Health::add(&health.exported, written.spans);
            Health::add(&health.dropped_failed, written.lost);
        }
    }

    /// Sends what is left. A collector that fails now is not asked again: somebody waits for this process to end.
    async fn drain(&mut self, deadline: Instant) {
        let Some(outbox) = &mut self.outbox else { return };
        outbox.close();
        while !outbox.is_empty() {
            outbox.send(true);
            let Ok(outcome) = tokio::time::timeout_at(deadline.into(), outbox.sent()).await else { break };
            let failed = outcome.is_err();
            outbox.note(outcome);
            if failed {
                break;
            }
        }
        outbox.abandon();
    }
}
