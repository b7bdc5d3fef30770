//! What begins with a keyword: CASE, CAST, EXTRACT and typed literals.

use sqlparser::{keywords::Keyword, tokenizer::Token};

use super::{
    names::target,
    parse::Parser,
    tree::{Expr, Literal, Shape, Target},
};
use crate::mistake::Mistake;

// === impl Parser ===

impl Parser<'_> {
    /// After `CASE`.
    pub(super) fn case(&mut self, offset: u32) -> Result<Expr, Mistake> {
        let operand = if self.tokens.keyword_at(0) == Keyword::WHEN { None } else { Some(Box::new(self.expression(0)?)) };
        let mut branches = Vec::new();
        while self.tokens.take_keyword(Keyword::WHEN) {
            let condition = self.expression(0)?;
            self.tokens.expect_keyword(Keyword::THEN, "`THEN`")?;
            branches.push((condition, self.expression(0)?));
        }
        if branches.is_empty() {
            return Err(self.tokens.unexpected("`WHEN`"));
        }
        let otherwise = if self.tokens.take_keyword(Keyword::ELSE) { Some(Box::new(self.expression(0)?)) } else { None };
        self.tokens.expect_keyword(Keyword::END, "`WHEN`, `ELSE` or `END`")?;
        let parts = branches.iter().flat_map(|(condition, value)| [condition.depth, value.depth]);
        let deepest = parts.chain(operand.as_ref().map(|part| part.depth)).chain(otherwise.as_ref().map(|part| part.depth)).max();
        self.node(offset, deepest.unwrap_or(0), Shape::Case { operand, branches, otherwise })
    }

    /// After `CAST` or `TRY_CAST`, before the parenthesis.
    pub(super) fn cast(&mut self, offset: u32, forgiving: bool) -> Result<Expr, Mistake> {
        self.tokens.expect(&Token::LParen, "`(`")?;
        let value = Box::new(self.expression(0)?);
        self.tokens.expect_keyword(Keyword::AS, "`AS` and a type")?;
        let to = target(&mut self.tokens)?;
        self.tokens.expect(&Token::RParen, "`)`")?;
        self.node(offset, value.depth, Shape::Cast { value, to, forgiving })
    }

    /// After `EXTRACT`, before the parenthesis: `date_part` in other words.
    pub(super) fn extract(&mut self, offset: u32) -> Result<Expr, Mistake> {
        self.tokens.expect(&Token::LParen, "`(`")?;
        let at = self.tokens.offset();
        let field = match self.tokens.peek() {
            Token::Word(word) => word.value.to_ascii_lowercase(),
            Token::SingleQuotedString(text) => text.clone(),
            _ => return Err(self.tokens.unexpected("a part of a date, such as `year`")),
        };
        self.tokens.advance();
        self.tokens.expect_keyword(Keyword::FROM, "`FROM`")?;
        let value = self.expression(0)?;
        self.tokens.expect(&Token::RParen, "`)`")?;
        let field = self.node(at, 0, Shape::Literal(Literal::Text(field)))?;
        let depth = value.depth;
        self.node(offset, depth, Shape::Call { name: "date_part".into(), arguments: vec![field, value] })
    }

    /// `DATE '…'` and `TIMESTAMP '…'`, if that is what stands here: a cast of a constant.
    pub(super) fn typed_literal(&mut self, offset: u32) -> Result<Option<Expr>, Mistake> {
        let to = match (self.tokens.keyword_at(0), self.tokens.peek_at(1)) {
            (Keyword::DATE, Token::SingleQuotedString(_)) => Target::Date,
            (Keyword::TIMESTAMP, Token::SingleQuotedString(_)) => Target::Timestamp(arrow_schema::TimeUnit::Microsecond),
            (Keyword::TIMESTAMPTZ, Token::SingleQuotedString(_)) => Target::Instant(arrow_schema::TimeUnit::Microsecond),
            _ => return Ok(None),
        };
        self.tokens.advance();
        let Token::SingleQuotedString(text) = self.tokens.peek().clone() else { return Ok(None) };
        let value = Box::new(self.node(self.tokens.offset(), 0, Shape::Literal(Literal::Text(text)))?);
        self.tokens.advance();
        self.node(offset, 1, Shape::Cast { value, to, forgiving: false }).map(Some)
    }
}
