//! What a component may import: one capability a file, linked only where it is granted.

mod frames;
mod state;
mod tables;
mod telemetry;

use wasmtime::component::Linker;

use super::{engine::Engine, host::Host};
use crate::words::grants::Grants;

/// The contract's package and version, as it stands in the names of imports and exports.
pub const PACKAGE: &str = "parshall:stage";
/// The contract's version.
pub const VERSION: &str = "0.1.0";

/// The full name of one of the contract's interfaces.
pub fn interface(name: &str) -> String {
    format!("{PACKAGE}/{name}@{VERSION}")
}

/// A linker with the imports that these grants give. `frames` is always there; nothing else is.
pub fn linker(engine: &Engine, grants: &Grants) -> wasmtime::Result<Linker<Host>> {
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
    Ok(linker)
}

/// A linker with every import there is, for `describe`: the component must come to life to speak of itself. The
/// instance's grants are empty, so nothing behind the imports opens.
pub fn linker_for_describe(engine: &Engine) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(&engine.inner);
    frames::link(&mut linker)?;
    tables::link(&mut linker)?;
    telemetry::link(&mut linker)?;
    state::link(&mut linker)?;
    Ok(linker)
}

/// Why an import is not linked under these grants, and what to do; `None` when it is.
pub fn missing(import: &str, grants: &Grants) -> Option<String> {
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
