//! A component as one engine has compiled it, linked with what is granted.

use std::sync::{Mutex, PoisonError};

use wasmtime::component::{InstancePre, Linker};

use super::{engine::Engine, failure, host::Host, imports};
use crate::words::{call::CallError, grants::Grants};

/// Machine code.
pub type Code = wasmtime::component::Component;

/// A component as an engine has compiled it.
pub struct Form {
    pub engine: Engine,
    pub code: Code,
    /// Linked with what certain grants give: another instance costs no more than its memory.
    linked: Mutex<Vec<(Grants, InstancePre<Host>)>>,
}

/// Grants that a component is kept linked for: stages that share one seldom have other grants each.
const LINKED: usize = 8;

// === impl Form ===

impl Form {
    pub fn new(engine: Engine, code: Code) -> Self {
        Form { engine, code, linked: Mutex::default() }
    }

    /// Linked with what these grants give; once for each.
    pub fn linked(&self, grants: &Grants, wasi: bool) -> Result<InstancePre<Host>, CallError> {
        let mut kept = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, linked)) = kept.iter().find(|(known, _)| known == grants) {
            return Ok(linked.clone());
        }
        let linked = self.link(imports::linker(&self.engine, grants, wasi))?;
        if kept.len() >= LINKED {
            kept.remove(0);
        }
        kept.push((grants.clone(), linked.clone()));
        Ok(linked)
    }

    pub fn link(&self, linker: wasmtime::Result<Linker<Host>>) -> Result<InstancePre<Host>, CallError> {
        let linker = linker.map_err(|error| CallError::Host(format!("{error:#}")))?;
        let failed = |error| failure::no_room(&error).unwrap_or(CallError::Trap { reason: "abi", message: format!("{error:#}") });
        linker.instantiate_pre(&self.code).map_err(failed)
    }
}
