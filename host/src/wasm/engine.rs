//! The engine: how guests are compiled, and the ticker that lets their deadlines pass.

use std::{sync::Arc, thread, time::Duration};

use wasmtime::{Config, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

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

/// Slots of a pool, and what each of them has room for. A component brings some core modules of its adapters along.
const POOL: u32 = 16;
const POOLED_MODULES: u32 = 8;
const POOLED_MEMORY: usize = 1 << 30;
const POOLED_ELEMENTS: usize = 1 << 16;
const POOLED_RECORD: usize = 1 << 20;

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
        Self::built(accounting, Config::new())
    }

    /// The same, with slots for memories that are reserved now and used again and again: to measure what that saves.
    pub fn pooled(accounting: Accounting) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
        Self::built(accounting, config)
    }

    fn built(accounting: Accounting, mut config: Config) -> wasmtime::Result<Self> {
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

fn pool() -> PoolingAllocationConfig {
    let (mut pool, cores) = (PoolingAllocationConfig::new(), POOL * POOLED_MODULES);
    pool.total_component_instances(POOL).total_core_instances(cores).total_memories(cores).total_tables(cores);
    pool.max_core_instances_per_component(POOLED_MODULES)
        .max_memories_per_component(POOLED_MODULES)
        .max_tables_per_component(POOLED_MODULES);
    pool.max_component_instance_size(POOLED_RECORD).max_core_instance_size(POOLED_RECORD);
    pool.max_memory_size(POOLED_MEMORY).table_elements(POOLED_ELEMENTS);
    pool
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
