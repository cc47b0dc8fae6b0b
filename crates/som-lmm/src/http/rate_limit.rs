//! The rate limit: requests a minute.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Spaces requests evenly, so that no minute has more of them than allowed.
pub(super) struct RateLimit {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl RateLimit {
    /// Of so many requests; 0 for no limit.
    pub(super) fn per_minute(requests: u32) -> Self {
        let interval = match requests {
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
        let limit = RateLimit::per_minute(120);
        let start = Instant::now();
        let half = Duration::from_millis(500);
        assert_eq!(limit.take(start), Duration::ZERO);
        assert_eq!(limit.take(start), half);
        assert_eq!(limit.take(start + half / 2), half + half / 2);
        // What nobody used is not saved up.
        let later = start + Duration::from_secs(60);
        assert_eq!(limit.take(later), Duration::ZERO);
        assert_eq!(limit.take(later), half);
    }

    #[test]
    fn no_limit_is_no_wait() {
        let limit = RateLimit::per_minute(0);
        let now = Instant::now();
        assert!((0..100).all(|_| limit.take(now) == Duration::ZERO));
    }
}
