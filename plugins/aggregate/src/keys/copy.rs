//! Copying, comparing and hashing short byte strings. WASM's `memory.copy` and the library's `memcmp` cost a call each,
//! which for keys of a few bytes is more than the work; two overlapping words do it.

/// Copies between slices of one length.
#[inline(always)]
pub fn copy(to: &mut [u8], from: &[u8]) {
    let n = from.len();
    assert_eq!(to.len(), n);
    match n {
        0 => {}
        1..=3 => {
            to[0] = from[0];
            to[n / 2] = from[n / 2];
            to[n - 1] = from[n - 1];
        }
        4..=7 => {
            to[..4].copy_from_slice(&from[..4]);
            to[n - 4..].copy_from_slice(&from[n - 4..]);
        }
        8..=16 => {
            to[..8].copy_from_slice(&from[..8]);
            to[n - 8..].copy_from_slice(&from[n - 8..]);
        }
        _ => to.copy_from_slice(from),
    }
}

#[inline(always)]
fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[inline(always)]
fn half(bytes: &[u8], at: usize) -> u64 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")).into()
}

/// Up to seven bytes as one word, different for different bytes of one length.
#[inline(always)]
fn short(bytes: &[u8]) -> u64 {
    let n = bytes.len();
    match n {
        0 => 0,
        1..=3 => u64::from(bytes[0]) | u64::from(bytes[n / 2]) << 8 | u64::from(bytes[n - 1]) << 16,
        _ => half(bytes, 0) | half(bytes, n - 4) << 32,
    }
}

/// Whether two keys are the same.
#[inline(always)]
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    let n = left.len();
    if n != right.len() {
        return false;
    }
    if n < 8 {
        return short(left) == short(right);
    }
    let mut at = 0;
    while at + 8 <= n {
        if word(left, at) != word(right, at) {
            return false;
        }
        at += 8;
    }
    word(left, n - 8) == word(right, n - 8)
}

/// A hash of a key. Not keyed: what an adversary could slow down is bounded by the stage's fuel.
#[inline(always)]
pub fn hash(bytes: &[u8]) -> u32 {
    let n = bytes.len();
    let mut state = n as u64;
    if n < 8 {
        return super::mix(state ^ short(bytes).rotate_left(3));
    }
    let mut at = 0;
    while at + 8 <= n {
        state = (state.rotate_left(5) ^ word(bytes, at)).wrapping_mul(super::table::ODD);
        at += 8;
    }
    super::mix(state.rotate_left(5) ^ word(bytes, n - 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a length at which the overlapping words miss a byte.
    #[test]
    fn every_byte_counts_at_every_length() {
        for n in 0..70usize {
            let from: Vec<u8> = (0..n).map(|byte| byte as u8 ^ 0x5a).collect();
            let mut to = vec![0; n];
            copy(&mut to, &from);
            assert_eq!(to, from);
            assert!(equal(&to, &from) && hash(&to) == hash(&from));
            for byte in 0..n {
                to[byte] ^= 0x80;
                assert!(!equal(&to, &from), "byte {byte} of {n} is not compared");
                assert_ne!(hash(&to), hash(&from), "byte {byte} of {n} is not hashed");
                to[byte] ^= 0x80;
            }
        }
        assert!(!equal(b"ab", b"abc"));
    }
}
