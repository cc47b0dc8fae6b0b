//! MarkStream: many images, one answer each, in the order of the requests.

use std::{pin::Pin, time::Duration};

use futures_util::{
    Stream, StreamExt as _,
    future::ready,
    stream::{self, FuturesOrdered},
};
use som_core::Error;
use som_proto::{
    pb::v1::{MarkStreamRequest, MarkStreamResponse, mark_stream_response::Outcome},
    status,
};
use tokio::{
    sync::mpsc,
    time::{sleep, sleep_until, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;
use tonic::{Status, Streaming};
use tracing::Instrument as _;

use super::Som;
use crate::call::Call;

/// Requests of one stream that are in work, or whose answers its client has not taken yet.
const READ_AHEAD: usize = 4;
/// When another server, or this one started again, may go on.
pub(super) const RESTART: Duration = Duration::from_secs(1);

/// The answers as they become ready.
pub(crate) type Answers = Pin<Box<dyn Stream<Item = Result<MarkStreamResponse, Status>> + Send>>;

impl Som {
    /// Answers `requests`. A task of its own reads them, so that what the client lets it wait for
    /// has an end; it is over when the answers are dropped.
    pub(super) fn answers(self, call: Call, requests: Streaming<MarkStreamRequest>) -> Answers {
        told_by(|sender| self.answer_all(call, requests, sender))
    }

    /// Answers `requests` until they end.
    ///
    /// # Errors
    /// What ends the stream: a malformed message, a client that neither sends nor takes anything,
    /// the deadline of the call, or the shutdown of the server.
    async fn answer_all(
        self,
        call: Call,
        mut requests: Streaming<MarkStreamRequest>,
        answers: mpsc::Sender<MarkStreamResponse>,
    ) -> Result<(), Status> {
        let idle = self.engine.settings().server.idle;
        let too_late = |what| {
            let idle = idle.as_millis();
            Status::deadline_exceeded(format!("the client {what} for {idle} ms (server.idle_ms)"))
        };
        let mut in_work = FuturesOrdered::new();
        let mut indices = 0..;
        // Why no further request is read; those in work are finished.
        let mut end = None;
        while end.is_none() || !in_work.is_empty() {
            let is_open = end.is_none();
            tokio::select! {
                () = answers.closed() => return Ok(()),
                () = past_deadline(&call) => {
                    return Err(Status::deadline_exceeded("the deadline of the call has passed"));
                }
                Some(answer) = in_work.next() => match timeout(idle, answers.send(answer)).await {
                    Ok(Ok(())) => {}
                    // It went away.
                    Ok(Err(_)) => return Ok(()),
                    Err(_) => return Err(too_late("took no answer")),
                },
                request = requests.message(), if is_open && in_work.len() < READ_AHEAD => {
                    match request {
                        Ok(Some(request)) => {
                            let index = indices.next().unwrap_or(u64::MAX);
                            in_work.push_back(self.answer(index, request, &call));
                        }
                        Ok(None) => end = Some(Ok(())),
                        Err(status) => end = Some(Err(status)),
                    }
                }
                () = self.drain.cancelled(), if is_open => {
                    end = Some(Err(status::unavailable("the server shuts down", RESTART)));
                }
                () = sleep(idle), if is_open && in_work.is_empty() => {
                    end = Some(Err(too_late("sent no request")));
                }
            }
        }
        end.unwrap_or(Ok(()))
    }

    /// Begins work on one request, and waits for its answer. Dropped, it calls the work off.
    fn answer(
        &self,
        index: u64,
        request: MarkStreamRequest,
        call: &Call,
    ) -> impl Future<Output = MarkStreamResponse> + use<> {
        let (som, call) = (self.clone(), call.clone());
        let bytes = som_proto::size_of(&request);
        let work = async move {
            let work = call.begin();
            let answer = match request.mark {
                Some(mark) => som.marked(mark, &work).await,
                None => Err(Error::invalid("mark is not set")),
            };
            call.give_back(bytes);
            answer.map_err(|error| {
                call.metrics.error(error.kind());
                work.status(&error)
            })
        };
        let task = AbortOnDropHandle::new(tokio::spawn(work.in_current_span()));
        async move {
            let answer = task.await;
            let answer = answer.unwrap_or_else(|_| Err(Status::internal("a task panicked")));
            let outcome = match answer {
                Ok(answer) => Outcome::Mark(answer),
                Err(status) => Outcome::Failure(status::failure(&status)),
            };
            MarkStreamResponse {
                index,
                outcome: Some(outcome),
            }
        }
    }
}

/// What `work` sends, as it is sent. It runs in a task of its own, which is over when nobody takes that any
/// more; how it ends is the end of the stream.
pub(super) fn told_by<T: Send + 'static, Work>(
    work: impl FnOnce(mpsc::Sender<T>) -> Work,
) -> Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>
where
    Work: Future<Output = Result<(), Status>> + Send + 'static,
{
    let (sender, answers) = mpsc::channel(1);
    let task = tokio::spawn(work(sender).in_current_span());
    let end = stream::once(task).filter_map(|ended| {
        ready(match ended {
            Ok(Ok(())) => None,
            Ok(Err(status)) => Some(Err(status)),
            Err(_) => Some(Err(Status::internal("the stream's task panicked"))),
        })
    });
    Box::pin(ReceiverStream::new(answers).map(Ok).chain(end))
}

/// Waits for the moment when the client stops waiting.
pub(super) async fn past_deadline(call: &Call) {
    match call.deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
