//! Bearer tokens: who may call, and how much.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sha2::{Digest, Sha256};
use som_core::{Error, Result};
use som_engine::settings::{TokenSettings, TokenSource};
use subtle::ConstantTimeEq;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// Shorter tokens can be guessed.
const SHORTEST: usize = 16;
/// When to try again after too many calls at a time.
const PAUSE: Duration = Duration::from_millis(100);

/// All tokens that are accepted.
pub(crate) struct Tokens(Vec<Arc<Owner>>);

/// The owner of a token.
pub(crate) struct Owner {
    name: String,
    /// Digests have one length, so that comparing them tells nothing about the token's.
    digest: [u8; 32],
    calls: Option<Arc<Semaphore>>,
    pace: Option<Pace>,
}

impl Tokens {
    /// Reads the tokens that the settings name.
    ///
    /// # Errors
    /// Invalid, naming the table, if a token is missing, too short or named twice.
    pub(crate) fn read(settings: &BTreeMap<String, TokenSettings>) -> Result<Self> {
        let owners = settings.iter().map(|(name, settings)| {
            Owner::read(name, settings)
                .map(Arc::new)
                .map_err(|error| error.at(format!("server.token.{name}")))
        });
        owners.collect::<Result<_>>().map(Self)
    }

    /// True if calls need no token.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose token this is. Takes the same time for all tokens, right or wrong.
    pub(crate) fn owner(&self, token: &[u8]) -> Option<Arc<Owner>> {
        let digest = Sha256::digest(token);
        let mut found = None;
        for owner in &self.0 {
            if bool::from(owner.digest.ct_eq(&digest)) {
                found = Some(owner.clone());
            }
        }
        found
    }
}

impl Owner {
    fn read(name: &str, settings: &TokenSettings) -> Result<Self> {
        let token = secret(settings)?;
        if token.len() < SHORTEST {
            return Err(Error::invalid(format!(
                "the token is shorter than {SHORTEST} characters"
            )));
        }
        Ok(Self {
            name: name.to_owned(),
            digest: Sha256::digest(token.as_bytes()).into(),
            calls: (settings.calls > 0).then(|| Arc::new(Semaphore::new(settings.calls))),
            pace: (settings.per_second > 0.0).then(|| Pace::new(settings.per_second)),
        })
    }

    /// The name that logs show.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A permit for one more call; `None` where the owner has no limit.
    ///
    /// # Errors
    /// When to try again, if the limit is reached.
    pub(crate) fn admit(&self) -> Result<Option<OwnedSemaphorePermit>, Duration> {
        let permit = match &self.calls {
            Some(calls) => Some(calls.clone().try_acquire_owned().map_err(|_| PAUSE)?),
            None => None,
        };
        if let Some(pace) = &self.pace {
            pace.admit(Instant::now())?;
        }
        Ok(permit)
    }
}

fn secret(settings: &TokenSettings) -> Result<String> {
    let text = match settings.source()? {
        TokenSource::Variable(name) => std::env::var(name)
            .map_err(|_| Error::invalid(format!("environment variable {name} is not set")))?,
        TokenSource::File(path) => fs::read_to_string(path).map_err(|error| {
            Error::invalid(format!("{} cannot be read: {error}", path.display()))
        })?,
    };
    Ok(text.trim().to_owned())
}

/// Calls a second, over time, with bursts of one second's worth (the generic cell rate algorithm,
/// ITU-T I.371).
struct Pace {
    interval: Duration,
    burst: Duration,
    /// When the next call would be due if all came evenly.
    due: Mutex<Instant>,
}

impl Pace {
    fn new(per_second: f64) -> Self {
        let interval = Duration::from_secs_f64(1.0 / per_second.max(1e-6));
        Self {
            interval,
            burst: Duration::from_secs(1).saturating_sub(interval),
            due: Mutex::new(Instant::now()),
        }
    }

    fn admit(&self, now: Instant) -> Result<(), Duration> {
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
    use std::io::Write as _;

    use som_core::ErrorKind;

    use super::*;

    fn settings(text: &str) -> (TokenSettings, tempfile::NamedTempFile) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        (
            TokenSettings {
                file: file.path().to_owned(),
                ..TokenSettings::default()
            },
            file,
        )
    }

    fn tokens(name: &str, settings: TokenSettings) -> Result<Tokens> {
        Tokens::read(&[(name.to_owned(), settings)].into())
    }

    #[test]
    fn only_the_right_token_has_an_owner() {
        let (settings, _file) = settings("0123456789abcdef\n");
        let tokens = tokens("alice", settings).unwrap();
        assert_eq!(tokens.owner(b"0123456789abcdef").unwrap().name(), "alice");
        for wrong in [
            "",
            "0123456789abcdeF",
            "0123456789abcdef0",
            "0123456789abcde",
        ] {
            assert!(tokens.owner(wrong.as_bytes()).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn calls_at_a_time_are_limited() {
        let (settings, _file) = settings("0123456789abcdef");
        let tokens = tokens(
            "alice",
            TokenSettings {
                calls: 2,
                ..settings
            },
        )
        .unwrap();
        let alice = tokens.owner(b"0123456789abcdef").unwrap();
        let first = alice.admit().unwrap();
        let _second = alice.admit().unwrap();
        assert!(alice.admit().unwrap_err() > Duration::ZERO);
        drop(first);
        assert!(alice.admit().is_ok());
    }

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

    #[test]
    fn tokens_that_cannot_be_had_are_named() {
        let (short, _file) = settings("short");
        let (both, _other) = settings("0123456789abcdef");
        for (settings, why) in [
            (
                TokenSettings::default(),
                "set env or file to say where the token is",
            ),
            (short, "the token is shorter than 16 characters"),
            (
                TokenSettings {
                    env: "X".into(),
                    ..both
                },
                "set env or file, not both",
            ),
            (
                TokenSettings {
                    env: "SOM_TEST_NO_SUCH_VARIABLE".into(),
                    ..TokenSettings::default()
                },
                "environment variable SOM_TEST_NO_SUCH_VARIABLE is not set",
            ),
            (
                TokenSettings {
                    file: "no-such-file".into(),
                    ..TokenSettings::default()
                },
                "no-such-file cannot be read",
            ),
        ] {
            let error = tokens("alice", settings).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(
                error
                    .message()
                    .starts_with(&format!("server.token.alice: {why}")),
                "{error}"
            );
        }
    }
}
