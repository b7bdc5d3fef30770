//! `wasi:http`: requests to granted servers, and to no other. Every request is judged by itself: redirects are not followed, so a
//! guest that follows one asks again.

mod addresses;
mod body;
mod client;
mod failure;
mod spans;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use wasmtime::component::Linker;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

use self::{body::Allowance, client::Exchange, spans::Requests};
use crate::{
    wasm::{
        host::{Host, Meter},
        imports::printable::printable,
    },
    words::{
        authority::Authority,
        grants::Grants,
        limits::Limits,
        outgoing::{Begun, Outgoing, OutgoingRequest},
        trace,
    },
};

/// Bytes that wait in a request's body before the guest must wait; two such chunks at most.
const CHUNK: usize = 64 << 10;
/// Bytes of headers that a guest may hold in one `fields`, as they lie in memory. Servers accept 8 to 16 KiB.
const FIELDS: usize = 64 << 10;

/// Bytes of a host's name that are shown; DNS has no longer ones.
const LONGEST_NAME: usize = 253;

/// What an instance has of HTTP.
pub struct Http {
    ctx: WasiHttpCtx,
    hooks: Hooks,
}

/// Decides over requests, and sends them.
struct Hooks {
    stage: Arc<str>,
    granted: Vec<Authority>,
    outgoing: Option<Arc<dyn Outgoing>>,
    /// Spans of requests that have ended in the current call.
    requests: Requests,
    allowance: Allowance,
    /// Between two pieces of a response.
    patience: Duration,
    /// When the current call must have ended.
    deadline: Instant,
}

/// What `send_request` answers: the response, and what has to run for it beside it (nothing: the client's pool does).
type Sent = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

/// Links the two interfaces.
pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    wasmtime_wasi_http::p2::add_only_http_to_linker_sync(linker)
}

/// The error of a response's body as one that `http-error-code` can read. wasmtime-wasi-http 48 keeps its own there, which
/// that function of its does not know.
pub fn readable(error: wasmtime::Error) -> wasmtime::Error {
    match error.downcast_ref::<Error>().and_then(failure::code) {
        Some(code) => code.into(),
        None => error,
    }
}

// === impl Http ===

impl Http {
    pub fn new(stage: &str, limits: &Limits, grants: &Grants, outgoing: Option<Arc<dyn Outgoing>>) -> Self {
        let stage: Arc<str> = stage.into();
        let mut ctx = WasiHttpCtx::new();
        ctx.set_field_size_limit(FIELDS);
        let hooks = Hooks {
            allowance: Allowance::new(&stage, limits),
            stage,
            granted: grants.http.clone(),
            outgoing,
            requests: Requests::default(),
            patience: limits.timeout,
            deadline: super::deadline(limits),
        };
        Http { ctx, hooks }
    }

    /// A call begins.
    pub fn begin(&mut self, deadline: Instant) {
        self.hooks.deadline = deadline;
        self.hooks.allowance.renew();
        self.hooks.requests = Requests::default();
    }

    /// A call ends: the spans of its requests are part of it. One that is still under way goes unseen.
    pub fn end(&mut self, limits: &Limits, meter: &mut Meter) {
        for span in self.hooks.requests.take() {
            meter.spans.add(span, limits.spans, &mut meter.dropped);
        }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let wasi = self.wasi.as_mut().expect("WASI is linked only for an instance that has it");
        WasiHttpCtxView { hooks: &mut wasi.http.hooks, table: &mut self.handles, ctx: &mut wasi.http.ctx }
    }
}

// === impl Hooks ===

impl Hooks {
    /// Checks a request and makes it ready to go.
    fn prepare(&mut self, request: http::Request<WasiBody>, options: RequestOptions) -> Result<Exchange, Error> {
        // Judged by the very URL that is then asked, after all spellings of a host have become one.
        let url = reqwest::Url::parse(&request.uri().to_string()).map_err(|_| Error::HttpRequestUriInvalid)?;
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return Err(Error::HttpRequestUriInvalid) };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::HttpRequestUriInvalid);
        }
        if !self.granted.iter().any(|granted| granted.covers(url.scheme(), host, port)) {
            self.warn_of_denial(&url, host, port);
            return Err(Error::HttpRequestDenied);
        }
        let allowance = self.allowance.open()?;
        let begun = self.begun(&request, &url, host, port);
        Ok(Exchange::new(request, url, begun, self.timing(options), allowance))
    }

    fn begun(&self, request: &http::Request<WasiBody>, url: &reqwest::Url, host: &str, port: u16) -> Begun {
        let within = trace::current();
        let context = within.map(|within| within.child());
        let (stage, method) = (&*self.stage, request.method().as_str());
        let request = OutgoingRequest { context, stage, method, scheme: url.scheme(), host, port, path: url.path() };
        let begun = self.outgoing.as_ref().map(|outgoing| outgoing.begin(&request)).unwrap_or_default();
        match within.filter(|within| within.sampled).zip(context) {
            Some((within, context)) => self.requests.watch(begun, &request, context, within),
            None => begun,
        }
    }

    /// The guest's own timeouts, none longer than what the call has left.
    fn timing(&self, options: RequestOptions) -> client::Timing {
        let left = self.deadline.saturating_duration_since(Instant::now());
        // The client cannot tell connecting from waiting, so the two are one time; with only the first given there is none.
        let connect = options.connect_timeout.unwrap_or_default();
        let asked = options.first_byte_timeout.map_or(Duration::MAX, |first| first.saturating_add(connect));
        client::Timing { head: asked.min(left), pause: options.between_bytes_timeout.unwrap_or(Duration::MAX).min(self.patience) }
    }

    fn warn_of_denial(&self, url: &reqwest::Url, host: &str, port: u16) {
        if !self.allowance.may_warn() {
            return;
        }
        let own = url.port().is_none();
        let host = printable(host, LONGEST_NAME);
        let shown = if own { host } else { format!("{host}:{port}") };
        tracing::warn!(
            target: "guest",
            stage = &*self.stage,
            "a request to `{shown}` was denied: it is not granted; grant it with `http = [\"{shown}\"]`"
        );
    }
}

impl WasiHttpHooks for Hooks {
    /// The client writes it from the URL that was judged.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let prepared = self.prepare(request, options.unwrap_or_default());
        Box::new(async move {
            let response = prepared?.run().await?;
            let nothing: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(async { Ok(()) });
            Ok((response, nothing))
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }
}
