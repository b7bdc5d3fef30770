//! Tokens with byte offsets, as `winnow` takes them.

use sqlparser::{
    dialect::Dialect,
    keywords::Keyword,
    tokenizer::{Location, Token, Tokenizer},
};
use winnow::{
    Parser,
    error::{ErrMode, ParserError},
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

/// Why nothing was read: something else stands here, so that another parser may fit; or there is a mistake, which is final.
pub type Stop = ErrMode<Mistake>;

pub type Parsed<T> = Result<T, Stop>;

/// The tokens of a text without space and comments, and one at the end.
pub fn lexemes(text: &str) -> Result<Vec<Lexeme<'_>>, Mistake> {
    let found = Tokenizer::new(&Expressions, text).tokenize_with_location();
    let found = found.map_err(|error| Mistake::new(offsets(text)(error.location), lower_first(&error.message)))?;
    let mut offset_of = offsets(text);
    let tokens = found.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_)));
    let lexemes = tokens.map(|found| {
        let (offset, end) = (offset_of(found.span.start), offset_of(found.span.end));
        Lexeme { token: found.token, text: &text[offset as usize..end as usize], offset }
    });
    let end = Lexeme { token: Token::EOF, text: "", offset: text.trim_end().len() as u32 };
    Ok(lexemes.chain([end]).collect())
}

/// The next token, which stays where it is. At the end, that is the end.
pub fn next<'a>(input: &Input<'a>) -> &'a Lexeme<'a> {
    input.peek_token().expect("nothing takes the end but the end")
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
            Stop::Backtrack(_) => Stop::Cut(here.unexpected(expected)),
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

// === impl Mistake ===

impl<'a> ParserError<Input<'a>> for Mistake {
    type Inner = Self;

    /// Nothing is said of what does not fit: `must` does it where nothing else may.
    fn from_input(_: &Input<'a>) -> Self {
        Self::new(0, "")
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

/// Turns lines and columns, which count characters from 1, into bytes. Asked in order, it walks the text once.
fn offsets(text: &str) -> impl FnMut(Location) -> u32 {
    let (mut line, mut column, mut rest) = (1, 1, text.char_indices());
    move |to| {
        while (line, column) < (to.line, to.column) {
            match rest.next() {
                None => break,
                Some((_, '\n')) => (line, column) = (line + 1, 1),
                Some(_) => column += 1,
            }
        }
        rest.offset() as u32
    }
}

fn lower_first(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}
