//! Workers: one thread owns one segmenter instance, all instances share one bounded queue.
//!
//! A request that is called off leaves at once. If its instance has not come back within the
//! grace period, the thread is given up (a thread cannot be stopped from outside) and another
//! one takes its place, so a hanging plugin costs one request.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use som_core::{
    Call, Cancellation, Error, ErrorKind, Params, Region, Result, Segmenter, SegmenterFactory,
};
use tokio::sync::oneshot;

use crate::{SharedImage, memory::Memory, settings::WorkerSettings};

/// Threads that hang and were replaced; beyond this many the segmenter is not replaced any more.
const MAX_ABANDONED: usize = 16;

/// The instances of one segmenter.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    queue: Sender<Job>,
}

struct Shared {
    factory: Arc<dyn SegmenterFactory>,
    options: Params,
    settings: WorkerSettings,
    jobs: Receiver<Job>,
    memory: Arc<Memory>,
    abandoned: AtomicUsize,
    busy: AtomicUsize,
}

/// What a segmenter is asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) image: SharedImage,
    pub(crate) params: Params,
    pub(crate) cancellation: Cancellation,
}

struct Job {
    request: Request,
    /// Of the call that asks.
    span: tracing::Span,
    ticket: Arc<Ticket>,
    reply: oneshot::Sender<Result<Done>>,
}

/// Where a job is, told between its worker and the one who waits for it.
#[derive(Default)]
struct Ticket(AtomicU8);

const QUEUED: u8 = 0;
const RUNNING: u8 = 1;
const FINISHED: u8 = 2;
const ABANDONED: u8 = 3;

impl Ticket {
    fn is(&self, state: u8) -> bool {
        self.0.load(Ordering::Acquire) == state
    }

    /// Of two that try the same step, one succeeds.
    fn step(&self, from: u8, to: u8) -> bool {
        self.0
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

/// A finished segmentation and the time the segmenter itself took, once there was an instance.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) regions: Vec<Region>,
    pub(crate) took: Duration,
}

impl Pool {
    /// Starts the threads. Instances are created by the first request each thread sees.
    pub(crate) fn start(
        factory: Arc<dyn SegmenterFactory>,
        options: Params,
        settings: WorkerSettings,
        memory: Arc<Memory>,
    ) -> Result<Self> {
        let (queue, jobs) = bounded(settings.queue);
        let shared = Arc::new(Shared {
            factory,
            options,
            settings,
            jobs,
            memory,
            abandoned: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
        });
        for _ in 0..shared.settings.instances {
            shared.spawn()?;
        }
        Ok(Self { shared, queue })
    }

    /// Requests that wait for an instance.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Instances that work on a request.
    pub(crate) fn busy(&self) -> usize {
        self.shared.busy.load(Ordering::Relaxed)
    }

    /// Runs one request on the next free instance.
    ///
    /// # Errors
    /// Exhausted, if the queue is full; Cancelled, as soon as the request is called off; else what
    /// the segmenter reports.
    pub(crate) async fn segment(&self, request: Request) -> Result<Done> {
        let id = &self.shared.factory.descriptor().id;
        let cancellation = request.cancellation.clone();
        let ticket = Arc::new(Ticket::default());
        let (reply, done) = oneshot::channel();
        let waiter = Waiter {
            shared: &self.shared,
            cancellation: &cancellation,
            ticket: &ticket,
        };
        let job = Job {
            request,
            span: tracing::info_span!("segment", segmenter = %id),
            ticket: ticket.clone(),
            reply,
        };
        self.queue.try_send(job).map_err(|error| {
            let queue = self.shared.settings.queue;
            match error {
                TrySendError::Full(_) => Error::exhausted(format!(
                    "segmenter \"{id}\": {queue} requests are waiting already; retry later (or raise segmenter.{id}.queue or .instances)"
                )).passing(),
                TrySendError::Disconnected(_) => Error::internal(format!("segmenter \"{id}\": no worker is left")),
            }
        })?;
        let over = async {
            match cancellation.deadline() {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        let result = tokio::select! {
            // A result that is there counts, however late it is looked at.
            biased;
            result = done => result.unwrap_or_else(|_| {
                Err(Error::internal(format!("segmenter \"{id}\": its worker went away")))
            }),
            () = over => Err(Error::cancelled()),
        };
        drop(waiter);
        result
    }
}

/// Calls the job off when its waiter leaves early, and has a hanging instance replaced.
struct Waiter<'a> {
    shared: &'a Arc<Shared>,
    cancellation: &'a Cancellation,
    ticket: &'a Arc<Ticket>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if self.ticket.is(FINISHED) {
            return;
        }
        self.cancellation.cancel();
        if self.ticket.is(QUEUED) {
            return; // The worker that takes it from the queue will see that it was called off.
        }
        let (shared, ticket) = (self.shared.clone(), self.ticket.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::time::sleep(Duration::from_millis(shared.settings.grace_ms)).await;
                shared.replace_if_hanging(&ticket);
            });
        }
    }
}

impl Shared {
    fn spawn(self: &Arc<Self>) -> Result<()> {
        let id = &self.factory.descriptor().id;
        let shared = self.clone();
        thread::Builder::new()
            .name(format!("segmenter-{id}"))
            .spawn(move || shared.work())
            .map(drop)
            .map_err(|error| {
                Error::exhausted(format!(
                    "segmenter \"{id}\": no thread could be started: {error}"
                ))
            })
    }

    fn replace_if_hanging(self: &Arc<Self>, ticket: &Ticket) {
        let id = &self.factory.descriptor().id;
        if self.abandoned.fetch_add(1, Ordering::Relaxed) >= MAX_ABANDONED {
            self.abandoned.fetch_sub(1, Ordering::Relaxed);
            tracing::error!(segmenter = %id, "an instance hangs, and too many were replaced already");
            return;
        }
        if !ticket.step(RUNNING, ABANDONED) {
            self.abandoned.fetch_sub(1, Ordering::Relaxed);
            return; // It came back in time.
        }
        tracing::warn!(segmenter = %id, "an instance ignores cancellation: it is replaced");
        if let Err(error) = self.spawn() {
            tracing::error!(segmenter = %id, %error, "a hanging instance could not be replaced");
        }
    }

    /// The life of one worker thread: it ends when the pool is dropped, or when it was given up.
    fn work(&self) {
        let mut instance: Option<Box<dyn Segmenter>> = None;
        for job in &self.jobs {
            job.ticket.step(QUEUED, RUNNING);
            self.busy.fetch_add(1, Ordering::Relaxed);
            let result = job.span.in_scope(|| self.run(&mut instance, &job.request));
            self.busy.fetch_sub(1, Ordering::Relaxed);
            if let Err(error) = &result
                && error.kind() == ErrorKind::Internal
            {
                // Its state is unknown: the next job gets a new one.
                drop_quietly(&mut instance);
            }
            let kept = job.ticket.step(RUNNING, FINISHED);
            // Nobody listens if the request was called off.
            let _ = job.reply.send(result);
            if !kept {
                self.abandoned.fetch_sub(1, Ordering::Relaxed);
                break;
            }
        }
        drop_quietly(&mut instance);
    }

    fn run(&self, slot: &mut Option<Box<dyn Segmenter>>, request: &Request) -> Result<Done> {
        let cancelled = || request.cancellation.is_cancelled();
        let call = Call::new(&request.params, &cancelled);
        call.check()?;
        let pixels = request.image.size().pixels();
        let bytes = pixels.saturating_mul(self.factory.bytes_per_pixel());
        let id = &self.factory.descriptor().id;
        let who = format!("segmenter \"{id}\"");
        let _held = self.memory.hold(&who, bytes)?;
        let contained = catch_unwind(AssertUnwindSafe(|| {
            let instance = match slot {
                Some(instance) => instance,
                None => slot.insert(self.factory.create(&Call::new(&self.options, &cancelled))?),
            };
            let started = Instant::now();
            let regions = instance.segment(&request.image.as_image()?, &call)?;
            let took = started.elapsed();
            Ok(Done { regions, took })
        }));
        contained.unwrap_or_else(|_| Err(Error::internal(format!("{who}: panicked"))))
    }
}

/// A plugin's destructor must not end the worker.
fn drop_quietly(instance: &mut Option<Box<dyn Segmenter>>) {
    let instance = instance.take();
    let _ = catch_unwind(AssertUnwindSafe(move || drop(instance)));
}
