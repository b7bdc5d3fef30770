//! The functions as a stage of ours: Arrow's arrays in, one array out. (The filter is `std:filter`.)

#[path = "../../functions.rs"]
mod functions;

use arrow_arith::arity::binary;
use arrow_array::{Int32Array, StringArray, builder::StringBuilder};
use parshall_sdk::prelude::*;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Function {
    Gcd,
    Add,
    Upper,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    function: Function,
}

struct Functions(Function);

impl Transform for Functions {
    type Config = Config;
    const DESCRIPTION: Description = Description {
        name: "functions",
        version: env!("CARGO_PKG_VERSION"),
        summary: "gcd, add or upper of the first columns, for the benchmarks",
        documentation: "",
        config_schema: r#"{ "type": "object", "properties": { "function": { "enum": ["gcd", "add", "upper"] } } }"#,
        stateful: false,
    };

    fn open(config: Config, _: &[Input], _: Option<Vec<u8>>) -> Result<(Self, Vec<Port>), StageError> {
        let made = match config.function {
            Function::Gcd | Function::Add => DataType::Int32,
            Function::Upper => DataType::Utf8,
        };
        Ok((Self(config.function), Port::out(Schema::new(vec![Field::new("made", made, true)]))))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        let made = match self.0 {
            Function::Gcd => Column::made(&ints(frame, functions::gcd)?),
            Function::Add => Column::made(&ints(frame, functions::add)?),
            Function::Upper => {
                let texts: StringArray = frame.typed(0)?;
                let mut upper = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
                texts.iter().for_each(|text| upper.append_option(text.map(functions::upper)));
                Column::made(&upper.finish())
            }
        };
        Ok(Output::of(Rows::All).columns([made]).into())
    }
}

fn ints(frame: &Frame, function: impl Fn(i32, i32) -> i32) -> Result<Int32Array, StageError> {
    frame.read(&[0, 1])?;
    Ok(binary(&frame.typed::<Int32Array>(0)?, &frame.typed::<Int32Array>(1)?, function)?)
}

parshall_sdk::export_transform!(Functions);
