//! OTLP as the standard `OTEL_*` variables describe it: where each signal goes, how, and as whom. Shared by spans, metrics and
//! logs; whatever is wrong in a variable is an error before the run, never a signal that quietly goes nowhere.

mod client;
mod endpoint;
mod environment;
mod exporters;
mod resource;
mod settings;

pub use client::client;
pub use endpoint::shown;
pub use environment::{Environment, WrongVariable};
pub use exporters::BuildError;
pub use resource::{resource, scope};
pub use settings::{ClientIdentity, Protocol, Settings, disabled, flush_deadline};
