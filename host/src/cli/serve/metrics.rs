//! What whoever scrapes may ask: `/metrics`, and `/healthz` and `/readyz` for who watches over processes.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::telemetry::metrics::{Metrics, exposition::Form};

const INDEX: &str = "\
Parshall

/metrics   metrics of the run: Prometheus' text form, or OpenMetrics for who asks for it
/healthz   200 as long as the process answers
/readyz    200 while the pipeline runs: its stages are open
";

/// The routes.
pub fn router(metrics: Metrics) -> Router {
    Router::new()
        .route("/", get(|| async { INDEX }))
        .route("/metrics", get(text))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .fallback(|| async { (StatusCode::NOT_FOUND, "not found; `/` says what there is\n") })
        .with_state(metrics)
}

async fn text(State(metrics): State<Metrics>, headers: HeaderMap) -> Response {
    let ranges: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|range| range.to_str().ok()).collect();
    let form = Form::asked_for(&ranges.join(","));
    let headers = [(header::CONTENT_TYPE, form.content_type()), (header::VARY, "accept"), (header::CACHE_CONTROL, "no-store")];
    (headers, metrics.gather().text(form)).into_response()
}

async fn ready(State(metrics): State<Metrics>) -> Response {
    match metrics.running() {
        true => "ready\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready: no pipeline is running\n").into_response(),
    }
}
