//! The columns of the table, and which of them there is room for.

use super::rates::{self, Rates};
use crate::cli::{admin::shapes::StageStatus, amount};

/// Least width of the names' column.
const NAME: usize = 12;
/// Least width of the last column, which takes what is left.
const REST: usize = 16;

/// A column.
pub struct Column {
    /// Its title.
    pub title: &'static str,
    /// Its width.
    pub width: usize,
    /// The lower, the later it gives way.
    rank: u8,
    /// What stands in it.
    pub text: fn(&StageStatus, Rates) -> String,
}

/// All columns beside the names, from left to right.
const ALL: [Column; 13] = [
    Column { title: "ROWS/S", width: 7, rank: 0, text: |_, rates| amount::short(rates.rows.round() as u64) },
    Column { title: "BUSY", width: 5, rank: 1, text: |_, rates| format!("{:.0} %", 100.0 * rates.busy) },
    Column { title: "P50", width: 8, rank: 11, text: |stage, _| took(stage, stage.call_seconds.p50) },
    Column { title: "P95", width: 8, rank: 2, text: |stage, _| took(stage, stage.call_seconds.p95) },
    Column { title: "P99", width: 8, rank: 10, text: |stage, _| took(stage, stage.call_seconds.p99) },
    Column { title: "QUEUE", width: 5, rank: 3, text: |stage, _| filled(stage) },
    Column { title: "WAITING", width: 8, rank: 9, text: |stage, _| stage.queue.map_or("-".into(), |queue| amount::bytes(queue.bytes)) },
    Column { title: "FUEL/ROW", width: 8, rank: 5, text: |stage, _| amount::short(stage.fuel_per_row.round() as u64) },
    Column { title: "MEMORY", width: 8, rank: 6, text: |stage, _| amount::bytes(stage.memory_peak_bytes) },
    Column { title: "GEN", width: 4, rank: 4, text: |stage, _| stage.generation.to_string() },
    Column { title: "ROWS", width: 8, rank: 8, text: |stage, _| amount::short(rates::rows(stage)) },
    Column { title: "REJECTED", width: 8, rank: 7, text: |stage, _| amount::short(stage.rows_rejected) },
    Column { title: "INST", width: 4, rank: 12, text: |stage, _| stage.instances.to_string() },
];

/// What was never called took no time, not a short one.
fn took(stage: &StageStatus, seconds: f64) -> String {
    if stage.calls == 0 { "-".to_owned() } else { amount::seconds(seconds) }
}

fn filled(stage: &StageStatus) -> String {
    let share = |queue: crate::cli::admin::shapes::QueueStatus| 100.0 * queue.bytes as f64 / queue.bound_bytes.max(1) as f64;
    // A queue always admits one batch, however large.
    stage.queue.map_or("-".to_owned(), |queue| format!("{:.0} %", share(queue).min(999.0)))
}

/// What there is room for.
pub struct Fitting {
    /// Width of the names' column.
    pub name: usize,
    /// The columns beside it, from left to right; each has a space in front.
    pub columns: Vec<&'static Column>,
    /// Width of the last error; none where there is no room for it.
    pub rest: Option<usize>,
}

/// Chooses for a width, and the longest name. What is more important is there before names are written out.
pub fn fitting(width: usize, longest: usize) -> Fitting {
    let least = NAME.min(longest.max(1));
    let mut ranked: Vec<&Column> = ALL.iter().collect();
    ranked.sort_by_key(|column| column.rank);
    let (mut left, mut chosen) = (width.saturating_sub(least), Vec::new());
    for column in ranked {
        // The last error is as important as what comes after the first seven.
        let kept = if column.rank > 6 { REST + 1 + longest.min(2 * NAME) - least.min(longest) } else { 0 };
        if column.width + 1 + kept > left {
            break;
        }
        left -= column.width + 1;
        chosen.push(column.rank);
    }
    let name = longest.min(least + left).max(least);
    let left = left - (name - least);
    Fitting { name, columns: ALL.iter().filter(|column| chosen.contains(&column.rank)).collect(), rest: (left > REST).then(|| left - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects narrow terminals against lines that do not fit, and wide ones against wasted room.
    #[test]
    fn what_matters_most_gives_way_last() {
        for (longest, width) in (1..60).flat_map(|longest| (20..240).map(move |width| (longest, width))) {
            let Fitting { name, columns, rest } = fitting(width, longest);
            let used = name + columns.iter().map(|column| column.width + 1).sum::<usize>() + rest.map_or(0, |rest| rest + 1);
            assert!(used <= width, "{used} > {width} for names of {longest}");
        }
        let titles = |width| fitting(width, 14).columns.iter().map(|column| column.title).collect::<Vec<_>>();
        let seven = ["ROWS/S", "BUSY", "P95", "QUEUE", "FUEL/ROW", "MEMORY", "GEN"];
        assert_eq!(titles(78), seven);
        assert_eq!(titles(158).len(), ALL.len());
        assert_eq!(titles(40), ["ROWS/S", "BUSY", "P95"]);
        assert_eq!((fitting(78, 14).rest, fitting(158, 14).rest.is_some()), (None, true));
    }
}
