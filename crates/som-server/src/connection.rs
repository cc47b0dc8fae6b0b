//! One connection: bytes in both directions, with two ways to end it.
//!
//! HTTP/2 keepalive finds peers that went away, but only once they have spoken HTTP/2, and a
//! graceful shutdown waits for peers that do not answer. So a connection ends when its peer has
//! not sent the HTTP/2 preface in time, and all connections end when they are told to.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep, sleep_until},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

/// The preface and the first frame's header: `PRI * HTTP/2.0…` (RFC 9113, section 3.4).
const PREFACE_BYTES: usize = 24 + 9;

/// A socket, with TLS or without.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// One connection.
pub(crate) struct Connection {
    io: Box<dyn Io>,
    peer: Option<SocketAddr>,
    /// Until the peer has sent its preface: the bytes to come, and when it is too late.
    preface: Option<(usize, Pin<Box<Sleep>>)>,
    killed: Pin<Box<WaitForCancellationFutureOwned>>,
    _slot: OwnedSemaphorePermit,
}

impl Connection {
    /// A connection that has to speak HTTP/2 before `deadline` and ends when `kill` says so.
    pub(crate) fn new(
        io: Box<dyn Io>,
        peer: Option<SocketAddr>,
        deadline: Instant,
        slot: OwnedSemaphorePermit,
        kill: CancellationToken,
    ) -> Self {
        let preface = Some((PREFACE_BYTES, Box::pin(sleep_until(deadline))));
        Self {
            io,
            peer,
            preface,
            killed: Box::pin(kill.cancelled_owned()),
            _slot: slot,
        }
    }

    /// Fails once the connection has to end.
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.killed.as_mut().poll(cx).is_ready() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        if let Some((_, too_late)) = &mut self.preface
            && too_late.as_mut().poll(cx).is_ready()
        {
            tracing::info!(peer = ?self.peer, "a connection did not speak HTTP/2 in time");
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }

    fn count(&mut self, bytes: usize) {
        if let Some((missing, _)) = &mut self.preface {
            *missing = missing.saturating_sub(bytes);
            if *missing == 0 {
                self.preface = None;
            }
        }
    }
}

/// The peer's address, for logs.
#[derive(Clone, Debug)]
pub(crate) struct Peer(pub(crate) Option<SocketAddr>);

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        Peer(self.peer)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        self.count(buffer.filled().len() - before);
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.io).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
