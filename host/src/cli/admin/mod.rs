//! The admin port: a running pipeline looked at and changed over HTTP. ADMIN.md is its reference.

mod guard;
mod problem;
pub mod shapes;
mod standing;
mod swap;
pub mod taps;

use std::sync::Arc;

use axum::{
    Extension, Json, Router, middleware,
    routing::{get, post},
};
use serde_json::{Value, json};

use self::problem::Problem;
use super::live::{Changes, Token};

/// Everything that may be asked for: method, path, what it is.
const ROUTES: [(&str, &str, &str); 6] = [
    ("GET", "/v1", "these routes"),
    ("GET", "/v1/status", "the run and its stages as they are now"),
    ("POST", "/v1/stages/{stage}/swap", "another component for a stage"),
    ("POST", "/v1/reload", "the pipeline file and its components are read again"),
    ("GET", "/v1/swaps", "what has been changed so far"),
    ("GET", "/v1/stages/{stage}/tap", "batches of a stage as they pass"),
];

/// What handlers need.
pub struct Admin {
    changes: Arc<Changes>,
    token: Token,
}

/// The routes of a run.
pub fn router(changes: Arc<Changes>, token: Token) -> Router {
    let admin = Arc::new(Admin { changes, token });
    Router::new()
        .route("/v1", get(index))
        .route("/v1/status", get(standing::status))
        .route("/v1/stages/{stage}/swap", post(swap::swap))
        .route("/v1/reload", post(swap::reload))
        .route("/v1/swaps", get(swap::swaps))
        .route("/v1/stages/{stage}/tap", get(taps::tap))
        .fallback(|| async { Problem::no_route() })
        .method_not_allowed_fallback(|| async { Problem::wrong_method() })
        .layer(middleware::from_fn_with_state(Arc::clone(&admin), guard::guard))
        .layer(Extension(admin))
}

async fn index() -> Json<Value> {
    let routes = ROUTES.map(|(method, path, what)| json!({ "method": method, "path": path, "what": what }));
    Json(json!({ "routes": routes }))
}
