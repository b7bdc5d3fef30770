//! How much flows?

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
    let rows = seen_of_stage(metric::ROWS_PROCESSED);
    let panels = vec![
        Panel::lines("Rows by stage", "Rows a second that each stage works on. Where a line falls away from the one before it, rows are filtered, rejected or wait.")
            .unit("rowsps")
            .query("{{stage}}", sum(&[label::STAGE], rate(&rows, WINDOW))),
        Panel::lines("Rows by source", "Rows a second by the extract that they come from, over all chosen stages. A source that falls to 0 is at its end or stalled: `Source lag` tells which.")
            .unit("rowsps")
            .query("{{source}}", sum(&[label::SOURCE], rate(&rows, WINDOW))),
        Panel::lines("Calls", "Calls a second of each stage. Many calls and few rows: batches are too small for what a call costs.")
            .unit("cps")
            .query("{{stage}}", sum(&[label::STAGE], rate(&seen_of_stage(metric::CALLS), WINDOW))),
        Panel::lines("Bytes over the boundary", "Bytes a second of columns that are copied into guests (read), out of them (made), or never cross (stayed). Much read: a stage takes columns that it may not need.")
            .unit("Bps")
            .query("{{direction}}", sum(&[label::DIRECTION], rate(&seen_of_stage(metric::BYTES), WINDOW))),
    ];
    Row { title: "Throughput", panels }
}
