//! Says more than anybody wants to hear: logs, counters, spans and events without end, for every batch. Or, once a batch, what it is
//! told to say and which span it is in.

use parshall_sdk::{
    prelude::*,
    telemetry::{self, Level, Span, Value},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default = "times")]
    times: u32,
    /// Said instead of the flood.
    say: Option<String>,
}

fn times() -> u32 {
    10_000
}

struct Flood(Config);

impl Transform for Flood {
    type Config = Config;
    const DESCRIPTION: Description = describe!("Floods telemetry, and passes every batch on");

    fn open(config: Config, inputs: &[Input], _: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        Ok((Self(config), Port::out(same_schema(inputs)?)))
    }

    fn process(&mut self, _: &Frame) -> Result<Answer, StageError> {
        if let Some(text) = &self.0.say {
            say(text);
            return Ok(Answer::all());
        }
        let long = "ä".repeat(5_000);
        for time in 0..self.0.times {
            let attributes = [("time", Value::Integer(time.into())), ("long", Value::Text(&long)), ("half", Value::Number(0.5))];
            telemetry::log(Level::Info, &long, &attributes);
            telemetry::count(&format!("counter-{time}"), 1);
            telemetry::observe("always-the-same", f64::NAN);
            let span = Span::begin(&long);
            span.set("flag", Value::Flag(true));
            span.event("event", &attributes);
            span.fail("on purpose");
        }
        Ok(Answer::all())
    }
}

/// A text with attributes in the host's name, then the spans that it is in: the call's and one of its own.
fn say(text: &str) {
    let forged = [
        ("etl.stage.name", Value::Text("forged")),
        ("trace_id", Value::Text("00000000000000000000000000000bad")),
        ("key\n{\"body\":\"forged\"}", Value::Text("value\r\n{\"body\":\"forged\"}")),
        ("rows", Value::Integer(-3)),
        ("nan", Value::Number(f64::NAN)),
        ("true", Value::Flag(true)),
    ];
    telemetry::log(Level::Info, text, &forged);
    tell("call");
    let span = Span::begin("saying");
    tell("span");
    drop(span);
}

fn tell(place: &str) {
    let (trace, span) = telemetry::current().map(|context| (context.trace_id, context.span_id)).unwrap_or_default();
    telemetry::log(Level::Info, &format!("{place} {trace} {span}"), &[]);
}

export_transform!(Flood);
