//! Comparisons of 64-bit numbers with WebAssembly's 128-bit vectors: sixteen rows at a time, whose answers are narrowed to a byte
//! each before their bits are gathered. Several times as fast as what the compiler makes of [`super::bits`].

use core::arch::wasm32::*;

use arrow_buffer::{BooleanBuffer, Buffer};

use crate::syntax::Comparison;

/// A number of which two fit into a vector.
pub trait Lane: Copy {
    /// Both lanes the same.
    fn splat(self) -> v128;
    /// All bits of a lane set where `left` is less.
    fn less(left: v128, right: v128) -> v128;
    /// All bits of a lane set where they are equal.
    fn equal(left: v128, right: v128) -> v128;
}

impl Lane for i64 {
    #[inline(always)]
    fn splat(self) -> v128 {
        i64x2_splat(self)
    }

    #[inline(always)]
    fn less(left: v128, right: v128) -> v128 {
        i64x2_lt(left, right)
    }

    #[inline(always)]
    fn equal(left: v128, right: v128) -> v128 {
        i64x2_eq(left, right)
    }
}

// NaN equals itself and is greater than every number.
impl Lane for f64 {
    #[inline(always)]
    fn splat(self) -> v128 {
        f64x2_splat(self)
    }

    #[inline(always)]
    fn less(left: v128, right: v128) -> v128 {
        v128_andnot(f64x2_eq(left, left), f64x2_le(right, left))
    }

    #[inline(always)]
    fn equal(left: v128, right: v128) -> v128 {
        let neither_is_a_number = v128_or(f64x2_eq(left, left), f64x2_eq(right, right));
        v128_or(f64x2_eq(left, right), v128_not(neither_is_a_number))
    }
}

/// The right operand.
#[derive(Clone, Copy)]
pub enum Right<'a, T> {
    /// The same for every row.
    One(T),
    /// One for each row.
    Many(&'a [T]),
}

/// Compares, one bit for each row of `left`. `Right::Many` has as many rows.
pub fn compare<T: Lane>(operator: Comparison, left: &[T], right: Right<'_, T>) -> BooleanBuffer {
    // Each of the six is `less` or `equal`, of the operands as they are or swapped, as it is or negated.
    match operator {
        Comparison::Less => rows(left, right, |left, right| T::less(left, right), 0x00),
        Comparison::GreaterOrEqual => rows(left, right, |left, right| T::less(left, right), 0xff),
        Comparison::Greater => rows(left, right, |left, right| T::less(right, left), 0x00),
        Comparison::LessOrEqual => rows(left, right, |left, right| T::less(right, left), 0xff),
        Comparison::Equal => rows(left, right, |left, right| T::equal(left, right), 0x00),
        Comparison::Unequal => rows(left, right, |left, right| T::equal(left, right), 0xff),
    }
}

#[inline(always)]
fn rows<T: Lane>(left: &[T], right: Right<'_, T>, test: impl Fn(v128, v128) -> v128, negation: u8) -> BooleanBuffer {
    let negation = u16::from_le_bytes([negation; 2]);
    let mut words: Vec<u16> = Vec::with_capacity(left.len().div_ceil(16));
    let (sixteens, rest) = left.as_chunks::<16>();
    match right {
        Right::One(right) => {
            let right = right.splat();
            words.extend(sixteens.iter().map(|left| word(|pair| test(vector(left, pair), right)) ^ negation));
            if let Some(left) = padded(rest) {
                words.push(word(|pair| test(vector(&left, pair), right)) ^ negation);
            }
        }
        Right::Many(right) => {
            let (others, others_rest) = right.as_chunks::<16>();
            let both = sixteens.iter().zip(others);
            words.extend(both.map(|(left, right)| word(|pair| test(vector(left, pair), vector(right, pair))) ^ negation));
            if let (Some(left), Some(right)) = (padded(rest), padded(others_rest)) {
                words.push(word(|pair| test(vector(&left, pair), vector(&right, pair))) ^ negation);
            }
        }
    }
    BooleanBuffer::new(Buffer::from_vec(words), 0, left.len())
}

/// Sixteen answers, the first row's in the lowest bit. `answers` gives those of a pair of rows, all bits of a lane alike, so that
/// narrowing with saturation keeps them.
#[inline(always)]
fn word(answers: impl Fn(usize) -> v128) -> u16 {
    let four = |at: usize| i32x4_shuffle::<0, 2, 4, 6>(answers(at), answers(at + 1));
    let eight = |at: usize| i16x8_narrow_i32x4(four(at), four(at + 2));
    i8x16_bitmask(i8x16_narrow_i16x8(eight(0), eight(4)))
}

/// The numbers of a pair of rows.
#[inline(always)]
fn vector<T: Lane>(values: &[T; 16], pair: usize) -> v128 {
    debug_assert!(pair < 8);
    // A `Lane` is 64 bits wide, so the sixteen are eight vectors, which need no alignment.
    unsafe { v128_load(values.as_ptr().add(2 * pair).cast()) }
}

/// The last rows with some more that nobody looks at; none if there are none.
fn padded<T: Lane>(rest: &[T]) -> Option<[T; 16]> {
    let mut sixteen = [*rest.first()?; 16];
    sixteen[..rest.len()].copy_from_slice(rest);
    Some(sixteen)
}

/// Whole numbers as the floats nearest to them, two at a time, which WebAssembly has no instruction for: each half of a number goes into
/// the digits of a float whose exponent is that of its place (2⁵² for the lower, 2⁸⁴ for the upper half, whose sign counts as 2⁶³ more). Taking the
/// exponents away again is exact; the last sum rounds, once.
#[inline(always)]
pub fn floats(values: &[i64; 8]) -> [f64; 8] {
    let mut floats = [0.0; 8];
    for pair in 0..4 {
        // Both are eight numbers of 64 bits, and neither end needs an alignment.
        unsafe {
            let whole = v128_load(values.as_ptr().add(2 * pair).cast());
            v128_store(floats.as_mut_ptr().add(2 * pair).cast(), float(whole));
        }
    }
    floats
}

#[inline(always)]
fn float(whole: v128) -> v128 {
    /// 2⁵², and 2⁸⁴ + 2⁶³, as the bits of a float.
    const LOWER: i64 = 0x4330_0000_0000_0000;
    const UPPER: i64 = 0x4530_0000_8000_0000;
    /// 2⁸⁴ + 2⁶³ + 2⁵².
    const BOTH: f64 = f64::from_bits(0x4530_0000_8010_0000);
    let lower = v128_or(v128_and(whole, i64x2_splat(0xffff_ffff)), i64x2_splat(LOWER));
    let upper = v128_xor(u64x2_shr(whole, 32), i64x2_splat(UPPER));
    f64x2_add(f64x2_sub(upper, f64x2_splat(BOTH)), lower)
}
