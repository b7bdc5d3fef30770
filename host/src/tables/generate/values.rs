//! A column's values for a run of rows.

use std::{sync::Arc, time::SystemTime};

use arrow::{
    array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, StringBuilder, TimestampMicrosecondArray, make_array},
    buffer::{BooleanBuffer, NullBuffer, ScalarBuffer},
};

use super::{
    column::{Choice, Column, Kind},
    draws::{Draws, below, further, unit},
};

/// Bytes of a word of `words` with the space before it, at most.
pub const WORD_BYTES: u64 = 9;
/// 64 of them: six bits choose one.
const WORDS: [&str; 64] = [
    "amber", "anchor", "apple", "arrow", "basin", "beacon", "birch", "bridge", "brook", "canal", "cedar", "channel", "clay", "cliff",
    "cloud", "copper", "coral", "creek", "dawn", "delta", "dune", "ember", "falcon", "fern", "field", "flint", "flume", "forest", "frost",
    "gate", "glacier", "gorge", "granite", "harbour", "hazel", "heron", "hill", "iron", "island", "ivory", "lake", "lantern", "ledge",
    "maple", "marsh", "meadow", "mist", "moss", "oak", "otter", "pebble", "pine", "plain", "quartz", "rain", "reed", "ridge", "river",
    "sand", "slate", "spring", "stone", "valley", "willow",
];
/// 32 of them: five bits choose one (RFC 4648, base 32, in lower case).
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl Column {
    /// The values of `rows` rows from number `first` on.
    pub fn values(&self, first: u64, rows: usize) -> ArrayRef {
        let rows = first..first.saturating_add(rows as u64);
        let array = self.all(rows.clone());
        if self.null_share == 0.0 || rows.is_empty() {
            return array;
        }
        let draws = self.draws.aside();
        let count = (rows.end - rows.start) as usize;
        let valid = BooleanBuffer::collect_bool(count, |row| draws.unit(rows.start + row as u64) >= self.null_share);
        let data = array.to_data().into_builder().nulls(Some(NullBuffer::new(valid)));
        // Only what is null changes, and the bitmap has a bit for each value.
        make_array(data.build().expect("an array stays one with another bitmap of its length"))
    }

    fn all(&self, rows: std::ops::Range<u64>) -> ArrayRef {
        let draws = self.draws;
        match &self.kind {
            Kind::Sequence { start, step } => Arc::new(Int64Array::new(series(rows, *start, *step), None)),
            Kind::Timestamp { start, step } => instants(series(rows, *start, *step)),
            Kind::Now => instants(
                rows.map({
                    let now = now();
                    move |_| now
                })
                .collect(),
            ),
            Kind::Uniform { min, max } => {
                let width = max - min;
                Arc::new(Float64Array::from_iter_values(rows.map(|row| min + width * draws.unit(row))))
            }
            Kind::Integer { min, max } => {
                let span = max.abs_diff(*min) as u128 + 1;
                Arc::new(Int64Array::from_iter_values(rows.map(|row| min.wrapping_add_unsigned(below(draws.bits(row), span)))))
            }
            Kind::Normal { mean, deviation } => {
                Arc::new(Float64Array::from_iter_values(rows.map(|row| mean + deviation * normal(draws.bits(row)))))
            }
            Kind::Choice(choice) => choice.values(rows, draws),
            Kind::Words { length } => words(rows, *length, draws),
            Kind::Text { length } => letters(rows, *length as usize, draws),
            Kind::Boolean { share } => {
                let first = rows.start;
                let count = (rows.end - first) as usize;
                Arc::new(BooleanArray::from(BooleanBuffer::collect_bool(count, |row| draws.unit(first + row as u64) < *share)))
            }
        }
    }
}

/// Beyond the bounds of 64 bits, a series goes on at their other end.
fn series(rows: std::ops::Range<u64>, start: i64, step: i64) -> ScalarBuffer<i64> {
    let first = start.wrapping_add(step.wrapping_mul(rows.start as i64));
    (0..rows.end.saturating_sub(rows.start) as i64).map(|row| first.wrapping_add(step.wrapping_mul(row))).collect()
}

fn instants(micros: ScalarBuffer<i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::new(micros, None).with_timezone("UTC"))
}

fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// A draw from the standard normal distribution (Box and Muller 1958).
fn normal(bits: u64) -> f64 {
    // From 0 (excluded) to 1 (included): the logarithm of 0 is not finite.
    let radius = (-2.0 * (1.0 - unit(bits)).ln()).sqrt();
    radius * (std::f64::consts::TAU * unit(further(bits, 1))).cos()
}

fn words(rows: std::ops::Range<u64>, length: u64, draws: Draws) -> ArrayRef {
    let mut texts = StringBuilder::new();
    let mut text = String::new();
    for row in rows {
        let mut bits = draws.bits(row);
        text.clear();
        for number in 0..length {
            // Ten words use up the bits of a draw.
            if number > 0 && number % 10 == 0 {
                bits = further(draws.bits(row), number);
            }
            if number > 0 {
                text.push(' ');
            }
            text.push_str(WORDS[(bits & 63) as usize]);
            bits >>= 6;
        }
        texts.append_value(&text);
    }
    Arc::new(texts.finish())
}

fn letters(rows: std::ops::Range<u64>, length: usize, draws: Draws) -> ArrayRef {
    let mut texts = StringBuilder::new();
    let mut text = String::with_capacity(length);
    for row in rows {
        let mut bits = draws.bits(row);
        text.clear();
        for number in 0..length {
            if number > 0 && number % 12 == 0 {
                bits = further(draws.bits(row), number as u64);
            }
            text.push(LETTERS[(bits & 31) as usize] as char);
            bits >>= 5;
        }
        texts.append_value(&text);
    }
    Arc::new(texts.finish())
}

impl Choice {
    fn values(&self, rows: std::ops::Range<u64>, draws: Draws) -> ArrayRef {
        // Rounding may leave the last sum a little below 1.
        let last = self.values.len() - 1;
        let pick = |row| self.values[self.up_to.partition_point(|up_to| *up_to <= draws.unit(row)).min(last)].as_str();
        Arc::new(StringArray::from_iter_values(rows.map(pick)))
    }
}
