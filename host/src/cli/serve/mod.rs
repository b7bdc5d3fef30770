//! The HTTP server beside a run: `/metrics` for who scrapes, `/healthz` and `/readyz` for who watches over processes. A thread of its
//! own, bounded in everything that a stranger could make it hold, gone with the run.

mod connections;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    thread::{self, JoinHandle},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::sync::oneshot;

use self::connections::Connections;
use crate::telemetry::metrics::{Metrics, exposition::Form};

/// How long answers that are under way may take, in milliseconds, when the run has ended.
const GRACE: Duration = Duration::from_millis(500);

const INDEX: &str = "\
Parshall

/metrics   metrics of the run: Prometheus' text form, or OpenMetrics for who asks for it
/healthz   200 as long as the process answers
/readyz    200 while the pipeline runs: its stages are open
";

/// A server that is running.
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Serves on a socket that listens already.
    pub fn start(listener: TcpListener, metrics: Metrics) -> io::Result<Self> {
        let addr = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work = move || {
            if let Err(error) = runtime.block_on(serve(listener, metrics, stopped)) {
                tracing::warn!("metrics are not served any more: {error}");
            }
        };
        Ok(Server { addr, stop, thread: thread::Builder::new().name("metrics http".into()).spawn(work)? })
    }

    /// Finishes what is being answered, within the grace, and stops.
    pub fn stop(self) {
        // It has ended by itself: there is nothing to wait for.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

async fn serve(listener: TcpListener, metrics: Metrics, stopped: oneshot::Receiver<()>) -> io::Result<()> {
    let listener = Connections::new(tokio::net::TcpListener::from_std(listener)?);
    let (told, tell) = oneshot::channel();
    let until = async move {
        let _ = stopped.await;
        let _ = told.send(());
    };
    let serving = async { axum::serve(listener, router(metrics)).with_graceful_shutdown(until).await };
    let grace = async {
        let _ = tell.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = serving => served,
        () = grace => Ok(()),
    }
}

fn router(metrics: Metrics) -> Router {
    Router::new()
        .route("/", get(|| async { INDEX }))
        .route("/metrics", get(text))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .fallback(|| async { (StatusCode::NOT_FOUND, "not found; `/` says what there is\n") })
        .with_state(metrics)
}

async fn text(State(metrics): State<Metrics>, headers: HeaderMap) -> Response {
    let ranges: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|range| range.to_str().ok()).collect();
    let form = Form::asked_for(&ranges.join(","));
    let headers = [(header::CONTENT_TYPE, form.content_type()), (header::VARY, "accept"), (header::CACHE_CONTROL, "no-store")];
    (headers, metrics.gather().text(form)).into_response()
}

async fn ready(State(metrics): State<Metrics>) -> Response {
    match metrics.running() {
        true => "ready\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready: no pipeline is running\n").into_response(),
    }
}
