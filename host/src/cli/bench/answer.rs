//! One line: what does tracing cost me, and from which batch size on is it under 1 %?

use crate::{
    bench::{Report, Total},
    cli::amount,
    measure::{Interval, Verdict},
};

/// The answer.
pub fn answer(report: &Report) -> String {
    let nearest = report.nearest_rows();
    let Some(total) = report.total.iter().find(|total| total.rows == nearest) else { return "Nothing was measured.".into() };
    format!("{}; {}.", cost(total, report.stages.len()), from(report.one_percent_from_rows))
}

fn cost(total: &Total, stages: usize) -> String {
    let through = format!("a batch of {} through {}", amount::of(total.rows as u64, "row"), amount::of(stages as u64, "transform"));
    match total.verdict {
        Verdict::Slower => format!(
            "Tracing costs {} for {through}, {} of it ({} to {})",
            amount::seconds(total.tracing.median),
            percent(total.share.median),
            percent(total.share.low),
            percent(total.share.high)
        ),
        _ => {
            let most = total.share.high.max(total.floor);
            let seconds = amount::seconds(most * total.untraced.median);
            format!("Tracing costs less than this machine can tell apart for {through}: at most {} of it, {seconds}", percent(most))
        }
    }
}

fn from(rows: Option<Interval>) -> String {
    let count = |rows: f64| amount::count(rows.ceil() as u64);
    match rows {
        None => "from which size on it is under 1 % takes several --batch-rows to say".into(),
        Some(rows) if !rows.median.is_finite() => "it does not come to be under 1 % at any size".into(),
        Some(rows) if rows.high <= 1.0 => "it is under 1 % at every size".into(),
        Some(rows) => {
            let high = if rows.high.is_finite() {
                format!("{} to {}", count(rows.low), count(rows.high))
            } else {
                format!("{} or more", count(rows.low))
            };
            format!("it is under 1 % from {} a batch on ({high})", amount::of(rows.median.ceil() as u64, "row"))
        }
    }
}

/// A share, to two digits that mean something.
pub fn percent(share: f64) -> String {
    let number = 100.0 * share;
    match number.abs() {
        small if small < 0.995 => format!("{number:.2} %"),
        small if small < 9.95 => format!("{number:.1} %"),
        _ => format!("{number:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exactly(number: f64) -> Interval {
        Interval { low: number, median: number, high: number }
    }

    fn total(tracing: f64, verdict: Verdict) -> Total {
        let untraced = exactly(1e-4);
        let share = Interval { low: tracing / 1e-4 * 0.9, median: tracing / 1e-4, high: tracing / 1e-4 * 1.1 };
        Total { rows: 8_192, untraced, tracing: exactly(tracing), share, floor: 0.005, verdict }
    }

    /// Protects against an answer that claims more than was found.
    #[test]
    fn it_says_no_more_than_was_found() {
        assert_eq!(
            cost(&total(1e-6, Verdict::Slower), 3),
            "Tracing costs 1.00 µs for a batch of 8,192 rows through 3 transforms, 1.0 % of it (0.90 % to 1.1 %)"
        );
        assert_eq!(
            cost(&total(1e-7, Verdict::Same), 1),
            "Tracing costs less than this machine can tell apart for a batch of 8,192 rows through 1 transform: at most 0.50 % of it, 500 ns"
        );
        let of = |low, median, high| from(Some(Interval { low, median, high }));
        assert_eq!(of(1_000.2, 1_500.0, 2_000.0), "it is under 1 % from 1,500 rows a batch on (1,001 to 2,000)");
        assert_eq!(of(1_000.0, 1_500.0, f64::INFINITY), "it is under 1 % from 1,500 rows a batch on (1,000 or more)");
        assert_eq!(
            (of(1.0, 1.0, 1.0), of(9.0, f64::INFINITY, f64::INFINITY)),
            ("it is under 1 % at every size".into(), "it does not come to be under 1 % at any size".into())
        );
        assert!(from(None).contains("--batch-rows"));
        assert_eq!([0.0123, 0.1, 0.0012].map(percent), ["1.2 %", "10 %", "0.12 %"]);
    }
}
