//! The grammar, by precedence climbing.

use sqlparser::{keywords::Keyword, tokenizer::Token};

use super::{
    names::target,
    tokens::Tokens,
    tree::{Arithmetic, Comparison, Expr, Literal, Shape},
};
use crate::mistake::Mistake;

/// Deeper trees would overrun a component's stack when they are evaluated.
const DEPTH: u16 = 128;

// How tightly operators bind, as in PostgreSQL and DuckDB.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const IS: u8 = 4;
const COMPARE: u8 = 5;
const MATCH: u8 = 6;
const JOIN: u8 = 7;
const ADD: u8 = 8;
const MULTIPLY: u8 = 9;
const SIGN: u8 = 10;
const CAST: u8 = 11;

/// Reads an expression.
pub fn parse(text: &str) -> Result<Expr, Mistake> {
    let mut parser = Parser { tokens: Tokens::of(text)?, nesting: 0 };
    let expression = parser.expression(0)?;
    match parser.tokens.peek() {
        Token::EOF => Ok(expression),
        _ => Err(parser.surplus()),
    }
}

pub(super) struct Parser<'a> {
    pub tokens: Tokens<'a>,
    nesting: u16,
}

// === impl Parser ===

impl Parser<'_> {
    /// An expression of operators that bind more tightly than `least`.
    pub(super) fn expression(&mut self, least: u8) -> Result<Expr, Mistake> {
        self.nesting += 1;
        if self.nesting > DEPTH {
            return Err(too_deep(self.tokens.offset()));
        }
        let mut left = self.operand()?;
        while let Some(binding) = self.binding().filter(|binding| *binding > least) {
            left = self.operator(left, binding)?;
        }
        self.nesting -= 1;
        Ok(left)
    }

    pub(super) fn node(&self, offset: u32, below: u16, shape: Shape) -> Result<Expr, Mistake> {
        if below >= DEPTH { Err(too_deep(offset)) } else { Ok(Expr { offset, depth: below + 1, shape }) }
    }

    fn operand(&mut self) -> Result<Expr, Mistake> {
        let offset = self.tokens.offset();
        match self.tokens.peek().clone() {
            Token::Number(digits, _) => {
                self.tokens.advance();
                self.node(offset, 0, Shape::Literal(number(&digits, offset)?))
            }
            Token::SingleQuotedString(text) => {
                self.tokens.advance();
                self.node(offset, 0, Shape::Literal(Literal::Text(text)))
            }
            Token::LParen => {
                self.tokens.advance();
                let inner = self.expression(0)?;
                self.tokens.expect(&Token::RParen, "`)`")?;
                Ok(inner)
            }
            Token::Minus => {
                self.tokens.advance();
                self.negated(offset)
            }
            Token::Plus => {
                self.tokens.advance();
                self.expression(SIGN)
            }
            Token::Word(word) if word.quote_style.is_some() => {
                self.tokens.advance();
                self.node(offset, 0, Shape::Column(word.value))
            }
            Token::Word(word) => self.word(word.value, offset),
            _ => Err(self.tokens.unexpected("a value")),
        }
    }

    /// After a minus sign. That of a number belongs to it: the least integer has no positive counterpart.
    fn negated(&mut self, offset: u32) -> Result<Expr, Mistake> {
        if let Token::Number(digits, _) = self.tokens.peek().clone()
            && self.tokens.peek_at(1) != &Token::DoubleColon
        {
            self.tokens.advance();
            return self.node(offset, 0, Shape::Literal(number(&format!("-{digits}"), offset)?));
        }
        let value = Box::new(self.expression(SIGN)?);
        self.node(offset, value.depth, Shape::Negate(value))
    }

    fn word(&mut self, name: String, offset: u32) -> Result<Expr, Mistake> {
        if let Some(literal) = self.typed_literal(offset)? {
            return Ok(literal);
        }
        let keyword = self.tokens.keyword_at(0);
        let called = self.tokens.peek_at(1) == &Token::LParen;
        let literal = match keyword {
            Keyword::NULL => Some(Literal::Null),
            Keyword::TRUE => Some(Literal::Bool(true)),
            Keyword::FALSE => Some(Literal::Bool(false)),
            _ => None,
        };
        if literal.is_none() && is_reserved(keyword) {
            return Err(self.tokens.unexpected("a value"));
        }
        self.tokens.advance();
        if let Some(literal) = literal {
            return self.node(offset, 0, Shape::Literal(literal));
        }
        match keyword {
            Keyword::NOT => {
                let value = Box::new(self.expression(NOT)?);
                self.node(offset, value.depth, Shape::Not(value))
            }
            Keyword::CASE => self.case(offset),
            Keyword::CAST | Keyword::TRY_CAST if called => self.cast(offset, keyword == Keyword::TRY_CAST),
            Keyword::EXTRACT if called => self.extract(offset),
            _ if called => self.call(name, offset),
            _ if self.tokens.peek() == &Token::Period => {
                Err(Mistake::new(self.tokens.offset(), format!("`{name}` is followed by a dot, and columns belong to no table here"))
                    .help("write a name that contains a dot in double quotes: \"a.b\""))
            }
            _ => self.node(offset, 0, Shape::Column(name)),
        }
    }

    fn call(&mut self, name: String, offset: u32) -> Result<Expr, Mistake> {
        self.tokens.advance();
        let mut arguments = Vec::new();
        if !self.tokens.take(&Token::RParen) {
            arguments = self.list("`,` or `)`")?;
        }
        let deepest = arguments.iter().map(|argument| argument.depth).max();
        self.node(offset, deepest.unwrap_or(0), Shape::Call { name: name.to_ascii_lowercase(), arguments })
    }

    /// Expressions and commas up to the closing parenthesis.
    fn list(&mut self, expected: &str) -> Result<Vec<Expr>, Mistake> {
        let mut list = vec![self.expression(0)?];
        while self.tokens.take(&Token::Comma) {
            list.push(self.expression(0)?);
        }
        self.tokens.expect(&Token::RParen, expected)?;
        Ok(list)
    }

    /// How tightly the operator binds that stands next, if one does.
    fn binding(&self) -> Option<u8> {
        Some(match self.tokens.peek() {
            Token::Eq | Token::DoubleEq | Token::Neq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq => COMPARE,
            Token::StringConcat => JOIN,
            Token::Plus | Token::Minus => ADD,
            Token::Mul | Token::Div | Token::Mod => MULTIPLY,
            Token::DoubleColon => CAST,
            _ => match self.tokens.keyword_at(0) {
                Keyword::OR => OR,
                Keyword::AND => AND,
                Keyword::IS => IS,
                Keyword::BETWEEN | Keyword::IN | Keyword::LIKE | Keyword::ILIKE => MATCH,
                Keyword::NOT => match self.tokens.keyword_at(1) {
                    Keyword::BETWEEN | Keyword::IN | Keyword::LIKE | Keyword::ILIKE => MATCH,
                    _ => return None,
                },
                _ => return None,
            },
        })
    }

    fn operator(&mut self, left: Expr, binding: u8) -> Result<Expr, Mistake> {
        let (offset, token, keyword) = (self.tokens.offset(), self.tokens.peek().clone(), self.tokens.keyword_at(0));
        self.tokens.advance();
        match binding {
            IS => return self.is(left, offset),
            MATCH => return self.matching(left, keyword, offset),
            CAST => {
                let to = target(&mut self.tokens)?;
                return self.node(offset, left.depth, Shape::Cast { value: left.into(), to, forgiving: false });
            }
            _ => {}
        }
        if token == Token::Div && self.tokens.peek() == &Token::Div {
            return Err(Mistake::new(offset, "there is no operator `//`").help("write floor(a / b)"));
        }
        let right = self.expression(binding)?;
        let below = left.depth.max(right.depth);
        let operands = Box::new([left, right]);
        let shape = match token {
            Token::Eq | Token::DoubleEq => Shape::Compare(Comparison::Equal, operands),
            Token::Neq => Shape::Compare(Comparison::Unequal, operands),
            Token::Lt => Shape::Compare(Comparison::Less, operands),
            Token::LtEq => Shape::Compare(Comparison::LessOrEqual, operands),
            Token::Gt => Shape::Compare(Comparison::Greater, operands),
            Token::GtEq => Shape::Compare(Comparison::GreaterOrEqual, operands),
            Token::Plus => Shape::Arithmetic(Arithmetic::Add, operands),
            Token::Minus => Shape::Arithmetic(Arithmetic::Subtract, operands),
            Token::Mul => Shape::Arithmetic(Arithmetic::Multiply, operands),
            Token::Div => Shape::Arithmetic(Arithmetic::Divide, operands),
            Token::Mod => Shape::Arithmetic(Arithmetic::Remainder, operands),
            Token::StringConcat => Shape::Join(operands),
            _ if keyword == Keyword::AND => Shape::And(operands),
            _ => Shape::Or(operands),
        };
        self.node(offset, below, shape)
    }

    /// After `IS`.
    fn is(&mut self, value: Expr, offset: u32) -> Result<Expr, Mistake> {
        let negated = self.tokens.take_keyword(Keyword::NOT);
        let (depth, value) = (value.depth, Box::new(value));
        let shape = match self.tokens.keyword_at(0) {
            Keyword::NULL => Shape::IsNull { value, negated },
            Keyword::TRUE => Shape::IsTruth { value, truth: true, negated },
            Keyword::FALSE => Shape::IsTruth { value, truth: false, negated },
            _ => return Err(self.tokens.unexpected("`NULL`, `TRUE` or `FALSE`")),
        };
        self.tokens.advance();
        self.node(offset, depth, shape)
    }

    /// After `BETWEEN`, `IN`, `LIKE`, `ILIKE`, or the `NOT` before it.
    fn matching(&mut self, value: Expr, keyword: Keyword, offset: u32) -> Result<Expr, Mistake> {
        let negated = keyword == Keyword::NOT;
        let keyword = if negated { self.tokens.keyword_at(0) } else { keyword };
        if negated {
            self.tokens.advance();
        }
        match keyword {
            Keyword::BETWEEN => {
                let low = self.expression(MATCH)?;
                self.tokens.expect_keyword(Keyword::AND, "`AND` and the upper bound")?;
                let high = self.expression(MATCH)?;
                let depth = value.depth.max(low.depth).max(high.depth);
                // It becomes two comparisons and what joins them.
                self.node(offset, depth + 1, Shape::Between { operands: [value, low, high].into(), negated })
            }
            Keyword::IN => {
                self.tokens.expect(&Token::LParen, "`(` and a list")?;
                let list = self.list("`,` or `)`")?;
                let deepest = list.iter().map(|item| item.depth).max().unwrap_or(0).max(value.depth);
                self.node(offset, deepest + 1, Shape::In { value: value.into(), list, negated })
            }
            _ => {
                let pattern = self.expression(MATCH)?;
                let escape = if self.tokens.take_keyword(Keyword::ESCAPE) { Some(self.escape()?) } else { None };
                let depth = value.depth.max(pattern.depth);
                let folded = keyword == Keyword::ILIKE;
                self.node(offset, depth, Shape::Like { operands: [value, pattern].into(), escape, folded, negated })
            }
        }
    }

    fn escape(&mut self) -> Result<char, Mistake> {
        let Token::SingleQuotedString(text) = self.tokens.peek() else { return Err(self.tokens.unexpected("one character in quotes")) };
        let mut letters = text.chars();
        let (Some(letter), None) = (letters.next(), letters.next()) else { return Err(self.tokens.unexpected("one character in quotes")) };
        self.tokens.advance();
        Ok(letter)
    }

    /// That the text goes on after an expression is complete.
    fn surplus(&self) -> Mistake {
        let mistake = self.tokens.unexpected("an operator or the end");
        match self.tokens.peek() {
            Token::SemiColon => mistake.help("an expression is not a statement: leave the semicolon out"),
            Token::Word(_) => mistake.help("write a name that contains a space in double quotes, a text in single quotes"),
            _ => mistake,
        }
    }
}

/// Keywords that can only stand between values.
fn is_reserved(keyword: Keyword) -> bool {
    use Keyword::*;
    matches!(keyword, AND | OR | IS | IN | LIKE | ILIKE | BETWEEN | ESCAPE | WHEN | THEN | ELSE | END | FROM | AS | SELECT)
}

fn number(digits: &str, offset: u32) -> Result<Literal, Mistake> {
    if let Ok(integer) = digits.parse() {
        return Ok(Literal::Int(integer));
    }
    let whole = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match digits.parse() {
        _ if whole => Err(Mistake::new(offset, format!("{digits} is beyond int64")).help(format!("write {digits}.0 for a float64"))),
        Ok(float) => Ok(Literal::Float(float)),
        Err(_) => Err(Mistake::new(offset, format!("`{digits}` is not a number"))),
    }
}

fn too_deep(offset: u32) -> Mistake {
    Mistake::new(
        offset,
        format!("the expression is nested more than {DEPTH} deep; in a chain such as `a AND b AND c` each operator is a level"),
    )
    .help("`x IN (1, 2, 3)` takes any number of values, `concat(a, b, c)` of texts; otherwise split it into two columns or two stages")
}
