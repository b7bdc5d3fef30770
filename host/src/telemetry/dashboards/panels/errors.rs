//! What goes wrong, and why?

use super::WINDOW;
use crate::telemetry::{
    dashboards::{
        board::Row,
        panel::Panel,
        promql::{Series, happened, rate, ratio_or_zero, seen_of_stage, sum},
        thresholds::{ERROR_RATIO, REJECTED_RATIO},
    },
    names::{label, metric},
};

pub fn row() -> Row {
    let calls = seen_of_stage(metric::CALLS);
    let rows = seen_of_stage(metric::ROWS);
    let panels = vec![
        Panel::lines("Errors by type", "Calls that failed, by stage and reason. `data` and `schema`: what the stage was fed. `unavailable`: a store. A kind of trap or a limit: the stage itself. `malformed`: it broke the contract.")
            .stacked()
            .query("{{stage}} {{error_type}}", events(&seen_of_stage(metric::ERRORS), label::ERROR_TYPE)),
        Panel::lines("Traps and limits", "Calls in which a guest trapped or ran into a limit. `fuel`, `memory`, a deadline: raise the limit if the stage deserves it. Anything else is a bug of the stage: swap it back.")
            .stacked()
            .query("{{stage}} {{reason}}", events(&seen_of_stage(metric::TRAPS), label::REASON)),
        Panel::lines("Share of calls that fail", "Above the dashed line an alert fires. Read `Errors by type` next.")
            .unit("percentunit")
            .red_from(ERROR_RATIO)
            .query(
                "{{stage}}",
                ratio_or_zero(&[label::STAGE], rate(&calls.clone().is(label::OUTCOME, "error"), WINDOW), rate(&calls, WINDOW)),
            ),
        Panel::lines("Rows set aside", "Rows that a stage could not take, and that did not end the run: dead letters, which `parshall retry` feeds back after a fix, and skipped ones, which are gone.")
            .stacked()
            .query("{{stage}} {{outcome}}", sum(&[label::STAGE, label::OUTCOME], happened(&seen_of_stage(metric::SET_ASIDE), WINDOW))),
        Panel::lines("Calls made again", "`retry`: something outside did not answer, or a deadline passed. `bisect`: to find the rows at fault.")
            .stacked()
            .query("{{stage}} {{reason}}", sum(&[label::STAGE, label::REASON], happened(&seen_of_stage(metric::AGAIN), WINDOW))),
        Panel::lines("Time in calls made again", "Seconds a second that failures cost. Much of it: fix what fails.")
            .query("{{stage}} {{reason}}", sum(&[label::STAGE, label::REASON], rate(&seen_of_stage(metric::AGAIN_SECONDS), WINDOW))),
        Panel::lines("Share of rows that are rejected", "Of the rows that arrive at a stage. A sudden rise: the source changed; the rows are at the stage's port `rejected`, each with its reason.")
            .unit("percentunit")
            .red_from(REJECTED_RATIO)
            .query(
                "{{stage}}",
                ratio_or_zero(
                    &[label::STAGE],
                    rate(&rows.is(label::OUTCOME, "rejected"), WINDOW),
                    rate(&seen_of_stage(metric::ROWS_ARRIVED), WINDOW),
                ),
            ),
    ];
    Row { title: "Errors", panels }
}

/// How often something happened, and 0 for each stage to which it never did: what never happened has no series.
fn events(counters: &Series, why: &str) -> String {
    let none = sum(&[label::STAGE], seen_of_stage(metric::GENERATION));
    format!("{} or on ({}) 0 * {none}", sum(&[label::STAGE, why], happened(counters, WINDOW)), label::STAGE)
}
