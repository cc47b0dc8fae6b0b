//! The first words of a client: HTTP/2, or something that gets an answer it can read.

use std::{
    io::{self, Cursor},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, Chain, ReadBuf},
    time::timeout,
};

/// What a client says first (RFC 9113, section 3.4), and the head of the frame after it: a client
/// that has said so much goes on, or is found out by the signs of life it is asked for.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEAD: usize = 9;

/// How long a client that is refused may take to read why.
const FAREWELL: Duration = Duration::from_secs(1);

/// A socket, with TLS or without.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection that speaks HTTP/2, from its first byte.
pub(crate) struct Greeted(Chain<Cursor<Vec<u8>>, Box<dyn Io>>);

/// Reads the first words of a client. One that speaks something else is told so, and its connection
/// ended: that is `None`.
///
/// # Errors
/// What the connection reports.
pub(crate) async fn greet(mut io: Box<dyn Io>) -> io::Result<Option<Greeted>> {
    let mut said = Vec::with_capacity(PREFACE.len() + FRAME_HEAD);
    while said.len() < PREFACE.len() + FRAME_HEAD {
        let left = PREFACE.len() + FRAME_HEAD - said.len();
        if (&mut io).take(left as u64).read_buf(&mut said).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let known = said.len().min(PREFACE.len());
        if said[..known] != PREFACE[..known] {
            let _ = timeout(FAREWELL, refuse(&mut io)).await;
            return Ok(None);
        }
    }
    Ok(Some(Greeted(Cursor::new(said).chain(io))))
}

/// Says in HTTP/1.1 what is spoken here.
async fn refuse(io: &mut Box<dyn Io>) -> io::Result<()> {
    let text = "som speaks gRPC, which needs HTTP/2 (with https, by ALPN: h2; else with prior knowledge).\n";
    let answer = format!(
        "HTTP/1.1 426 Upgrade Required\r\nconnection: close, upgrade\r\nupgrade: h2c\r\n\
         content-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\r\n{text}",
        text.len()
    );
    io.write_all(answer.as_bytes()).await?;
    io.shutdown().await?;
    // An end before the client has sent all would take the answer from it.
    let mut rest = [0; 1024];
    while io.read(&mut rest).await? > 0 {}
    Ok(())
}

impl AsyncRead for Greeted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl Greeted {
    fn io(self: Pin<&mut Self>) -> Pin<&mut Box<dyn Io>> {
        Pin::new(self.get_mut().0.get_mut().1)
    }
}

impl AsyncWrite for Greeted {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.io().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io().poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.get_ref().1.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io().poll_shutdown(cx)
    }
}
