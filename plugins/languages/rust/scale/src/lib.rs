//! The reference stage `scale`: one column times a factor; all others stay where they are.

use parshall_light::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    column: String,
    #[serde(default = "two")]
    factor: f64,
    #[serde(default)]
    nulls: Nulls,
}

#[derive(Deserialize, Default, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Nulls {
    #[default]
    Keep,
    Reject,
}

fn two() -> f64 {
    2.0
}

struct Scale {
    column: usize,
    whole: bool,
    factor: f64,
    nulls: Nulls,
    reason: String,
}

impl Transform for Scale {
    type Config = Config;
    const DESCRIPTION: Description = Description {
        name: "scale-rust",
        summary: "Multiplies an int64 or float64 column by a factor",
        config_schema: r#"{"type": "object", "required": ["column"], "additionalProperties": false, "properties": {
            "column": {"type": "string", "description": "An int64 or float64 column"},
            "factor": {"type": "number", "default": 2, "description": "A whole number for int64, whose products wrap"},
            "nulls": {"enum": ["keep", "reject"], "default": "keep"}}}"#,
        ..Description::EMPTY
    };

    fn open(config: Config, inputs: &[Input], _: Option<&[u8]>) -> Result<(Self, Vec<Port>), StageError> {
        let Config { column: name, factor, nulls } = config;
        let schema = same_schema(inputs)?;
        let column = schema.index(&name, &["l", "g"], "/column")?;
        let whole = schema.field(column).format == "l";
        if whole && factor.fract() != 0.0 {
            return Err(StageError::config("/factor", "an int64 column wants a whole number"));
        }
        Ok((Scale { column, whole, factor, nulls, reason: format!("`{name}` is null") }, Port::out(schema)))
    }

    fn process(&mut self, frame: &Frame) -> Result<Answer, StageError> {
        frame.read(&[self.column])?;
        Ok(if self.whole {
            let factor = self.factor as i64;
            self.scaled(frame, frame.numbers(), |value: i64| value.wrapping_mul(factor))
        } else {
            let factor = self.factor;
            self.scaled(frame, frame.numbers(), |value: f64| value * factor)
        })
    }
}

impl Scale {
    /// In place: what was read is the stage's own.
    fn scaled<T: Number>(&self, frame: &Frame, column: Column<T>, times: impl Fn(T) -> T) -> Answer {
        let Column { values, validity } = column;
        values.iter_mut().for_each(|value| *value = times(*value));
        let Some(bits) = validity.bits.filter(|_| validity.nulls > 0 && self.nulls == Nulls::Reject) else {
            return Output::all().replace(frame, self.column, Column { values, validity }).into();
        };
        let mut answer = Answer::default();
        let mut kept = Vec::with_capacity(values.len());
        for (row, value) in values.iter().enumerate() {
            if validity.valid(row) {
                kept.push(*value);
            } else {
                answer = answer.reject(row, self.reason.as_str());
            }
        }
        answer.and(Output::all().keep(bits).replace(frame, self.column, Made::numbers(&kept, Validity::default())))
    }
}

transform!(Scale);
