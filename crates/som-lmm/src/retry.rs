//! Which failures may pass, and when to try again.

use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, SystemTime},
};

use reqwest::header::HeaderMap;
use som_core::Error;

/// The longest pause that nobody asked for.
const LONGEST: Duration = Duration::from_secs(30);

/// Why one attempt failed, and whether another one may succeed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) retry: Retry,
}

/// Whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    /// It would fail again.
    Never,
    /// After a pause.
    Later,
    /// After the pause that the far side asked for.
    After(Duration),
}

impl Failure {
    /// It may pass.
    pub(super) fn passing(error: Error) -> Self {
        let retry = Retry::Later;
        Self { error, retry }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let retry = Retry::Never;
        Self { error, retry }
    }
}

impl Retry {
    /// The pause before retry number `count`, from 0; `first` is the first one's.
    pub(super) fn pause(self, first: Duration, count: u32) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::After(time) => Some(time),
            Self::Later => {
                let whole = first
                    .saturating_mul(2_u32.saturating_pow(count))
                    .min(LONGEST);
                // Many who failed at once must not all come back at once.
                let dice = RandomState::new().hash_one(count) as f64 / u64::MAX as f64;
                Some(whole.mul_f64(0.5 + 0.5 * dice))
            }
        }
    }
}

/// How long the far side wants not to be asked: `retry-after-ms`, or `Retry-After` in seconds or
/// as a date (RFC 9110, section 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name: &str| text(name)?.parse::<f64>().ok();
    let seconds = number("retry-after-ms")
        .map(|milliseconds| milliseconds / 1e3)
        .or_else(|| number("retry-after"));
    if let Some(seconds) = seconds {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(text("retry-after")?).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &'static str, value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        // Tue, 06 Nov 1994 08:49:37 GMT
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        retry_after(&headers, now)
    }

    #[test]
    fn servers_say_when_to_come_back() {
        assert_eq!(asked("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(
            asked("retry-after", "0.5"),
            Some(Duration::from_millis(500))
        );
        assert_eq!(
            asked("retry-after-ms", "120"),
            Some(Duration::from_millis(120))
        );
        let date = "Sun, 06 Nov 1994 08:49:40 GMT";
        assert_eq!(asked("retry-after", date), Some(Duration::from_secs(3)));
        let past = "Sun, 06 Nov 1994 08:49:30 GMT";
        assert_eq!(asked("retry-after", past), Some(Duration::ZERO));
        for nonsense in ["", "soon", "-1", "NaN", "inf"] {
            assert_eq!(asked("retry-after", nonsense), None, "{nonsense}");
        }
        assert_eq!(asked("x-other", "2"), None);
    }

    #[test]
    fn pauses_double_and_differ() {
        let first = Duration::from_millis(100);
        for (count, whole) in [(0, 100), (1, 200), (3, 800), (60, 30_000)] {
            let whole = Duration::from_millis(whole);
            let pause = Retry::Later.pause(first, count).unwrap();
            assert!(
                pause >= whole / 2 && pause <= whole,
                "{pause:?} of {whole:?}"
            );
        }
        assert_eq!(Retry::Never.pause(first, 0), None);
        let asked = Duration::from_secs(90);
        assert_eq!(Retry::After(asked).pause(first, 5), Some(asked));
    }
}
