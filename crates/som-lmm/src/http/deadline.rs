//! Waiting for the far side: never longer than allowed, and never after the caller left.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use som_core::{Cancellation, Error, Result};
use tokio::time::{sleep, sleep_until};

/// How often the caller's flag is looked at.
const POLL: Duration = Duration::from_millis(20);

/// When one question is given up.
#[derive(Clone, Copy)]
pub(super) struct Deadline<'a> {
    cancellation: &'a Cancellation,
    /// Time for everything.
    total: Duration,
    end: Option<Instant>,
}

impl<'a> Deadline<'a> {
    /// From now on.
    pub(super) fn new(cancellation: &'a Cancellation, total: Duration) -> Self {
        Self {
            cancellation,
            total,
            end: Instant::now().checked_add(total),
        }
    }

    /// Runs `work`, which may take as long as `max`.
    ///
    /// # Errors
    /// Cancelled, once the caller left; Unavailable, saying that there was no `what` in time.
    pub(super) async fn within<T>(
        &self,
        what: &str,
        max: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T> {
        let late = |max: Duration| Error::unavailable(format!("no {what} within {max:.1?}"));
        tokio::select! {
            biased;
            () = cancelled(self.cancellation) => Err(Error::cancelled()),
            done = work => Ok(done),
            () = passed(self.end) => Err(late(self.total).at("took too long in all")),
            () = sleep(max) => Err(late(max)),
        }
    }

    /// Does nothing for a while.
    ///
    /// # Errors
    /// Cancelled, once the caller left; Exhausted, if there is not so much time left.
    pub(super) async fn pause(&self, why: &str, time: Duration) -> Result<()> {
        if time.is_zero() {
            return Ok(());
        }
        let end = Instant::now().checked_add(time);
        if self
            .end
            .is_some_and(|last| end.is_none_or(|end| end > last))
        {
            return Err(Error::exhausted(format!(
                "{why}: would have to wait for {time:.1?}, but everything may take {:.1?}",
                self.total
            )));
        }
        tokio::select! {
            () = cancelled(self.cancellation) => Err(Error::cancelled()),
            () = sleep(time) => Ok(()),
        }
    }
}

async fn cancelled(cancellation: &Cancellation) {
    while !cancellation.is_cancelled() {
        sleep(POLL).await;
    }
}

async fn passed(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end.into()).await,
        None => std::future::pending().await,
    }
}
