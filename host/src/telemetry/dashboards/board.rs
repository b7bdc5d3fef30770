//! The dashboard: what its reader chooses, what is marked on every panel, and the panels row by row.

use serde_json::{Value, json};

use super::{
    panel::{Panel, Place, WIDTH, datasource},
    panels,
    promql::{ALERTS, INSTANCE, JOB, Series, increase, seen, series},
};
use crate::telemetry::names::{label, metric};

/// Version of Grafana's own schema, that of Grafana 12; later ones read it and bring it up to date.
const SCHEMA: u32 = 41;

/// A row of panels under a title.
pub struct Row {
    /// Its title.
    pub title: &'static str,
    /// Its panels, from the left, and on to the next line where there is no room.
    pub panels: Vec<Panel>,
}

/// As Grafana imports it.
pub fn dashboard() -> Value {
    json!({
        "uid": "parshall",
        "title": "Parshall",
        "description": "Runs of pipelines: what flows, what it costs, what is in its way. Made by `parshall dashboards`.",
        "tags": ["parshall", "etl"],
        "schemaVersion": SCHEMA,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "timezone": "browser",
        "templating": {"list": variables()},
        "annotations": {"list": annotations()},
        "panels": lay_out(&panels::rows()),
    })
}

/// A reader chooses a pipeline; that leaves the jobs and instances that run it, and those leave stages.
fn variables() -> Vec<Value> {
    let info = |series: &Series, label: &str| format!("label_values({series}, {label})");
    let of_pipeline = series(metric::PIPELINE_INFO).like(label::PIPELINE, "$pipeline");
    let of_job = of_pipeline.clone().like(JOB, "$job");
    vec![
        json!({"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1}),
        variable("pipeline", "Pipeline", &info(&series(metric::PIPELINE_INFO), label::PIPELINE), All::Anything),
        variable("job", "Job", &info(&of_pipeline, JOB), All::Listed),
        variable("instance", "Instance", &info(&of_job, INSTANCE), All::Listed),
        variable("stage", "Stage", &info(&seen(metric::STAGE_INFO), label::STAGE), All::Anything),
    ]
}

/// What it means to choose all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum All {
    /// What is listed, so that a choice further left counts.
    Listed,
    /// Whatever there is, and what has no such label.
    Anything,
}

fn variable(name: &str, title: &str, query: &str, all: All) -> Value {
    json!({
        "name": name,
        "label": title,
        "type": "query",
        "datasource": datasource(),
        "query": {"query": query, "refId": name},
        "definition": query,
        // Again whenever the range of time changes: runs come and go.
        "refresh": 2,
        "sort": 1,
        "multi": true,
        "includeAll": true,
        "allValue": (all == All::Anything).then_some(".*"),
        "current": {"text": ["All"], "value": ["$__all"]},
    })
}

/// Events, marked on all panels.
fn annotations() -> Vec<Value> {
    let happened = |name| format!("{} > 0", increase(&seen(name), "$__rate_interval"));
    let firing = series(ALERTS).like("alertname", "Parshall.*").is("alertstate", "firing");
    vec![
        annotation("Swaps", "purple", &happened(metric::SWAPS), "swap: {{stage}} {{outcome}}"),
        annotation("Restarts of instances", "orange", &happened(metric::RESTARTS), "restart: {{stage}}"),
        annotation("Ends of runs", "blue", &happened(metric::RUNS), "run {{outcome}}"),
        annotation("Alerts", "red", &firing.to_string(), "{{alertname}} {{stage}}{{source}}{{signal}}"),
    ]
}

fn annotation(name: &str, colour: &str, expression: &str, title: &str) -> Value {
    json!({
        "name": name,
        "enable": true,
        "iconColor": colour,
        "datasource": datasource(),
        "expr": expression,
        "titleFormat": title,
        "step": "10s",
    })
}

/// From the left to the right and from the top to the bottom.
fn lay_out(rows: &[Row]) -> Vec<Value> {
    let (mut id, mut y) = (0, 0);
    let mut laid = Vec::new();
    for row in rows {
        id += 1;
        laid.push(json!({"id": id, "type": "row", "title": row.title, "collapsed": false, "panels": [],
            "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1}}));
        y += 1;
        let (mut x, mut highest) = (0, 0);
        for panel in &row.panels {
            let (width, height) = panel.size();
            if x + width > WIDTH {
                (x, y, highest) = (0, y + highest, 0);
            }
            id += 1;
            laid.push(panel.render(Place { id, x, y }));
            x += width;
            highest = highest.max(height);
        }
        y += highest;
    }
    laid
}
