//! Keys that were met before, found by the values themselves: a value that fits a word is looked up as one, and what was found for one
//! column together with what was found for the next. Only what is not known here is written out as bytes and interned.

use parshall_sdk::prelude::*;

use super::{
    interner::Interner,
    shape::{Shape, canonical32, canonical64},
    table::ODD,
};

/// A row whose key is not known.
pub const UNKNOWN: u32 = u32::MAX;

/// What a null is known by. Everything else is numbered from 1.
const NULL: u32 = 0;

/// Different values of a column, or pairs, that are known at most, and bytes of long strings: what is kept beside the keys stays within
/// 2 MiB for each column and each pair, whatever comes.
const MOST: u32 = 1 << 14;
const MOST_BYTES: usize = 1 << 19;

/// Rows after which it can be told whether keys come again.
const FAIR: usize = 1 << 14;

/// Places for each word: a second look, which no processor foresees, costs more than finding the first place.
const SPARSE: usize = 4;

/// The groups of keys that were met before.
pub struct Known {
    columns: Vec<Numbers>,
    /// Of the first two columns, of these and the third, and so on.
    pairs: Vec<Numbers>,
    /// The group of each key, by the number that was found last.
    groups: Vec<u32>,
    /// The numbers of a batch's rows.
    rows: Vec<u32>,
    column: Vec<u32>,
    /// Rows so far, and how many keys of them were unknown. Halved now and then: what matters is how it is lately.
    looked_up: usize,
    unknown: usize,
}

/// Words and long strings, numbered as they come.
struct Numbers {
    places: Vec<Place>,
    /// How far a word's hash is shifted to be a place.
    shift: u32,
    last: u32,
    texts: Interner,
    /// The number of each text.
    of_texts: Vec<u32>,
}

/// A number of 0 is nobody's.
#[derive(Clone, Copy, Default)]
struct Place {
    word: u64,
    number: u32,
}

// === impl Known ===

impl Known {
    /// For keys of these shapes, if their values can fit a word.
    pub fn of(shapes: &[Shape]) -> Option<Self> {
        let fit = !shapes.is_empty() && shapes.iter().all(|shape| !matches!(shape, Shape::Fixed(16..)));
        let numbers = |count| (0..count).map(|_| Numbers::of_size(64)).collect();
        fit.then(|| Self {
            columns: numbers(shapes.len()),
            pairs: numbers(shapes.len() - 1),
            // That of nulls.
            groups: vec![UNKNOWN],
            rows: Vec::new(),
            column: Vec::new(),
            looked_up: 0,
            unknown: 0,
        })
    }

    /// The group of each row, or [`UNKNOWN`]. Answers how many keys are unknown, each as often as it cannot be learned.
    pub fn look_up(&mut self, rows: usize, columns: &[(Shape, &ArrayData)], groups: &mut Vec<u32>) -> usize {
        for (index, (shape, data)) in columns.iter().enumerate() {
            let into = if index == 0 { &mut self.rows } else { &mut self.column };
            into.clear();
            into.reserve(rows);
            self.columns[index].column(*shape, data, into);
            if index > 0 {
                let pairs = &mut self.pairs[index - 1];
                for (row, column) in self.rows.iter_mut().zip(&self.column) {
                    *row = if *row == UNKNOWN || *column == UNKNOWN {
                        UNKNOWN
                    } else {
                        pairs.word(u64::from(*row) << 32 | u64::from(*column))
                    };
                }
            }
        }
        let different = self.pairs.last().unwrap_or(&self.columns[0]).last as usize + 1;
        let mut unknown = different - self.groups.len();
        self.groups.resize(different, UNKNOWN);
        let mut any = false;
        groups.extend(self.rows.iter().map(|&number| {
            let group = self.groups.get(number as usize).copied().unwrap_or(UNKNOWN);
            any |= group == UNKNOWN;
            unknown += usize::from(number == UNKNOWN);
            group
        }));
        // The first null is known by what all nulls are known by.
        let unknown = unknown.max(any.into());
        if self.looked_up >= 8 * FAIR {
            (self.looked_up, self.unknown) = (self.looked_up / 2, self.unknown / 2);
        }
        (self.looked_up, self.unknown) = (self.looked_up + rows, self.unknown + unknown);
        unknown
    }

    /// The group of a row of the batch that was looked up last, which may be known by now.
    pub fn group(&self, row: usize) -> u32 {
        self.groups.get(self.rows[row] as usize).copied().unwrap_or(UNKNOWN)
    }

    /// What the group of such a row is.
    pub fn learn(&mut self, row: usize, group: u32) {
        if let Some(known) = self.groups.get_mut(self.rows[row] as usize) {
            *known = group;
        }
    }

    /// Whether most keys were new that were looked for.
    pub fn is_in_vain(&self) -> bool {
        self.looked_up >= FAIR && self.unknown * 2 > self.looked_up
    }
}

// === impl Numbers ===

impl Numbers {
    /// None yet, with room for so many: a power of two.
    fn of_size(size: usize) -> Self {
        Numbers {
            places: vec![Place::default(); size],
            shift: 64 - size.trailing_zeros(),
            last: 0,
            texts: Interner::default(),
            of_texts: Vec::new(),
        }
    }

    /// The numbers of a column's values.
    fn column(&mut self, shape: Shape, data: &ArrayData, into: &mut Vec<u32>) {
        match shape {
            Shape::Bool => {
                let bits = data.buffers()[0].as_slice();
                let values = (data.offset()..data.offset() + data.len()).map(|at| bits[at >> 3] >> (at & 7) & 1);
                self.each(data, values, into, |numbers, value| numbers.word(value.into()));
            }
            Shape::Float32 => self.fixed(data, into, |value| canonical32(value).to_bits().into()),
            Shape::Float64 => self.fixed(data, into, |value| canonical64(value).to_bits()),
            Shape::Fixed(1) => self.fixed(data, into, |value: u8| value.into()),
            Shape::Fixed(2) => self.fixed(data, into, |value: u16| value.into()),
            Shape::Fixed(4) => self.fixed(data, into, |value: u32| value.into()),
            Shape::Fixed(_) => self.fixed(data, into, |value: u64| value),
            Shape::Text => {
                let ends = data.buffer::<i32>(0)[..=data.len()].windows(2);
                let bytes = data.buffers()[1].as_slice();
                self.each(data, ends, into, |numbers, ends| {
                    let (start, end) = (ends[0] as usize, ends[1] as usize);
                    if end - start < 8 { numbers.word(packed(bytes, start, end)) } else { numbers.text(&bytes[start..end]) }
                });
            }
        }
    }

    #[inline(always)]
    fn fixed<T: arrow_buffer::ArrowNativeType>(&mut self, data: &ArrayData, into: &mut Vec<u32>, word: impl Fn(T) -> u64) {
        let values = data.buffer::<T>(0)[..data.len()].iter();
        self.each(data, values, into, |numbers, value| numbers.word(word(*value)));
    }

    #[inline(always)]
    fn each<V>(&mut self, data: &ArrayData, values: impl Iterator<Item = V>, into: &mut Vec<u32>, number: impl Fn(&mut Self, V) -> u32) {
        into.extend(values.map(|value| number(self, value)));
        // What lies where a null is has been looked up as well: that is cheaper than to ask before each.
        if let Some(nulls) = data.nulls() {
            let (bits, offset) = (nulls.inner().values(), nulls.inner().offset());
            for (row, number) in into.iter_mut().enumerate() {
                let at = offset + row;
                if bits[at >> 3] >> (at & 7) & 1 == 0 {
                    *number = NULL;
                }
            }
        }
    }

    /// The number of a word, a new one if there is room.
    #[inline(always)]
    fn word(&mut self, word: u64) -> u32 {
        let at = self.place_of(word);
        let place = self.places[at & (self.places.len() - 1)];
        // Most have the first place to themselves: no loop, which would have to be metered.
        if place.word == word && place.number != 0 { place.number } else { self.further(word, at) }
    }

    #[inline(never)]
    fn further(&mut self, word: u64, mut at: usize) -> u32 {
        let mask = self.places.len() - 1;
        loop {
            let place = self.places[at & mask];
            if place.number == 0 {
                return self.enter(word);
            }
            if place.word == word {
                return place.number;
            }
            at += 1;
        }
    }

    /// Where a word's place is, or before it. The uppermost bits of the product depend on all of the word's.
    #[inline(always)]
    fn place_of(&self, word: u64) -> usize {
        (word.wrapping_mul(ODD) >> self.shift) as usize
    }

    /// Gives a word that has no place one, and a number. Long strings are counted as if they had a place as well.
    #[cold]
    #[inline(never)]
    fn enter(&mut self, word: u64) -> u32 {
        if self.last >= MOST {
            return UNKNOWN;
        }
        if self.last as usize * SPARSE >= self.places.len() {
            let more = Self::of_size(self.places.len() * 2);
            let before = std::mem::replace(&mut self.places, more.places);
            self.shift = more.shift;
            before.into_iter().filter(|place| place.number != 0).for_each(|place| self.put(place));
        }
        self.last += 1;
        self.put(Place { word, number: self.last });
        self.last
    }

    fn put(&mut self, place: Place) {
        let mask = self.places.len() - 1;
        let mut at = self.place_of(place.word);
        while self.places[at & mask].number != 0 {
            at += 1;
        }
        self.places[at & mask] = place;
    }

    /// The number of a string that does not fit a word.
    #[inline(never)]
    fn text(&mut self, text: &[u8]) -> u32 {
        if let Some(known) = self.texts.find(text) {
            return self.of_texts[known as usize];
        }
        if self.last >= MOST || self.texts.size() + text.len() > MOST_BYTES {
            return UNKNOWN;
        }
        self.last += 1;
        self.texts.intern(text);
        self.of_texts.push(self.last);
        self.last
    }
}

/// Up to seven bytes and their length, as a word.
#[inline(always)]
fn packed(bytes: &[u8], start: usize, end: usize) -> u64 {
    let length = end - start;
    let word = match bytes.get(start..start + 8) {
        Some(eight) => u64::from_le_bytes(eight.try_into().expect("eight bytes")) & ((1 << (8 * length)) - 1),
        None => bytes[start..end].iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    word | (length as u64) << 56
}

#[cfg(test)]
mod tests {
    use arrow_array::{Array, Int64Array, StringArray};

    use super::*;

    fn groups(known: &mut Known, columns: &[(Shape, &ArrayData)]) -> Vec<u32> {
        let (rows, mut groups) = (columns[0].1.len(), Vec::new());
        known.look_up(rows, columns, &mut groups);
        groups
    }

    /// Protects against a string that is another's at the end of the buffer, where no eight bytes can be read.
    #[test]
    fn strings_are_the_same_wherever_they_lie() {
        let texts: Vec<String> = (0..8).map(|length| "abcdefg"[..length.min(7)].into()).collect();
        for text in &texts {
            let column = StringArray::from_iter_values([text, "padding!", text]).to_data();
            let mut known = Known::of(&[Shape::Text]).unwrap();
            groups(&mut known, &[(Shape::Text, &column)]);
            known.learn(0, 7);
            assert_eq!(groups(&mut known, &[(Shape::Text, &column)]), [7, UNKNOWN, 7], "{text:?}");
        }
        let nul = StringArray::from_iter_values(["", "\0", "\0\0"]).to_data();
        let mut known = Known::of(&[Shape::Text]).unwrap();
        groups(&mut known, &[(Shape::Text, &nul)]);
        (0..3).for_each(|row| known.learn(row, row as u32));
        assert_eq!(groups(&mut known, &[(Shape::Text, &nul)]), [0, 1, 2]);
    }

    /// Protects against room that grows with what comes, and against forgetting what was known when there is none left.
    #[test]
    fn what_is_known_is_bounded() {
        let mut known = Known::of(&[Shape::Fixed(8), Shape::Text]).unwrap();
        for batch in 0..20 {
            let numbers: Int64Array = (batch * 8_192..(batch + 1) * 8_192).collect();
            let texts = StringArray::from_iter_values((0..8_192).map(|row| format!("a text of many bytes {}", batch * 8_192 + row)));
            let (numbers, texts) = (numbers.to_data(), texts.to_data());
            groups(&mut known, &[(Shape::Fixed(8), &numbers), (Shape::Text, &texts)]);
            (0..8_192).for_each(|row| known.learn(row, row as u32));
        }
        assert!(known.is_in_vain());
        assert_eq!(known.columns[0].last, MOST);
        assert!(known.columns[1].texts.size() <= MOST_BYTES);
        let first = Int64Array::from(vec![0, 1, 1 << 40]).to_data();
        let texts = StringArray::from(vec!["a text of many bytes 0", "a text of many bytes 1", "x"]).to_data();
        assert_eq!(groups(&mut known, &[(Shape::Fixed(8), &first), (Shape::Text, &texts)]), [0, 1, UNKNOWN]);
    }
}
