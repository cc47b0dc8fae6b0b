//! The body of a request on its way in: it has an end, a size and a budget.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use som_core::Error;
use som_engine::memory::Held;
use som_proto::status;
use tokio::time::{Sleep, sleep};
use tonic::{Code, Status};

/// Before each message: whether it is compressed, and its length (gRPC over HTTP/2, "Requests").
const PREFIX: usize = 5;
/// An upload that its client broke off; on its way out it becomes CANCELLED, which gRPC's library takes
/// for the end of a request. Nothing else is called so.
pub(crate) const BROKEN_OFF: Code = Code::Aborted;
/// When to try again where there is no memory for a request.
const PAUSE: Duration = Duration::from_millis(500);

/// The body of a request, until all of it is there.
pub(crate) struct Upload {
    body: Body,
    /// When it is too late; `None` for a stream, which may go on.
    too_late: Option<(Duration, Pin<Box<Sleep>>)>,
    most: usize,
    held: Arc<Mutex<Held>>,
    prefix: Vec<u8>,
    /// Bytes of a message that are still to come.
    left: usize,
    /// A message has begun.
    has_message: bool,
}

impl Upload {
    /// `body` with messages of at most `most` bytes, whose memory is added to `held`; over within
    /// `time`, if there is one.
    pub(crate) fn wrap(
        body: Body,
        time: Option<Duration>,
        most: usize,
        held: Arc<Mutex<Held>>,
    ) -> Body {
        Body::new(Self {
            body,
            too_late: time.map(|time| (time, Box::pin(sleep(time)))),
            most,
            held,
            prefix: Vec::with_capacity(PREFIX),
            left: 0,
            has_message: false,
        })
    }

    /// Counts what came in.
    ///
    /// # Errors
    /// Why no more of it is taken.
    fn count(&mut self, bytes: &[u8]) -> Result<(), Status> {
        let held = self.held.lock();
        let taken = held
            .unwrap_or_else(PoisonError::into_inner)
            .add("the request", bytes.len() as u64);
        taken.map_err(|error| match error.is_passing() {
            true => status::exhausted(error.message(), PAUSE),
            false => status::to_wire(&error),
        })?;
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.left > 0 {
                let passed = self.left.min(rest.len());
                self.left -= passed;
                rest = &rest[passed..];
                continue;
            }
            let (head, after) = rest.split_at(rest.len().min(PREFIX - self.prefix.len()));
            self.prefix.extend(head);
            rest = after;
            if let &[_, a, b, c, d] = self.prefix.as_slice() {
                self.prefix.clear();
                self.has_message = true;
                self.left = u32::from_be_bytes([a, b, c, d]) as usize;
                if self.left > self.most {
                    return Err(status::to_wire(&too_large("request", self.left, self.most)));
                }
            }
        }
        Ok(())
    }
}

/// A message beyond the limit.
pub(crate) fn too_large(what: &str, bytes: usize, most: usize) -> Error {
    Error::exhausted(format!(
        "the {what} has {bytes} bytes, but at most {most} are allowed (raise server.message_bytes)"
    ))
}

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(frame))) => {
                let counted = frame.data_ref().map_or(Ok(()), |bytes| self.count(bytes));
                return Poll::Ready(Some(counted.map(|()| frame)));
            }
            Poll::Ready(Some(Err(error))) => {
                tracing::debug!(%error, "an upload broke off");
                let why = "the client ended the upload";
                return Poll::Ready(Some(Err(Status::new(BROKEN_OFF, why))));
            }
            Poll::Ready(None) if self.left > 0 || !self.prefix.is_empty() => {
                let why = "the request ends in the middle of a message";
                return Poll::Ready(Some(Err(Status::invalid_argument(why))));
            }
            Poll::Ready(None) if !self.has_message && self.too_late.is_some() => {
                let why = "the request has no message";
                return Poll::Ready(Some(Err(Status::invalid_argument(why))));
            }
            Poll::Ready(None) => return Poll::Ready(None),
        }
        if let Some((time, too_late)) = &mut self.too_late
            && too_late.as_mut().poll(cx).is_ready()
        {
            let time = time.as_millis();
            return Poll::Ready(Some(Err(Status::deadline_exceeded(format!(
                "the request was not there within {time} ms (server.upload_ms)"
            )))));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
