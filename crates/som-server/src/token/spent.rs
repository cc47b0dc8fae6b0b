//! What the owner of a token has spent today.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use som_engine::settings::TokenSettings;

const DAY: u64 = 24 * 60 * 60;

/// What may be spent on one day; 0 is no limit. Days are those of UTC.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allowance {
    calls: u64,
    tokens: u64,
    dollars: f64,
}

/// What was spent on the latest day on which something was.
#[derive(Debug, Default)]
pub(super) struct Spent(Mutex<Sums>);

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    day: u64,
    calls: u64,
    tokens: u64,
    dollars: f64,
}

impl Allowance {
    pub(super) fn of(settings: &TokenSettings) -> Self {
        Self {
            calls: settings.calls_per_day,
            tokens: settings.tokens_per_day,
            dollars: settings.dollars_per_day,
        }
    }

    /// What is used up.
    fn exceeded_by(&self, sums: &Sums) -> Option<&'static str> {
        let is_used = |limit: u64, sum: u64| limit > 0 && sum >= limit;
        match () {
            () if is_used(self.calls, sums.calls) => Some("calls a day"),
            () if is_used(self.tokens, sums.tokens) => Some("tokens a day"),
            () if self.dollars > 0.0 && sums.dollars >= self.dollars => Some("dollars a day"),
            () => None,
        }
    }
}

impl Spent {
    /// Counts a call at `now`, if that is allowed.
    ///
    /// # Errors
    /// What is used up, and how long until the next day.
    pub(super) fn call(
        &self,
        allowance: &Allowance,
        now: SystemTime,
    ) -> Result<(), (&'static str, Duration)> {
        self.on_day(now, |sums, left| match allowance.exceeded_by(sums) {
            Some(what) => Err((what, left)),
            None => {
                sums.calls += 1;
                Ok(())
            }
        })
    }

    /// Counts what an answer took. What one answer takes beyond the limit is not taken back: it is
    /// known only when it is there.
    pub(super) fn answer(&self, tokens: u64, dollars: f64, now: SystemTime) {
        self.on_day(now, |sums, _| {
            sums.tokens = sums.tokens.saturating_add(tokens);
            sums.dollars += dollars;
        });
    }

    /// Does something with the sums of the day of `now`, and the time left of it.
    fn on_day<T>(&self, now: SystemTime, act: impl FnOnce(&mut Sums, Duration) -> T) -> T {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (day, left) = (seconds / DAY, Duration::from_secs(DAY - seconds % DAY));
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sums.day != day {
            *sums = Sums {
                day,
                ..Sums::default()
            };
        }
        act(&mut sums, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_limits_and_an_end() {
        let allowance = Allowance {
            calls: 3,
            tokens: 100,
            dollars: 0.5,
        };
        let noon = UNIX_EPOCH + Duration::from_secs(20_000 * DAY + DAY / 2);
        let refusal = |spent: &Spent| spent.call(&allowance, noon).unwrap_err();
        let left = Duration::from_secs(DAY / 2);

        let spent = Spent::default();
        (0..3).for_each(|_| spent.call(&allowance, noon).unwrap());
        assert_eq!(refusal(&spent), ("calls a day", left));
        assert!(spent.call(&allowance, noon + left).is_ok(), "the next day");

        let spent = Spent::default();
        spent.answer(99, 0.1, noon);
        assert!(spent.call(&allowance, noon).is_ok());
        spent.answer(1, 0.1, noon);
        assert_eq!(refusal(&spent), ("tokens a day", left));

        let spent = Spent::default();
        spent.answer(1, 0.5, noon);
        assert_eq!(refusal(&spent), ("dollars a day", left));
        assert!(spent.call(&Allowance::default(), noon).is_ok(), "no limit");
    }
}
