//! The engine: how guests are compiled, and the ticker that lets their deadlines pass.

use std::{sync::Arc, thread, time::Duration};

use wasmtime::{Config, OptLevel};

use crate::words::limits::LEAST_TIMEOUT;

/// How often deadlines are looked at: a call may exceed its `timeout` by this much.
pub const TICK: Duration = LEAST_TIMEOUT;

/// How an engine accounts. Everything is on, unless a benchmark measures what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Accounting {
    /// Count fuel, and stop at the limit.
    pub fuel: bool,
    /// Stop at the deadline.
    pub deadline: bool,
    /// Hold memories and tables to their limits, and count them.
    pub limiter: bool,
    /// Tell guest time from copying time.
    pub clock: bool,
}

impl Default for Accounting {
    fn default() -> Self {
        Accounting { fuel: true, deadline: true, limiter: true, clock: true }
    }
}

/// A wasmtime engine with our settings; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(super) inner: wasmtime::Engine,
    pub(super) accounting: Accounting,
    _ticker: Arc<Ticker>,
}

impl Engine {
    /// Builds the engine and starts its ticker.
    pub fn new(accounting: Accounting) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::Speed).consume_fuel(accounting.fuel).epoch_interruption(accounting.deadline);
        // A panic's text lies in the memory of the guest that trapped; without a trap, this does nothing.
        config.coredump_on_trap(true);
        let inner = wasmtime::Engine::new(&config)?;
        let ticker = Arc::new(Ticker);
        if accounting.deadline {
            tick(&inner, &ticker)?;
        }
        Ok(Engine { inner, accounting, _ticker: ticker })
    }

    /// Ticks that make up a timeout: one more, because the current tick may be about to end.
    pub(super) fn ticks(timeout: Duration) -> u64 {
        (timeout.as_nanos().div_ceil(TICK.as_nanos()) as u64).saturating_add(1)
    }
}

struct Ticker;

/// Lets time pass for an engine, as long as its ticker lives.
fn tick(engine: &wasmtime::Engine, ticker: &Arc<Ticker>) -> wasmtime::Result<()> {
    let (weak, alive) = (engine.weak(), Arc::downgrade(ticker));
    thread::Builder::new().name("parshall-epoch".into()).spawn(move || {
        // Ends within a tick of the last clone being dropped.
        while let (Some(engine), Some(_)) = (weak.upgrade(), alive.upgrade()) {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    })?;
    Ok(())
}
