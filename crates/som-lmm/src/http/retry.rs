//! When to try again.

use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, SystemTime},
};

use reqwest::header::HeaderMap;

use crate::dialect::Retry;

/// The longest pause that nobody asked for.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// The pause before retry number `count`, from 0, if there is to be one; `first` is the first
/// one's.
pub(super) fn pause(retry: Retry, first: Duration, count: u32) -> Option<Duration> {
    match retry {
        // What is conceded is no failure that passes.
        Retry::Never | Retry::Conceding(_) => None,
        Retry::After(time) => Some(time),
        Retry::Later => {
            let whole = first
                .saturating_mul(2_u32.saturating_pow(count))
                .min(MAX_PAUSE);
            // Many who failed at once must not all come back at once.
            let dice = RandomState::new().hash_one(count) as f64 / u64::MAX as f64;
            Some(whole.mul_f64(0.5 + 0.5 * dice))
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
            let time = pause(Retry::Later, first, count).unwrap();
            assert!(time >= whole / 2 && time <= whole, "{time:?} of {whole:?}");
        }
        assert_eq!(pause(Retry::Never, first, 0), None);
        let asked = Duration::from_secs(90);
        assert_eq!(pause(Retry::After(asked), first, 5), Some(asked));
    }
}
