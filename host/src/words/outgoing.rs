//! Requests that guests send: the one place where an observer may put a trace's context into them and see how they ended.

use std::time::Duration;

use super::trace::SpanContext;

/// A request that is about to leave. It has been granted; nothing of it has been sent.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingRequest<'a> {
    /// The span that the request will be; none when the call is not traced.
    pub context: Option<SpanContext>,
    /// The stage that sends it.
    pub stage: &'a str,
    /// `GET` and so on.
    pub method: &'a str,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// A name, or an address (IPv6 in brackets).
    pub host: &'a str,
    /// Always there, also where it is the scheme's own.
    pub port: u16,
    /// Without the query, which may hold what nobody should log.
    pub path: &'a str,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The response's status once its head has arrived, or why there is none: a name from a bounded set (`timeout`,
    /// `connection_refused` …), fit for `error.type`.
    pub status: Result<u16, &'static str>,
    /// From just before sending to the response's head, or to the failure.
    pub duration: Duration,
}

/// What an observer wants of a request.
#[derive(Default)]
pub struct Begun {
    /// Headers to send along. One that the guest set under the same name is replaced.
    pub headers: Vec<(&'static str, String)>,
    /// Called exactly once at its end, on another thread. Also when the guest gives up waiting (`cancelled`).
    pub end: Option<Box<dyn FnOnce(Ended) + Send>>,
}

/// Observes the requests of guests. Must be quick: `begin` runs within the stage's call.
pub trait Outgoing: Send + Sync {
    /// A request is about to leave. Called on the thread of the stage's call, while that call runs: what belongs to the
    /// call and is kept by thread (the current span) is there.
    fn begin(&self, request: &OutgoingRequest<'_>) -> Begun;
}
