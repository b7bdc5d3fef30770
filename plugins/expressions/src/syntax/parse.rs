//! A whole expression: operands and the operators that join them, as deep as is allowed.

use sqlparser::tokenizer::Token;
use winnow::{
    Parser,
    combinator::{expression as pratt, terminated},
    error::ParseError,
    stream::TokenSlice,
    token::any,
};

use super::{
    operands::operand,
    operators::{infix, postfix, prefix},
    tokens::{Input, Lexeme, Parsed, Stop, lexemes, next},
    tree::{Expr, Shape},
};
use crate::mistake::Mistake;

/// Deeper trees would overrun a component's stack when they are evaluated.
const DEPTH: usize = 128;

/// Reads an expression.
pub fn parse(text: &str) -> Result<Expr, Mistake> {
    let lexemes = lexemes(text)?;
    let input = Input { input: TokenSlice::new(&lexemes), state: Vec::new() };
    terminated(expression(0), the_end).parse(input).map_err(ParseError::into_inner)
}

/// An expression of operators that bind this tightly or more.
pub fn expression<'a>(least: i64) -> impl FnMut(&mut Input<'a>) -> Parsed<Expr> {
    move |input| {
        let mut pratt = pratt(operand).prefix(prefix).postfix(postfix).infix(infix).current_precedence_level(least);
        let expression = pratt.parse_next(input)?;
        end(input);
        Ok(expression)
    }
}

/// Notes that an expression begins, and after what. `winnow` begins one with every operand, that of an operator included.
pub fn begin(input: &mut Input) -> Parsed<()> {
    let here = next(input);
    if input.state.len() == DEPTH {
        return Err(too_deep(here.offset));
    }
    let before = input.previous_tokens().next().unwrap_or(here);
    input.state.push(before);
    Ok(())
}

/// Notes that the innermost expression ends. Answers what stands before it: the operator that it is an operand of.
pub fn end<'a>(input: &mut Input<'a>) -> &'a Lexeme<'a> {
    input.state.pop().expect("an expression begins before it ends")
}

/// A node of the tree.
pub fn node(offset: u32, shape: Shape) -> Parsed<Expr> {
    let depth = shape.height() + 1;
    if usize::from(depth) > DEPTH { Err(too_deep(offset)) } else { Ok(Expr { offset, depth, shape }) }
}

fn too_deep(offset: u32) -> Stop {
    let message = format!("the expression is nested more than {DEPTH} deep; in a chain such as `a AND b AND c` each operator is a level");
    let help = "`x IN (1, 2, 3)` takes any number of values, `concat(a, b, c)` of texts; otherwise split it into two columns or two stages";
    Stop::Cut(Mistake::new(offset, message).help(help))
}

/// That nothing follows a complete expression.
fn the_end(input: &mut Input) -> Parsed<()> {
    let rest = any.parse_next(input)?;
    let surplus = rest.unexpected("an operator or the end");
    Err(Stop::Cut(match rest.token {
        Token::EOF => return Ok(()),
        Token::SemiColon => surplus.help("an expression is not a statement: leave the semicolon out"),
        Token::Word(_) => surplus.help("write a name that contains a space in double quotes, a text in single quotes"),
        _ => surplus,
    }))
}
