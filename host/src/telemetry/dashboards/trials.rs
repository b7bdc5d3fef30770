//! Trials of alerts, as `promtool test rules` reads them.

use serde_json::{Value, json};

use super::{
    RULES,
    alert::{Alert, Trial},
};

/// All trials of all alerts.
pub fn all(alerts: &[Alert]) -> Value {
    let tests: Vec<Value> = alerts.iter().flat_map(|alert| alert.trials.iter().map(|trial| test(alert, trial))).collect();
    json!({"rule_files": [RULES], "evaluation_interval": "1m", "tests": tests})
}

fn test(alert: &Alert, trial: &Trial) -> Value {
    let input: Vec<Value> = trial.seen.iter().map(|(series, values)| json!({"series": series, "values": values})).collect();
    let fired: Vec<Value> = trial.fires.iter().map(|fired| alert.arrived(fired)).collect();
    json!({
        "name": format!("{}: {}", alert.name, trial.name),
        "interval": "1m",
        "input_series": input,
        "alert_rule_test": [{"eval_time": trial.at, "alertname": alert.name, "exp_alerts": fired}],
    })
}
