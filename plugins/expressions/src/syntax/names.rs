//! Names of types, as SQL has them and as Arrow has them.

use arrow_schema::TimeUnit;
use parshall_sdk::nearest;
use sqlparser::tokenizer::Token;

use super::{tokens::Tokens, tree::Target};
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

/// Reads the name of a type.
pub fn target(tokens: &mut Tokens) -> Result<Target, Mistake> {
    let Token::Word(word) = tokens.peek() else { return Err(tokens.unexpected("a type")) };
    let (name, offset) = (word.value.to_ascii_lowercase(), tokens.offset());
    let Some((_, target)) = NAMES.iter().find(|(known, _)| *known == name) else {
        return Err(unknown(&name, offset));
    };
    tokens.advance();
    let mut target = *target;
    if name == "double" && next_is(tokens, "precision") {
        tokens.advance();
    } else if name == "timestamp" {
        target = zoned(tokens, target)?;
    } else if target == Target::Text && tokens.peek() == &Token::LParen {
        return Err(
            Mistake::new(tokens.offset(), "a text has no greatest length here").help("leave the parentheses out; substr cuts a text")
        );
    }
    Ok(target)
}

/// `WITH TIME ZONE`, `WITHOUT TIME ZONE`, or neither.
fn zoned(tokens: &mut Tokens, plain: Target) -> Result<Target, Mistake> {
    let with = next_is(tokens, "with");
    if !with && !next_is(tokens, "without") {
        return Ok(plain);
    }
    tokens.advance();
    for (word, said) in [("time", "`TIME ZONE`"), ("zone", "`ZONE`")] {
        if !next_is(tokens, word) {
            return Err(tokens.unexpected(said));
        }
        tokens.advance();
    }
    Ok(if with { Target::Instant(TimeUnit::Microsecond) } else { plain })
}

fn next_is(tokens: &Tokens, word: &str) -> bool {
    matches!(tokens.peek(), Token::Word(found) if found.value.eq_ignore_ascii_case(word))
}

fn unknown(name: &str, offset: u32) -> Mistake {
    let mistake = Mistake::new(offset, format!("there is no type `{name}` to cast to"));
    match nearest(name, NAMES.iter().map(|(known, _)| *known)) {
        Some(near) => mistake.help(format!("did you mean `{near}`?")),
        None => mistake.help("the types are boolean, bigint, double, text, date, timestamp, timestamptz"),
    }
}
