//! Whether what a new version's calls came to is as good as what the old one's did.

use super::{Cause, SwapSettings};
use crate::pipeline::run::Tally;

/// What speaks against the new version, if anything. Where either has seen no rows there is nothing to compare.
pub fn judge(settings: &SwapSettings, old: &Tally, new: &Tally) -> Option<Cause> {
    if old.rows == 0 || new.rows == 0 {
        return None;
    }
    let (share, before, allowed) = (new.rejected_share(), old.rejected_share(), settings.rejects);
    if share > before + allowed {
        return Some(Cause::Rejects { share, before, allowed });
    }
    let exceeds = |allowed: Option<f64>, new: f64, old: f64| {
        let (allowed, factor) = (allowed?, new / old.max(f64::MIN_POSITIVE));
        (factor > allowed).then_some((factor, allowed))
    };
    // Where calls of either count no fuel, there is nothing to compare.
    let counted = old.fuel > 0 && new.fuel > 0;
    if let Some((factor, allowed)) = exceeds(settings.fuel.filter(|_| counted), new.fuel_per_row(), old.fuel_per_row()) {
        return Some(Cause::Fuel { factor, allowed });
    }
    if let Some((factor, allowed)) = exceeds(settings.memory, new.memory as f64, old.memory as f64) {
        return Some(Cause::Memory { factor, allowed });
    }
    let (factor, allowed) = exceeds(settings.slower, new.seconds_per_row(), old.seconds_per_row())?;
    Some(Cause::Slower { factor, allowed })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn tally(rejected: u64, fuel: u64, millis: u64, memory: u64) -> Tally {
        Tally { batches: 1, rows: 100, rejected, fuel, time: Duration::from_millis(millis), memory }
    }

    /// Protects each cause against being looked for in the wrong number, and against speaking where it was not asked.
    #[test]
    fn each_factor_is_judged_by_its_own_number() {
        let old = tally(0, 1_000, 10, 1_000);
        let judged = |settings: SwapSettings, new: Tally| judge(&settings, &old, &new).map(|cause| cause.reason());
        let none = SwapSettings::default();
        assert_eq!(judged(none, tally(10, 9_000, 90, 9_000)), None, "only rejections are judged unless more is asked for");
        assert_eq!(judged(none, tally(11, 1_000, 10, 1_000)), Some("rejects"));
        assert_eq!(judged(SwapSettings { fuel: Some(2.0), ..none }, tally(0, 2_001, 10, 1_000)), Some("fuel"));
        assert_eq!(judged(SwapSettings { fuel: Some(2.0), ..none }, tally(0, 2_000, 90, 9_000)), None);
        assert_eq!(judged(SwapSettings { memory: Some(1.5), ..none }, tally(0, 1_000, 10, 1_501)), Some("memory"));
        assert_eq!(judged(SwapSettings { slower: Some(1.5), ..none }, tally(0, 1_000, 16, 1_000)), Some("slower"));
        assert_eq!(judged(SwapSettings { slower: Some(1.5), ..none }, tally(0, 1_000, 15, 1_000)), None);
    }

    /// Protects a swap before the first batch: nothing is infinitely slower than nothing.
    #[test]
    fn without_rows_there_is_nothing_to_compare() {
        let settings = SwapSettings { slower: Some(1.0), fuel: Some(1.0), memory: Some(1.0), rejects: 0.0, ..SwapSettings::default() };
        assert!(judge(&settings, &Tally::default(), &tally(50, 1, 1, 1)).is_none());
        assert!(judge(&settings, &tally(0, 1, 1, 1), &Tally::default()).is_none());
    }
}
