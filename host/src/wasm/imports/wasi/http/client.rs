//! The client that sends what was granted. One for all stages: it keeps connections open, so that a request a batch does not
//! cost a handshake a batch. HTTP/1.1, no redirects, no proxies, no retries: one request is one request.

use std::{
    sync::{LazyLock, Mutex},
    time::{Duration, Instant},
};

use http_body_util::BodyExt as _;
use reqwest::{Client, ClientBuilder, Url, dns::Resolve, redirect, retry};
use wasmtime_wasi_http::{Error, WasiBody};

use super::{
    addresses::{PublicOnly, Refused},
    body::{Allowance, Inbound, Outbound},
    failure,
};
use crate::words::outgoing::{Begun, Ended};

/// Connections to one server that are kept open while nobody uses them.
const IDLE: usize = 8;
/// How long they are kept.
const IDLE_TIME: Duration = Duration::from_secs(30);

static CLIENT: LazyLock<Result<Client, String>> = LazyLock::new(|| build(PublicOnly));

/// How long the parts of an exchange may take.
#[derive(Clone, Copy)]
pub struct Timing {
    /// Until the response's head is there: connecting, sending, and the server's work.
    pub head: Duration,
    /// Between two pieces of its body, while the guest waits.
    pub pause: Duration,
}

/// A request that has been granted, and what belongs to it.
pub struct Exchange {
    request: reqwest::Request,
    timing: Timing,
    allowance: Allowance,
    ending: Ending,
}

/// Tells the observer how it ended, also when the guest loses interest and the exchange is dropped.
struct Ending {
    tell: Option<Box<dyn FnOnce(Ended) + Send>>,
    started: Instant,
}

fn build(resolver: impl Resolve + 'static) -> Result<Client, String> {
    // Installed already where something else speaks TLS: then that one is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let resolver = std::sync::Arc::new(resolver);
    let builder = || -> ClientBuilder {
        let builder = Client::builder().redirect(redirect::Policy::none()).retry(retry::never()).referer(false);
        builder.no_proxy().http1_only().pool_max_idle_per_host(IDLE).pool_idle_timeout(IDLE_TIME).dns_resolver(resolver.clone())
    };
    // A machine without certificates can trust no server, and can still speak plain HTTP.
    let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
    client.map_err(|error| format!("there is no HTTP client: {error}"))
}

// === impl Exchange ===

impl Exchange {
    pub fn new(request: http::Request<WasiBody>, url: Url, begun: Begun, timing: Timing, allowance: Allowance) -> Self {
        let (parts, body) = request.into_parts();
        let mut request = reqwest::Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        for (name, value) in begun.headers {
            if let Ok(value) = value.parse() {
                request.headers_mut().insert(name, value);
            }
        }
        *request.body_mut() = Some(reqwest::Body::wrap(Outbound(Mutex::new(body))));
        Exchange { request, timing, allowance, ending: Ending { tell: begun.end, started: Instant::now() } }
    }

    /// Sends it, and waits for the response's head.
    pub async fn run(self) -> Result<http::Response<WasiBody>, Error> {
        let client = CLIENT.as_ref().map_err(|error| Error::InternalError(Some(error.clone())))?;
        self.run_with(client).await
    }

    async fn run_with(self, client: &Client) -> Result<http::Response<WasiBody>, Error> {
        let Exchange { request, timing, allowance, mut ending } = self;
        ending.started = Instant::now();
        let outcome = match tokio::time::timeout(timing.head, client.execute(request)).await {
            Ok(outcome) => outcome.map_err(|error| {
                warn_of_refusal(&allowance, &error);
                failure::of(&error)
            }),
            Err(_) => Err(Error::HttpResponseTimeout),
        };
        ending.tell(outcome.as_ref().map(|response| response.status().as_u16()).map_err(failure::name));
        let response: http::Response<reqwest::Body> = outcome?.into();
        Ok(response.map(|body| Inbound::new(body, allowance, timing.pause).boxed_unsync()))
    }
}

/// Only here is it known that a name was granted and where it led.
fn warn_of_refusal(allowance: &Allowance, error: &reqwest::Error) {
    if let Some(Refused { name, address }) = failure::caused::<Refused>(error).filter(|_| allowance.may_warn()) {
        tracing::warn!(
            target: "guest",
            stage = allowance.stage(),
            "a request to `{name}` was refused: the name leads to the private address {address}; if that is meant, grant the address \
             with `http = [\"{address}\"]` and ask for it"
        );
    }
}

// === impl Ending ===

impl Ending {
    fn tell(&mut self, status: Result<u16, &'static str>) {
        if let Some(tell) = self.tell.take() {
            tell(Ended { status, duration: self.started.elapsed() });
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.tell(Err("cancelled"));
    }
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, sync::Arc};

    use reqwest::dns::{Addrs, Name, Resolving};

    use super::*;
    use crate::{wasm::imports::wasi::http::addresses, words::limits::Limits};

    /// A DNS server that leads every name to this machine.
    struct Leads(fn(&str, Vec<SocketAddr>) -> addresses::Found);

    impl Resolve for Leads {
        fn resolve(&self, name: Name) -> Resolving {
            let found = (self.0)(name.as_str(), vec![([127, 0, 0, 1], 0).into()]);
            Box::pin(async move { Ok(Box::new(found?.into_iter()) as Addrs) })
        }
    }

    fn ask(resolver: Leads) -> Error {
        // A port that was free a moment ago: whoever asks there is told so.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url: Url = format!("http://api.example.com:{port}/").parse().unwrap();
        let empty = http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync();
        let timing = Timing { head: Duration::from_secs(10), pause: Duration::from_secs(10) };
        let allowance = Allowance::new(&Arc::from("stage"), &Limits::default());
        let exchange = Exchange::new(http::Request::new(empty), url, Begun::default(), timing, allowance);
        let client = build(resolver).unwrap();
        wasmtime_wasi::runtime::in_tokio(exchange.run_with(&client)).unwrap_err()
    }

    /// Protects the host's network: the check stands between the name and the connection, so nothing can come in between.
    #[test]
    fn a_name_that_leads_to_a_private_address_is_not_connected_to() {
        assert!(matches!(ask(Leads(addresses::allowed)), Error::DestinationIpProhibited));
        assert!(matches!(ask(Leads(|_, found| Ok(found))), Error::ConnectionRefused), "without it, the machine is reached");
    }
}
