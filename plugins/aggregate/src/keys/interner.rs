//! Keys numbered from 0 in order of first appearance, each kept once, one after another.

use super::{
    copy::{copy, equal, hash},
    table::Table,
};
use crate::saved::{Corrupt, Reader, Writer};

/// Keys and their numbers.
#[derive(Default)]
pub struct Interner {
    table: Table,
    bytes: Vec<u8>,
    /// Where each key ends.
    ends: Vec<usize>,
}

// === impl Interner ===

impl Interner {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The key of a number.
    #[inline(always)]
    pub fn key(&self, number: usize) -> &[u8] {
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.bytes[start..self.ends[number]]
    }

    /// The number of a key. It is new if it is the length before.
    #[inline(always)]
    pub fn intern(&mut self, key: &[u8]) -> u32 {
        let Self { table, bytes, ends } = self;
        let next = ends.len() as u32;
        let number = table.find_or_enter(hash(key), next, |number| {
            let start = if number == 0 { 0 } else { ends[number as usize - 1] };
            equal(&bytes[start..ends[number as usize]], key)
        });
        if number == next {
            let start = bytes.len();
            bytes.resize(start + key.len(), 0);
            copy(&mut bytes[start..], key);
            ends.push(bytes.len());
        }
        number
    }

    /// The number of a key, if it has one.
    #[inline(always)]
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        self.table.find(hash(key), |number| equal(self.key(number as usize), key))
    }

    /// Bytes of all keys.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Lays the keys down.
    pub fn save(&self, out: &mut Writer) {
        out.number(self.len() as u64);
        for number in 0..self.len() {
            out.bytes(self.key(number));
        }
    }

    /// Takes keys up again, all different.
    pub fn restore(saved: &mut Reader, valid: impl Fn(&[u8]) -> bool) -> Result<Self, Corrupt> {
        let mut interner = Self::default();
        for number in 0..saved.count(8)? {
            let key = saved.bytes()?;
            if !valid(key) || interner.intern(key) as usize != number {
                return Err(Corrupt);
            }
        }
        Ok(interner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against keys that are lost or confused when the table grows.
    #[test]
    fn numbers_stay_what_they_were() {
        let mut interner = Interner::default();
        let key = |n: u32| format!("{n}/{}", "x".repeat(n as usize % 40)).into_bytes();
        for round in 0..2 {
            for n in 0..20_000 {
                assert_eq!(interner.intern(&key(n)), n, "in round {round}");
            }
        }
        assert_eq!(interner.key(19_999), key(19_999));
        let mut out = Writer::default();
        interner.save(&mut out);
        let bytes = out.done();
        let mut again = Interner::restore(&mut Reader::new(&bytes).unwrap(), |_| true).unwrap();
        assert_eq!((again.len(), again.intern(&key(77))), (20_000, 77));
    }
}
