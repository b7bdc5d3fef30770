//! What stands between operators: literals, columns, calls, parentheses, and what begins with a keyword.

use arrow_schema::TimeUnit;
use sqlparser::{keywords::Keyword, tokenizer::Token};
use winnow::{
    Parser,
    combinator::{alt, delimited, not, opt, preceded, repeat, separated, terminated},
    token::any,
};

use super::{
    names::target,
    parse::{begin, expression, node},
    tokens::{Input, Lexeme, Parsed, Stop, held, must, next, one},
    tree::{Expr, Literal, Shape, Target},
};
use crate::mistake::Mistake;

/// Keywords that can only stand before and between values.
const RESERVED: [Keyword; 16] = {
    use Keyword::*;
    [NOT, AND, OR, IS, IN, LIKE, ILIKE, BETWEEN, ESCAPE, WHEN, THEN, ELSE, END, FROM, AS, SELECT]
};

/// What operators are applied to. Every expression begins with one, or with an operator that stands before its operand.
pub fn operand(input: &mut Input) -> Parsed<Expr> {
    begin(input)?;
    let parenthesised = delimited(one(Token::LParen), expression(0), must(one(Token::RParen), "`)`"));
    alt((parenthesised, here(alt((literal, typed, case, cast, extract, call, column))))).parse_next(input)
}

/// The node that begins here.
fn here<'a>(mut shape: impl Parser<Input<'a>, Shape, Stop>) -> impl Parser<Input<'a>, Expr, Stop> {
    move |input: &mut Input<'a>| {
        let offset = next(input).offset;
        node(offset, shape.parse_next(input)?)
    }
}

fn literal(input: &mut Input) -> Parsed<Shape> {
    let null = one(Keyword::NULL).value(Literal::Null);
    let truth = alt((one(Keyword::TRUE).value(Literal::Bool(true)), one(Keyword::FALSE).value(Literal::Bool(false))));
    alt((text, alt((null, truth, number)).map(Shape::Literal))).parse_next(input)
}

fn text(input: &mut Input) -> Parsed<Shape> {
    held(Lexeme::text).map(|text| Shape::Literal(Literal::Text(text.into()))).parse_next(input)
}

/// A number. A minus sign belongs to it, as the least integer has no positive counterpart; that of `-1::text` is an operator.
fn number(input: &mut Input) -> Parsed<Literal> {
    let offset = next(input).offset;
    let positive = held(Lexeme::number).map(String::from);
    let negative = delimited(one(Token::Minus), held(Lexeme::number), not(one(Token::DoubleColon))).map(|digits| format!("-{digits}"));
    let digits = alt((positive, negative)).parse_next(input)?;
    let whole = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match (digits.parse(), digits.parse()) {
        (Ok(integer), _) => Ok(Literal::Int(integer)),
        (_, Ok(float)) if !whole => Ok(Literal::Float(float)),
        (_, Err(_)) if !whole => Err(Stop::Cut(Mistake::new(offset, format!("`{digits}` is not a number")))),
        _ => {
            let mistake = Mistake::new(offset, format!("{digits} is beyond int64"));
            Err(Stop::Cut(mistake.help(format!("write {digits}.0 for a float64"))))
        }
    }
}

/// A name as it is written, and whether it is in quotes.
fn name<'a>(input: &mut Input<'a>) -> Parsed<(&'a str, bool)> {
    any.verify(|lexeme: &&Lexeme| !RESERVED.contains(&lexeme.keyword())).verify_map(Lexeme::word).parse_next(input)
}

fn column(input: &mut Input) -> Parsed<Shape> {
    let (name, quoted) = name.parse_next(input)?;
    let after = next(input);
    if !quoted && after.token == Token::Period {
        let message = format!("`{name}` is followed by a dot, and columns belong to no table here");
        let help = "write a name that contains a dot in double quotes: \"a.b\"";
        return Err(Stop::Cut(Mistake::new(after.offset, message).help(help)));
    }
    Ok(Shape::Column(name.into()))
}

fn call(input: &mut Input) -> Parsed<Shape> {
    let ((name, _), _) = (name.verify(|(_, quoted)| !quoted), one(Token::LParen)).parse_next(input)?;
    let arguments = alt((one(Token::RParen).map(|_| Vec::new()), list)).parse_next(input)?;
    Ok(Shape::Call { name: name.to_ascii_lowercase(), arguments })
}

/// Expressions and commas up to the closing parenthesis.
pub fn list(input: &mut Input) -> Parsed<Vec<Expr>> {
    terminated(separated(1.., expression(0), one(Token::Comma)), must(one(Token::RParen), "`,` or `)`")).parse_next(input)
}

fn case(input: &mut Input) -> Parsed<Shape> {
    let operand = preceded(not(one(Keyword::WHEN)), expression(0)).map(Box::new);
    let condition = preceded(one(Keyword::WHEN), expression(0));
    let value = preceded(must(one(Keyword::THEN), "`THEN`"), expression(0));
    let branches = must(repeat(1.., (condition, value)), "`WHEN`");
    let otherwise = preceded(one(Keyword::ELSE), expression(0)).map(Box::new);
    let parts = (opt(operand), branches, opt(otherwise)).map(|(operand, branches, otherwise)| Shape::Case { operand, branches, otherwise });
    delimited(one(Keyword::CASE), parts, must(one(Keyword::END), "`WHEN`, `ELSE` or `END`")).parse_next(input)
}

/// `CAST` and `TRY_CAST`; without a parenthesis they are columns.
fn cast(input: &mut Input) -> Parsed<Shape> {
    let (how, _) = (one((Keyword::CAST, Keyword::TRY_CAST)), one(Token::LParen)).parse_next(input)?;
    let value = terminated(expression(0), must(one(Keyword::AS), "`AS` and a type")).map(Box::new);
    let (value, to) = (value, terminated(target, must(one(Token::RParen), "`)`"))).parse_next(input)?;
    Ok(Shape::Cast { value, to, forgiving: how.keyword() == Keyword::TRY_CAST })
}

/// `date_part` in other words.
fn extract(input: &mut Input) -> Parsed<Shape> {
    (one(Keyword::EXTRACT), one(Token::LParen)).parse_next(input)?;
    let word = held(Lexeme::word).map(|(word, _)| Shape::Literal(Literal::Text(word.to_ascii_lowercase())));
    let part = must(here(alt((word, text))), "a part of a date, such as `year`");
    let part = terminated(part, must(one(Keyword::FROM), "`FROM`"));
    let (part, value) = (part, terminated(expression(0), must(one(Token::RParen), "`)`"))).parse_next(input)?;
    Ok(Shape::Call { name: "date_part".into(), arguments: vec![part, value] })
}

/// `DATE '…'` and `TIMESTAMP '…'`: a cast of a constant.
fn typed(input: &mut Input) -> Parsed<Shape> {
    let to = alt((
        one(Keyword::DATE).value(Target::Date),
        one(Keyword::TIMESTAMP).value(Target::Timestamp(TimeUnit::Microsecond)),
        one(Keyword::TIMESTAMPTZ).value(Target::Instant(TimeUnit::Microsecond)),
    ));
    let (to, value) = (to, here(text).map(Box::new)).parse_next(input)?;
    Ok(Shape::Cast { value, to, forgiving: false })
}
