//! A request for spans around the spans: the resource and the scope that all of them share, and memory that comes back when the
//! request has been sent.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use opentelemetry_proto::{
    tonic::trace::v1::{ResourceSpans, ScopeSpans},
    transform::common::tonic::ResourceAttributesWithSchema,
};
use opentelemetry_sdk::Resource;
use prost::Message as _;

use super::{
    protobuf::{Writer, varint_length},
    scope,
};

/// `ExportTraceServiceRequest.resource_spans`
const RESOURCE_SPANS: u32 = 1;
/// `ResourceSpans.scope_spans`
const SCOPE_SPANS: u32 = 2;
/// A tag and the longest length.
const HEAD: usize = 11;

/// What is around spans.
pub struct Envelope {
    /// `ResourceSpans` without its `scope_spans`, `ScopeSpans` without its `spans`.
    resource: Vec<u8>,
    scope: Vec<u8>,
    /// The writer of the request before, once nobody reads it any more.
    spare: Arc<Mutex<Option<Writer>>>,
}

/// A request that is being sent; its memory goes home when the last who reads it lets go.
struct Lent {
    writer: Writer,
    begin: usize,
    home: Arc<Mutex<Option<Writer>>>,
}

// === impl Envelope ===

impl Envelope {
    /// Of everything that this program tells.
    pub fn of(resource: &Resource) -> Self {
        let told: ResourceAttributesWithSchema = resource.into();
        let schema_url = told.schema_url.unwrap_or_default();
        let resource = opentelemetry_proto::tonic::resource::v1::Resource { attributes: told.attributes.0, ..Default::default() };
        let resource = ResourceSpans { resource: Some(resource), scope_spans: Vec::new(), schema_url };
        let scope = ScopeSpans { scope: Some((scope(), None).into()), spans: Vec::new(), schema_url: String::new() };
        Envelope { resource: resource.encode_to_vec(), scope: scope.encode_to_vec(), spare: Arc::default() }
    }

    /// A writer for the spans of a request: fields `spans` of a `ScopeSpans`, one after another.
    pub fn begin(&self) -> Writer {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (mut writer, room) = (spare.unwrap_or_default(), HEAD * 2 + self.resource.len() + self.scope.len());
        writer.restart(room);
        writer
    }

    /// The whole request.
    pub fn close(&self, mut writer: Writer) -> Bytes {
        let spans = writer.at() - (HEAD * 2 + self.resource.len() + self.scope.len());
        let inner = self.scope.len() + spans;
        let outer = self.resource.len() + 1 + varint_length(inner as u64) + inner;
        // From the inside to the outside, each before what it is around.
        let mut begin = writer.at() - spans;
        begin = writer.put_before(begin, &self.scope);
        begin = writer.length_before(begin, SCOPE_SPANS, inner);
        begin = writer.put_before(begin, &self.resource);
        begin = writer.length_before(begin, RESOURCE_SPANS, outer);
        Bytes::from_owner(Lent { writer, begin, home: Arc::clone(&self.spare) })
    }
}

// === impl Lent ===

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.writer.written()[self.begin..]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let writer = std::mem::take(&mut self.writer);
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = Some(writer);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

    use super::*;

    /// Protects against memory that is allocated for every request, and against a request that sees the one after it.
    #[test]
    fn memory_comes_home_when_a_request_has_been_sent() {
        let envelope = Envelope::of(&Resource::builder_empty().with_service_name("x").build());
        let first = envelope.close(envelope.begin());
        let (again, second) = (first.clone(), envelope.close(envelope.begin()));
        drop(first);
        assert_eq!(again, second, "two that are under way do not share memory");
        let at = again.as_ptr();
        drop(again);
        let third = envelope.close(envelope.begin());
        assert_eq!(third.as_ptr(), at);
        let request = ExportTraceServiceRequest::decode(third).unwrap();
        assert_eq!(request.resource_spans[0].scope_spans[0].scope.as_ref().unwrap().name, "parshall");
    }
}
