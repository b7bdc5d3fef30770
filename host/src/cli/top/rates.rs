//! What the difference of two looks tells: rows in a second, how busy a stage is, and which one holds up the others.

use crate::cli::admin::shapes::{StageStatus, Status};

/// From how busy on a stage is the one that holds up the others.
const BUSY: f64 = 0.5;

/// The rates of a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Rows that went in; of an extract, that came out.
    pub rows: f64,
    /// Share of time in calls, of each instance.
    pub busy: f64,
}

/// Of all stages, since an earlier look, or since the start where there was none.
pub fn of(earlier: Option<&Status>, now: &Status) -> Vec<Rates> {
    let earlier = earlier.filter(|earlier| earlier.run.uptime_seconds < now.run.uptime_seconds);
    let seconds = now.run.uptime_seconds - earlier.map_or(0.0, |earlier| earlier.run.uptime_seconds);
    let before = |name: &str| earlier.and_then(|earlier| earlier.stages.iter().find(|stage| stage.name == name));
    let rates = |stage: &StageStatus| {
        let before = before(&stage.name);
        let rows = rows(stage).saturating_sub(before.map_or(0, rows));
        let busy = stage.busy_seconds - before.map_or(0.0, |before| before.busy_seconds);
        let seconds = seconds.max(1e-3);
        Rates { rows: rows as f64 / seconds, busy: (busy / seconds / stage.instances.max(1) as f64).clamp(0.0, 1.0) }
    };
    now.stages.iter().map(rates).collect()
}

/// Rows that have gone through.
pub fn rows(stage: &StageStatus) -> u64 {
    if stage.kind == "extract" { stage.rows_out } else { stage.rows_in }
}

/// The stage that all others wait for, if there is one: the busiest, where that is busy. Waiting for room in a queue is not being busy.
pub fn bottleneck(rates: &[Rates]) -> Option<usize> {
    let (at, busiest) = rates.iter().enumerate().max_by(|a, b| a.1.busy.total_cmp(&b.1.busy))?;
    (busiest.busy >= BUSY).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::top::state::tests::status;

    /// Protects against rates since the start where those of now are meant, and against a bottleneck where everybody waits for the source.
    #[test]
    fn rates_are_of_the_time_between_two_looks() {
        let mut earlier = status();
        let mut now = status();
        (earlier.run.uptime_seconds, now.run.uptime_seconds) = (10.0, 12.0);
        (earlier.stages[0].rows_out, now.stages[0].rows_out) = (1_000, 3_000);
        (earlier.stages[1].busy_seconds, now.stages[1].busy_seconds) = (1.0, 4.6);
        now.stages[1].instances = 2;
        let rates = of(Some(&earlier), &now);
        assert_eq!(rates[0].rows, 1_000.0);
        assert!((rates[1].busy - 0.9).abs() < 1e-9, "two instances share it");
        assert_eq!(bottleneck(&rates), Some(1));
        assert_eq!(of(None, &now)[0].rows, 250.0, "without an earlier look, since the start");
        assert_eq!(bottleneck(&[Rates { rows: 1.0, busy: 0.2 }]), None);
    }
}
