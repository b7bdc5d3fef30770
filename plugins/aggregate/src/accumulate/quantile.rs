//! `quantile(column, share)` and `median(column)`: values counted in buckets whose width is a fixed share of what they
//! hold, as in DDSketch (Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
//! guarantees", VLDB 2019), with its linearly interpolated mapping: a bucket is the sign, the exponent and the first
//! seven bits of the mantissa, so that finding it is a shift.
//!
//! A bucket is at most 1/128 of its values wide and is represented by the least of them, hence an answer is off by less
//! than 1/128 (0.79 %) of the value that it stands for, and by nothing where a bucket holds one value: integers up to 255.
//! What is smaller than the smallest normal number (2.2e-308) counts as 0. NaN is greater than every number.
//! Nothing depends on the order of the rows. A group takes some 40 bytes for each of its buckets, 128 for each doubling
//! between its least and its greatest value.

use std::ops::Range;

use parshall_sdk::prelude::*;

use super::Accumulator;
use crate::{
    column::{each_valid, of_numbers},
    keys::{Table, mix},
    numbers::floats,
    saved::{Corrupt, Reader, Writer},
};

/// The buckets of all groups.
#[derive(Default)]
pub struct Sketch {
    groups: usize,
    table: Table,
    buckets: Vec<Bucket>,
    /// For answering: the buckets in order, and where those of each group begin.
    sorted: Option<(Vec<u32>, Vec<usize>)>,
}

#[derive(Clone, Copy)]
struct Bucket {
    /// The group's number above, the bucket's below: ascending with the values.
    key: u64,
    count: u64,
    least: f64,
}

/// Bits of the mantissa that a bucket does not tell apart.
const DROPPED: u32 = 52 - 7;

#[inline(always)]
fn bucket_of(value: f64) -> u32 {
    if value.is_nan() {
        return u32::MAX;
    }
    let bits = value.to_bits();
    // Negative numbers ascend with falling bits.
    let ascending = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    (ascending >> DROPPED) as u32
}

// === impl Sketch ===

impl Sketch {
    #[inline(always)]
    fn bucket(&mut self, key: u64, value: f64) -> &mut Bucket {
        let Self { table, buckets, .. } = self;
        let next = buckets.len() as u32;
        let number = table.find_or_enter(mix(key), next, |number| buckets[number as usize].key == key);
        if number == next {
            buckets.push(Bucket { key, count: 0, least: value });
        }
        &mut buckets[number as usize]
    }

    fn sort(&mut self) -> (Vec<u32>, Vec<usize>) {
        let mut order: Vec<u32> = (0..self.buckets.len() as u32).collect();
        order.sort_unstable_by_key(|&number| self.buckets[number as usize].key);
        let mut starts = vec![0; self.groups + 1];
        for bucket in &self.buckets {
            starts[(bucket.key >> 32) as usize + 1] += 1;
        }
        for group in 0..self.groups {
            starts[group + 1] += starts[group];
        }
        (order, starts)
    }

    /// Between the two values around it, as NumPy, Polars and `percentile_cont` of SQL have it.
    fn quantile(&self, buckets: &[u32], share: f64) -> Option<f64> {
        let buckets = || buckets.iter().map(|&number| &self.buckets[number as usize]);
        let count: u64 = buckets().map(|bucket| bucket.count).sum();
        let rank = share * count.checked_sub(1)? as f64;
        let (below, between) = (rank as u64, rank - (rank as u64) as f64);
        let at = |rank: u64| {
            let mut passed = 0;
            let reached = |bucket: &&Bucket| {
                passed += bucket.count;
                passed > rank
            };
            buckets().find(reached).map(|bucket| bucket.least)
        };
        let lower = at(below)?;
        let upper = if between == 0.0 { lower } else { at(below + 1).unwrap_or(lower) };
        Some(match (lower == upper, lower.is_finite() && upper.is_finite()) {
            (true, _) => lower,
            (false, true) => lower + between * (upper - lower),
            // There is nothing between a number and infinity.
            (false, false) if between < 0.5 => lower,
            (false, false) => upper,
        })
    }
}

impl Accumulator for Sketch {
    fn grow(&mut self, groups: usize) {
        self.groups = groups;
    }

    fn take(&mut self, groups: &[u32], column: Option<&ArrayData>) {
        let column = column.expect("the plan gives it a column");
        let values = floats(column);
        self.sorted = None;
        each_valid(groups, column.nulls(), |row, group| {
            let value = if values[row].abs() < f64::MIN_POSITIVE { 0.0 } else { values[row] };
            let bucket = self.bucket((group as u64) << 32 | u64::from(bucket_of(value)), value);
            bucket.count += 1;
            bucket.least = bucket.least.min(value);
        });
    }

    fn give(&mut self, groups: Range<usize>, share: f64) -> Result<ArrayData, StageError> {
        let (order, starts) = self.sorted.take().unwrap_or_else(|| self.sort());
        let values = groups.map(|group| self.quantile(&order[starts[group]..starts[group + 1]], share));
        let data = of_numbers(&DataType::Float64, values, f64::to_le_bytes);
        self.sorted = Some((order, starts));
        Ok(data)
    }

    fn save(&self, out: &mut Writer) {
        out.number(self.buckets.len() as u64);
        for bucket in &self.buckets {
            out.number(bucket.key);
            out.number(bucket.count);
            out.fixed(bucket.least.to_le_bytes());
        }
    }

    fn restore(&mut self, groups: usize, saved: &mut Reader) -> Result<(), Corrupt> {
        *self = Self { groups, ..Self::default() };
        for number in 0..saved.count(24)? {
            let (key, count, least) = (saved.number()?, saved.number()?, f64::from_le_bytes(saved.fixed()?));
            // A count beyond this could overflow their sum; no run has as many rows.
            let valid = key >> 32 < groups as u64 && bucket_of(least) == key as u32 && (1..=u64::from(u32::MAX) << 16).contains(&count);
            if !valid {
                return Err(Corrupt);
            }
            self.bucket(key, least).count = count;
            if self.buckets.len() != number + 1 {
                return Err(Corrupt);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(values: &[f64]) -> Sketch {
        let mut sketch = Sketch::default();
        sketch.grow(1);
        let groups = vec![0; values.len()];
        let column = of_numbers(&DataType::Float64, values.iter().map(|&value| Some(value)), f64::to_le_bytes);
        sketch.take(&groups, Some(&column));
        sketch
    }

    fn quantile(values: &[f64], share: f64) -> f64 {
        sketch(values).give(0..1, share).unwrap().buffer::<f64>(0)[0]
    }

    /// Protects against an answer that is further off than the documentation says.
    #[test]
    fn the_error_is_bounded() {
        // Spread over sixty orders of magnitude, both signs.
        let mut state = 1u64;
        let mut values: Vec<f64> = (0..10_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let size = ((state >> 33) % 200) as i32 - 100;
                let value = (1.0 + (state >> 40) as f64 / (1u64 << 24) as f64) * 2f64.powi(size);
                if state & (1 << 20) == 0 { value } else { -value }
            })
            .collect();
        let mut sketch = sketch(&values);
        values.sort_by(f64::total_cmp);
        for hundredth in 0..=100 {
            // 9,999 steps: every hundredth that is not a rank lies between two, so compare with both.
            let share = f64::from(hundredth) / 100.0;
            let found = sketch.give(0..1, share).unwrap().buffer::<f64>(0)[0];
            let rank = share * 9_999.0;
            let (lower, upper) = (values[rank.floor() as usize], values[rank.ceil() as usize]);
            assert!(found >= lower - lower.abs() / 128.0 && found <= upper + upper.abs() / 128.0, "{share}: {found}");
        }
    }

    /// Protects against small integers that come out as something else, and against infinities that turn into NaN.
    #[test]
    fn small_integers_are_exact_and_the_extremes_are_in_order() {
        let values: Vec<f64> = (-255..=255).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.5), 0.0);
        assert_eq!(quantile(&values, 0.1), -204.0);
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5), 2.5);
        assert_eq!(quantile(&[f64::NEG_INFINITY, -0.0, 7.0, f64::INFINITY, f64::NAN], 0.5), 7.0);
        assert_eq!(quantile(&[f64::NEG_INFINITY, 1.0], 0.6), 1.0);
        assert_eq!(quantile(&[f64::NEG_INFINITY, f64::INFINITY], 0.4), f64::NEG_INFINITY);
        assert!(quantile(&[1.0, f64::NAN], 1.0).is_nan());
        assert!(sketch(&[]).give(0..1, 0.5).unwrap().is_null(0));
    }
}
