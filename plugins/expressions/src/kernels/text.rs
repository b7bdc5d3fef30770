//! Functions of texts. Characters are Unicode scalar values.

use arrow_buffer::{Buffer, NullBuffer};

use super::bits::bits;
use crate::{
    mistake::Failure,
    value::{Data, Scalar, Strings, Value, Vector, union},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Lower,
    Upper,
    Length,
    Trim,
    TrimLeft,
    TrimRight,
    Substring,
    /// Nulls count as empty.
    Concat,
    /// `||`: null if either is.
    Join,
    Replace,
    StartsWith,
    EndsWith,
    Contains,
}

/// Strings in the making. Their room grows with the first batches and is not asked for row by row.
pub struct Builder {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
}

// === impl Builder ===

impl Builder {
    pub fn new(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { offsets, bytes: Vec::new() }
    }

    /// Adds to the current string.
    pub fn extend(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn letter(&mut self, letter: char) {
        self.extend(letter.encode_utf8(&mut [0; 4]));
    }

    /// Ends the current string.
    pub fn end(&mut self) {
        self.offsets.push(self.bytes.len() as i32);
    }

    pub fn finish(self) -> Strings {
        // A component's memory is 4 GiB at most; 2 GiB of text and what they were made from do not fit.
        assert!(i32::try_from(self.bytes.len()).is_ok(), "a column has more than 2 GiB of text");
        Strings { offsets: self.offsets.into(), bytes: Buffer::from_vec(self.bytes) }
    }
}

// === impl Function ===

impl Function {
    /// Its operands are texts; `substr` is told int64 positions besides.
    pub fn apply(self, operands: &[Value], rows: usize, offset: u32) -> Result<Value, Failure> {
        if self != Self::Concat && operands.iter().any(Value::is_null) {
            return Ok(Value::NULL);
        }
        // Constants of a batch are computed once.
        let single = operands.iter().all(|operand| matches!(operand, Value::One(_)));
        let rows = if single { 1 } else { rows };
        let nulls =
            if self == Self::Concat { None } else { operands.iter().fold(None, |nulls, operand| union(nulls.as_ref(), operand.nulls())) };
        let result = self.compute(operands, rows, nulls, offset)?;
        Ok(if single { Value::One(result.get(0)) } else { result })
    }

    fn compute(self, operands: &[Value], rows: usize, nulls: Option<NullBuffer>, _: u32) -> Result<Value, Failure> {
        let text = |index: usize, row: usize| get(&operands[index], row);
        let data = match self {
            Self::Length => Data::Int((0..rows).map(|row| text(0, row).chars().count() as i64).collect()),
            Self::StartsWith => Data::Bool(bits(rows, |row| text(0, row).starts_with(text(1, row)))),
            Self::EndsWith => Data::Bool(bits(rows, |row| text(0, row).ends_with(text(1, row)))),
            Self::Contains => Data::Bool(bits(rows, |row| text(0, row).contains(text(1, row)))),
            Self::Lower | Self::Upper => match &operands[0] {
                Value::Many(Vector { data: Data::Text(strings), .. }) if strings.bytes.is_ascii() => Data::Text(self.ascii_case(strings)),
                _ => built(rows, |row, out| self.case(text(0, row), out)),
            },
            Self::Trim | Self::TrimLeft | Self::TrimRight => built(rows, |row, out| {
                let letters = operands.get(1).map_or(" ", |letters| get(letters, row));
                let inside = |letter: char| letters.contains(letter);
                out.extend(match self {
                    Self::TrimLeft => text(0, row).trim_start_matches(inside),
                    Self::TrimRight => text(0, row).trim_end_matches(inside),
                    _ => text(0, row).trim_matches(inside),
                });
            }),
            Self::Substring => built(rows, |row, out| {
                let length = operands.get(2).map(|length| integer(length, row));
                out.extend(substring(text(0, row), integer(&operands[1], row), length));
            }),
            Self::Concat => built(rows, |row, out| {
                operands.iter().filter(|operand| !is_null(operand, row)).for_each(|operand| out.extend(get(operand, row)));
            }),
            Self::Join => built(rows, |row, out| operands.iter().for_each(|operand| out.extend(get(operand, row)))),
            Self::Replace => built(rows, |row, out| replace(text(0, row), text(1, row), text(2, row), out)),
        };
        Ok(Value::many(data, nulls))
    }

    /// A whole column at once, in place of one string after the other.
    fn ascii_case(self, strings: &Strings) -> Strings {
        let change = if self == Self::Lower { u8::to_ascii_lowercase } else { u8::to_ascii_uppercase };
        let bytes: Vec<u8> = strings.bytes.iter().map(change).collect();
        Strings { offsets: strings.offsets.clone(), bytes: Buffer::from_vec(bytes) }
    }

    fn case(self, text: &str, out: &mut Builder) {
        match self {
            Self::Lower => text.chars().flat_map(char::to_lowercase).for_each(|letter| out.letter(letter)),
            _ => text.chars().flat_map(char::to_uppercase).for_each(|letter| out.letter(letter)),
        }
    }
}

fn built(rows: usize, mut write: impl FnMut(usize, &mut Builder)) -> Data {
    let mut builder = Builder::new(rows);
    for row in 0..rows {
        write(row, &mut builder);
        builder.end();
    }
    Data::Text(builder.finish())
}

/// From the character at `start`, counted from 1, or from the end when negative; `length` characters of it.
fn substring(text: &str, start: i64, length: Option<i64>) -> &str {
    let first = if start < 0 { text.chars().count() as i64 + start } else { start - 1 };
    let end = length.map(|length| first.saturating_add(length.max(0)));
    let at = |index: i64| {
        if index <= 0 {
            return 0;
        }
        text.char_indices().nth(index as usize).map_or(text.len(), |(at, _)| at)
    };
    let from = at(first);
    let to = end.map_or(text.len(), at);
    &text[from..to.max(from)]
}

fn replace(text: &str, from: &str, to: &str, out: &mut Builder) {
    if from.is_empty() {
        return out.extend(text);
    }
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(from) {
        out.extend(before);
        out.extend(to);
        rest = after;
    }
    out.extend(rest);
}

fn get(value: &Value, row: usize) -> &str {
    match value {
        Value::Many(Vector { data: Data::Text(strings), .. }) => strings.get(row),
        Value::One(Scalar::Text(text)) => text,
        _ => "",
    }
}

fn integer(value: &Value, row: usize) -> i64 {
    match value {
        Value::Many(Vector { data: Data::Int(values), .. }) => values[row],
        Value::One(Scalar::Int(value)) => *value,
        _ => 0,
    }
}

fn is_null(value: &Value, row: usize) -> bool {
    match value {
        Value::One(scalar) => *scalar == Scalar::Null,
        Value::Many(vector) => vector.is_null(row),
    }
}
