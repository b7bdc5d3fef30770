//! Floor 1a: components on wasmtime. The only folder that names wasmtime.

mod cache;
mod clock;
mod compile;
mod component;
mod contract;
mod crossing;
mod engine;
mod extract;
mod failure;
mod form;
mod frame;
#[cfg(test)]
mod fuzz;
mod host;
mod imports;
mod instance;
mod last_words;
mod layout;
mod lift;
mod limiter;
mod load;
mod lower;
mod recipe;
mod runtime;
mod sampled;
mod schema;
mod spans;
mod ticks;
mod transform;

pub use cache::Cache;
pub use component::WasmComponent;
pub use engine::{Accounting, Engine, TICK};
pub use imports::interface;
pub use runtime::{LoadError, Runtime};
