//! Floor 0: the words everything else is said in. No wasmtime, no telemetry library, no async runtime.

pub mod authority;
pub mod batch;
pub mod blame;
pub mod call;
pub mod carry;
pub mod delivery;
pub mod digest;
#[cfg(test)]
pub mod entropy;
pub mod flight;
pub mod grants;
pub mod guest_span;
pub mod limits;
pub mod observe;
pub mod oci;
pub mod outgoing;
pub mod rows;
pub mod scope;
pub mod shown;
pub mod stage;
pub mod tables;
pub mod trace;
pub mod usage;
pub mod wasi;
