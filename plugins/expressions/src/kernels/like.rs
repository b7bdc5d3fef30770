//! `LIKE`: `%` stands for any text, `_` for one character. The pattern is a constant and taken apart once.

use super::bits::bits;
use crate::value::{Data, Value, Vector};

/// A pattern, by what is needed to match it.
#[derive(Clone, Debug)]
pub struct Pattern {
    shape: Shape,
    /// `ILIKE`: capitals count as small letters.
    folded: bool,
}

#[derive(Clone, Debug)]
enum Shape {
    Equals(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    General(Vec<Piece>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Letter(char),
    AnyLetter,
    AnyText,
}

// === impl Pattern ===

impl Pattern {
    /// `escape` takes its meaning from the character after it. It must not stand last.
    pub fn of(text: &str, escape: Option<char>, folded: bool) -> Result<Self, &'static str> {
        let mut pieces = Vec::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            pieces.push(match letter {
                _ if Some(letter) == escape => Piece::Letter(letters.next().ok_or("the pattern ends in its escape character")?),
                '%' if pieces.last() == Some(&Piece::AnyText) => continue,
                '%' => Piece::AnyText,
                '_' => Piece::AnyLetter,
                letter => Piece::Letter(letter),
            });
        }
        if folded {
            let fold = |piece| -> Vec<Piece> {
                match piece {
                    Piece::Letter(letter) => letter.to_lowercase().map(Piece::Letter).collect(),
                    other => vec![other],
                }
            };
            pieces = pieces.into_iter().flat_map(fold).collect();
        }
        let literal = |pieces: &[Piece]| -> Option<String> {
            pieces.iter().map(|piece| if let Piece::Letter(letter) = piece { Some(*letter) } else { None }).collect()
        };
        let shape = match pieces.as_slice() {
            [Piece::AnyText, inner @ .., Piece::AnyText] => literal(inner).map(Shape::Contains),
            [Piece::AnyText, inner @ ..] => literal(inner).map(Shape::EndsWith),
            [inner @ .., Piece::AnyText] => literal(inner).map(Shape::StartsWith),
            all => literal(all).map(Shape::Equals),
        };
        Ok(Self { shape: shape.unwrap_or(Shape::General(pieces)), folded })
    }

    /// Which rows it matches.
    pub fn matches(&self, value: &Value) -> Value {
        let Value::Many(Vector { data: Data::Text(texts), nulls }) = value else {
            unreachable!("only text is matched, and repeated before")
        };
        let found = if self.folded {
            let mut scratch = String::new();
            let folded = texts.len();
            let mut answers = Vec::with_capacity(folded);
            for row in 0..folded {
                scratch.clear();
                scratch.extend(texts.get(row).chars().flat_map(char::to_lowercase));
                answers.push(self.shape.matches(&scratch));
            }
            bits(folded, |row| answers[row])
        } else {
            match &self.shape {
                Shape::StartsWith(start) => bits(texts.len(), |row| texts.get(row).as_bytes().starts_with(start.as_bytes())),
                Shape::EndsWith(end) => bits(texts.len(), |row| texts.get(row).as_bytes().ends_with(end.as_bytes())),
                shape => bits(texts.len(), |row| shape.matches(texts.get(row))),
            }
        };
        Value::many(Data::Bool(found), nulls.clone())
    }
}

// === impl Shape ===

impl Shape {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Equals(whole) => text == whole,
            Self::StartsWith(start) => text.starts_with(start.as_str()),
            Self::EndsWith(end) => text.ends_with(end.as_str()),
            Self::Contains(part) => text.contains(part.as_str()),
            Self::General(pieces) => general(pieces, text),
        }
    }
}

/// Walks both; where they part, the last `%` takes in one more character. At most pattern times text steps.
fn general(pieces: &[Piece], text: &str) -> bool {
    let (mut rest, mut next) = (text.chars(), 0);
    let mut retry = None;
    loop {
        let before = rest.clone();
        match (pieces.get(next), rest.next()) {
            (Some(Piece::AnyText), _) => {
                next += 1;
                rest = before;
                retry = Some((next, rest.clone()));
                continue;
            }
            (Some(Piece::AnyLetter), Some(_)) => next += 1,
            (Some(Piece::Letter(wanted)), Some(letter)) if *wanted == letter => next += 1,
            (None, None) => return true,
            _ => {
                let Some((after, from)) = &mut retry else { return false };
                if from.next().is_none() {
                    return false;
                }
                next = *after;
                rest = from.clone();
            }
        }
    }
}
