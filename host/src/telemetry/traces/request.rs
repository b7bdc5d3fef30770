//! A guest's outgoing request as OpenTelemetry's conventions for HTTP clients have it (semantic conventions 1.23 and later).

use crate::{
    telemetry::{
        names::attribute as a,
        otlp::protobuf::{Key, Of, Writer},
    },
    words::guest_span::Request,
};

static METHOD: Key = Key::new(a::HTTP_METHOD);
static SCHEME: Key = Key::new(a::URL_SCHEME);
static ADDRESS: Key = Key::new(a::SERVER_ADDRESS);
static PORT: Key = Key::new(a::SERVER_PORT);
static PATH: Key = Key::new(a::URL_PATH);
static STATUS: Key = Key::new(a::HTTP_STATUS);
static ERROR_TYPE: Key = Key::new(a::ERROR_TYPE);

/// Writes the attributes of a request's span. Answers the message of its status, if it failed.
pub fn write<'a>(request: &'a Request, writer: &mut Writer) -> Option<&'a str> {
    writer.string(Of::Span, &METHOD, &request.method);
    writer.string(Of::Span, &SCHEME, &request.scheme);
    writer.string(Of::Span, &ADDRESS, &request.host);
    writer.integer(Of::Span, &PORT, request.port.into());
    writer.string(Of::Span, &PATH, &request.path);
    match request.status {
        Ok(status) => {
            writer.integer(Of::Span, &STATUS, status.into());
            // For a client both the other side's errors and its own are; the status says it all.
            (status >= 400).then(|| {
                writer.string(Of::Span, &ERROR_TYPE, &status.to_string());
                ""
            })
        }
        Err(why) => {
            writer.string(Of::Span, &ERROR_TYPE, why);
            Some(why)
        }
    }
}
