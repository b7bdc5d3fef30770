//! Sends ready bytes to a collector, over HTTP or gRPC, asks again where that can help, and says what went wrong to its root.
//! <https://opentelemetry.io/docs/specs/otlp/>

use std::{
    io::Write as _,
    sync::OnceLock,
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use http::uri::PathAndQuery;
use reqwest::{Response, StatusCode, Url};
use tokio::{sync::watch, time};
use tonic::{
    codec::CompressionEncoding,
    metadata::{Ascii, MetadataKey, MetadataValue},
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt as _;

use super::{BuildError, Protocol, Settings, cause::cause, raw::Raw};
use crate::{telemetry::health::Signal, words::trace::SpanId};

/// Before a request is sent for the second time; twice as long before the third, and so on.
const PAUSE: Duration = Duration::from_millis(100);
/// And never longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Bytes of an answer that are looked at: it says how many items were rejected, and why.
const ANSWER: usize = 64 << 10;

/// To one collector, of one signal.
pub struct Sender {
    settings: Settings,
    wire: Wire,
}

enum Wire {
    Http(reqwest::Client, Url),
    /// The channel connects when it is used, in the runtime that uses it.
    Grpc(Box<Endpoint>, PathAndQuery, OnceLock<Channel>),
}

/// A request that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// Why, as messages may tell it.
    pub why: String,
    /// How long the collector wants to be left alone.
    pub leave: Option<Duration>,
}

/// What one attempt came to.
struct Failed {
    why: String,
    again: Again,
}

/// Whether asking again can help.
enum Again {
    /// The collector does not want this.
    Never,
    /// It cannot take it now; it may say when.
    Later(Option<Duration>),
    /// Nobody is there.
    Unreachable,
}

// === impl Sender ===

impl Sender {
    /// As the settings say.
    pub fn new(signal: Signal, settings: Settings) -> Result<Self, BuildError> {
        let wire = match settings.protocol {
            Protocol::Http => Wire::Http(settings.http_client()?, Url::parse(&settings.endpoint).map_err(|_| BuildError::Endpoint)?),
            Protocol::Grpc => Wire::Grpc(Box::new(settings.grpc_endpoint()?), service(signal), OnceLock::new()),
        };
        Ok(Sender { settings, wire })
    }

    /// The collector that it sends to, as messages may name it.
    pub fn name(&self) -> String {
        self.settings.collector()
    }

    /// Sends a request, again and again within the time that an export may take, and answers what the collector did. Once `closing`
    /// is true, nobody who is not there is waited for.
    pub async fn send(&self, request: Bytes, mut closing: watch::Receiver<bool>) -> Result<Bytes, Unsent> {
        let request = if self.settings.gzip && self.settings.protocol == Protocol::Http { gzip(&request) } else { request };
        let (due, mut pause) = (Instant::now() + self.settings.timeout, PAUSE);
        let mut last = None;
        loop {
            let failed = match time::timeout_at(due.into(), self.once(request.clone(), due)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(failed)) => failed,
                // What came before says more.
                Err(_) => return Err(last.unwrap_or_else(|| Unsent { why: late(self.settings.timeout), leave: None })),
            };
            let (wait, leave) = match failed.again {
                Again::Never => return Err(Unsent { why: failed.why, leave: None }),
                Again::Later(asked) => (asked.unwrap_or(pause).max(pause), asked),
                Again::Unreachable => (pause, None),
            };
            let unsent = Unsent { why: failed.why, leave };
            let nobody = matches!(failed.again, Again::Unreachable);
            // Whoever was refused at the same moment does not come back at the same moment.
            let wait = wait + wait.mul_f64((SpanId::fresh().0.get() % 256) as f64 / 1024.0);
            if (nobody && *closing.borrow()) || Instant::now() + wait >= due {
                return Err(unsent);
            }
            tokio::select! {
                () = time::sleep(wait) => {}
                _ = closing.wait_for(|closing| *closing), if nobody => return Err(unsent),
            }
            last = Some(unsent);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn once(&self, request: Bytes, due: Instant) -> Result<Bytes, Failed> {
        match &self.wire {
            Wire::Http(client, url) => self.post(client, url.clone(), request).await,
            Wire::Grpc(endpoint, path, channel) => {
                let channel = channel.get_or_init(|| endpoint.connect_lazy());
                self.call(channel.clone(), path.clone(), request, due).await
            }
        }
    }

    async fn post(&self, client: &reqwest::Client, url: Url, request: Bytes) -> Result<Bytes, Failed> {
        let mut post = client.post(url).header("content-type", "application/x-protobuf");
        if self.settings.gzip {
            post = post.header("content-encoding", "gzip");
        }
        for (name, value) in &self.settings.headers {
            post = post.header(name, value);
        }
        let unreachable = |error: reqwest::Error| {
            let why = if error.is_timeout() { late(self.settings.timeout) } else { cause(&error) };
            Failed { why, again: Again::Unreachable }
        };
        let answer = post.body(request).send().await.map_err(unreachable)?;
        if answer.status().is_success() {
            return body(answer).await.map_err(unreachable);
        }
        Err(refused(answer).await)
    }

    async fn call(&self, channel: Channel, path: PathAndQuery, request: Bytes, due: Instant) -> Result<Bytes, Failed> {
        let mut client = tonic::client::Grpc::new(channel);
        if self.settings.gzip {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        client.ready().await.map_err(|error| Failed { why: cause(&error), again: Again::Unreachable })?;
        let mut request = tonic::Request::new(request);
        request.set_timeout(due.saturating_duration_since(Instant::now()));
        for (name, value) in &self.settings.headers {
            // The settings have been checked for what headers may be.
            if let (Ok(name), Ok(value)) = (name.parse::<MetadataKey<Ascii>>(), value.parse::<MetadataValue<Ascii>>()) {
                request.metadata_mut().insert(name, value);
            }
        }
        let answer = client.unary(request, path, Raw).await;
        answer.map(tonic::Response::into_inner).map_err(|status| judged(&status))
    }
}

/// Where the collector's service for a signal is.
fn service(signal: Signal) -> PathAndQuery {
    PathAndQuery::from_static(match signal {
        Signal::Spans => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    })
}

fn late(limit: Duration) -> String {
    format!("no answer within {limit:?}")
}

/// As much of an answer as is looked at.
async fn body(mut answer: Response) -> Result<Bytes, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await? {
        body.extend_from_slice(&part[..part.len().min(ANSWER - body.len())]);
        if body.len() == ANSWER {
            break;
        }
    }
    Ok(body.into())
}

/// An answer that is none of success.
async fn refused(answer: Response) -> Failed {
    let status = answer.status();
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let asked = header("retry-after").and_then(|asked| retry_after(asked, SystemTime::now()));
    let text = header("content-type").is_none_or(|kind| kind.starts_with("text/") || kind.contains("json"));
    let again = match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            Again::Later(asked)
        }
        _ => Again::Never,
    };
    let said = if text { said(&String::from_utf8_lossy(&body(answer).await.unwrap_or_default())) } else { String::new() };
    Failed { why: format!("HTTP {status}{}{said}", if said.is_empty() { "" } else { ": " }), again }
}

/// `Retry-After`: seconds, or a date.
fn retry_after(asked: &str, now: SystemTime) -> Option<Duration> {
    match asked.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(asked.trim()).ok().map(|date| date.duration_since(now).unwrap_or_default()),
    }
}

/// A status of gRPC, by the table of OTLP's specification.
fn judged(status: &tonic::Status) -> Failed {
    use tonic::Code;
    if let Some(source) = std::error::Error::source(status) {
        return Failed { why: cause(source), again: Again::Unreachable };
    }
    let asked = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let again = match status.code() {
        Code::Cancelled | Code::DeadlineExceeded | Code::Aborted | Code::OutOfRange | Code::Unavailable | Code::DataLoss => {
            Again::Later(asked)
        }
        Code::ResourceExhausted if asked.is_some() => Again::Later(asked),
        _ => Again::Never,
    };
    let said = said(status.message());
    Failed { why: format!("gRPC {:?}{}{said}", status.code(), if said.is_empty() { "" } else { ": " }), again }
}

/// The first line of what a collector said, short enough for a message.
fn said(text: &str) -> String {
    text.trim().lines().next().unwrap_or_default().chars().filter(|letter| !letter.is_control()).take(200).collect()
}

fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(bytes.len() / 4), flate2::Compression::fast());
    // Into memory: there is nothing that could fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Protects against a collector that is asked again too early, or never.
    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Tue, 15 Nov 1994 08:12:31 GMT").unwrap();
        let asked = |text| retry_after(text, now);
        assert_eq!(asked(" 3 "), Some(Duration::from_secs(3)));
        assert_eq!(asked("Tue, 15 Nov 1994 08:12:41 GMT"), Some(Duration::from_secs(10)));
        assert_eq!(asked("Tue, 15 Nov 1994 08:12:21 GMT"), Some(Duration::ZERO), "that was before");
        assert_eq!(asked("soon"), None);
    }

    /// Protects against repetitions that the specification forbids, and losses that it does not want.
    #[test]
    fn statuses_are_judged_by_the_specification() {
        use tonic::{Code, Status};
        let judge = |code| judged(&Status::new(code, "no\nmore"));
        assert!(matches!(judge(Code::Unavailable).again, Again::Later(None)));
        assert!(matches!(judge(Code::ResourceExhausted).again, Again::Never), "it does not say when");
        assert!(matches!(judge(Code::InvalidArgument).again, Again::Never));
        assert_eq!(judge(Code::PermissionDenied).why, "gRPC PermissionDenied: no");
        let details = tonic_types::ErrorDetails::with_retry_info(Some(Duration::from_secs(2)));
        let told = Status::with_error_details(Code::ResourceExhausted, "", details);
        assert!(matches!(judged(&told).again, Again::Later(Some(asked)) if asked == Duration::from_secs(2)));
    }
}
