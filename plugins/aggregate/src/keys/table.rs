//! A hash table of numbers: open addressing, linear probing. What the numbers stand for is kept by whoever asks.

/// 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming 3, 6.4): multiplying spreads neighbours.
pub const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Marks a place that is not taken.
const VACANT: u32 = u32::MAX;

/// Numbers by hash.
#[derive(Default)]
pub struct Table {
    places: Vec<Place>,
    taken: usize,
}

/// The hash is kept: most strangers are told apart by it, and growing needs no key.
#[derive(Clone, Copy)]
struct Place {
    hash: u32,
    number: u32,
}

/// Spreads a word over 32 bits.
#[inline(always)]
pub fn mix(word: u64) -> u32 {
    let word = word.wrapping_mul(ODD);
    let word = (word ^ (word >> 32)).wrapping_mul(ODD);
    (word >> 32) as u32
}

// === impl Table ===

impl Table {
    /// The number that has this hash and is the `same`, or else `next`, which is entered.
    #[inline(always)]
    pub fn find_or_enter(&mut self, hash: u32, next: u32, same: impl Fn(u32) -> bool) -> u32 {
        // Five eighths full at most: linear probing slows down from there.
        if self.taken * 8 >= self.places.len() * 5 {
            self.grow();
        }
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let place = self.places[at];
            if place.number == VACANT {
                self.places[at] = Place { hash, number: next };
                self.taken += 1;
                return next;
            }
            if place.hash == hash && same(place.number) {
                return place.number;
            }
            at = (at + 1) & mask;
        }
    }

    /// The number that has this hash and is the `same`.
    #[inline(always)]
    pub fn find(&self, hash: u32, same: impl Fn(u32) -> bool) -> Option<u32> {
        // Without places there is nothing to find.
        let mask = self.places.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let place = self.places[at];
            if place.number == VACANT {
                return None;
            }
            if place.hash == hash && same(place.number) {
                return Some(place.number);
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        let vacant = Place { hash: 0, number: VACANT };
        let size = (self.places.len() * 2).max(64);
        let before = std::mem::replace(&mut self.places, vec![vacant; size]);
        for place in before.into_iter().filter(|place| place.number != VACANT) {
            let mut at = place.hash as usize & (size - 1);
            while self.places[at].number != VACANT {
                at = (at + 1) & (size - 1);
            }
            self.places[at] = place;
        }
    }
}
