//! A guest's outgoing request as OpenTelemetry's conventions for HTTP clients have it (semantic conventions 1.23 and later).

use opentelemetry::{
    KeyValue,
    trace::{SpanKind, Status},
};
use opentelemetry_sdk::trace::SpanData;

use crate::{telemetry::names::attribute as a, words::guest_span::Request};

/// Says of a span what it is to say as the span of a request.
pub fn tell(request: &Request, span: &mut SpanData) {
    span.span_kind = SpanKind::Client;
    span.attributes.extend([
        KeyValue::new(a::HTTP_METHOD, request.method.clone()),
        KeyValue::new(a::URL_SCHEME, request.scheme.clone()),
        KeyValue::new(a::SERVER_ADDRESS, request.host.clone()),
        KeyValue::new(a::SERVER_PORT, i64::from(request.port)),
        KeyValue::new(a::URL_PATH, request.path.clone()),
    ]);
    match request.status {
        Ok(status) => {
            span.attributes.push(KeyValue::new(a::HTTP_STATUS, i64::from(status)));
            // For a client both the other side's errors and its own are; the status says it all.
            if status >= 400 {
                span.status = Status::error("");
                span.attributes.push(KeyValue::new(a::ERROR_TYPE, status.to_string()));
            }
        }
        Err(why) => {
            span.status = Status::error(why);
            span.attributes.push(KeyValue::new(a::ERROR_TYPE, why));
        }
    }
}
