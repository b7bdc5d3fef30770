//! Operands that begin with a keyword: CASE, CAST, EXTRACT and typed literals.

use arrow_schema::TimeUnit;
use sqlparser::{keywords::Keyword, tokenizer::Token};
use winnow::{
    Parser,
    combinator::{alt, not, opt, preceded, repeat},
};

use super::{
    names::target,
    parse::{expression, node},
    tokens::{Input, Lexeme, Parsed, Stop, held, must, next, one},
    tree::{Expr, Literal, Shape, Target},
};

pub fn case(input: &mut Input) -> Parsed<Expr> {
    let offset = next(input).offset;
    let operand = preceded(not(one(Keyword::WHEN)), expression(0)).map(Box::new);
    let condition = preceded(one(Keyword::WHEN), expression(0));
    let value = preceded(must(one(Keyword::THEN), "`THEN`"), expression(0));
    let branches = must(repeat(1.., (condition, value)), "`WHEN`");
    let otherwise = preceded(one(Keyword::ELSE), expression(0)).map(Box::new);
    let end = must(one(Keyword::END), "`WHEN`, `ELSE` or `END`");
    let (_, operand, branches, otherwise, _) = (one(Keyword::CASE), opt(operand), branches, opt(otherwise), end).parse_next(input)?;
    node(offset, Shape::Case { operand, branches, otherwise })
}

/// `CAST` and `TRY_CAST`; without a parenthesis they are columns.
pub fn cast(input: &mut Input) -> Parsed<Expr> {
    let offset = next(input).offset;
    let (how, _) = (one((Keyword::CAST, Keyword::TRY_CAST)), one(Token::LParen)).parse_next(input)?;
    let (value, _, to, _) =
        (expression(0), must(one(Keyword::AS), "`AS` and a type"), target, must(one(Token::RParen), "`)`")).parse_next(input)?;
    node(offset, Shape::Cast { value: value.into(), to, forgiving: how.keyword() == Keyword::TRY_CAST })
}

/// `date_part` in other words.
pub fn extract(input: &mut Input) -> Parsed<Expr> {
    let offset = next(input).offset;
    (one(Keyword::EXTRACT), one(Token::LParen)).parse_next(input)?;
    let word = held(Lexeme::word).map(|(word, _)| word.to_ascii_lowercase());
    let part = alt((word, held(Lexeme::text).map(String::from)));
    let part = must(text(part), "a part of a date, such as `year`");
    let (part, _, value, _) =
        (part, must(one(Keyword::FROM), "`FROM`"), expression(0), must(one(Token::RParen), "`)`")).parse_next(input)?;
    node(offset, Shape::Call { name: "date_part".into(), arguments: vec![part, value] })
}

/// `DATE '…'` and `TIMESTAMP '…'`: a cast of a constant.
pub fn typed(input: &mut Input) -> Parsed<Expr> {
    let offset = next(input).offset;
    let to = held(|lexeme: &Lexeme| match lexeme.keyword() {
        Keyword::DATE => Some(Target::Date),
        Keyword::TIMESTAMP => Some(Target::Timestamp(TimeUnit::Microsecond)),
        Keyword::TIMESTAMPTZ => Some(Target::Instant(TimeUnit::Microsecond)),
        _ => None,
    });
    let (to, value) = (to, text(held(Lexeme::text).map(String::from))).parse_next(input)?;
    node(offset, Shape::Cast { value: value.into(), to, forgiving: false })
}

/// A literal of what a parser reads.
fn text<'a>(mut read: impl Parser<Input<'a>, String, Stop>) -> impl Parser<Input<'a>, Expr, Stop> {
    move |input: &mut Input<'a>| {
        let offset = next(input).offset;
        node(offset, Shape::Literal(Literal::Text(read.parse_next(input)?)))
    }
}
