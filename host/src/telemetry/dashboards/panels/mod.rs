//! The panels of the dashboard, a file for each row.

mod costs;
mod errors;
mod health;
mod latency;
mod ledger;
mod lifecycle;
mod overview;
mod queues;
mod throughput;

use super::board::Row;

/// Grafana's own choice of a window: never shorter than four scrapes.
const WINDOW: &str = "$__rate_interval";

/// All rows, from the question that everybody has to those that few have.
pub fn rows() -> Vec<Row> {
    vec![
        overview::row(),
        throughput::row(),
        latency::row(),
        errors::row(),
        queues::row(),
        ledger::row(),
        costs::row(),
        lifecycle::row(),
        health::row(),
    ]
}
