//! Says more than anybody wants to hear: logs, counters, spans and events without end, for every batch.

use parshall_sdk::{
    prelude::*,
    telemetry::{self, Level, Span, Value},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default = "times")]
    times: u32,
}

fn times() -> u32 {
    10_000
}

struct Flood(u32);

impl Transform for Flood {
    type Config = Config;
    const DESCRIPTION: Description = describe!("Floods telemetry, and passes every batch on");

    fn open(config: Config, inputs: &[Input], _: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        Ok((Self(config.times), Port::out(same_schema(inputs)?)))
    }

    fn process(&mut self, _: &Frame) -> Result<Answer, StageError> {
        let long = "ä".repeat(5_000);
        for time in 0..self.0 {
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

export_transform!(Flood);
