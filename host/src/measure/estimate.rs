//! A figure with what is not known about it.

use serde::Serialize;

use super::random::Random;

/// How often a figure is drawn anew: enough for the ends of a 95 % interval to stand still in their second digit.
const DRAWS: usize = 999;
/// Every estimate begins its own sequence here, so that the same times always say the same.
const SEED: u64 = 0x5eed;

/// Where a figure lies: its middle, and the 95 % interval around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// 2.5 % of the draws are below.
    pub low: f64,
    /// What is told where one number is told.
    pub median: f64,
    /// 2.5 % of the draws are above.
    pub high: f64,
}

impl Interval {
    /// Whether a number lies within.
    pub fn holds(&self, number: f64) -> bool {
        self.low <= number && number <= self.high
    }
}

/// A figure, and the same figure drawn again and again from what was measured (Efron's bootstrap, 1979). Figures can be computed with:
/// the draws of what comes of it come of the draws of what it was made from.
#[derive(Clone, Debug)]
pub struct Estimate {
    middle: f64,
    draws: Vec<f64>,
}

impl Estimate {
    /// The median of some values. `stream` keeps the draws of one measurement independent of those of another.
    pub fn median(values: &[f64], stream: u64) -> Self {
        let mut random = Random::seeded(SEED ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut picked = vec![0.0; values.len()];
        let mut draw = |_| {
            picked.iter_mut().for_each(|place| *place = values[random.below(values.len())]);
            median(&mut picked)
        };
        let draws = if values.is_empty() { vec![f64::NAN; DRAWS] } else { (0..DRAWS).map(&mut draw).collect() };
        Estimate { middle: median(&mut values.to_vec()), draws }
    }

    /// A number that is known.
    pub fn exactly(number: f64) -> Self {
        Estimate { middle: number, draws: vec![number; DRAWS] }
    }

    /// What comes of several figures.
    pub fn of(figures: &[&Estimate], number: impl Fn(&[f64]) -> f64) -> Self {
        let row = |pick: &dyn Fn(&Estimate) -> f64| number(&figures.iter().map(|figure| pick(figure)).collect::<Vec<_>>());
        let draws = (0..DRAWS).map(|draw| row(&|figure| figure.draws[draw])).collect();
        Estimate { middle: row(&|figure| figure.middle), draws }
    }

    /// The sum of figures.
    pub fn sum<'a>(figures: impl IntoIterator<Item = &'a Estimate>) -> Self {
        Estimate::of(&figures.into_iter().collect::<Vec<_>>(), |numbers| numbers.iter().sum())
    }

    /// This one as a share of another.
    pub fn share_of(&self, whole: &Estimate) -> Self {
        Estimate::of(&[self, whole], |numbers| numbers[0] / numbers[1])
    }

    /// The one number.
    pub fn middle(&self) -> f64 {
        self.middle
    }

    /// The number and its 95 % interval.
    pub fn interval(&self) -> Interval {
        let mut sorted = self.draws.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
        // The middle of what was measured may lie outside of few draws: the interval is around it nevertheless.
        Interval { low: at(0.025).min(self.middle), median: self.middle, high: at(0.975).max(self.middle) }
    }
}

/// The middle one; of an even number, halfway between the two. Not a number when there is none. Changes the order.
pub fn median(values: &mut [f64]) -> f64 {
    let count = values.len();
    if count == 0 {
        return f64::NAN;
    }
    let (below, upper, _) = values.select_nth_unstable_by(count / 2, f64::total_cmp);
    let upper = *upper;
    if count % 2 == 1 {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::MIN, f64::max);
    lower + (upper - lower) / 2.0
}
