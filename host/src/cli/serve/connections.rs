//! Connections of strangers, bounded: in number, in how long a request may take to arrive, in how long a connection may lie idle, and
//! in how large a request may be.

use std::{
    future::Future as _,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep},
};

/// Connections at a time. More wait in the system's queue until one goes.
const MOST: usize = 64;
/// How long a request may take to arrive, in seconds.
const REQUEST: Duration = Duration::from_secs(10);
/// How long a connection may lie idle between requests, or an answer may go untaken, in seconds: longer than anybody waits between
/// two scrapes.
const IDLE: Duration = Duration::from_secs(150);
/// Bytes of a request, its body among them. What is asked here takes a line or a few.
const MOST_BYTES: usize = 16 << 10;
/// How long to wait when the system has no more connections to give, in milliseconds.
const EXHAUSTED: Duration = Duration::from_millis(200);

/// Takes connections, as many as there may be.
pub struct Connections {
    listener: TcpListener,
    room: Arc<Semaphore>,
}

/// A connection that ends when it is too slow, too idle or asks too much.
pub struct Connection {
    stream: TcpStream,
    /// When it ends, unless something happens before.
    deadline: Pin<Box<Sleep>>,
    /// Bytes of the request that is arriving; none between requests.
    arrived: usize,
    answering: Answering,
    _place: Option<OwnedSemaphorePermit>,
}

/// Whether an answer is being made that takes its time, as a swap does: the connection lies idle then, and is not too slow.
#[derive(Clone, Default)]
pub struct Answering(Arc<AtomicUsize>);

/// As long as this is there, the answer is being made.
pub struct Held(Answering);

// === impl Connections ===

impl Connections {
    /// Of a socket that listens.
    pub fn new(listener: TcpListener) -> Self {
        Connections { listener, room: Arc::new(Semaphore::new(MOST)) }
    }
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // The semaphore is never closed.
        let place = Arc::clone(&self.room).acquire_owned().await.ok();
        loop {
            match self.listener.accept().await {
                Ok((stream, addr)) => {
                    let _ = stream.set_nodelay(true);
                    let (deadline, answering) = (Box::pin(sleep(REQUEST)), Answering::default());
                    return (Connection { stream, deadline, arrived: 0, answering, _place: place }, addr);
                }
                // Of one connection (it went before we came), or of all (no file descriptors): either goes by.
                Err(error) => {
                    tracing::debug!("no connection could be accepted: {error}");
                    sleep(EXHAUSTED).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

// === impl Answering ===

impl Answering {
    /// From now on, until what is answered here is dropped.
    pub fn hold(&self) -> Held {
        self.0.fetch_add(1, Relaxed);
        Held(self.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

impl Connected<IncomingStream<'_, Connections>> for Answering {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        stream.io().answering.clone()
    }
}

// === impl Connection ===

impl Connection {
    fn postpone(&mut self, by: Duration) {
        self.deadline.as_mut().reset(Instant::now() + by);
    }

    /// Whether the time is over; wakes the task when it is.
    fn late(&mut self, context: &mut Context<'_>) -> bool {
        while self.deadline.as_mut().poll(context).is_ready() {
            if self.answering.0.load(Relaxed) == 0 {
                return true;
            }
            self.postpone(IDLE);
        }
        false
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if read.is_pending() {
            return if this.late(context) { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending };
        }
        let bytes = buffer.filled().len() - before;
        // The clock starts with the first byte and is not set back by the others: a byte now and then does not keep a request alive.
        if this.arrived == 0 && bytes > 0 {
            this.postpone(REQUEST);
        }
        this.arrived += bytes;
        if this.arrived > MOST_BYTES {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "the request is too large")));
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        match written {
            Poll::Pending if this.late(context) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Ready(Ok(_)) => {
                // The request has arrived: what is read next is another.
                this.arrived = 0;
                this.postpone(IDLE);
                written
            }
            written => written,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
