//! One call as the services see it: its time, its owner and its permits.

use std::{
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use som_core::{Cancellation, Error, ErrorKind, Usage};
use som_engine::{
    ask::AskOutcome,
    memory::{Held, Memory},
};
use som_proto::status;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tonic::{Request, Response, Status};

use crate::{metrics::Metrics, token::Owner};

/// What the [gate](crate::gate) found out about a call. Clones share the permits, which are free
/// again when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Call {
    /// Of the token; `None` on an open server.
    pub(crate) owner: Option<Arc<Owner>>,
    /// When the client stops waiting.
    pub(crate) deadline: Option<Instant>,
    /// The longest that work on one request may take.
    pub(crate) limit: Duration,
    /// True if the client compressed its request, and so wants the answer compressed.
    pub(crate) compressed: bool,
    /// The memory that its requests take.
    pub(crate) held: Arc<Mutex<Held>>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) _permits: Arc<[Option<OwnedSemaphorePermit>; 2]>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Call {
    /// The call that `request` belongs to.
    ///
    /// # Errors
    /// Internal, if the request did not pass the gate.
    pub(crate) fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        let call = request.extensions().get::<Self>().cloned();
        call.ok_or_else(|| Status::internal("the request did not pass the gate"))
    }

    /// Name of the token; empty on an open server.
    pub(crate) fn owner_name(&self) -> &Arc<str> {
        static NOBODY: LazyLock<Arc<str>> = LazyLock::new(|| "".into());
        self.owner.as_ref().map_or(&NOBODY, |owner| owner.name())
    }

    /// Gives back the memory of one request of a stream, which is answered.
    pub(crate) fn give_back(&self, bytes: usize) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.give_back(bytes as u64);
    }

    /// Counts what an answer of a model took: in the metrics, and for the owner.
    pub(crate) fn charge(&self, outcome: &AskOutcome) {
        let AskOutcome {
            lmm,
            rounds,
            usage,
            cost,
            ..
        } = outcome;
        self.metrics.answers(&lmm.name, *rounds, *usage, *cost);
        if let Some(owner) = &self.owner {
            let tokens = |usage: &Usage| usage.input_tokens.saturating_add(usage.output_tokens);
            owner.charge(usage.as_ref().map_or(0, tokens), cost.unwrap_or_default());
        }
    }

    /// Starts work on a request of this call.
    pub(crate) fn begin(&self) -> Work<'_> {
        let mut time = self.limit;
        if let Some(deadline) = self.deadline {
            time = time.min(deadline.saturating_duration_since(Instant::now()));
        }
        Work {
            call: self,
            cancellation: Cancellation::new().with_timeout(time),
            held: Arc::new(Mutex::new(self.memory.nothing())),
        }
    }

    /// An answer, compressed as the request was.
    pub(crate) fn reply<T>(&self, message: T) -> Response<T> {
        let mut response = Response::new(message);
        if !self.compressed {
            // Pictures are compressed already, and clients that accept gzip seldom mean it.
            response.disable_compression();
        }
        response
    }
}

/// Work on one request. It is called off when nobody waits for it any more.
pub(crate) struct Work<'a> {
    pub(crate) call: &'a Call,
    pub(crate) cancellation: Cancellation,
    /// The memory that its images take.
    pub(crate) held: Arc<Mutex<Held>>,
}

impl Work<'_> {
    /// The failure as the client gets it, with a retry hint where the queue was full.
    pub(crate) fn status(&self, error: &Error) -> Status {
        match error.kind() {
            ErrorKind::Cancelled if self.cancellation.is_past_deadline() => {
                Status::deadline_exceeded("the deadline of the call has passed")
            }
            ErrorKind::Exhausted if error.is_passing() => {
                status::exhausted(error.message(), self.call.metrics.retry_delay())
            }
            ErrorKind::Denied => {
                tracing::error!(
                    error = error as &dyn std::error::Error,
                    "a login is refused"
                );
                status::to_wire(error)
            }
            ErrorKind::Internal => {
                tracing::error!(error = error as &dyn std::error::Error, "a bug");
                status::to_wire(error)
            }
            _ => status::to_wire(error),
        }
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.cancellation.cancel();
    }
}
