//! Bearer tokens: who may call, and how much.

mod pace;
mod spent;

use std::{
    collections::BTreeMap,
    fs,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest, Sha256};
use som_core::{Error, Result};
use som_engine::settings::{TokenSettings, TokenSource};
use subtle::ConstantTimeEq;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tonic::Status;

use self::{
    pace::Pace,
    spent::{Allowance, Spent},
};

/// Shorter tokens can be guessed.
const SHORTEST: usize = 16;
/// When to try again after too many calls at a time.
const PAUSE: Duration = Duration::from_millis(100);

/// All tokens that are accepted.
pub(crate) struct Tokens(Vec<Arc<Owner>>);

/// The owner of a token.
pub(crate) struct Owner {
    name: Arc<str>,
    /// Digests have one length, so that comparing them tells nothing about the token's.
    digest: [u8; 32],
    /// At a time; the number, and the permits.
    calls: Option<(usize, Arc<Semaphore>)>,
    pace: Option<Pace>,
    allowance: Allowance,
    /// The same for those who come after this one in the settings.
    spent: Arc<Spent>,
}

/// Why an owner has to wait.
#[derive(Debug)]
pub(crate) struct Full {
    /// What there is too much of.
    pub(crate) what: &'static str,
    pub(crate) wait: Duration,
}

impl Tokens {
    /// Reads the tokens that the settings name, in the place of those `before`.
    ///
    /// # Errors
    /// Invalid, naming the table, if a token is missing, too short or named twice.
    pub(crate) fn read(
        settings: &BTreeMap<String, TokenSettings>,
        before: Option<&Self>,
    ) -> Result<Self> {
        let owners = settings.iter().map(|(name, settings)| {
            let mut known = before.into_iter().flat_map(|tokens| &tokens.0);
            let known = known.find(|owner| *owner.name == **name);
            Owner::read(name, settings, known.map(Arc::as_ref))
                .map(Arc::new)
                .map_err(|error| error.at(format!("server.token.{name}")))
        });
        owners.collect::<Result<_>>().map(Self)
    }

    /// True if calls need no token.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose call it is; `None` on an open server.
    ///
    /// # Errors
    /// UNAUTHENTICATED without a token that is right.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<Option<Arc<Owner>>, Status> {
        if self.is_empty() {
            return Ok(None);
        }
        let Some(value) = headers.get(AUTHORIZATION) else {
            return Err(Status::unauthenticated(
                "a bearer token is needed (metadata \"authorization: Bearer TOKEN\")",
            ));
        };
        let token = value
            .as_bytes()
            .split_at_checked(7)
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "));
        let owner = token.and_then(|(_, token)| self.owner(token.trim_ascii()));
        owner
            .map(Some)
            .ok_or_else(|| Status::unauthenticated("the bearer token is wrong"))
    }

    /// Whose token this is. Takes the same time for all tokens, right or wrong.
    fn owner(&self, token: &[u8]) -> Option<Arc<Owner>> {
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
    fn read(name: &str, settings: &TokenSettings, before: Option<&Self>) -> Result<Self> {
        let token = secret(settings)?;
        if token.len() < SHORTEST {
            return Err(Error::invalid(format!(
                "the token is shorter than {SHORTEST} characters"
            )));
        }
        // Calls in progress count on where their limit stays.
        let calls = before.and_then(|before| before.calls.clone());
        let calls = calls.filter(|(count, _)| *count == settings.calls);
        let new = || (settings.calls, Arc::new(Semaphore::new(settings.calls)));
        Ok(Self {
            name: name.into(),
            digest: Sha256::digest(token.as_bytes()).into(),
            calls: (settings.calls > 0).then(|| calls.unwrap_or_else(new)),
            pace: (settings.per_second > 0.0).then(|| Pace::new(settings.per_second)),
            allowance: Allowance::of(settings),
            spent: before.map_or_else(Arc::default, |before| before.spent.clone()),
        })
    }

    /// The name that logs show.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// A permit for one more call; `None` where the owner has no limit of calls at a time.
    ///
    /// # Errors
    /// Which limit is reached, and when to try again.
    pub(crate) fn admit(&self) -> Result<Option<OwnedSemaphorePermit>, Full> {
        let full = |what| move |wait| Full { what, wait };
        let permit = match &self.calls {
            Some((_, calls)) => {
                let permit = calls.clone().try_acquire_owned().map_err(|_| PAUSE);
                Some(permit.map_err(full("calls at a time"))?)
            }
            None => None,
        };
        if let Some(pace) = &self.pace {
            pace.admit(Instant::now()).map_err(full("calls a second"))?;
        }
        let counted = self.spent.call(&self.allowance, SystemTime::now());
        counted.map_err(|(what, wait)| Full { what, wait })?;
        Ok(permit)
    }

    /// Counts what an answer of a model took.
    pub(crate) fn charge(&self, tokens: u64, dollars: f64) {
        self.spent.answer(tokens, dollars, SystemTime::now());
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
        Tokens::read(&[(name.to_owned(), settings)].into(), None)
    }

    #[test]
    fn only_the_right_token_has_an_owner() {
        let (settings, _file) = settings("0123456789abcdef\n");
        let tokens = tokens("alice", settings).unwrap();
        assert_eq!(
            tokens.owner(b"0123456789abcdef").unwrap().name().as_ref(),
            "alice"
        );
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
        assert!(alice.admit().unwrap_err().wait > Duration::ZERO);
        drop(first);
        assert!(alice.admit().is_ok());
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
