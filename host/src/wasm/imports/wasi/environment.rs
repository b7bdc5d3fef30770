//! `wasi:cli/environment`: the granted variables of the host, and no other; no arguments.

use wasmtime_wasi::WasiCtxBuilder;

use crate::words::grants::Grants;

/// Shows the guest the granted variables, as they are set now. One that is not set, or no text, is not there.
pub fn configure(builder: &mut WasiCtxBuilder, grants: &Grants) {
    for name in &grants.environment {
        if let Ok(value) = std::env::var(name) {
            builder.env(name, value);
        }
    }
}
