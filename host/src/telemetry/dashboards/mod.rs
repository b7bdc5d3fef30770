//! What reads the metrics: a Grafana dashboard, Prometheus rules with their tests, and configurations of the servers in between.
//! All of it is made here from the names in `names`, so that a metric that is renamed is renamed everywhere.

mod alert;
mod alerts;
mod board;
mod panel;
mod panels;
mod promql;
mod recording;
mod servers;
pub mod thresholds;
mod trials;
mod yaml;

/// A file as it should be.
#[derive(Clone, Debug)]
pub struct File {
    /// Its name, without a folder.
    pub name: &'static str,
    /// All of it.
    pub text: String,
}

/// The name under which Prometheus scrapes Parshall: the configuration gives it, the alert on targets looks for it.
const JOB: &str = "parshall";
/// The dashboard.
const DASHBOARD: &str = "dashboard.json";
/// The rules.
const RULES: &str = "rules.yml";

/// Every file, the same at every call.
pub fn files() -> Vec<File> {
    let yaml = |name, value| File { name, text: yaml::document(HEAD, &value) };
    let alerts = alerts::all();
    vec![
        File { name: DASHBOARD, text: format!("{:#}\n", board::dashboard()) },
        yaml(RULES, alert::rules(&recording::all(), &alerts)),
        yaml("rules_test.yml", trials::all(&alerts)),
        yaml("prometheus.yml", servers::prometheus()),
        yaml("alertmanager.yml", servers::alertmanager()),
    ]
}

/// Stands above every file that can have a comment.
const HEAD: &str = "Made by `parshall dashboards`: change host/src/telemetry/dashboards and run it again.";
