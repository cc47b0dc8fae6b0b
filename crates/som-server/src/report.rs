//! How a call ended: one line in the log, and the metrics.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tonic::{Code, Status};
use tracing::Span;

use crate::metrics::Metrics;

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
}

impl Observed {
    /// Reports `code` at once if it is known already.
    pub(crate) fn wrap(body: Body, mut report: Report, code: Option<Code>) -> Body {
        match code {
            Some(code) => {
                report.end(code);
                body
            }
            None => Body::new(Self { body, report }),
        }
    }
}

impl http_body::Body for Observed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(trailers) = frame.trailers_ref()
        {
            let code = trailers
                .get(Status::GRPC_STATUS)
                .map_or(Code::Unknown, |code| Code::from_bytes(code.as_bytes()));
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
