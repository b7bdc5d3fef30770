//! A client span for each request of a call. Requests end on threads of their own, so their spans are collected here, and taken
//! when the call ends.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use crate::words::{
    guest_span::{GuestSpan, Request, Role},
    outgoing::{Begun, Ended, OutgoingRequest},
    trace::SpanContext,
};

/// Spans that wait to be taken. Requests are bounded (`http_requests`), and so are calls' spans (`spans`); this only keeps a guest
/// that asks in a circle from collecting without end.
const KEPT: usize = 1_024;

/// Spans of requests that have ended.
#[derive(Clone, Default)]
pub struct Requests(Arc<Mutex<Vec<GuestSpan>>>);

impl Requests {
    /// Those so far.
    pub fn take(&self) -> Vec<GuestSpan> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets a span come of a request when it ends, beside what the observer wants.
    pub fn watch(&self, begun: Begun, request: &OutgoingRequest<'_>, context: SpanContext, within: SpanContext) -> Begun {
        let (requests, observers) = (self.clone(), begun.end);
        let started = Instant::now();
        let (method, scheme, host, path) = (request.method, request.scheme, request.host, request.path);
        let [method, scheme, host, path] = [method, scheme, host, path].map(str::to_owned);
        let port = request.port;
        let end = move |ended: Ended| {
            let error = ended.status.err().map(str::to_owned);
            let name = method.clone();
            let role = Role::Client(Box::new(Request { method, scheme, host, port, path, status: ended.status }));
            let (id, parent) = (context.span, within.span);
            let (attributes, events) = (Vec::new(), Vec::new());
            let span = GuestSpan { name, role, id, parent, started, ended: Instant::now(), attributes, events, error };
            let mut spans = requests.0.lock().unwrap_or_else(PoisonError::into_inner);
            if spans.len() < KEPT {
                spans.push(span);
            }
            drop(spans);
            if let Some(observers) = observers {
                observers(ended);
            }
        };
        Begun { headers: begun.headers, end: Some(Box::new(end)) }
    }
}
