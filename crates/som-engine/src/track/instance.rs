//! A tracker's instance, on the thread of its video.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Instant,
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use som_core::{
    Call, Cancellation, Error, ErrorKind, Frame, Params, Result, Tracked, Tracker, TrackerFactory,
};
use tokio::sync::oneshot;

use super::{TrackFrame, TrackedFrame};

/// The thread of one video. It ends, and the instance with it, when this is dropped.
pub(super) struct Instance {
    jobs: Sender<Job>,
    who: String,
}

struct Job {
    frame: TrackFrame,
    params: Params,
    cancellation: Cancellation,
    /// Of the call that asks.
    span: tracing::Span,
    reply: oneshot::Sender<Result<TrackedFrame>>,
}

impl Instance {
    /// Starts the thread. The instance is created by the first frame.
    ///
    /// # Errors
    /// Exhausted, if there is no thread for it.
    pub(super) fn start(factory: Arc<dyn TrackerFactory>, options: Params) -> Result<Self> {
        let id = factory.descriptor().id.clone();
        let who = format!("tracker \"{id}\"");
        // The frame under way is the only one.
        let (jobs, queue) = bounded(1);
        let video = Video {
            who: who.clone(),
            options,
            instance: None,
            factory,
        };
        thread::Builder::new()
            .name(format!("tracker-{id}"))
            .spawn(move || video.work(&queue))
            .map_err(|error| {
                let message = format!("{who}: no thread could be started");
                Error::exhausted(message).caused_by(error)
            })?;
        Ok(Self { jobs, who })
    }

    /// As [`TrackSession::frame`](super::TrackSession::frame).
    pub(super) async fn frame(
        &self,
        frame: TrackFrame,
        params: Params,
        cancellation: &Cancellation,
    ) -> Result<TrackedFrame> {
        let (reply, done) = oneshot::channel();
        // Whoever leaves calls off this frame alone.
        let called_off = CallOff(cancellation.part());
        let job = Job {
            span: tracing::info_span!("track", tracker = %self.who, frame = frame.index),
            frame,
            params,
            cancellation: called_off.0.clone(),
            reply,
        };
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => {
                let message = format!("{}: the frame before is still under way", self.who);
                Error::exhausted(message).passing()
            }
            TrySendError::Disconnected(_) => self.is_gone(),
        })?;
        let over = async {
            match cancellation.deadline() {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // A result that is there counts, however late it is looked at.
            biased;
            result = done => result.unwrap_or_else(|_| Err(self.is_gone())),
            () = over => Err(Error::cancelled()),
        }
    }

    fn is_gone(&self) -> Error {
        Error::internal(format!("{}: its thread went away", self.who))
    }
}

/// Calls the frame off when its waiter leaves early.
struct CallOff(Cancellation);

impl Drop for CallOff {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What the thread has.
struct Video {
    who: String,
    factory: Arc<dyn TrackerFactory>,
    options: Params,
    instance: Option<Result<Box<dyn Tracker>, Error>>,
}

impl Video {
    fn work(mut self, queue: &Receiver<Job>) {
        for job in queue {
            let Job {
                frame,
                params,
                cancellation,
                span,
                reply,
            } = job;
            let started = Instant::now();
            let tracked = span.in_scope(|| self.frame(&frame, &params, &cancellation));
            let seen = tracked.map(|tracked| TrackedFrame {
                tracked,
                took: started.elapsed(),
            });
            // Nobody listens if the frame was called off.
            let _ = reply.send(seen);
        }
        // A plugin's destructor must not end the thread without a word.
        let instance = self.instance.take();
        let _ = catch_unwind(AssertUnwindSafe(move || drop(instance)));
    }

    fn frame(
        &mut self,
        frame: &TrackFrame,
        params: &Params,
        cancellation: &Cancellation,
    ) -> Result<Vec<Tracked>> {
        let cancelled = || cancellation.is_cancelled();
        let call = Call::new(params, &cancelled);
        call.check()?;
        let contained = catch_unwind(AssertUnwindSafe(|| {
            let (factory, options) = (&self.factory, &self.options);
            let instance = match &mut self.instance {
                Some(Ok(instance)) => instance,
                Some(Err(error)) => return Err(ended(error)),
                slot @ None => {
                    let created = factory.create(&Call::new(options, &cancelled))?;
                    match slot.insert(Ok(created)) {
                        Ok(instance) => instance,
                        Err(error) => return Err(ended(error)),
                    }
                }
            };
            let frame = Frame {
                image: frame.image.as_image()?,
                index: frame.index,
                count: frame.count,
                is_backward: frame.is_backward,
            };
            instance.frame(&frame, &call)
        }));
        let result =
            contained.unwrap_or_else(|_| Err(Error::internal(format!("{}: panicked", self.who))));
        if let Err(error) = &result
            && error.kind() == ErrorKind::Internal
        {
            // What it remembers of the video is unknown, and another one remembers nothing.
            self.instance = Some(Err(Error::internal(error.message().to_owned())));
        }
        result
    }
}

fn ended(error: &Error) -> Error {
    Error::internal(format!(
        "the video ended when its tracker failed: {}",
        error.message()
    ))
}
