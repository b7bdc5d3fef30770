//! The kinds of column there are, and how one is described: by a word, or by a table whose `kind` is that word.

use arrow::{
    array::timezone::Tz,
    compute::kernels::cast_utils::string_to_datetime,
    datatypes::{DataType, Field, TimeUnit},
};
use serde_json::{Map, Value};

use super::{
    draws::Draws,
    given::{Given, mistake},
};
use crate::{tables::nearest::hint, words::tables::TableError};

const KINDS: [&str; 9] = ["sequence", "uniform", "integer", "normal", "choice", "words", "string", "timestamp", "boolean"];
/// Texts are no longer, in words or characters.
const LENGTH_LIMIT: u64 = 10_000;
const CHOICE_LIMIT: usize = 65_536;
/// 2024-01-01T00:00:00Z, in microseconds.
const NEW_YEAR: i64 = 1_704_067_200_000_000;
const UNITS: [(&str, i64); 6] =
    [("us", 1), ("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000), ("d", 86_400_000_000)];

/// A column to be made.
pub struct Column {
    pub name: String,
    pub kind: Kind,
    /// The part of the rows that is null.
    pub null_share: f64,
    pub draws: Draws,
}

/// What its values are.
pub enum Kind {
    Sequence {
        start: i64,
        step: i64,
    },
    Uniform {
        min: f64,
        max: f64,
    },
    Integer {
        min: i64,
        max: i64,
    },
    Normal {
        mean: f64,
        deviation: f64,
    },
    Choice(Choice),
    Words {
        length: u64,
    },
    Text {
        length: u64,
    },
    /// Microseconds.
    Timestamp {
        start: i64,
        step: i64,
    },
    /// The time at which a batch is made.
    Now,
    Boolean {
        share: f64,
    },
}

/// Texts, and up to which draw each of them is taken.
pub struct Choice {
    pub values: Vec<String>,
    /// Ascending; the last is 1.
    pub up_to: Vec<f64>,
}

impl Column {
    pub fn parse(pointer: &str, name: String, value: Value, seed: u64) -> Result<Self, TableError> {
        if name.is_empty() {
            return Err(mistake(pointer, "a column has a name"));
        }
        // Of a column that is a word, all that can be wrong is that word.
        let is_word = value.is_string();
        let mut given = match value {
            Value::String(word) => Given::new(pointer.into(), Map::from_iter([("kind".to_owned(), Value::String(word))])),
            Value::Object(map) => Given::new(pointer.into(), map),
            other => return Err(mistake(pointer, format_args!("{other} is neither a kind nor a table with one: {}", KINDS.join(", ")))),
        };
        let kind = given.text("kind")?.ok_or_else(|| mistake(pointer, format_args!("its \"kind\" is missing: {}", KINDS.join(", "))))?;
        let at = if is_word { pointer.to_owned() } else { given.at("kind") };
        let kind = Kind::parse(&at, &kind, &mut given)?;
        let null_share = given.share("null_share", 0.0)?;
        given.finish()?;
        Ok(Column { draws: Draws::of(seed, &name), name, kind, null_share })
    }

    pub fn field(&self) -> Field {
        Field::new(&self.name, self.kind.data_type(), self.null_share > 0.0)
    }

    /// Bytes of a row of it, at most.
    pub fn widest(&self) -> u64 {
        match &self.kind {
            Kind::Choice(choice) => choice.values.iter().map(|value| value.len() as u64).max().unwrap_or(0) + 4,
            Kind::Words { length } => length * super::values::WORD_BYTES,
            Kind::Text { length } => length + 4,
            Kind::Boolean { .. } => 1,
            _ => 8,
        }
    }
}

impl Kind {
    fn parse(at: &str, kind: &str, given: &mut Given) -> Result<Self, TableError> {
        Ok(match kind {
            "sequence" => Kind::Sequence { start: given.integer("start", 0)?, step: given.integer("step", 1)? },
            "uniform" => {
                let (min, max) = (given.number("min", 0.0)?, given.number("max", 1.0)?);
                ordered(given, min < max && (max - min).is_finite(), min, max)?;
                Kind::Uniform { min, max }
            }
            "integer" => {
                let (min, max) = (given.integer("min", 0)?, given.integer("max", 99)?);
                ordered(given, min <= max, min, max)?;
                Kind::Integer { min, max }
            }
            "normal" => Kind::Normal { mean: given.number("mean", 0.0)?, deviation: deviation(given)? },
            "choice" => Kind::Choice(Choice::parse(at, given)?),
            "words" => Kind::Words { length: given.count("length", 3, (1, LENGTH_LIMIT))? },
            "string" => Kind::Text { length: given.count("length", 12, (1, LENGTH_LIMIT))? },
            "timestamp" => timestamp(given)?,
            "boolean" => Kind::Boolean { share: given.share("share", 0.5)? },
            other => {
                let (known, hint) = (KINDS.join(", "), hint(other, KINDS));
                return Err(mistake(at, format_args!("{other:?} is no kind of column; expected one of {known}{hint}")));
            }
        })
    }

    fn data_type(&self) -> DataType {
        match self {
            Kind::Sequence { .. } | Kind::Integer { .. } => DataType::Int64,
            Kind::Uniform { .. } | Kind::Normal { .. } => DataType::Float64,
            Kind::Choice(_) | Kind::Words { .. } | Kind::Text { .. } => DataType::Utf8,
            Kind::Timestamp { .. } | Kind::Now => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::Boolean { .. } => DataType::Boolean,
        }
    }
}

impl Choice {
    fn parse(at: &str, given: &mut Given) -> Result<Self, TableError> {
        let example = "for example values = [\"north\", \"south\"]";
        let values = given.take("values").ok_or_else(|| mistake(at, format_args!("a choice has \"values\", {example}")))?;
        let values: Vec<String> = serde_json::from_value(values)
            .map_err(|error| mistake(&given.at("values"), format_args!("{error}; a list of strings is expected, {example}")))?;
        if values.is_empty() || values.len() > CHOICE_LIMIT || values.iter().any(|value| value.len() > LENGTH_LIMIT as usize) {
            let bounds = format!("1 to {CHOICE_LIMIT} values of {LENGTH_LIMIT} bytes at most");
            return Err(mistake(&given.at("values"), format_args!("a choice is among {bounds}")));
        }
        let weights = match given.take("weights") {
            None => vec![1.0; values.len()],
            Some(weights) => serde_json::from_value::<Vec<f64>>(weights)
                .map_err(|error| mistake(&given.at("weights"), format_args!("{error}; a list of numbers is expected")))?,
        };
        let total = weights.iter().sum::<f64>();
        if weights.len() != values.len() || weights.iter().any(|weight| *weight < 0.0) || !total.is_finite() || total <= 0.0 {
            let count = values.len();
            return Err(mistake(&given.at("weights"), format_args!("{count} numbers are expected, none below 0 and not all 0")));
        }
        let mut sum = 0.0;
        let up_to = weights.iter().map(|weight| {
            sum += weight;
            sum / total
        });
        Ok(Choice { up_to: up_to.collect(), values })
    }
}

fn ordered(given: &Given, holds: bool, min: impl std::fmt::Display, max: impl std::fmt::Display) -> Result<(), TableError> {
    if holds { Ok(()) } else { Err(mistake(&given.at("max"), format_args!("between min = {min} and max = {max} lies nothing"))) }
}

fn deviation(given: &mut Given) -> Result<f64, TableError> {
    match given.number("deviation", 1.0)? {
        deviation if deviation >= 0.0 => Ok(deviation),
        below => Err(mistake(&given.at("deviation"), format_args!("{below} is below 0"))),
    }
}

fn timestamp(given: &mut Given) -> Result<Kind, TableError> {
    let now = given.flag("now")?;
    let (start, step) = (given.text("start")?, given.text("step")?);
    if now && (start.is_some() || step.is_some()) {
        return Err(mistake(&given.at("now"), "the present has neither \"start\" nor \"step\"; remove them, or \"now\""));
    }
    if now {
        return Ok(Kind::Now);
    }
    let start = match start {
        None => NEW_YEAR,
        Some(text) => "+00:00"
            .parse::<Tz>()
            .and_then(|utc| string_to_datetime(&utc, &text))
            .map(|time| time.timestamp_micros())
            .map_err(|_| mistake(&given.at("start"), format_args!("{text:?} is no moment; write it as 2024-01-31T12:00:00Z")))?,
    };
    let step = match step {
        None => 1_000_000,
        Some(text) => span(&text).ok_or_else(|| {
            let units = UNITS.map(|unit| unit.0).join(", ");
            mistake(&given.at("step"), format_args!("{text:?} is no span of time; write a whole number and one of {units}: \"250ms\""))
        })?,
    };
    Ok(Kind::Timestamp { start, step })
}

/// Microseconds in `250ms`; a minus goes back in time.
fn span(text: &str) -> Option<i64> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic())?;
    let unit = UNITS.iter().find(|unit| unit.0 == &text[digits..])?.1;
    text[..digits].trim().parse::<i64>().ok()?.checked_mul(unit)
}
