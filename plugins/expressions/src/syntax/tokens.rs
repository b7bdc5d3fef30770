//! Tokens with byte offsets, as `winnow` takes them.

use sqlparser::{
    dialect::Dialect,
    keywords::Keyword,
    tokenizer::{Location, Token, Tokenizer},
};
use winnow::{
    Parser,
    error::ParserError,
    stream::{ContainsToken, Stateful, Stream as _, TokenSlice},
    token::{any, one_of},
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

/// A token and where it stands.
#[derive(Clone, Debug)]
pub struct Lexeme<'a> {
    pub token: Token,
    /// As it is written.
    text: &'a str,
    /// In bytes.
    pub offset: u32,
}

/// What is left of the tokens, and for every expression that has begun and not ended the token before it.
pub type Input<'a> = Stateful<TokenSlice<'a, Lexeme<'a>>, Vec<&'a Lexeme<'a>>>;

pub type Parsed<T> = Result<T, Stop>;

/// Why a parser reads nothing.
#[derive(Debug)]
pub enum Stop {
    /// Something else stands here, so that another parser may fit.
    Unfit,
    /// Nothing fits.
    Mistake(Mistake),
}

/// The tokens of a text without space and comments, and one at the end.
pub fn lexemes(text: &str) -> Result<Vec<Lexeme<'_>>, Mistake> {
    let found = Tokenizer::new(&Expressions, text).tokenize_with_location();
    let found = found.map_err(|error| Mistake::new(Lines::of(text).offset(error.location), lower_first(&error.message)))?;
    let mut lines = Lines::of(text);
    let tokens = found.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_)));
    let lexemes = tokens.map(|found| {
        let (offset, end) = (lines.offset(found.span.start), lines.offset(found.span.end));
        Lexeme { token: found.token, text: &text[offset as usize..end as usize], offset }
    });
    let end = Lexeme { token: Token::EOF, text: "", offset: text.trim_end().len() as u32 };
    Ok(lexemes.chain([end]).collect())
}

/// The next token, which stays where it is. At the end, that is the end.
pub fn next<'a>(input: &Input<'a>) -> &'a Lexeme<'a> {
    input.peek_token().or(input.previous_tokens().next()).expect("there is one at the end")
}

/// A token of a kind, or of one of several.
pub fn one<'a>(kinds: impl ContainsToken<&'a Lexeme<'a>>) -> impl Parser<Input<'a>, &'a Lexeme<'a>, Stop> {
    one_of(kinds)
}

/// What a token holds, if it is of the kind that does.
pub fn held<'a, T>(part: impl FnMut(&'a Lexeme<'a>) -> Option<T>) -> impl Parser<Input<'a>, T, Stop> {
    any.verify_map(part)
}

/// Makes it a mistake if a parser does not fit.
pub fn must<'a, T>(mut parser: impl Parser<Input<'a>, T, Stop>, expected: &str) -> impl Parser<Input<'a>, T, Stop> {
    move |input: &mut Input<'a>| {
        let here = next(input);
        parser.parse_next(input).map_err(|stop| match stop {
            Stop::Unfit => here.unexpected(expected).into(),
            mistake => mistake,
        })
    }
}

// === impl Lexeme ===

impl<'a> Lexeme<'a> {
    /// The keyword that it is; what is quoted is none.
    pub fn keyword(&self) -> Keyword {
        if let Token::Word(word) = &self.token { word.keyword } else { Keyword::NoKeyword }
    }

    /// The word that it is, and whether it is quoted.
    pub fn word(&self) -> Option<(&str, bool)> {
        if let Token::Word(word) = &self.token { Some((&word.value, word.quote_style.is_some())) } else { None }
    }

    /// What stands in single quotes.
    pub fn text(&self) -> Option<&str> {
        if let Token::SingleQuotedString(text) = &self.token { Some(text) } else { None }
    }

    /// The number that it is.
    pub fn number(&self) -> Option<&str> {
        if let Token::Number(digits, _) = &self.token { Some(digits) } else { None }
    }

    /// That something else was expected.
    pub fn unexpected(&self, expected: &str) -> Mistake {
        let found = if self.token == Token::EOF { "the expression ends here".into() } else { format!("found `{}`", self.text) };
        Mistake::new(self.offset, format!("{found}, expected {expected}"))
    }
}

impl ContainsToken<&Lexeme<'_>> for Token {
    fn contains_token(&self, lexeme: &Lexeme) -> bool {
        lexeme.token == *self
    }
}

impl ContainsToken<&Lexeme<'_>> for Keyword {
    fn contains_token(&self, lexeme: &Lexeme) -> bool {
        lexeme.keyword() == *self
    }
}

// === impl Stop ===

impl From<Mistake> for Stop {
    fn from(mistake: Mistake) -> Self {
        Self::Mistake(mistake)
    }
}

impl<'a> ParserError<Input<'a>> for Stop {
    type Inner = Self;

    fn from_input(_: &Input<'a>) -> Self {
        Self::Unfit
    }

    fn is_backtrack(&self) -> bool {
        matches!(self, Self::Unfit)
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
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

fn lower_first(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}
