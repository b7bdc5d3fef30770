//! OTLP as the standard `OTEL_*` variables describe it: where each signal goes, how, and as whom. Shared by spans, metrics and
//! logs; whatever is wrong in a variable is an error before the run, never a signal that quietly goes nowhere.

mod cause;
mod client;
mod endpoint;
mod envelope;
mod environment;
mod exporters;
pub mod protobuf;
mod raw;
mod resource;
mod sender;
mod settings;
pub mod sink;
mod telling;

pub use cause::cause;
pub use client::client;
pub use endpoint::shown;
pub use envelope::Envelope;
pub use environment::{Environment, WrongVariable};
pub use exporters::BuildError;
pub use resource::{resource, scope};
pub use sender::{Sender, Unsent};
pub use settings::{ClientIdentity, Protocol, Settings, disabled, flush_deadline};
pub use telling::{Collectors, hint};
