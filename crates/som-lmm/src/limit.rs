//! Requests a minute.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Spaces requests evenly, so that no minute has more of them than allowed.
pub(super) struct Limiter {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Limiter {
    /// Of so many requests a minute; 0 for no limit.
    pub(super) fn new(requests_per_minute: u32) -> Self {
        let interval = match requests_per_minute {
            0 => Duration::ZERO,
            requests => Duration::from_secs(60) / requests,
        };
        Self {
            interval,
            next: Mutex::new(None),
        }
    }

    /// Takes the next place in the line, and says how long it is until then.
    pub(super) fn take(&self, now: Instant) -> Duration {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let place = next.map_or(now, |next| next.max(now));
        *next = place.checked_add(self.interval);
        place - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_spaced_evenly() {
        let limiter = Limiter::new(120);
        let start = Instant::now();
        let half = Duration::from_millis(500);
        assert_eq!(limiter.take(start), Duration::ZERO);
        assert_eq!(limiter.take(start), half);
        assert_eq!(limiter.take(start + half / 2), half + half / 2);
        // What nobody used is not saved up.
        let later = start + Duration::from_secs(60);
        assert_eq!(limiter.take(later), Duration::ZERO);
        assert_eq!(limiter.take(later), half);
    }

    #[test]
    fn no_limit_is_no_wait() {
        let limiter = Limiter::new(0);
        let now = Instant::now();
        assert!((0..100).all(|_| limiter.take(now) == Duration::ZERO));
    }
}
