//! Places for connections: so many, and a few more where only health is told.
//!
//! A server whose places are all taken would seem dead to whoever checks its health from a
//! connection of its own. So further connections get one of a few spare places for a short time: in
//! them calls are refused with the reason, unless an ordinary place has become free.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::Metrics;

/// Spare places.
pub(crate) const SPARE: usize = 8;

/// All places.
pub(crate) struct Places {
    ordinary: Arc<Semaphore>,
    spare: Arc<Semaphore>,
    /// It was told that all ordinary places are taken.
    is_told: AtomicBool,
    metrics: Arc<Metrics>,
}

/// The place of one connection, until this is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    permit: Mutex<OwnedSemaphorePermit>,
    is_spare: AtomicBool,
}

impl Places {
    /// `count` ordinary places.
    pub(crate) fn new(count: usize, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self {
            ordinary: Arc::new(Semaphore::new(count)),
            spare: Arc::new(Semaphore::new(SPARE)),
            is_told: AtomicBool::new(false),
            metrics,
        })
    }

    /// The next free place: an ordinary one if there is one.
    pub(crate) async fn take(self: &Arc<Self>) -> Arc<Place> {
        let (permit, is_spare) = match self.ordinary.clone().try_acquire_owned() {
            Ok(permit) => {
                self.is_told.store(false, Ordering::Relaxed);
                (Ok(permit), false)
            }
            Err(_) => {
                self.tell();
                tokio::select! {
                    biased;
                    permit = self.ordinary.clone().acquire_owned() => (permit, false),
                    permit = self.spare.clone().acquire_owned() => (permit, true),
                }
            }
        };
        let Ok(permit) = permit else {
            // Nobody closes the semaphores.
            return std::future::pending().await;
        };
        Arc::new(Place {
            places: self.clone(),
            permit: Mutex::new(permit),
            is_spare: AtomicBool::new(is_spare),
        })
    }

    /// Says once that all places are taken, until one was free again.
    fn tell(&self) {
        self.metrics.places_taken();
        if !self.is_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "all places for connections are taken (server.connections): in further ones only \
                 health is told"
            );
        }
    }
}

impl Place {
    /// True for one in which only health is told. It becomes an ordinary one if one is free.
    pub(crate) fn is_spare(&self) -> bool {
        if self.is_spare.load(Ordering::Relaxed)
            && let Ok(permit) = self.places.ordinary.clone().try_acquire_owned()
        {
            let mut own = self.permit.lock().unwrap_or_else(PoisonError::into_inner);
            *own = permit;
            self.is_spare.store(false, Ordering::Relaxed);
        }
        self.is_spare.load(Ordering::Relaxed)
    }
}
