//! Calls a second.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Calls a second, over time, with bursts of one second's worth (the generic cell rate algorithm,
/// ITU-T I.371).
pub(super) struct Pace {
    interval: Duration,
    burst: Duration,
    /// When the next call would be due if all came evenly.
    due: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new(per_second: f64) -> Self {
        let interval = Duration::from_secs_f64(1.0 / per_second.max(1e-6));
        Self {
            interval,
            burst: Duration::from_secs(1).saturating_sub(interval),
            due: Mutex::new(Instant::now()),
        }
    }

    /// Counts a call at `now`.
    ///
    /// # Errors
    /// How long to wait, if it comes too early.
    pub(super) fn admit(&self, now: Instant) -> Result<(), Duration> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let early = due.saturating_duration_since(now);
        if early > self.burst {
            return Err(early - self.burst);
        }
        *due = (*due).max(now) + self.interval;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_over_time_are_limited() {
        let pace = Pace::new(10.0);
        let start = *pace.due.lock().unwrap();
        let admitted = (0..100).filter(|_| pace.admit(start).is_ok()).count();
        assert_eq!(admitted, 10);
        let wait = pace.admit(start).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        assert!(pace.admit(start + wait).is_ok());
        assert!(pace.admit(start + wait).is_err());
    }
}
