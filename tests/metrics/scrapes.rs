//! Prometheus itself: it scrapes a run, and answers queries about it.

use serde_json::Value;

use super::{Running, command, endless, http, until};
use crate::server::Server;

/// The values of a query, once there are some.
fn query(prometheus: &Server, query: &str) -> Vec<f64> {
    until(query, || {
        let (status, body) = http::get(&prometheus.addr, &format!("/api/v1/query?query={}", http::encoded(query)));
        let answer: Value = (status == 200).then(|| serde_json::from_str(&body).unwrap())?;
        let result = answer["data"]["result"].as_array()?;
        let values: Vec<f64> = result.iter().filter_map(|series| series["value"][1].as_str()?.parse().ok()).collect();
        (!values.is_empty() && values.iter().all(|value| !value.is_nan())).then_some(values)
    })
}

/// Protects whoever has nothing but what Prometheus has: the four metrics of the documents and the questions one asks of them.
fn scraped_by(name: &str) {
    let here = endless();
    let running = Running::start(&mut command(&here));
    let Some(prometheus) = Server::start(name, &["--scrape", &running.addr]) else { return };
    assert_eq!(query(&prometheus, "up{job=\"parshall\"} == 1"), [1.0]);
    assert!(query(&prometheus, "rate(etl_rows_processed_total{source=\"numbers\",stage=\"end\"}[5s])")[0] > 0.0);
    let p95 = query(&prometheus, "histogram_quantile(0.95, sum by (le, operation) (rate(etl_processing_seconds_bucket[5s])))");
    assert!(p95.len() == 3 && p95.iter().all(|seconds| (0.0..60.0).contains(seconds)), "{p95:?}");
    assert!(query(&prometheus, "etl_memory_bytes")[0] > 1e6);
    assert_eq!(query(&prometheus, "sum(etl_stage_bottleneck)"), [1.0]);
    assert_eq!(query(&prometheus, "count(etl_ledger_imbalance_rows == 0)"), [3.0]);
    assert!(query(&prometheus, "rate(etl_batch_seconds_count{source=\"numbers\"}[5s])")[0] > 0.0);
    assert!(query(&prometheus, "etl_source_lag_seconds")[0] < 10.0);
    running.stop();
}

#[test]
fn prometheus_scrapes_a_run_and_answers() {
    scraped_by("prometheus");
}

/// Prometheus 3 is stricter about content types.
#[test]
fn prometheus_3_does_too() {
    scraped_by("prometheus3");
}
