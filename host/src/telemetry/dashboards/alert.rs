//! What an alert is, and rules as Prometheus reads them.

use serde_json::{Value, json};

use super::recording::Recording;

/// How soon somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Now: results are wrong or missing.
    Critical,
    /// Today: results are late, or soon will be.
    Warning,
}

/// An alert, with the trials that show when it fires and when it does not.
pub struct Alert {
    /// Its name.
    pub name: &'static str,
    /// Fires for each series of this.
    pub expression: String,
    /// Once it has been true for so long.
    pub wait: &'static str,
    /// How soon somebody should look.
    pub severity: Severity,
    /// One line that fits on a phone.
    pub summary: &'static str,
    /// What was seen.
    pub description: String,
    /// What to do, in a few sentences.
    pub runbook: &'static str,
    /// What `promtool test rules` tries.
    pub trials: Vec<Trial>,
}

/// What happens to an alert when Prometheus has seen this.
pub struct Trial {
    /// What is simulated.
    pub name: &'static str,
    /// Series, and their values a minute apart in promtool's notation.
    pub seen: Vec<(String, &'static str)>,
    /// When to look.
    pub at: &'static str,
    /// The alert that then fires.
    pub fires: Option<Fired>,
}

/// An alert that fires.
pub struct Fired {
    /// Labels of its series.
    pub labels: &'static [(&'static str, &'static str)],
    /// What `$value` reads, as the description writes it.
    pub value: &'static str,
}

// === impl Severity ===

impl Severity {
    /// As its label is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::Warning => "warning",
        }
    }
}

// === impl Alert ===

impl Alert {
    fn rule(&self) -> Value {
        json!({
            "alert": self.name,
            "expr": self.expression,
            "for": self.wait,
            "labels": {"severity": self.severity.as_str()},
            "annotations": {"summary": self.summary, "description": self.description, "runbook": self.runbook},
        })
    }

    /// The alert as it arrives somewhere, with its templates filled in.
    pub fn arrived(&self, fired: &Fired) -> Value {
        let labels = fired.labels.iter().copied().chain([("severity", self.severity.as_str())]);
        let fill = |text: &str| fill(text, fired);
        json!({
            "exp_labels": labels.map(|(name, value)| (name.to_owned(), value.into())).collect::<serde_json::Map<_, _>>(),
            "exp_annotations": {"summary": fill(self.summary), "description": fill(&self.description), "runbook": fill(self.runbook)},
        })
    }
}

/// Fills in `{{ $labels.NAME }}` and `{{ $value … }}`.
fn fill(text: &str, fired: &Fired) -> String {
    let mut filled = text.to_owned();
    for (name, value) in fired.labels {
        filled = filled.replace(&format!("{{{{ $labels.{name} }}}}"), value);
    }
    // What is left of the labels is not there, and reads as nothing.
    for (variable, value) in [("{{ $labels.", ""), ("{{ $value", fired.value)] {
        while let Some((before, after)) = filled.split_once(variable)
            && let Some((_, after)) = after.split_once("}}")
        {
            filled = format!("{before}{value}{after}");
        }
    }
    filled
}

/// Rules as Prometheus reads them: first what is recorded, since alerts ask for it.
pub fn rules(recordings: &[Recording], alerts: &[Alert]) -> Value {
    let record = |recording: &Recording| json!({"record": recording.name, "expr": recording.expression});
    let recorded: Vec<Value> = recordings.iter().map(record).collect();
    let alerts: Vec<Value> = alerts.iter().map(Alert::rule).collect();
    json!({"groups": [{"name": "parshall_recording", "rules": recorded}, {"name": "parshall_alerts", "rules": alerts}]})
}
