//! What stands between operators: literals, columns, calls and parentheses.

use sqlparser::{keywords::Keyword, tokenizer::Token};
use winnow::{
    Parser as _,
    combinator::{alt, not, separated, terminated},
    token::any,
};

use super::{
    keywords::{case, cast, extract, typed},
    parse::{begin, expression, node},
    tokens::{Input, Lexeme, Parsed, held, must, next, one},
    tree::{Expr, Literal, Shape},
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
    alt((literal, parenthesised, typed, case, cast, extract, call, column)).parse_next(input)
}

fn literal(input: &mut Input) -> Parsed<Expr> {
    let offset = next(input).offset;
    let text = held(Lexeme::text).map(|text: &str| Literal::Text(text.into()));
    let named = held(|lexeme: &Lexeme| match lexeme.keyword() {
        Keyword::NULL => Some(Literal::Null),
        Keyword::TRUE => Some(Literal::Bool(true)),
        Keyword::FALSE => Some(Literal::Bool(false)),
        _ => None,
    });
    let literal = alt((text, named, number)).parse_next(input)?;
    node(offset, Shape::Literal(literal))
}

/// A number. A minus sign belongs to it, as the least integer has no positive counterpart; that of `-1::text` is an operator.
fn number(input: &mut Input) -> Parsed<Literal> {
    let offset = next(input).offset;
    let positive = held(Lexeme::number).map(String::from);
    let negative = (one(Token::Minus), held(Lexeme::number), not(one(Token::DoubleColon))).map(|(_, digits, ())| format!("-{digits}"));
    let digits = alt((positive, negative)).parse_next(input)?;
    if let Ok(integer) = digits.parse() {
        return Ok(Literal::Int(integer));
    }
    let mistake = match digits.parse() {
        _ if digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => {
            Mistake::new(offset, format!("{digits} is beyond int64")).help(format!("write {digits}.0 for a float64"))
        }
        Ok(float) => return Ok(Literal::Float(float)),
        Err(_) => Mistake::new(offset, format!("`{digits}` is not a number")),
    };
    Err(mistake.into())
}

fn parenthesised(input: &mut Input) -> Parsed<Expr> {
    let (_, inner, _) = (one(Token::LParen), expression(0), must(one(Token::RParen), "`)`")).parse_next(input)?;
    Ok(inner)
}

/// A name as it is written, and whether it is in quotes.
fn name<'a>(input: &mut Input<'a>) -> Parsed<(&'a str, bool)> {
    let unreserved = any.verify(|lexeme: &&Lexeme| !RESERVED.contains(&lexeme.keyword()));
    unreserved.verify_map(Lexeme::word).parse_next(input)
}

fn call(input: &mut Input) -> Parsed<Expr> {
    let offset = next(input).offset;
    let ((name, _), _) = (name.verify(|(_, quoted)| !quoted), one(Token::LParen)).parse_next(input)?;
    let arguments = alt((one(Token::RParen).map(|_| Vec::new()), list)).parse_next(input)?;
    node(offset, Shape::Call { name: name.to_ascii_lowercase(), arguments })
}

/// Expressions and commas up to the closing parenthesis.
pub fn list(input: &mut Input) -> Parsed<Vec<Expr>> {
    terminated(separated(1.., expression(0), one(Token::Comma)), must(one(Token::RParen), "`,` or `)`")).parse_next(input)
}

fn column(input: &mut Input) -> Parsed<Expr> {
    let offset = next(input).offset;
    let (name, quoted) = name.parse_next(input)?;
    let after = next(input);
    if !quoted && after.token == Token::Period {
        let message = format!("`{name}` is followed by a dot, and columns belong to no table here");
        return Err(Mistake::new(after.offset, message).help("write a name that contains a dot in double quotes: \"a.b\"").into());
    }
    node(offset, Shape::Column(name.into()))
}
