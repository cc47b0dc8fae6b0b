//! Models behind HTTP: one question, from the check before to the answer's last event.

mod client;
mod deadline;
mod rate_limit;
mod receiving;
mod retry;
mod sse;
mod transport;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, stream};
use reqwest::{
    Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;
use som_core::{
    AnswerEvent, AnswerStream, Cancellation, Draft, Error, LmmProvider, Prompt, ProviderInfo,
    Result,
};

pub use self::client::client;
use self::{
    deadline::Deadline,
    rate_limit::RateLimit,
    receiving::{Peer, Receiving},
    retry::pause,
    transport::{Request, Transport},
};
use crate::{
    dialect::{
        Concession, Dialect, Failure, Model, Ordered, Retry, address, concede, conceding, extend,
    },
    family::Family,
    provider::{Api, is_key_header},
    redactor::Redactor,
    secret::Secrets,
    settings::LmmSettings,
};

/// A model behind HTTP.
pub(crate) struct HttpProvider {
    info: ProviderInfo,
    lmm: LmmSettings,
    api: &'static Api,
    dialect: Box<dyn Dialect>,
    secrets: Secrets,
    rate_limit: RateLimit,
    transport: Transport,
    /// What its server has refused, and no request has any more.
    conceded: Mutex<Vec<Concession>>,
}

impl HttpProvider {
    /// The model of a table; nothing is sent yet.
    ///
    /// # Errors
    /// Invalid, if the address or a header is malformed.
    pub(crate) fn new(
        info: ProviderInfo,
        lmm: &LmmSettings,
        api: &'static Api,
        secrets: Secrets,
    ) -> Result<Self> {
        for (name, value) in &lmm.headers {
            let (name, _) = header(name, value)?;
            if is_secret(&name) {
                return Err(Error::invalid(format!(
                    "headers.{name} holds a secret (put it into an environment variable, and name that in header_env.{name})"
                )));
            }
        }
        let model = Model {
            name: lmm.model.clone(),
            base_url: base_url(lmm, api)?,
            api_version: lmm.api_version.clone(),
            max_tokens: lmm.max_tokens,
            token_limit: Family::of(lmm)?.and_then(|family| family.token_limit.as_deref()),
            stream: lmm.stream,
            detail: info.images.detail.clone(),
        };
        Ok(Self {
            dialect: (api.dialect)(model),
            info,
            lmm: lmm.clone(),
            api,
            secrets,
            rate_limit: RateLimit::per_minute(lmm.requests_per_minute),
            transport: Transport::new(lmm),
            conceded: Mutex::default(),
        })
    }

    /// Asks until an answer begins, or until another attempt would not help. Also, how long nobody was
    /// asked meanwhile.
    async fn begin<'a>(
        &'a self,
        prompt: &'a Prompt,
        cancellation: &'a Cancellation,
    ) -> Result<(Duration, Receiving<'a>)> {
        self.info.check(prompt)?;
        let mut conceded = self.conceded().clone();
        let mut request = self.request(prompt, &conceded)?;
        let deadline = Deadline::new(cancellation, self.lmm.total);
        let mut retries = 0;
        let mut waited = Duration::ZERO;
        loop {
            let failure = match self.attempt(&request, deadline, &mut waited).await {
                Ok(receiving) => {
                    self.keep(conceded);
                    return Ok((waited, receiving));
                }
                Err(failure) => failure,
            };
            if let Retry::Conceding(concession) = failure.retry
                && !conceded.contains(&concession)
            {
                let (why, how) = (self.named(&failure.error), concession.told());
                tracing::warn!(lmm = self.info.name, error = %why, "asking again {how}");
                conceded.push(concession);
                request = self.request(prompt, &conceded)?;
                continue;
            }
            let time = match pause(failure.retry, self.lmm.backoff, retries) {
                Some(time) if retries < self.lmm.retries => time,
                _ => return Err(self.named(&failure.error)),
            };
            let why = self.named(&failure.error);
            tracing::warn!(lmm = self.info.name, error = %why, pause = ?time, "asking again");
            deadline.pause(why.message(), time).await?;
            waited += time;
            retries += 1;
        }
    }

    /// One attempt, up to the first words; what it has to wait before is added to `waited`.
    async fn attempt<'a>(
        &'a self,
        request: &Request,
        deadline: Deadline<'a>,
        waited: &mut Duration,
    ) -> Result<Receiving<'a>, Failure> {
        let wait = self.rate_limit.take(Instant::now());
        deadline
            .pause("the limit of requests a minute", wait)
            .await?;
        *waited += wait;
        let started = Instant::now();
        let response = self.transport.send(request, &deadline).await?;
        tracing::debug!(lmm = self.info.name, took = ?started.elapsed(), "response");
        let mut receiving = Receiving::new(self.peer(), deadline, response);
        receiving.until_words().await?;
        Ok(receiving)
    }

    /// The request that asks `prompt` without what was conceded.
    fn request(&self, prompt: &Prompt, conceded: &[Concession]) -> Result<Request> {
        let headers = self.headers().map_err(|error| self.named(&error))?;
        Ok(Request {
            url: self.dialect.url().clone(),
            headers,
            body: self.body(prompt, conceded)?.into(),
        })
    }

    /// The JSON that asks `prompt` without what was conceded.
    fn body(&self, prompt: &Prompt, conceded: &[Concession]) -> Result<String> {
        let mut body = self.dialect.body(&conceding(prompt, conceded));
        concede(&mut body, conceded);
        extend(&mut body, &self.lmm.body);
        serde_json::to_string(&Ordered(&Value::Object(body))).map_err(|error| {
            self.named(&Error::internal(format!(
                "the request cannot be written: {error}"
            )))
        })
    }

    fn headers(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = self.secrets.key()? {
            let (name, prefix) = self.api.key_header;
            let (name, value) = header(name, &format!("{prefix}{key}"))?;
            headers.insert(name, value);
        }
        for (name, value) in self.dialect.headers() {
            let (name, value) = header(name, value)?;
            headers.insert(name, value);
        }
        for (name, value) in &self.lmm.headers {
            let (name, value) = header(name, value)?;
            headers.insert(name, value);
        }
        for secret in self.secrets.headers() {
            let (name, value) = secret?;
            let (name, value) = header(name, value)?;
            headers.insert(name, value);
        }
        Ok(headers)
    }

    fn conceded(&self) -> MutexGuard<'_, Vec<Concession>> {
        self.conceded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps in mind for later requests what the server answered without.
    fn keep(&self, conceded: Vec<Concession>) {
        let mut known = self.conceded();
        for concession in conceded {
            if !known.contains(&concession) {
                known.push(concession);
            }
        }
    }

    fn peer(&self) -> Peer<'_> {
        Peer {
            name: &self.info.name,
            secrets: &self.secrets,
            dialect: self.dialect.as_ref(),
            transport: &self.transport,
            max_bytes: self.lmm.answer_bytes,
        }
    }

    fn named(&self, error: &Error) -> Error {
        self.secrets.named(&self.info.name, error)
    }
}

impl LmmProvider for HttpProvider {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    fn draft(&self, prompt: &Prompt) -> Result<Option<Draft>> {
        self.info.check(prompt)?;
        Ok(Some(Draft {
            url: self.dialect.url().to_string(),
            body: self.body(prompt, &self.conceded())?,
        }))
    }

    fn ask<'a>(&'a self, prompt: &'a Prompt, cancellation: &'a Cancellation) -> AnswerStream<'a> {
        let mut redactor = Redactor::new(&self.secrets);
        self.begin(prompt, cancellation)
            .into_stream()
            .flat_map(|begun| match begun {
                Ok((waited, receiving)) => {
                    let waited = (!waited.is_zero()).then_some(AnswerEvent::Waited(waited));
                    let waited = stream::iter(waited.map(Ok));
                    waited.chain(receiving.events()).boxed()
                }
                Err(error) => stream::iter([Err(error)]).boxed(),
            })
            .flat_map(move |event| {
                stream::iter(match event {
                    Ok(event) => redactor.pass(event).into_iter().map(Ok).collect(),
                    Err(error) => vec![Err(error)],
                })
            })
            .boxed()
    }
}

/// Where the server of a table is.
///
/// # Errors
/// Invalid, if the table does not say and has to, or what it says is no address.
fn base_url(lmm: &LmmSettings, api: &Api) -> Result<Url> {
    match (lmm.base_url.trim(), api.base_url) {
        ("", "") => Err(Error::invalid(format!(
            "base_url is not set, which {} needs",
            lmm.provider.name()
        ))),
        ("", own) => address(own),
        (given, _) => address(given),
    }
}

/// True for a header whose value belongs into an environment variable.
fn is_secret(name: &HeaderName) -> bool {
    let name = name.as_str();
    is_key_header(name) || ["proxy-authorization", "cookie"].contains(&name)
}

/// A header that no log shows.
fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue)> {
    let malformed = |what: &str| Error::invalid(format!("header {name:?}: malformed {what}"));
    let parsed = name.parse().map_err(|_| malformed("name"))?;
    let mut value = HeaderValue::from_str(value).map_err(|_| malformed("value"))?;
    value.set_sensitive(true);
    Ok((parsed, value))
}
