//! Tokens with byte offsets, one after the other.

use sqlparser::{
    dialect::Dialect,
    keywords::Keyword,
    tokenizer::{Location, Token, Tokenizer},
};

use crate::mistake::Mistake;

/// What `sqlparser` need know of our SQL.
#[derive(Debug)]
struct Expressions;

impl Dialect for Expressions {
    fn is_identifier_start(&self, letter: char) -> bool {
        letter.is_alphabetic() || letter == '_'
    }

    fn is_identifier_part(&self, letter: char) -> bool {
        letter.is_alphanumeric() || letter == '_'
    }

    fn is_delimited_identifier_start(&self, letter: char) -> bool {
        letter == '"'
    }
}

/// The tokens of a text, without space and comments.
pub struct Tokens<'a> {
    text: &'a str,
    tokens: Vec<(Token, u32, u32)>,
    next: usize,
}

// === impl Tokens ===

impl<'a> Tokens<'a> {
    pub fn of(text: &'a str) -> Result<Self, Mistake> {
        let found = Tokenizer::new(&Expressions, text).tokenize_with_location();
        let found = found.map_err(|error| Mistake::new(offset(text, error.location), lower_first(&error.message)))?;
        let mut lines = Lines::of(text);
        let tokens = found.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_)));
        let tokens = tokens.map(|token| (token.token, lines.offset(token.span.start), lines.offset(token.span.end))).collect();
        Ok(Self { text, tokens, next: 0 })
    }

    pub fn peek(&self) -> &Token {
        self.peek_at(0)
    }

    /// A token further on.
    pub fn peek_at(&self, distance: usize) -> &Token {
        self.tokens.get(self.next + distance).map_or(&Token::EOF, |(token, ..)| token)
    }

    /// Where the next token begins; at the end, where the text ends.
    pub fn offset(&self) -> u32 {
        self.tokens.get(self.next).map_or(self.text.trim_end().len() as u32, |(_, start, _)| *start)
    }

    pub fn advance(&mut self) {
        self.next += 1;
    }

    /// Takes the next token if it is this one.
    pub fn take(&mut self, token: &Token) -> bool {
        let found = self.peek() == token;
        self.next += usize::from(found);
        found
    }

    /// The keyword at a distance; what is quoted is none.
    pub fn keyword_at(&self, distance: usize) -> Keyword {
        match self.peek_at(distance) {
            Token::Word(word) if word.quote_style.is_none() => word.keyword,
            _ => Keyword::NoKeyword,
        }
    }

    /// Takes the next token if it is this keyword.
    pub fn take_keyword(&mut self, keyword: Keyword) -> bool {
        let found = self.keyword_at(0) == keyword;
        self.next += usize::from(found);
        found
    }

    /// Takes the token that must follow.
    pub fn expect(&mut self, token: &Token, said: &str) -> Result<(), Mistake> {
        if self.take(token) { Ok(()) } else { Err(self.unexpected(said)) }
    }

    /// Takes the keyword that must follow.
    pub fn expect_keyword(&mut self, keyword: Keyword, said: &str) -> Result<(), Mistake> {
        if self.take_keyword(keyword) { Ok(()) } else { Err(self.unexpected(said)) }
    }

    /// That something else was expected than the next token.
    pub fn unexpected(&self, expected: &str) -> Mistake {
        let found = match self.tokens.get(self.next) {
            None => "the expression ends here".into(),
            Some((_, start, end)) => format!("found `{}`", &self.text[*start as usize..*end as usize]),
        };
        Mistake::new(self.offset(), format!("{found}, expected {expected}"))
    }
}

/// Turns lines and columns, which count characters from 1, into bytes. Asked in order, it walks the text once.
struct Lines<'a> {
    rest: std::str::CharIndices<'a>,
    line: u64,
    column: u64,
    end: u32,
}

// === impl Lines ===

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self { rest: text.char_indices(), line: 1, column: 1, end: text.len() as u32 }
    }

    fn offset(&mut self, location: Location) -> u32 {
        while (self.line, self.column) < (location.line, location.column) {
            match self.rest.next() {
                None => return self.end,
                Some((_, '\n')) => (self.line, self.column) = (self.line + 1, 1),
                Some(_) => self.column += 1,
            }
        }
        self.rest.clone().next().map_or(self.end, |(offset, _)| offset as u32)
    }
}

fn offset(text: &str, location: Location) -> u32 {
    Lines::of(text).offset(location)
}

fn lower_first(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}
