//! Which formats context enters and leaves by: `OTEL_PROPAGATORS`.

use super::{Baggage, Carrier, b3, baggage, trace_parent, trace_state};
use crate::{
    telemetry::otlp::{Environment, WrongVariable},
    words::trace::SpanContext,
};

/// The variable that chooses.
pub const VARIABLE: &str = "OTEL_PROPAGATORS";
const EXPECTED: &str = "`tracecontext`, `baggage`, `b3`, `b3multi`, with commas between them, or `none`";

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `tracecontext`: W3C's `traceparent` and `tracestate`.
    TraceContext,
    /// `baggage`: W3C's.
    Baggage,
    /// `b3`: Zipkin's, one value.
    B3,
    /// `b3multi`: Zipkin's, several values.
    B3Multi,
}

/// Formats, each once, in the order in which they were named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Propagators(Vec<Format>);

/// A span of another process, and what came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The span.
    pub context: SpanContext,
    /// What vendors say of its trace: `tracestate`, empty where there is none.
    pub trace_state: String,
    /// What is to be known downstream.
    pub baggage: Baggage,
}

// === impl Propagators ===

impl Default for Propagators {
    /// As the specification says.
    fn default() -> Self {
        Propagators(vec![Format::TraceContext, Format::Baggage])
    }
}

impl Propagators {
    /// Those that the environment names, or W3C's.
    pub fn chosen(environment: &Environment) -> Result<Self, WrongVariable> {
        Ok(environment.read(VARIABLE, EXPECTED, parse)?.unwrap_or_default())
    }

    /// These formats.
    pub fn of(formats: &[Format]) -> Self {
        Propagators(formats.to_vec())
    }

    /// Whether nothing travels.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts a span and what goes with it into a carrier.
    pub fn inject(&self, context: &SpanContext, state: &str, baggage: &Baggage, carrier: &mut impl Carrier) {
        for format in &self.0 {
            match format {
                Format::TraceContext => {
                    carrier.set(trace_parent::NAME, trace_parent::write(context));
                    if !state.is_empty() {
                        carrier.set(trace_state::NAME, state.to_owned());
                    }
                }
                Format::Baggage if baggage.is_empty() => {}
                Format::Baggage => carrier.set(baggage::NAME, baggage.write()),
                Format::B3 => b3::write_single(context, carrier),
                Format::B3Multi => b3::write_multiple(context, carrier),
            }
        }
    }

    /// The span in a carrier. Where several formats name one, the last format counts, as the specification has it.
    pub fn extract(&self, carrier: &impl Carrier) -> Option<Remote> {
        let mut found = None;
        for format in &self.0 {
            found = match format {
                Format::TraceContext => w3c(carrier).or(found),
                Format::B3 | Format::B3Multi => b3::read(carrier).map(|context| (context, String::new())).or(found),
                Format::Baggage => found,
            };
        }
        let (context, trace_state) = found?;
        let text = self.0.contains(&Format::Baggage).then(|| carrier.get(baggage::NAME)).flatten();
        Some(Remote { context, trace_state, baggage: text.map_or(Baggage::EMPTY, |text| Baggage::parse(&text)) })
    }
}

fn w3c(carrier: &impl Carrier) -> Option<(SpanContext, String)> {
    let context = trace_parent::parse(&carrier.get(trace_parent::NAME)?)?;
    let state = carrier.get(trace_state::NAME).map(|text| trace_state::accept(&text)).unwrap_or_default();
    Some((context, state))
}

fn parse(value: &str) -> Option<Propagators> {
    if value == "none" {
        return Some(Propagators(Vec::new()));
    }
    let mut formats = Vec::new();
    for name in value.split(',').map(str::trim) {
        let format = match name {
            "tracecontext" => Format::TraceContext,
            "baggage" => Format::Baggage,
            "b3" => Format::B3,
            "b3multi" => Format::B3Multi,
            _ => return None,
        };
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    Some(Propagators(formats))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn chosen(value: &str) -> Result<Propagators, WrongVariable> {
        Propagators::chosen(&Environment::of([(VARIABLE, value)]))
    }

    #[test]
    fn formats_are_chosen_by_name() {
        use Format::*;
        assert_eq!(chosen(""), Ok(Propagators(vec![TraceContext, Baggage])));
        assert_eq!(chosen("b3, tracecontext,b3"), Ok(Propagators(vec![B3, TraceContext])));
        assert!(chosen("none").unwrap().is_empty());
        for wrong in ["jaeger", "none,b3", "tracecontext,,baggage", "B3"] {
            let told = chosen(wrong).unwrap_err().to_string();
            assert!(told.contains(VARIABLE) && told.contains("`b3multi`"), "{told}");
        }
    }

    #[test]
    fn whatever_leaves_by_a_format_enters_by_it() {
        let remote = Remote { context: SpanContext::root(true), trace_state: "a=1,b=2".into(), baggage: Baggage::parse("k=v") };
        for formats in ["tracecontext,baggage", "b3,baggage", "b3multi,baggage", "b3,b3multi,baggage,tracecontext"] {
            let propagators = chosen(formats).unwrap();
            let mut carrier = HashMap::new();
            propagators.inject(&remote.context, &remote.trace_state, &remote.baggage, &mut carrier);
            let state = if formats.contains("tracecontext") { "a=1,b=2" } else { "" };
            assert_eq!(propagators.extract(&carrier), Some(Remote { trace_state: state.into(), ..remote.clone() }), "{formats}");
        }
        let mut carrier = HashMap::new();
        chosen("none").unwrap().inject(&remote.context, "a=1", &remote.baggage, &mut carrier);
        assert!(carrier.is_empty());
    }

    /// Protects against a malformed companion that takes the span with it, and a malformed span that brings its companions.
    #[test]
    fn companions_fall_alone_and_never_stand_alone() {
        let parent = trace_parent::write(&SpanContext::root(true));
        let carrier: HashMap<String, String> =
            [("traceparent", parent.as_str()), ("tracestate", "A=b"), ("baggage", "é")].map(|(k, v)| (k.into(), v.into())).into();
        let remote = Propagators::default().extract(&carrier).unwrap();
        assert!(remote.trace_state.is_empty() && remote.baggage.is_empty());
        let lonely: HashMap<String, String> = [("tracestate".to_owned(), "a=b".to_owned()), ("baggage".into(), "k=v".into())].into();
        assert_eq!(Propagators::default().extract(&lonely), None);
    }
}
