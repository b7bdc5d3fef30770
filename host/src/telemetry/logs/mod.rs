//! Logs: what the program and its guests say, with the trace and span that they say it in, for people, for machines, and by OTLP.
//!
//! `tracing` is the way in. One layer of ours turns each event into a [`Record`]: `opentelemetry-appender-tracing` takes ids from
//! OpenTelemetry's current context only, which the batch path does not have.

mod export;
mod json;
mod layer;
mod queue;
mod record;
mod text;

pub use export::{Exporter, Limits, Lost};
pub use layer::{Form, install, quiet_thread};
pub use record::Record;

/// The target of what guests say.
pub const GUEST: &str = "guest";
/// The target of failed calls. People are told of them by the command itself, so text leaves them out.
pub const CALL: &str = "parshall::call";
/// The target of a run that cannot begin.
pub const RUN: &str = "parshall::run";
