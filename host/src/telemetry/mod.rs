//! Floor 1b: what is made of watching: spans, metrics, logs. The only floor that names `opentelemetry` and `prometheus`.
//!
//! Layers, each of which can be left out: [`traces`] records every call of a sampled batch and exports what is worth keeping;
//! [`metrics`] counts and observes every call; [`logs`] writes what the program and its guests say. [`propagation`] carries a
//! span's context in and out; [`otlp`] is how all three leave.

pub mod dashboards;
mod growing;
pub mod health;
pub mod logs;
pub mod metrics;
pub mod names;
pub mod otlp;
pub mod propagation;
pub mod traces;
mod watch;

pub use watch::Telemetry;
