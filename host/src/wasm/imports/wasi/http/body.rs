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

use crate::words::limits::Limits;

/// What the requests of an instance share: how much one call may still receive, and how many of them there are.
#[derive(Clone)]
pub struct Allowance {
    received: Arc<AtomicU64>,
    /// Every request under way has one more of it, until its response has been read or dropped.
    open: Arc<()>,
    /// What the host had to say of the requests of this call.
    warnings: Arc<AtomicU64>,
    bytes: u64,
    requests: u64,
    logs: u64,
    stage: Arc<str>,
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
    pub fn new(stage: &Arc<str>, limits: &Limits) -> Self {
        Allowance {
            received: Arc::default(),
            open: Arc::default(),
            warnings: Arc::default(),
            bytes: limits.http_bytes,
            requests: limits.http_requests,
            logs: limits.logs,
            stage: Arc::clone(stage),
        }
    }

    /// The stage whose it is.
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Whether one more warning about this call's requests is within the limit `logs`.
    pub fn may_warn(&self) -> bool {
        self.warnings.fetch_add(1, Ordering::Relaxed) < self.logs
    }

    /// For one more request.
    pub fn open(&self) -> Result<Self, Error> {
        // One is the instance's own.
        if Arc::strong_count(&self.open) as u64 > self.requests {
            if self.may_warn() {
                tracing::warn!(target: "guest", stage = &*self.stage, "a request was refused: limit `http_requests`, {} at once", self.requests);
            }
            return Err(Error::ConnectionLimitReached);
        }
        Ok(self.clone())
    }

    /// A call begins.
    pub fn renew(&self) {
        self.received.store(0, Ordering::Relaxed);
        self.warnings.store(0, Ordering::Relaxed);
    }

    fn take(&self, bytes: usize) -> Result<(), Error> {
        let before = self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        if before.saturating_add(bytes as u64) <= self.bytes {
            return Ok(());
        }
        if self.may_warn() {
            tracing::warn!(target: "guest", stage = &*self.stage, "a response was cut off: limit `http_bytes`, {} bytes a call", self.bytes);
        }
        Err(Error::HttpResponseBodySize(Some(self.bytes)))
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
