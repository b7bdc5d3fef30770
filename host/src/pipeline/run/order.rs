//! Keeps the order of a stage's outputs when several instances work side by side.

use std::sync::{Condvar, Mutex, PoisonError};

/// Lets the holders of tickets through in the order of their tickets.
#[derive(Default)]
pub struct Order {
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Default)]
struct Inside {
    next: u64,
    aborted: bool,
}

impl Order {
    /// Waits until it is this ticket's turn. False when the run was given up.
    pub fn enter(&self, ticket: u64) -> bool {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        while inside.next != ticket && !inside.aborted {
            inside = self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
        !inside.aborted
    }

    /// This ticket is done; the next may enter.
    pub fn leave(&self, ticket: u64) {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).next = ticket + 1;
        self.changed.notify_all();
    }

    /// Wakes everybody: there is no order any more.
    pub fn abort(&self) {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).aborted = true;
        self.changed.notify_all();
    }
}
