//! cost = call + row × rows.

use serde::Serialize;

use super::estimate::{Estimate, Interval};

/// What a call costs whatever it is given, and what each row adds.
#[derive(Clone, Debug)]
pub struct Fit {
    /// Of a call without rows.
    pub call: Estimate,
    /// Of a row.
    pub row: Estimate,
}

/// A fit as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Of a call without rows, in seconds.
    pub call: Interval,
    /// Of a row, in seconds.
    pub row: Interval,
}

/// The least squares of what is left of each cost, as a share of `scale`: 1 % of a batch of one row counts as much as 1 % of a batch of
/// 65,536, where absolute squares would see only the latter. Needs two sizes; nothing otherwise.
pub fn fit(sizes: &[usize], costs: &[&Estimate], scale: &[&Estimate]) -> Option<Fit> {
    let (first, others) = sizes.split_first()?;
    if others.iter().all(|size| size == first) {
        return None;
    }
    let both: Vec<&Estimate> = costs.iter().chain(scale).copied().collect();
    let solve = |numbers: &[f64]| line(sizes, &numbers[..sizes.len()], &numbers[sizes.len()..]);
    Some(Fit { call: Estimate::of(&both, |numbers| solve(numbers).0), row: Estimate::of(&both, |numbers| solve(numbers).1) })
}

/// Weighted least squares of a line.
fn line(sizes: &[usize], costs: &[f64], scale: &[f64]) -> (f64, f64) {
    let [mut w, mut wx, mut wy, mut wxx, mut wxy] = [0.0; 5];
    for ((size, y), scale) in sizes.iter().zip(costs).zip(scale) {
        let (x, weight) = (*size as f64, 1.0 / (scale * scale));
        w += weight;
        wx += weight * x;
        wy += weight * y;
        wxx += weight * x * x;
        wxy += weight * x * y;
    }
    let row = (w * wxy - wx * wy) / (w * wxx - wx * wx);
    ((wy - row * wx) / w, row)
}

impl Fit {
    /// Both with their intervals.
    pub fn line(&self) -> Line {
        Line { call: self.call.interval(), row: self.row.interval() }
    }

    /// From how many rows on this is at most a `share` of `whole`: 1 if it always is, infinity if it never comes to be.
    pub fn within(&self, whole: &Fit, share: f64) -> Estimate {
        Estimate::of(&[&self.call, &self.row, &whole.call, &whole.row], |numbers| {
            let &[call, row, whole_call, whole_row] = numbers else { return f64::NAN };
            let (too_much, falls) = (call - share * whole_call, share * whole_row - row);
            match too_much <= 0.0 {
                true if falls >= 0.0 => 1.0,
                false if falls > 0.0 => (too_much / falls).max(1.0),
                _ => f64::INFINITY,
            }
        })
    }
}
