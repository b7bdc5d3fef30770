//! Parshall: a host for extract, transform and load stages written in any WASM language.
//!
//! Floors import downwards only: `words` ← `wasm`, `tables` ← `pipeline` ← `cli`. See ARCHITECTURE.md.

pub mod pipeline;
pub mod wasm;
pub mod words;
