//! Loops over values, eight at a time: what a turn of a loop costs in the sandbox, where each asks for the deadline and counts fuel, is
//! shared by eight, and what is the same work for all of them becomes that of vectors.

use std::mem::MaybeUninit;

use arrow_buffer::{ArrowNativeType, ScalarBuffer};

pub const EIGHT: usize = 8;

/// A value for each value.
#[inline(always)]
pub fn mapped<T: Copy, U: ArrowNativeType>(values: &[T], compute: impl Fn(T) -> U) -> ScalarBuffer<U> {
    let (eights, rest) = values.as_chunks::<EIGHT>();
    made(values.len(), |places, last| {
        for (places, values) in places.iter_mut().zip(eights) {
            for (place, value) in places.iter_mut().zip(values) {
                place.write(compute(*value));
            }
        }
        for (place, value) in last.iter_mut().zip(rest) {
            place.write(compute(*value));
        }
    })
}

/// A value for each pair of values. There are as many of both.
#[inline(always)]
pub fn zipped<T: Copy, S: Copy, U: ArrowNativeType>(left: &[T], right: &[S], compute: impl Fn(T, S) -> U) -> ScalarBuffer<U> {
    assert_eq!(left.len(), right.len());
    let ((lefts, left_rest), (rights, right_rest)) = (left.as_chunks::<EIGHT>(), right.as_chunks::<EIGHT>());
    made(left.len(), |places, last| {
        for ((places, left), right) in places.iter_mut().zip(lefts).zip(rights) {
            for ((place, left), right) in places.iter_mut().zip(left).zip(right) {
                place.write(compute(*left, *right));
            }
        }
        for ((place, left), right) in last.iter_mut().zip(left_rest).zip(right_rest) {
            place.write(compute(*left, *right));
        }
    })
}

/// A value for each pair of values, each of which is first made a float: eight at a time.
#[inline(always)]
pub fn floated<T: Copy + Default, S: Copy + Default>(
    left: &[T],
    right: &[S],
    lefts: impl Fn(&[T; EIGHT]) -> [f64; EIGHT],
    rights: impl Fn(&[S; EIGHT]) -> [f64; EIGHT],
    compute: impl Fn(f64, f64) -> f64,
) -> ScalarBuffer<f64> {
    assert_eq!(left.len(), right.len());
    let ((left_eights, left_rest), (right_eights, right_rest)) = (left.as_chunks::<EIGHT>(), right.as_chunks::<EIGHT>());
    made(left.len(), |places, last| {
        for ((places, left), right) in places.iter_mut().zip(left_eights).zip(right_eights) {
            for ((place, left), right) in places.iter_mut().zip(lefts(left)).zip(rights(right)) {
                place.write(compute(left, right));
            }
        }
        let (left, right) = (lefts(&padded(left_rest)), rights(&padded(right_rest)));
        for ((place, left), right) in last.iter_mut().zip(left).zip(right) {
            place.write(compute(left, right));
        }
    })
}

/// The last values, with some more that nobody looks at.
fn padded<T: Copy + Default>(rest: &[T]) -> [T; EIGHT] {
    let mut eight = [T::default(); EIGHT];
    eight[..rest.len()].copy_from_slice(rest);
    eight
}

/// So many values, of which `write` writes every one: eights, and what is left of the last.
#[inline(always)]
fn made<U: ArrowNativeType>(count: usize, write: impl FnOnce(&mut [[MaybeUninit<U>; EIGHT]], &mut [MaybeUninit<U>])) -> ScalarBuffer<U> {
    let mut values = Vec::with_capacity(count);
    let (eights, last) = values.spare_capacity_mut()[..count].as_chunks_mut::<EIGHT>();
    write(eights, last);
    // SAFETY: all callers write into each of the `count` places.
    unsafe { values.set_len(count) };
    values.into()
}

#[cfg(test)]
mod tests {
    use super::{super::lanes::floats, *};

    /// Protects against a place that is written by nobody, or twice.
    #[test]
    fn every_value_is_in_its_place_at_every_length() {
        for count in 0..40i64 {
            let left: Vec<i64> = (0..count).collect();
            let right: Vec<i64> = (0..count).map(|value| value * 100).collect();
            assert_eq!(*mapped(&left, |value| value + 1), (1..=count).collect::<Vec<_>>());
            assert_eq!(*zipped(&left, &right, |left, right| left + right), (0..count).map(|value| value * 101).collect::<Vec<_>>());
            assert_eq!(
                *floated(&left, &right, floats, floats, |left, right| left + right),
                (0..count).map(|value| (value * 101) as f64).collect::<Vec<_>>()
            );
        }
    }
}
