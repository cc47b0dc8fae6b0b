//! A circuit breaker: leaves an endpoint alone that keeps failing.

use std::time::{Duration, Instant};

/// Failures in a row before the endpoint is left alone.
const TOLERATED: u32 = 3;
/// How long at first; twice as long after each further failure.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    /// How long the endpoint is left alone still; `None` if it may be called. After the pause one
    /// failure is enough to leave it alone again, for longer.
    pub(super) fn pause(&self, now: Instant) -> Option<Duration> {
        self.open_until
            .map(|until| until.saturating_duration_since(now))
            .filter(|left| !left.is_zero())
    }

    /// A call succeeded.
    pub(super) fn succeed(&mut self) {
        *self = Self::default();
    }

    /// A call failed, and it was the endpoint's fault.
    pub(super) fn fail(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        if let Some(more) = self.failures.checked_sub(TOLERATED) {
            let pause = FIRST_PAUSE
                .saturating_mul(1 << more.min(16))
                .min(LONGEST_PAUSE);
            self.open_until = now.checked_add(pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_three_failures_in_a_row_and_for_longer_each_time() {
        let (mut breaker, start) = (Breaker::default(), Instant::now());
        breaker.fail(start);
        breaker.fail(start);
        breaker.succeed();
        breaker.fail(start);
        breaker.fail(start);
        assert_eq!(breaker.pause(start), None);
        breaker.fail(start);
        assert_eq!(breaker.pause(start), Some(FIRST_PAUSE));
        let later = start + FIRST_PAUSE;
        assert_eq!(breaker.pause(later), None);
        breaker.fail(later);
        assert_eq!(breaker.pause(later), Some(FIRST_PAUSE * 2));
        for _ in 0..100 {
            breaker.fail(later);
        }
        assert_eq!(breaker.pause(later), Some(LONGEST_PAUSE));
        breaker.succeed();
        assert_eq!(breaker.pause(later), None);
    }
}
