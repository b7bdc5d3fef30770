//! Where did every row go?

use super::WINDOW;
use crate::telemetry::{
    dashboards::{
        board::Row,
        panel::Panel,
        promql::{rate, seen_of_stage, sum},
    },
    names::{label, metric},
};

pub fn row() -> Row {
    const STAGE: &[&str] = &[label::STAGE];
    let panels = vec![
        Panel::lines("Rows by outcome", "Rows a second by where they went, over the chosen stages: kept, filtered, rejected, held (an aggregate answers for them at the end), failed. Choose one stage to see its own.")
            .unit("rowsps")
            .stacked()
            .query("{{outcome}}", sum(&[label::OUTCOME], rate(&seen_of_stage(metric::ROWS), WINDOW))),
        Panel::lines("Rows in flight", "Rows that have arrived at a stage and of which nothing is known yet. Grows without end only if queues do.")
            .query("{{stage}}", sum(STAGE, seen_of_stage(metric::ROWS_IN_FLIGHT))),
        Panel::lines("Rows that arrive", "Rows a second that are sent to each stage; for an extract, that it brings in. In a chain, a stage's line is what the one before it kept.")
            .unit("rowsps")
            .query("{{stage}}", sum(STAGE, rate(&seen_of_stage(metric::ROWS_ARRIVED), WINDOW))),
        Panel::lines("Unaccounted rows", "Arrived, less everything that is known of them. Anything but 0 is a bug of the host: stop the run with Ctrl-C twice, keep its report, and report it.")
            .red_from(1.0)
            .query("{{stage}}", sum(STAGE, format!("abs({})", seen_of_stage(metric::IMBALANCE)))),
    ];
    Row { title: "Row ledger", panels }
}
