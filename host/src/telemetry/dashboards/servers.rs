//! Configurations of the servers between a run and whoever is woken: a start that works on one machine.

use serde_json::{Value, json};

use super::{JOB, RULES, alert::Severity};

/// Where a run serves its metrics unless `--metrics-addr` says otherwise.
const METRICS: &str = "127.0.0.1:8000";
const PUSHGATEWAY: &str = "127.0.0.1:9091";
const ALERTMANAGER: &str = "127.0.0.1:9093";
/// Where alerts go: whatever takes Alertmanager's webhooks.
const WEBHOOK: &str = "http://127.0.0.1:5001/webhook";

/// Scrapes a run and a Pushgateway, and knows the rules.
pub fn prometheus() -> Value {
    let target = |address: &str| json!([{"targets": [address]}]);
    json!({
        // As long as utilization is averaged over.
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
        "rule_files": [RULES],
        "scrape_configs": [
            {"job_name": JOB, "static_configs": target(METRICS)},
            // What was pushed keeps the job and the instance that it was pushed with.
            {"job_name": "pushgateway", "honor_labels": true, "static_configs": target(PUSHGATEWAY)},
        ],
        "alerting": {"alertmanagers": [{"static_configs": target(ALERTMANAGER)}]},
    })
}

/// Groups what belongs together, and repeats what is critical sooner.
pub fn alertmanager() -> Value {
    let severity = |severity: Severity| vec![format!("severity=\"{}\"", severity.as_str())];
    json!({
        "route": {
            "receiver": "webhook",
            "group_by": ["alertname", "job"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": [{"receiver": "webhook", "matchers": severity(Severity::Critical), "repeat_interval": "1h"}],
        },
        // A target that is gone explains everything else that is wrong with it.
        "inhibit_rules": [{
            "source_matchers": ["alertname=\"ParshallTargetDown\""],
            "target_matchers": severity(Severity::Warning),
            "equal": ["job", "instance"],
        }],
        "receivers": [{"name": "webhook", "webhook_configs": [{"url": WEBHOOK, "send_resolved": true}]}],
    })
}
