//! Random bits by number rather than one after the other: SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom
//! Number Generators", OOPSLA 2014), whose n-th output follows from n.

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The bits of one column, or of one aspect of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws(u64);

impl Draws {
    /// Those of the column of this name, under this seed.
    pub fn of(seed: u64, name: &str) -> Self {
        // FNV-1a, spread by the finalizer: names differ in their last letter often.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Draws(mix(mix(seed.wrapping_add(GAMMA)) ^ hash))
    }

    /// Others that have nothing to do with these.
    pub fn aside(self) -> Self {
        Draws(mix(self.0 ^ GAMMA))
    }

    /// The bits of a row.
    #[inline]
    pub fn bits(self, row: u64) -> u64 {
        mix(self.0.wrapping_add(row.wrapping_mul(GAMMA)))
    }

    /// A number from 0 (included) to 1 (excluded), from the upper 53 bits.
    #[inline]
    pub fn unit(self, row: u64) -> f64 {
        unit(self.bits(row))
    }
}

/// Further bits of the same row, from its first.
#[inline]
pub fn further(bits: u64, number: u64) -> u64 {
    mix(bits.wrapping_add(number.wrapping_mul(GAMMA)))
}

/// See [`Draws::unit`].
#[inline]
pub fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A whole number below `span`, without the bias of a remainder worth speaking of: 2⁻⁶⁴ of the span (Lemire 2019).
#[inline]
pub fn below(bits: u64, span: u128) -> u64 {
    ((u128::from(bits) * span) >> 64) as u64
}

#[inline]
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
