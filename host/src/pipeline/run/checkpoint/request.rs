//! What a seat is asked at a checkpoint, and what it answers.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    time::Duration,
};

use crate::words::{call::CallError, stage::Receipt};

/// A seat is asked to answer for its instance. Dropped without an answer: the seat has ended.
pub struct Request {
    answer: Sender<Answer>,
    gate: Option<Arc<Gate>>,
}

/// What a seat answers.
pub struct Answer {
    /// Position or state; none when there is nothing to be given back.
    pub state: Result<Option<Vec<u8>>, CallError>,
    /// What a load has made durable, or prepared, since the run began.
    pub receipt: Option<Receipt>,
}

/// Holds extracts while a checkpoint is taken.
#[derive(Default)]
pub struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

/// Opens the gate when it is dropped, however the checkpoint ends.
pub struct Closed(pub Arc<Gate>);

// === impl Request ===

impl Request {
    /// A request, and where the answer comes. Whoever answers one with a gate then waits at it.
    pub fn new(gate: Option<&Arc<Gate>>) -> (Self, Receiver<Answer>) {
        let (answer, receiver) = mpsc::channel();
        (Request { answer, gate: gate.cloned() }, receiver)
    }

    /// Answers, and waits until the checkpoint is over where that was asked for.
    pub fn answer(self, state: Result<Option<Vec<u8>>, CallError>, receipt: Option<Receipt>) {
        // Nobody listens any more when the run has been given up.
        let _ = self.answer.send(Answer { state, receipt });
        if let Some(gate) = self.gate {
            gate.wait();
        }
    }
}

// === impl Gate ===

impl Gate {
    fn wait(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        while !*open {
            open = self.changed.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        *self.0.open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
    }
}

/// What the thread that takes checkpoints waits for.
#[derive(Default)]
pub struct Bell {
    rung: Mutex<Rung>,
    changed: Condvar,
}

/// Why it woke.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rung {
    /// It was time.
    #[default]
    Time,
    /// The run is to end at a checkpoint.
    Stop,
    /// The run is over.
    Over,
}

// === impl Bell ===

impl Bell {
    /// The run is to end at a checkpoint.
    pub fn stop(&self) {
        self.ring(Rung::Stop);
    }

    /// The run is over.
    pub fn over(&self) {
        self.ring(Rung::Over);
    }

    fn ring(&self, rung: Rung) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = rung;
        self.changed.notify_all();
    }

    /// Waits so long, or until it rings.
    pub fn wait(&self, most: Duration) -> Rung {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let (rung, _) = self.changed.wait_timeout_while(rung, most, |rung| *rung == Rung::Time).unwrap_or_else(PoisonError::into_inner);
        *rung
    }
}
