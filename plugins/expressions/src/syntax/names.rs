//! Names of types, as SQL has them and as Arrow has them.

use arrow_schema::TimeUnit;
use parshall_sdk::nearest;
use sqlparser::{keywords::Keyword, tokenizer::Token};
use winnow::{
    Parser as _,
    combinator::{alt, opt, terminated},
};

use super::{
    tokens::{Input, Lexeme, Parsed, held, must, next, one},
    tree::Target,
};
use crate::mistake::Mistake;

const MICROSECONDS: Target = Target::Timestamp(TimeUnit::Microsecond);

const NAMES: [(&str, Target); 34] = [
    ("boolean", Target::Bool),
    ("bool", Target::Bool),
    ("bigint", Target::Int),
    ("integer", Target::Int),
    ("int", Target::Int),
    ("smallint", Target::Int),
    ("tinyint", Target::Int),
    ("int2", Target::Int),
    ("int4", Target::Int),
    ("int8", Target::Int),
    ("int64", Target::Int),
    ("long", Target::Int),
    ("double", Target::Float),
    ("float", Target::Float),
    ("real", Target::Float),
    ("float4", Target::Float),
    ("float8", Target::Float),
    ("float64", Target::Float),
    ("text", Target::Text),
    ("varchar", Target::Text),
    ("string", Target::Text),
    ("char", Target::Text),
    ("character", Target::Text),
    ("utf8", Target::Text),
    ("date", Target::Date),
    ("date32", Target::Date),
    ("timestamp", MICROSECONDS),
    ("datetime", MICROSECONDS),
    ("timestamp_s", Target::Timestamp(TimeUnit::Second)),
    ("timestamp_ms", Target::Timestamp(TimeUnit::Millisecond)),
    ("timestamp_us", MICROSECONDS),
    ("timestamp_ns", Target::Timestamp(TimeUnit::Nanosecond)),
    ("timestamptz", Target::Instant(TimeUnit::Microsecond)),
    ("int32", Target::Int),
];

/// The name of a type.
pub fn target(input: &mut Input) -> Parsed<Target> {
    let offset = next(input).offset;
    let (name, _) = must(held(Lexeme::word), "a type").parse_next(input)?;
    let name = name.to_ascii_lowercase();
    let Some((_, target)) = NAMES.iter().find(|(known, _)| *known == name) else {
        return Err(unknown(&name, offset).into());
    };
    let after = next(input);
    match name.as_str() {
        "double" => opt(one(Keyword::PRECISION)).map(|_| *target).parse_next(input),
        "timestamp" => opt(zone).map(|zoned| zoned.unwrap_or(*target)).parse_next(input),
        _ if *target == Target::Text && after.token == Token::LParen => {
            let mistake = Mistake::new(after.offset, "a text has no greatest length here");
            Err(mistake.help("leave the parentheses out; substr cuts a text").into())
        }
        _ => Ok(*target),
    }
}

/// `WITH TIME ZONE` and `WITHOUT TIME ZONE`.
fn zone(input: &mut Input) -> Parsed<Target> {
    let with = one(Keyword::WITH).value(Target::Instant(TimeUnit::Microsecond));
    let without = one(Keyword::WITHOUT).value(MICROSECONDS);
    let time_zone = (must(one(Keyword::TIME), "`TIME ZONE`"), must(one(Keyword::ZONE), "`ZONE`"));
    terminated(alt((with, without)), time_zone).parse_next(input)
}

fn unknown(name: &str, offset: u32) -> Mistake {
    let mistake = Mistake::new(offset, format!("there is no type `{name}` to cast to"));
    match nearest(name, NAMES.iter().map(|(known, _)| *known)) {
        Some(near) => mistake.help(format!("did you mean `{near}`?")),
        None => mistake.help("the types are boolean, bigint, double, text, date, timestamp, timestamptz"),
    }
}
