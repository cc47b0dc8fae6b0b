//! How a call ended: one line in the log, and the metrics.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::body::{Body, Bytes};
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use som_engine::memory::Held;
use som_proto::status;
use tonic::{Code, Status};
use tracing::Span;

use crate::{
    metrics::Metrics,
    upload::{BROKEN_OFF, too_large},
};

/// A call whose end is still to come. Dropped before, the client went away.
pub(crate) struct Report {
    rpc: String,
    span: Span,
    metrics: Arc<Metrics>,
    started: Instant,
    is_over: bool,
}

impl Report {
    /// A call of `rpc` began.
    pub(crate) fn begin(rpc: &str, span: Span, metrics: Arc<Metrics>) -> Self {
        metrics.begin();
        Self {
            rpc: rpc.to_owned(),
            span,
            metrics,
            started: Instant::now(),
            is_over: false,
        }
    }

    fn end(&mut self, code: Code) {
        if self.is_over {
            return;
        }
        self.is_over = true;
        let took = self.started.elapsed();
        self.metrics.end(&self.rpc, code, took);
        let ms = took.as_secs_f64() * 1e3;
        self.span.in_scope(|| tracing::info!(?code, ms, "done"));
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}

/// A body that reports the status in its trailers.
pub(crate) struct Observed {
    body: Body,
    report: Report,
    most: usize,
    /// What the call holds is held until its answer is taken.
    _held: Option<Arc<Mutex<Held>>>,
}

impl Observed {
    /// Reports `code` at once if it is known already. Messages may have `most` bytes.
    pub(crate) fn wrap(
        body: Body,
        mut report: Report,
        code: Option<Code>,
        most: usize,
        held: Option<Arc<Mutex<Held>>>,
    ) -> Body {
        match code {
            Some(code) => {
                report.end(code);
                body
            }
            None => Body::new(Self {
                body,
                report,
                most,
                _held: held,
            }),
        }
    }
}

/// The code among the headers or trailers of an answer, if it is there, as the contract has it: what
/// gRPC's library calls out of range is a message beyond the limit, and an upload that was broken off
/// is only known to it as [aborted](crate::upload::BROKEN_OFF).
pub(crate) fn code(headers: &mut HeaderMap, most: usize) -> Option<Code> {
    let code = Code::from_bytes(headers.get(Status::GRPC_STATUS)?.as_bytes());
    let told = Status::from_header_map(headers);
    let told = told.as_ref().map_or("", Status::message);
    let status = match code {
        Code::OutOfRange => {
            let mut numbers = told.split(|letter: char| !letter.is_ascii_digit());
            let bytes = numbers.find_map(|number| number.parse().ok());
            status::to_wire(&too_large("message", bytes.unwrap_or_default(), most))
        }
        BROKEN_OFF => Status::cancelled(told),
        code => return Some(code),
    };
    // A code and a text are all it has, and both fit.
    let _ = status.add_header(headers);
    Some(status.code())
}

impl http_body::Body for Observed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &mut frame
            && let Some(trailers) = frame.trailers_mut()
        {
            let code = code(trailers, self.most).unwrap_or(Code::Unknown);
            self.report.end(code);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
