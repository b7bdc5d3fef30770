//! Tells time in the guest from time in the host, by wasmtime's call hook.

use std::time::Duration;

use wasmtime::CallHook;

use super::ticks;

/// Where execution is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Outside,
    /// Since this tick.
    Guest(u64),
    /// In an import or a libcall, with this many turns nested in it (wasmtime calls the guest's `realloc` from there).
    Host(u32),
}

/// Adds up the time that one call spends in guest code, without imports and without copying.
#[derive(Debug)]
pub struct Clock {
    place: Place,
    /// Ticks.
    guest: u64,
}

/// How much of a call was the guest's: ticks, and from which tick on.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    guest: u64,
    since: u64,
}

impl Clock {
    /// Stopped, at zero.
    pub fn new() -> Self {
        Clock { place: Place::Outside, guest: 0 }
    }

    /// Starts a call from zero, whatever a trap left behind.
    pub fn reset(&mut self) {
        *self = Clock::new();
    }

    /// The guest's share of a call that began at this tick. A trap ends the guest's time when this is asked.
    pub fn share(&mut self, since: u64) -> Share {
        if let Place::Guest(since) = self.place {
            self.place = self.add(since, Place::Outside);
        }
        Share { guest: self.guest, since }
    }

    /// Execution crosses the boundary.
    pub fn turn(&mut self, hook: CallHook) {
        use CallHook::{CallingHost, CallingWasm, ReturningFromHost, ReturningFromWasm};
        self.place = match (self.place, hook) {
            (Place::Outside, CallingWasm) => Place::Guest(ticks::now()),
            (Place::Guest(since), ReturningFromWasm) => self.add(since, Place::Outside),
            (Place::Guest(since), CallingHost) => self.add(since, Place::Host(0)),
            (Place::Host(0), ReturningFromHost) => Place::Guest(ticks::now()),
            // Nested turns come in pairs; they belong to the host's time.
            (Place::Host(depth), CallingWasm | CallingHost) => Place::Host(depth + 1),
            (Place::Host(depth), ReturningFromWasm | ReturningFromHost) => Place::Host(depth.saturating_sub(1)),
            (place, _) => place,
        };
    }

    fn add(&mut self, since: u64, next: Place) -> Place {
        // Another processor's counter may be a few ticks behind.
        self.guest += ticks::now().saturating_sub(since);
        next
    }
}

impl Share {
    /// None of it.
    pub fn none() -> Self {
        Share { guest: 0, since: 0 }
    }

    /// Of a call that has taken so long by now.
    pub fn of(self, call: Duration) -> Duration {
        let ticks = ticks::now().saturating_sub(self.since).max(1);
        let share = (self.guest as f64 / ticks as f64).min(1.0);
        Duration::from_nanos((call.as_nanos() as f64 * share) as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Instant};

    use super::*;

    /// Protects against time that is counted for whoever was not running.
    #[test]
    fn a_share_is_that_of_whoever_ran() {
        let (started, since, mut clock) = (Instant::now(), ticks::now(), Clock::new());
        let wait = || thread::sleep(Duration::from_millis(20));
        wait();
        clock.turn(CallHook::CallingWasm);
        wait();
        clock.turn(CallHook::CallingHost);
        // The guest's `realloc`, called while the host copies: the host's.
        clock.turn(CallHook::CallingWasm);
        wait();
        clock.turn(CallHook::ReturningFromWasm);
        clock.turn(CallHook::ReturningFromHost);
        wait();
        // A trap: nobody says that it has returned.
        let share = clock.share(since);
        wait();
        let call = started.elapsed();
        let guest = share.of(call);
        assert!(guest >= Duration::from_millis(39), "{guest:?} of {call:?}");
        assert!(guest <= call - Duration::from_millis(59), "{guest:?} of {call:?}");
        assert_eq!(Share::none().of(call), Duration::ZERO);
    }
}
