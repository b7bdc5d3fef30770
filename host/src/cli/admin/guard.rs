//! Who may ask: whoever carries the token, and says by an address that it is we who are asked.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{Admin, problem::Problem};

/// Lets a request through, or not.
pub async fn guard(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    let allowed = host(request.headers()).and_then(|()| bearer(&admin, request.headers()));
    match allowed {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// A page of another site that has its name point here (DNS rebinding) asks by that name: names are refused, all but one.
fn host(headers: &HeaderMap) -> Result<(), Problem> {
    let told = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if is_ours(told) { Ok(()) } else { Err(Problem::wrong_host()) }
}

fn is_ours(told: &str) -> bool {
    let name = match told.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => told,
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

fn bearer(admin: &Admin, headers: &HeaderMap) -> Result<(), Problem> {
    let told = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes()).unwrap_or_default();
    let token = told.split_at_checked(7).filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer ")).map(|(_, token)| token);
    match token {
        Some(token) if admin.token.is(token) => Ok(()),
        _ => Err(Problem::unauthorized()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a site that has its own name point here.
    #[test]
    fn a_host_is_an_address_or_localhost() {
        for right in ["127.0.0.1:9000", "127.0.0.1", "[::1]:9000", "[::1]", "localhost:80", "LOCALHOST", "10.1.2.3:1"] {
            assert!(is_ours(right), "{right}");
        }
        for wrong in ["", "evil.example:9000", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1:x", ":80"] {
            assert!(!is_ours(wrong), "{wrong}");
        }
    }
}
