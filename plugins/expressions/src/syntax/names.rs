//! Names of types, as SQL has them and as Arrow has them.

use arrow_schema::TimeUnit;
use parshall_sdk::nearest;
use sqlparser::{keywords::Keyword, tokenizer::Token};
use winnow::{
    Parser as _,
    combinator::{alt, opt, terminated},
};

use super::{
    tokens::{Input, Lexeme, Parsed, Stop, held, must, next, one},
    tree::Target,
};
use crate::mistake::Mistake;

const MICROSECONDS: Target = Target::Timestamp(TimeUnit::Microsecond);

/// Of names equally near to a misspelt one the first is offered.
const NAMES: [(Target, &[&str]); 10] = [
    (Target::Bool, &["boolean", "bool"]),
    (Target::Int, &["bigint", "integer", "int", "smallint", "tinyint", "int2", "int4", "int8", "int64", "long", "int32"]),
    (Target::Float, &["double", "float", "real", "float4", "float8", "float64"]),
    (Target::Text, &["text", "varchar", "string", "char", "character", "utf8"]),
    (Target::Date, &["date", "date32"]),
    (MICROSECONDS, &["timestamp", "datetime", "timestamp_us"]),
    (Target::Timestamp(TimeUnit::Second), &["timestamp_s"]),
    (Target::Timestamp(TimeUnit::Millisecond), &["timestamp_ms"]),
    (Target::Timestamp(TimeUnit::Nanosecond), &["timestamp_ns"]),
    (Target::Instant(TimeUnit::Microsecond), &["timestamptz"]),
];

/// The name of a type.
pub fn target(input: &mut Input) -> Parsed<Target> {
    let offset = next(input).offset;
    let (name, _) = must(held(Lexeme::word), "a type").parse_next(input)?;
    let name = name.to_ascii_lowercase();
    let Some((target, _)) = NAMES.iter().find(|(_, names)| names.contains(&&*name)) else {
        return Err(Stop::Cut(unknown(&name, offset)));
    };
    let after = next(input);
    match name.as_str() {
        "double" => opt(one(Keyword::PRECISION)).map(|_| *target).parse_next(input),
        "timestamp" => opt(zone).map(|zoned| zoned.unwrap_or(*target)).parse_next(input),
        _ if *target == Target::Text && after.token == Token::LParen => {
            let mistake = Mistake::new(after.offset, "a text has no greatest length here");
            Err(Stop::Cut(mistake.help("leave the parentheses out; substr cuts a text")))
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
    match nearest(name, NAMES.iter().flat_map(|(_, names)| names.iter().copied())) {
        Some(near) => mistake.help(format!("did you mean `{near}`?")),
        None => mistake.help("the types are boolean, bigint, double, text, date, timestamp, timestamptz"),
    }
}
