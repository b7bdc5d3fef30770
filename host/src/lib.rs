//! Parshall: a host for extract, transform and load stages written in any WASM language.
//!
//! Floors import downwards only: `words` ← `wasm`, `telemetry`, `tables` ← `pipeline` ← `cli`. See ARCHITECTURE.md.

pub mod bench;
pub mod catalog;
pub mod cli;
pub mod conformance;
pub mod measure;
pub mod pipeline;
pub mod project;
pub mod registry;
pub mod state;
pub mod tables;
pub mod telemetry;
pub mod wasm;
pub mod words;
