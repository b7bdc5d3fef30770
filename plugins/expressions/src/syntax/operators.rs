//! The operators: how tightly they bind, as in PostgreSQL and DuckDB, and what they make of their operands.

use sqlparser::{keywords::Keyword, tokenizer::Token};
use winnow::{
    Parser as _,
    combinator::{Infix, Postfix, Prefix, alt, opt, peek, preceded},
    token::any,
};

use super::{
    names::target,
    operands::list,
    parse::{end, expression, node},
    tokens::{Input, Lexeme, Parsed, Stop, held, must, next, one},
    tree::{Arithmetic, Comparison, Expr, Shape},
};
use crate::mistake::Mistake;

const OR: i64 = 1;
const AND: i64 = 2;
const NOT: i64 = 3;
const IS: i64 = 4;
const COMPARE: i64 = 5;
const MATCH: i64 = 6;
const JOIN: i64 = 7;
const ADD: i64 = 8;
const MULTIPLY: i64 = 9;
const SIGN: i64 = 10;
const CAST: i64 = 11;

type Make = fn(Box<[Expr; 2]>) -> Shape;

/// The operators between two operands, all of which associate to the left.
fn binary(lexeme: &Lexeme) -> Option<(i64, Make)> {
    Some(match (&lexeme.token, lexeme.keyword()) {
        (_, Keyword::OR) => (OR, Shape::Or),
        (_, Keyword::AND) => (AND, Shape::And),
        (Token::Eq | Token::DoubleEq, _) => (COMPARE, |both| Shape::Compare(Comparison::Equal, both)),
        (Token::Neq, _) => (COMPARE, |both| Shape::Compare(Comparison::Unequal, both)),
        (Token::Lt, _) => (COMPARE, |both| Shape::Compare(Comparison::Less, both)),
        (Token::LtEq, _) => (COMPARE, |both| Shape::Compare(Comparison::LessOrEqual, both)),
        (Token::Gt, _) => (COMPARE, |both| Shape::Compare(Comparison::Greater, both)),
        (Token::GtEq, _) => (COMPARE, |both| Shape::Compare(Comparison::GreaterOrEqual, both)),
        (Token::StringConcat, _) => (JOIN, Shape::Join),
        (Token::Plus, _) => (ADD, |both| Shape::Arithmetic(Arithmetic::Add, both)),
        (Token::Minus, _) => (ADD, |both| Shape::Arithmetic(Arithmetic::Subtract, both)),
        (Token::Mul, _) => (MULTIPLY, |both| Shape::Arithmetic(Arithmetic::Multiply, both)),
        (Token::Div, _) => (MULTIPLY, |both| Shape::Arithmetic(Arithmetic::Divide, both)),
        (Token::Mod, _) => (MULTIPLY, |both| Shape::Arithmetic(Arithmetic::Remainder, both)),
        _ => return None,
    })
}

/// Before an operand. Where none of these stands and no operand, something is wrong.
pub fn prefix<'a>(input: &mut Input<'a>) -> Parsed<Prefix<Input<'a>, Expr, Stop>> {
    let operator = alt((
        one(Keyword::NOT).value(Prefix(NOT, |input, value: Expr| node(end(input).offset, Shape::Not(value.into())))),
        one(Token::Minus).value(Prefix(SIGN, |input, value: Expr| node(end(input).offset, Shape::Negate(value.into())))),
        one(Token::Plus).value(Prefix(SIGN, |input, value| {
            end(input);
            Ok(value)
        })),
    ));
    must(operator, "a value").parse_next(input)
}

/// Between two operands.
pub fn infix<'a>(input: &mut Input<'a>) -> Parsed<Infix<Input<'a>, Expr, Stop>> {
    let (power, operator) = held(|lexeme: &Lexeme| Some((binary(lexeme)?.0, lexeme))).parse_next(input)?;
    if (&operator.token, &next(input).token) == (&Token::Div, &Token::Div) {
        return Err(Stop::Cut(Mistake::new(operator.offset, "there is no operator `//`").help("write floor(a / b)")));
    }
    Ok(Infix::Left(power, |input, left, right| {
        let operator = end(input);
        let (_, shape) = binary(operator).expect("it was read as one");
        node(operator.offset, shape([left, right].into()))
    }))
}

/// After an operand. The operator itself is only looked at: what is made of the operand also reads what belongs to it.
pub fn postfix<'a>(input: &mut Input<'a>) -> Parsed<Postfix<Input<'a>, Expr, Stop>> {
    let matches = (Keyword::BETWEEN, Keyword::IN, Keyword::LIKE, Keyword::ILIKE);
    peek(alt((
        one(Keyword::IS).value(Postfix(IS, is)),
        one(Token::DoubleColon).value(Postfix(CAST, cast)),
        (opt(one(Keyword::NOT)), one(matches)).value(Postfix(MATCH, matching)),
    )))
    .parse_next(input)
}

fn is(input: &mut Input, value: Expr) -> Parsed<Expr> {
    let (operator, negated) = (any, opt(one(Keyword::NOT)).map(|not| not.is_some())).parse_next(input)?;
    let tested = must(one((Keyword::NULL, Keyword::TRUE, Keyword::FALSE)), "`NULL`, `TRUE` or `FALSE`").parse_next(input)?;
    let value = value.into();
    let shape = match tested.keyword() {
        Keyword::NULL => Shape::IsNull { value, negated },
        keyword => Shape::IsTruth { value, truth: keyword == Keyword::TRUE, negated },
    };
    node(operator.offset, shape)
}

fn cast(input: &mut Input, value: Expr) -> Parsed<Expr> {
    let (operator, to) = (any, target).parse_next(input)?;
    node(operator.offset, Shape::Cast { value: value.into(), to, forgiving: false })
}

/// `BETWEEN`, `IN`, `LIKE` and `ILIKE`, after `NOT` or without.
fn matching(input: &mut Input, value: Expr) -> Parsed<Expr> {
    let offset = next(input).offset;
    let (not, operator) = (opt(one(Keyword::NOT)), any).parse_next(input)?;
    let negated = not.is_some();
    let shape = match operator.keyword() {
        Keyword::BETWEEN => {
            let (low, _, high) =
                (expression(MATCH + 1), must(one(Keyword::AND), "`AND` and the upper bound"), expression(MATCH + 1)).parse_next(input)?;
            Shape::Between { operands: [value, low, high].into(), negated }
        }
        Keyword::IN => {
            let list = preceded(must(one(Token::LParen), "`(` and a list"), list).parse_next(input)?;
            Shape::In { value: value.into(), list, negated }
        }
        keyword => {
            let (pattern, escape) = (expression(MATCH + 1), opt(preceded(one(Keyword::ESCAPE), letter))).parse_next(input)?;
            Shape::Like { operands: [value, pattern].into(), escape, folded: keyword == Keyword::ILIKE, negated }
        }
    };
    node(offset, shape)
}

fn letter(input: &mut Input) -> Parsed<char> {
    let single = held(Lexeme::text).verify_map(|text: &str| {
        let mut letters = text.chars();
        letters.next().filter(|_| letters.next().is_none())
    });
    must(single, "one character in quotes").parse_next(input)
}
