//! The values of a column that have been seen.

use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
};

use crate::{
    form::{Cells, Column, Form},
    saved::{Corrupt, Reader, Writer},
};

/// A set of values.
pub enum Seen {
    /// Of every type but strings, as eight bytes.
    Words(HashSet<u64, BuildHasherDefault<Fold>>),
    Texts(HashSet<Box<str>, BuildHasherDefault<Fold>>),
}

// === impl Seen ===

impl Seen {
    pub fn of(form: Form) -> Self {
        if form == Form::Text { Self::Texts(HashSet::default()) } else { Self::Words(HashSet::default()) }
    }

    /// Whether a value is among them. Null never is.
    pub fn contains(&self, column: &Column, row: usize) -> bool {
        match (self, &column.cells) {
            (_, Cells::None) => false,
            _ if column.is_null(row) => false,
            (Self::Texts(set), Cells::Text(array)) => set.contains(array.value(row)),
            (Self::Texts(_), _) => false,
            (Self::Words(set), cells) => set.contains(&word(cells, row)),
        }
    }

    /// Adds a value that is not among them.
    pub fn insert(&mut self, column: &Column, row: usize) {
        match (self, &column.cells) {
            (_, Cells::None) => {}
            _ if column.is_null(row) => {}
            (Self::Texts(set), Cells::Text(array)) => _ = set.insert(array.value(row).into()),
            (Self::Texts(_), _) => {}
            (Self::Words(set), cells) => _ = set.insert(word(cells, row)),
        }
    }

    pub fn save(&self, to: &mut Writer) {
        match self {
            Self::Words(set) => {
                to.number(set.len() as u64);
                set.iter().for_each(|&word| to.number(word));
            }
            Self::Texts(set) => {
                to.number(set.len() as u64);
                set.iter().for_each(|text| to.bytes(text.as_bytes()));
            }
        }
    }

    /// Takes up what another of the same form saved.
    pub fn resume(&mut self, from: &mut Reader) -> Result<(), Corrupt> {
        let count = from.count()?;
        // Room for all at once: added in the order of the old table to a small one, they would all collide.
        match self {
            Self::Words(set) => {
                set.reserve(count);
                for _ in 0..count {
                    set.insert(from.number()?);
                }
            }
            Self::Texts(set) => {
                set.reserve(count);
                for _ in 0..count {
                    set.insert(str::from_utf8(from.bytes()?).map_err(|_| Corrupt)?.into());
                }
            }
        }
        Ok(())
    }
}

/// A value that is not a string. All NaN are one, `-0.0` is `0.0`.
fn word(cells: &Cells, row: usize) -> u64 {
    match cells {
        Cells::Int(values) => values[row] as u64,
        Cells::Float(values) if values[row].is_nan() => f64::NAN.to_bits(),
        Cells::Float(values) => (values[row] + 0.0).to_bits(),
        Cells::Bool(bits) => bits.value(row).into(),
        Cells::Text(_) | Cells::None => 0,
    }
}

/// A fast hash: multiplied to twice the width and folded, eight bytes at a time. The guest has no source of chance, so
/// a slower one would not be harder to provoke.
#[derive(Default)]
pub struct Fold(u64);

// === impl Fold ===

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.write_u64(u64::from_le_bytes(*word)));
        let rest = rest.iter().fold(rest.len() as u64, |rest, &byte| rest << 8 | u64::from(byte));
        self.write_u64(rest);
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        let product = u128::from(self.0 ^ value ^ 0x243f_6a88_85a3_08d3) * 0x9e37_79b9_7f4a_7c15;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
