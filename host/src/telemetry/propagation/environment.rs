//! The environment as a carrier: names in capitals, with `_` for `-`, as OpenTelemetry's specification of it says.

use std::borrow::Cow;

use super::{Carrier, Propagators, Remote, chosen};
use crate::telemetry::otlp::{Environment, WrongVariable};

/// The variables that name the span which started this process.
const SPANS: [&str; 3] = ["TRACEPARENT", "B3", "X_B3_TRACEID"];

/// The span that started this process, if it says so: `TRACEPARENT`, `TRACESTATE` and `BAGGAGE`, or B3's, by the formats that
/// `OTEL_PROPAGATORS` chooses. A wrong choice is an error; a malformed context begins a trace of our own, as W3C demands.
pub fn parent_from_environment(environment: &Environment) -> Result<Option<Remote>, WrongVariable> {
    let propagators = Propagators::chosen(environment)?;
    let parent = propagators.extract(&Variables(environment));
    let named = SPANS.iter().find(|name| environment.get(name).is_some());
    if let (None, Some(name), false) = (&parent, named, propagators.is_empty()) {
        tracing::warn!("`{name}` is set, but by the formats of `{}` it names no span: the run has no parent", chosen::VARIABLE);
    }
    Ok(parent)
}

struct Variables<'a>(&'a Environment);

impl Carrier for Variables<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.get(&name.to_ascii_uppercase().replace('-', "_")).map(Cow::Borrowed)
    }

    /// Ours stays as it is.
    fn set(&mut self, _: &'static str, _: String) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_environment_names_the_parent() {
        let told = [("TRACEPARENT", PARENT), ("TRACESTATE", "a=1"), ("BAGGAGE", "k=v")];
        let remote = parent_from_environment(&Environment::of(told)).unwrap().unwrap();
        assert_eq!(remote.context.trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!((remote.trace_state.as_str(), remote.baggage.write().as_str()), ("a=1", "k=v"));
        let zipkin = [
            ("OTEL_PROPAGATORS", "b3multi"),
            ("X_B3_TRACEID", "4bf92f3577b34da6a3ce929d0e0e4736"),
            ("X_B3_SPANID", "00f067aa0ba902b7"),
            ("X_B3_SAMPLED", "0"),
        ];
        let remote = parent_from_environment(&Environment::of(zipkin)).unwrap().unwrap();
        assert!(!remote.context.sampled);
        let single = [("OTEL_PROPAGATORS", "b3"), ("B3", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1")];
        assert!(parent_from_environment(&Environment::of(single)).unwrap().unwrap().context.sampled);
    }

    #[test]
    fn nothing_is_no_parent_and_neither_is_a_malformed_one() {
        for told in [[("TRACEPARENT", ""), ("BAGGAGE", "k=v")], [("TRACEPARENT", "00-0-0-00"), ("BAGGAGE", "k=v")]] {
            assert_eq!(parent_from_environment(&Environment::of(told)), Ok(None));
        }
        assert_eq!(parent_from_environment(&Environment::of([("TRACEPARENT", PARENT), ("OTEL_PROPAGATORS", "none")])), Ok(None));
        assert!(parent_from_environment(&Environment::of([("OTEL_PROPAGATORS", "xray")])).is_err());
    }
}
