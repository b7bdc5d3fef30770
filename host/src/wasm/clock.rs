//! Tells time in the guest from time in the host, by wasmtime's call hook.

use std::time::{Duration, Instant};

use wasmtime::CallHook;

/// Where execution is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Outside,
    Guest(Instant),
    /// In an import or a libcall, with this many turns nested in it (wasmtime calls the guest's `realloc` from there).
    Host(u32),
}

/// Adds up the time that one call spends in guest code, without imports and without copying.
#[derive(Debug)]
pub struct Clock {
    place: Place,
    guest: Duration,
}

impl Clock {
    /// Stopped, at zero.
    pub fn new() -> Self {
        Clock { place: Place::Outside, guest: Duration::ZERO }
    }

    /// Starts a call from zero, whatever a trap left behind.
    pub fn reset(&mut self) {
        *self = Clock::new();
    }

    /// Time in the guest since `reset`. A trap ends the guest's time when this is asked.
    pub fn guest(&mut self) -> Duration {
        if let Place::Guest(since) = self.place {
            self.guest += since.elapsed();
            self.place = Place::Outside;
        }
        self.guest
    }

    /// Execution crosses the boundary.
    pub fn turn(&mut self, hook: CallHook) {
        use CallHook::{CallingHost, CallingWasm, ReturningFromHost, ReturningFromWasm};
        self.place = match (self.place, hook) {
            (Place::Outside, CallingWasm) => Place::Guest(Instant::now()),
            (Place::Guest(since), ReturningFromWasm) => self.add(since, Place::Outside),
            (Place::Guest(since), CallingHost) => self.add(since, Place::Host(0)),
            (Place::Host(0), ReturningFromHost) => Place::Guest(Instant::now()),
            // Nested turns come in pairs; they belong to the host's time.
            (Place::Host(depth), CallingWasm | CallingHost) => Place::Host(depth + 1),
            (Place::Host(depth), ReturningFromWasm | ReturningFromHost) => Place::Host(depth.saturating_sub(1)),
            (place, _) => place,
        };
    }

    fn add(&mut self, since: Instant, next: Place) -> Place {
        self.guest += since.elapsed();
        next
    }
}
