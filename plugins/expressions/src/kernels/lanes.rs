//! Comparisons of 64-bit numbers with WebAssembly's 128-bit vectors: two rows at a time, and no bit is moved alone.
//! Twice as fast as what the compiler makes of [`super::bits`].

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
    let mut bytes = Vec::with_capacity(left.len().div_ceil(8));
    let (eights, rest) = left.as_chunks::<8>();
    match right {
        Right::One(right) => {
            let right = [right.splat(); 4];
            bytes.extend(eights.iter().map(|left| byte(vectors(left), right, &test) ^ negation));
            if let Some(left) = padded(rest) {
                bytes.push(byte(vectors(&left), right, &test) ^ negation);
            }
        }
        Right::Many(right) => {
            let (others, others_rest) = right.as_chunks::<8>();
            bytes.extend(eights.iter().zip(others).map(|(left, right)| byte(vectors(left), vectors(right), &test) ^ negation));
            if let (Some(left), Some(right)) = (padded(rest), padded(others_rest)) {
                bytes.push(byte(vectors(&left), vectors(&right), &test) ^ negation);
            }
        }
    }
    BooleanBuffer::new(Buffer::from_vec(bytes), 0, left.len())
}

/// Eight answers, the first row's in the lowest bit.
#[inline(always)]
fn byte(left: [v128; 4], right: [v128; 4], test: impl Fn(v128, v128) -> v128) -> u8 {
    let pair = |at: usize| i64x2_bitmask(test(left[at], right[at]));
    pair(0) | pair(1) << 2 | pair(2) << 4 | pair(3) << 6
}

/// Eight numbers of 64 bits as four vectors.
#[inline(always)]
fn vectors<T: Lane>(values: &[T; 8]) -> [v128; 4] {
    // A `Lane` is 64 bits wide, so the eight are as long as the four vectors, which need no alignment.
    let at = |pair: usize| unsafe { v128_load(values.as_ptr().add(2 * pair).cast()) };
    [at(0), at(1), at(2), at(3)]
}

/// The last rows with some more that nobody looks at; none if there are none.
fn padded<T: Lane>(rest: &[T]) -> Option<[T; 8]> {
    let mut eight = [*rest.first()?; 8];
    eight[..rest.len()].copy_from_slice(rest);
    Some(eight)
}
