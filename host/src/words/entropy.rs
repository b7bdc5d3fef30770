//! Choices for fuzzing: taken from bytes first, which a corpus keeps and mutates, then from a generator that those bytes seed. So an input is
//! a few bytes, and stands for the same case for ever.

/// Where choices come from.
pub struct Entropy<'a> {
    bytes: std::slice::Iter<'a, u8>,
    state: u64,
}

impl<'a> Entropy<'a> {
    /// Of an input.
    pub fn of(bytes: &'a [u8]) -> Self {
        let seed = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
        Entropy { bytes: bytes.iter(), state: seed }
    }

    /// 64 bits (splitmix64).
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        match self.bytes.next() {
            Some(byte) => usize::from(*byte) % end,
            None => (self.bits() % end as u64) as usize,
        }
    }

    /// Once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn one<'b, T>(&mut self, of: &'b [T]) -> &'b T {
        &of[self.below(of.len())]
    }

    /// The same bytes, changed somewhere.
    pub fn mutate(&mut self, bytes: &mut Vec<u8>, longest: usize) {
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len().max(1));
            match self.below(5) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                1 if !bytes.is_empty() => bytes[at] = self.bits() as u8,
                2 if bytes.len() < longest => bytes.insert(at.min(bytes.len()), self.bits() as u8),
                3 if !bytes.is_empty() => {
                    bytes.remove(at);
                }
                _ => {
                    let end = self.below(bytes.len() + 1);
                    let piece: Vec<u8> = bytes[at.min(end)..end].to_vec();
                    let to = self.below(bytes.len() + 1);
                    bytes.splice(to..to, piece);
                    bytes.truncate(longest);
                }
            }
        }
    }
}
