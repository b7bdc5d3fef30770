//! The buckets of a histogram, and the search for the one that a value falls into: a look at the value's bit length, and then a
//! comparison or two, instead of a walk along all bounds.

use std::sync::Arc;

/// Upper bounds of the buckets of durations, in seconds, where the pipeline file names no others.
pub const SECONDS: [f64; 21] = [
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0, 30.0, 60.0,
];
/// Upper bounds of the buckets of fuel, in units: about an executed instruction each.
pub const FUEL: [f64; 13] = [1e3, 1e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9, 1e10, 1e11];
/// Upper bounds of the buckets of linear memory, in bytes: a page of WebAssembly to all that 32 bits address.
pub const MEMORY: [f64; 9] =
    [65_536.0, 262_144.0, 1_048_576.0, 4_194_304.0, 16_777_216.0, 67_108_864.0, 268_435_456.0, 1_073_741_824.0, 4_294_967_296.0];
/// Upper bounds of the buckets of what a guest observes: nobody knows the unit, so decades.
pub const DECADES: [f64; 16] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// The most buckets of a histogram of a call, with the one above all bounds: the pipeline file may name 64 bounds.
pub const MOST: usize = 65;

/// Nanoseconds in a second: durations are counted in whole nanoseconds.
pub const NANOS: f64 = 1e9;

/// The scales of a run.
#[derive(Clone)]
pub struct Scales {
    /// Of durations: the pipeline file's, or the default ones.
    pub seconds: Arc<Scale>,
    /// Of fuel.
    pub fuel: Arc<Scale>,
    /// Of linear memory.
    pub memory: Arc<Scale>,
}

/// Buckets over whole numbers.
#[derive(Debug)]
pub struct Scale {
    /// Upper bounds as they are exposed.
    pub exposed: Vec<f64>,
    /// Whole numbers in one of what is exposed: 10⁹ nanoseconds in a second.
    pub unit: f64,
    bounds: Box<[u64]>,
    /// For each bit length, the bounds that a value of that length may have to be compared with.
    by_length: [(u8, u8); 65],
}

impl Scales {
    /// With these bounds for durations, in seconds; the default ones if there are none.
    pub fn new(seconds: &[f64]) -> Self {
        let seconds = if seconds.is_empty() { &SECONDS } else { seconds };
        Scales {
            seconds: Arc::new(Scale::new(seconds, NANOS)),
            fuel: Arc::new(Scale::new(&FUEL, 1.0)),
            memory: Arc::new(Scale::new(&MEMORY, 1.0)),
        }
    }
}

impl Scale {
    /// Of these bounds, ascending; more than there may be are left out.
    pub fn new(exposed: &[f64], unit: f64) -> Self {
        let bounds: Box<[u64]> = exposed.iter().take(MOST - 1).map(|bound| (bound * unit).round() as u64).collect();
        let by_length = std::array::from_fn(|length| {
            let least = if length == 0 { 0 } else { 1u64 << (length - 1) };
            let most = if length == 0 { 0 } else { least | (least - 1) };
            (bounds.partition_point(|bound| *bound < least) as u8, bounds.partition_point(|bound| *bound < most) as u8)
        });
        Scale { exposed: exposed[..bounds.len()].to_vec(), unit, bounds, by_length }
    }

    /// Buckets, with the one for what is above all bounds.
    pub fn buckets(&self) -> usize {
        self.bounds.len() + 1
    }

    /// The first bucket whose bound is not below the value.
    #[inline]
    pub fn bucket(&self, value: u64) -> usize {
        let (from, to) = self.by_length[64 - value.leading_zeros() as usize];
        let (mut at, to) = (from as usize, to as usize);
        while at < to && value > self.bounds[at] {
            at += 1;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects the shortcut: it must find what a walk along all bounds finds.
    #[test]
    fn the_bucket_is_the_one_that_a_walk_would_find() {
        let dense: Vec<f64> = (1..=64).map(|n| 1.0 + f64::from(n) / 1000.0).collect();
        for (exposed, unit) in [(&SECONDS[..], NANOS), (&FUEL, 1.0), (&MEMORY, 1.0), (&dense, NANOS), (&[0.5], NANOS)] {
            let scale = Scale::new(exposed, unit);
            let near = scale.bounds.iter().flat_map(|bound| [bound - 1, *bound, bound + 1]);
            for value in near.chain([0, 1, 2, 3, u64::MAX]).chain((0..64).map(|bit| 1u64 << bit)) {
                let walked = scale.bounds.iter().position(|bound| value <= *bound).unwrap_or(scale.bounds.len());
                assert_eq!(scale.bucket(value), walked, "{value} among {:?}", scale.bounds);
            }
        }
    }
}
