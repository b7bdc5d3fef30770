//! Opens spans of its own for every batch, and passes it on unread: what a guest's spans cost.

use parshall_sdk::{
    prelude::*,
    telemetry::{Span, Value},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default = "one")]
    spans: u32,
}

fn one() -> u32 {
    1
}

struct Spans(Config);

impl Transform for Spans {
    type Config = Config;
    const DESCRIPTION: Description = describe!("Opens spans, and passes every batch on, unread");

    fn open(config: Config, inputs: &[Input], _: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        Ok((Self(config), Port::out(same_schema(inputs)?)))
    }

    fn process(&mut self, _: &Frame) -> Result<Answer, StageError> {
        for number in 0..self.0.spans {
            let span = Span::begin("part");
            span.set("number", Value::Integer(number.into()));
            span.set("of", Value::Text("a batch"));
        }
        Ok(Answer::all())
    }
}

export_transform!(Spans);
