//! Keeps an instance within its memory and table limits, and remembers what was refused.

use wasmtime::ResourceLimiter;

use crate::words::limits::Limits;

/// A growth that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The setting, such as `memory`.
    pub limit: &'static str,
    /// In use before.
    pub current: u64,
    /// Requested on top.
    pub requested: u64,
    /// The limit.
    pub allowed: u64,
    /// What the three count.
    pub unit: &'static str,
}

/// Counts linear memory over all memories of an instance, and table elements over all tables. wasmtime counts memories, tables
/// and instances itself, and asks here how many there may be.
#[derive(Debug)]
pub struct Limiter {
    memory_limit: u64,
    table_limit: u64,
    instances: usize,
    memories: usize,
    tables: usize,
    memory: u64,
    elements: u64,
    refusal: Option<Refusal>,
}

impl Limiter {
    /// Holds an instance to these limits.
    pub fn new(limits: &Limits) -> Self {
        let count = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        Limiter {
            memory_limit: limits.memory,
            table_limit: limits.table_elements,
            instances: count(limits.core_instances),
            memories: count(limits.wasm_memories),
            tables: count(limits.wasm_tables),
            memory: 0,
            elements: 0,
            refusal: None,
        }
    }

    /// Bytes of linear memory in use.
    pub fn memory(&self) -> u64 {
        self.memory
    }

    /// A call begins: a growth that was refused in an earlier one explains nothing any more.
    pub fn begin(&mut self) {
        self.refusal = None;
    }

    /// What was last refused, once.
    pub fn take_refusal(&mut self) -> Option<Refusal> {
        self.refusal.take()
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        // Its own maximum refuses it: nothing is used, and no limit of ours was reached.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let requested = (desired - current) as u64;
        if self.memory.saturating_add(requested) > self.memory_limit {
            self.refusal = Some(Refusal { limit: "memory", current: self.memory, requested, allowed: self.memory_limit, unit: "bytes" });
            return Ok(false);
        }
        self.memory += requested;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        // Counted in `memory_growing` and not given: the machine is out of address space. The guest sees a failed grow.
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let requested = (desired - current) as u64;
        if self.elements.saturating_add(requested) > self.table_limit {
            self.refusal =
                Some(Refusal { limit: "table_elements", current: self.elements, requested, allowed: self.table_limit, unit: "elements" });
            return Ok(false);
        }
        self.elements += requested;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        self.memories
    }

    fn tables(&self) -> usize {
        self.tables
    }
}
