//! Answers that are none: a code for programs, a sentence for people, and what is wrong with a pipeline file where that is why.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::shapes::{Fault, Refused};
use crate::{
    cli::live::Changes,
    pipeline::{diagnostic, swap::Refusal},
};

/// Why a request is not answered.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    fault: Fault,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Problem { status, fault: Fault { code: code.to_owned(), message: message.into(), diagnostics: Vec::new(), rendered: None } }
    }

    /// No token, or another.
    pub fn unauthorized() -> Self {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "the request carries no token (`Authorization: Bearer TOKEN`), or a wrong one",
        )
    }

    /// Asked by a name.
    pub fn wrong_host() -> Self {
        Problem::new(StatusCode::FORBIDDEN, "wrong_host", "the header Host must be an IP address or `localhost`")
    }

    /// There is nothing there.
    pub fn no_route() -> Self {
        Problem::new(StatusCode::NOT_FOUND, "no_route", "there is nothing at this path; GET /v1 lists what there is")
    }

    /// Asked in another way.
    pub fn wrong_method() -> Self {
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", "this path is asked by another method; GET /v1 lists what there is")
    }

    /// The request makes no sense.
    pub fn wrong_request(message: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, "wrong_request", message)
    }

    /// There is no such stage.
    pub fn no_stage(name: &str, changes: &Changes) -> Self {
        let known: Vec<_> = changes.graph().stages.all().iter().map(|stage| format!("`{}`", stage.name)).collect();
        Problem::new(StatusCode::NOT_FOUND, "no_stage", format!("there is no stage `{name}`; there are {}", known.join(", ")))
    }

    /// All places are taken.
    pub fn too_many(message: impl Into<String>) -> Self {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many", message)
    }

    /// The machine has not got what it takes.
    pub fn broken(message: impl Into<String>) -> Self {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "broken", message)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::NoStage { .. } => Problem::new(StatusCode::NOT_FOUND, "no_stage", message),
            Refusal::Impossible(_) => Problem::new(StatusCode::CONFLICT, "impossible", message),
            Refusal::Mistakes(diagnostics) => {
                let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "mistakes", message);
                problem.fault.rendered = Some(diagnostic::render_all(&diagnostics, false));
                problem.fault.diagnostics = diagnostics.iter().filter_map(|diagnostic| serde_json::to_value(diagnostic).ok()).collect();
                problem
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(Refused { error: self.fault })).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        response
    }
}
