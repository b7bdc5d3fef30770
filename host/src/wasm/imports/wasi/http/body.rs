//! Bodies on their way: a request's as the client wants it, a response's counted and timed.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

/// How much one call may still receive, over all its responses.
#[derive(Clone)]
pub struct Allowance {
    pub received: Arc<AtomicU64>,
    /// The limit `http_bytes`.
    pub limit: u64,
    pub stage: Arc<str>,
}

/// A request's body. The client wants to share it between threads, though it never does: hence the lock that nobody waits for.
pub struct Outbound(pub Mutex<WasiBody>);

/// A response's body.
pub struct Inbound {
    inner: reqwest::Body,
    allowance: Allowance,
    pause: Duration,
    timer: Pin<Box<Sleep>>,
    /// Whether the guest is waiting now. Time in which it does not read is not the server's fault.
    waiting: bool,
}

// === impl Allowance ===

impl Allowance {
    /// A call begins.
    pub fn renew(&self) {
        self.received.store(0, Ordering::Relaxed);
    }

    fn take(&self, bytes: usize) -> Result<(), Error> {
        let before = self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        if before.saturating_add(bytes as u64) <= self.limit {
            return Ok(());
        }
        tracing::warn!(target: "guest", stage = &*self.stage, "a response was cut off: limit `http_bytes`, {} bytes a call", self.limit);
        Err(Error::HttpResponseBodySize(Some(self.limit)))
    }
}

// === impl Outbound ===

impl Body for Outbound {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(self.get_mut().0.get_mut().unwrap_or_else(PoisonError::into_inner)).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}

// === impl Inbound ===

impl Inbound {
    /// Must be called within the runtime: there is a timer in it.
    pub fn new(inner: reqwest::Body, allowance: Allowance, pause: Duration) -> Self {
        Inbound { inner, allowance, pause, timer: Box::pin(tokio::time::sleep(pause)), waiting: false }
    }
}

impl Body for Inbound {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) {
            this.waiting = false;
            return Poll::Ready(frame.map(|frame| {
                let frame = frame.map_err(|error| super::failure::of(&error))?;
                this.allowance.take(frame.data_ref().map_or(0, Bytes::len))?;
                Ok(frame)
            }));
        }
        if !this.waiting {
            this.waiting = true;
            let end = Instant::now().checked_add(this.pause).unwrap_or_else(|| this.timer.deadline());
            this.timer.as_mut().reset(end);
        }
        ready!(this.timer.as_mut().poll(context));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
