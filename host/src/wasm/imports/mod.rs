//! What a component may import: one capability a file, linked only where it is granted.

mod frames;
mod printable;
mod state;
mod tables;
mod telemetry;
pub mod wasi;

use wasmtime::component::Linker;

use super::{engine::Engine, host::Host};
use crate::words::{
    authority::Authority,
    grants::{Grants, Place},
    wasi::{Need, need},
};

/// The contract's package and version, as it stands in the names of imports and exports.
pub const PACKAGE: &str = "parshall:stage";
/// The contract's version.
pub const VERSION: &str = "0.1.0";

/// The full name of one of the contract's interfaces.
pub fn interface(name: &str) -> String {
    format!("{PACKAGE}/{name}@{VERSION}")
}

/// A linker with the imports that these grants give. `frames` is always there; WASI where the component imports some of it;
/// nothing else is.
pub fn linker(engine: &Engine, grants: &Grants, with_wasi: bool) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(&engine.inner);
    frames::link(&mut linker)?;
    if !grants.read.is_empty() || !grants.write.is_empty() {
        tables::link(&mut linker)?;
    }
    if grants.telemetry {
        telemetry::link(&mut linker)?;
    }
    if grants.state {
        state::link(&mut linker)?;
    }
    if with_wasi {
        wasi::link(&mut linker, grants)?;
    }
    Ok(linker)
}

/// A linker with every import there is, for `describe`: the component must come to life to speak of itself. The
/// instance's grants are empty, so nothing behind the imports opens.
pub fn linker_for_describe(engine: &Engine, with_wasi: bool) -> wasmtime::Result<Linker<Host>> {
    linker(engine, &everything(), with_wasi)
}

/// Grants that link everything there is; they also tell an import that is not granted from one that does not exist.
pub fn everything() -> Grants {
    let place = Place::Url(String::new());
    let http = Authority::parse("localhost").into_iter().collect();
    Grants { read: vec![place], telemetry: true, state: true, clocks: true, random: true, http, ..Grants::default() }
}

/// Why an import is not linked under these grants, and what to do; `None` when it is.
pub fn missing(import: &str, grants: &Grants) -> Option<String> {
    if let Some(need) = need(import) {
        return missing_wasi(import, need, grants);
    }
    let ours = import.strip_prefix(PACKAGE).and_then(|rest| rest.strip_prefix('/')).and_then(|rest| rest.split('@').next());
    let hint = |what: &str| Some(format!("grant it with `grants = {{ {what} }}`"));
    match ours {
        Some("types" | "frames") => None,
        Some("tables") if grants.read.is_empty() && grants.write.is_empty() => hint("read = [\"…\"]` or `write = [\"…\"]"),
        Some("telemetry") if !grants.telemetry => hint("telemetry = true"),
        Some("state") if !grants.state => hint("state = true"),
        Some("tables" | "telemetry" | "state") => None,
        _ => Some("this host does not offer it".into()),
    }
}

fn missing_wasi(import: &str, need: Need, grants: &Grants) -> Option<String> {
    match need.grant() {
        _ if need.is_met(grants) => None,
        Some(grant) => Some(format!("grant it with `grants = {{ {grant} }}`")),
        None if import.starts_with("wasi:sockets/") => {
            Some("this host offers no sockets; HTTP is granted with `grants = { http = [\"…\"] }`".into())
        }
        None => Some("this host does not offer it".into()),
    }
}
