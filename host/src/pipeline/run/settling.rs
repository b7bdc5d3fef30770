//! Whether a change of the graph has come to all stages that take part in it.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Instant,
};

/// A change on its way.
#[derive(Default)]
pub struct Settling {
    /// Stages that it has not come to yet.
    left: Mutex<usize>,
    changed: Condvar,
}

/// A stage's part in it. When it goes, the change has come to the stage, or the stage to its end.
pub struct Part(Arc<Settling>);

// === impl Settling ===

impl Settling {
    /// One stage more.
    pub fn part(self: &Arc<Self>) -> Part {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Part(Arc::clone(self))
    }

    /// Waits until it has come to all of them, or until then. Answers how many are left.
    pub fn wait(&self, until: Instant) -> usize {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        while *left > 0 {
            let time = until.saturating_duration_since(Instant::now());
            if time.is_zero() {
                break;
            }
            (left, _) = self.changed.wait_timeout(left, time).unwrap_or_else(PoisonError::into_inner);
        }
        *left
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        *self.0.left.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.changed.notify_all();
    }
}
