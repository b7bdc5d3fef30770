//! HTTP servers beside a run: one for whoever scrapes its metrics, one for whoever looks into it and changes it. Each has a thread of
//! its own, is bounded in everything that a stranger could make it hold, and is gone with the run.

pub mod connections;
pub mod metrics;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    thread::{self, JoinHandle},
    time::Duration,
};

use axum::Router;
use tokio::sync::oneshot;

use self::connections::{Answering, Connections};

/// How long answers that are under way may take, in milliseconds, when the run has ended.
const GRACE: Duration = Duration::from_millis(500);

/// A server that is running.
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Serves on a socket that listens already. `what` is served is said where it ends before its time.
    pub fn start(listener: TcpListener, what: &'static str, router: Router) -> io::Result<Self> {
        let addr = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work = move || {
            if let Err(error) = runtime.block_on(serve(listener, router, stopped)) {
                tracing::warn!("{what}: not served any more: {error}");
            }
            // What answers are still being made of is not waited for.
            runtime.shutdown_background();
        };
        Ok(Server { addr, stop, thread: thread::Builder::new().name(format!("{what} http")).spawn(work)? })
    }

    /// Finishes what is being answered, within the grace, and stops.
    pub fn stop(self) {
        // It has ended by itself: there is nothing to wait for.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

async fn serve(listener: TcpListener, router: Router, stopped: oneshot::Receiver<()>) -> io::Result<()> {
    let listener = Connections::new(tokio::net::TcpListener::from_std(listener)?);
    let (told, tell) = oneshot::channel();
    let until = async move {
        let _ = stopped.await;
        let _ = told.send(());
    };
    let service = router.into_make_service_with_connect_info::<Answering>();
    let serving = async { axum::serve(listener, service).with_graceful_shutdown(until).await };
    let grace = async {
        let _ = tell.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = serving => served,
        () = grace => Ok(()),
    }
}
