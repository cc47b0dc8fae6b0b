//! A model behind HTTP: one question, from the check before to the last event.

use std::{pin::Pin, time::Instant};

use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt, TryFutureExt, stream};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use som_core::{
    AnswerEvent, AnswerStream, Cancellation, Error, ErrorKind, Finish, LmmProvider, Prompt,
    ProviderInfo, Result,
};

use super::{
    dialect::{self, Dialect},
    limit::Limiter,
    reading::Reading,
    retry::Failure,
    secret::Secrets,
    sse::Events,
    transport::{Request, Transport, is_page},
    veil::Veil,
    wait::Patience,
};
use crate::settings::LmmSettings;

/// Bytes of a whole answer beside its text.
const AROUND_TEXT: usize = 1 << 20;
/// Longest message of an error in bytes, of what the far side says.
const MOST_TOLD: usize = 600;

/// Headers whose values belong into environment variables.
const SECRET_HEADERS: [&str; 6] = [
    "authorization",
    "proxy-authorization",
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "cookie",
];

/// A model behind HTTP.
pub(super) struct Remote {
    info: ProviderInfo,
    lmm: LmmSettings,
    dialect: Box<dyn Dialect>,
    secrets: Secrets,
    limiter: Limiter,
    transport: Transport,
}

impl Remote {
    /// The model of a table; nothing is sent yet.
    ///
    /// # Errors
    /// Invalid, if the address or a header is malformed.
    pub(super) fn new(info: ProviderInfo, lmm: &LmmSettings, secrets: Secrets) -> Result<Self> {
        for (name, value) in &lmm.headers {
            let (name, _) = header(name, value)?;
            if SECRET_HEADERS.contains(&name.as_str()) {
                return Err(Error::invalid(format!(
                    "headers.{name} holds a secret (put it into an environment variable, and name that in header_env.{name})"
                )));
            }
        }
        Ok(Self {
            dialect: dialect::new(&info, lmm)?,
            info,
            lmm: lmm.clone(),
            secrets,
            limiter: Limiter::new(lmm.requests_per_minute),
            transport: Transport::new(lmm),
        })
    }

    /// Asks until an answer begins, or until another attempt would not help.
    async fn begin<'a>(
        &'a self,
        prompt: &'a Prompt,
        cancellation: &'a Cancellation,
    ) -> Result<Receiving<'a>> {
        self.info.check(prompt)?;
        let request = self.request(prompt).map_err(|error| self.named(&error))?;
        let patience = Patience::new(cancellation, self.lmm.total);
        let mut retries = 0;
        loop {
            let failure = match self.attempt(&request, patience).await {
                Ok(receiving) => return Ok(receiving),
                Err(failure) => failure,
            };
            let pause = match failure.retry.pause(self.lmm.backoff, retries) {
                Some(pause) if retries < self.lmm.retries => pause,
                _ => return Err(self.named(&failure.error)),
            };
            let why = self.named(&failure.error);
            tracing::warn!(lmm = self.info.name, error = %why, ?pause, "asking again");
            patience.pause(why.message(), pause).await?;
            retries += 1;
        }
    }

    /// One attempt, up to the first words.
    async fn attempt<'a>(
        &'a self,
        request: &Request,
        patience: Patience<'a>,
    ) -> Result<Receiving<'a>, Failure> {
        let wait = self.limiter.take(Instant::now());
        patience
            .pause("the limit of requests a minute", wait)
            .await?;
        let started = Instant::now();
        let response = self.transport.send(request, &patience).await?;
        tracing::debug!(lmm = self.info.name, took = ?started.elapsed(), "response");
        let is_stream = {
            let kind = response.headers().get(CONTENT_TYPE);
            kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
        };
        let mut receiving = Receiving {
            remote: self,
            patience,
            headers: response.headers().clone(),
            body: response.bytes_stream().boxed(),
            form: match is_stream {
                true => Form::Events(Events::default()),
                false => Form::Whole(Vec::new()),
            },
            reading: Reading::new(self.lmm.answer_bytes),
            is_done: false,
        };
        while !receiving.is_done && !receiving.reading.has_text() {
            receiving.advance().await?;
        }
        Ok(receiving)
    }

    fn request(&self, prompt: &Prompt) -> Result<Request> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in self.dialect.headers(self.secrets.key()?) {
            let (name, value) = header(name, &value)?;
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
        let mut body = self.dialect.body(prompt);
        body.extend(self.lmm.body.clone());
        let body = serde_json::to_vec(&body)
            .map_err(|error| Error::internal(format!("the request cannot be written: {error}")))?;
        Ok(Request {
            url: self.dialect.url().clone(),
            headers,
            body: body.into(),
        })
    }

    /// The error with the provider's name, and without its secrets.
    fn named(&self, error: &Error) -> Error {
        // Hidden first: half a key would not be found.
        let message = shortened(&self.secrets.hide(error.message()));
        Error::new(error.kind(), message).at(format!("lmm \"{}\"", self.info.name))
    }
}

impl LmmProvider for Remote {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    fn ask<'a>(&'a self, prompt: &'a Prompt, cancellation: &'a Cancellation) -> AnswerStream<'a> {
        let mut veil = Veil::new(&self.secrets);
        self.begin(prompt, cancellation)
            .map_ok(Receiving::events)
            .into_stream()
            .flat_map(|begun| match begun {
                Ok(events) => events,
                Err(error) => stream::iter([Err(error)]).boxed(),
            })
            .flat_map(move |event| {
                stream::iter(match event {
                    Ok(event) => veil.pass(event).into_iter().map(Ok).collect(),
                    Err(error) => vec![Err(error)],
                })
            })
            .boxed()
    }
}

/// An answer that comes in.
struct Receiving<'a> {
    remote: &'a Remote,
    patience: Patience<'a>,
    headers: HeaderMap,
    body: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    form: Form,
    reading: Reading,
    is_done: bool,
}

/// How the answer is sent.
enum Form {
    /// In pieces.
    Events(Events),
    /// As one JSON text, the bytes of which are kept.
    Whole(Vec<u8>),
}

impl<'a> Receiving<'a> {
    fn events(self) -> AnswerStream<'a> {
        stream::unfold(self, |mut receiving| async move {
            let event = receiving.next().await?;
            Some((event, receiving))
        })
        .boxed()
    }

    /// The next event; `None` after the last one.
    async fn next(&mut self) -> Option<Result<AnswerEvent>> {
        loop {
            if let Some(event) = self.reading.events.pop_front() {
                return Some(Ok(event));
            }
            if self.is_done {
                return None;
            }
            if let Err(failure) = self.advance().await {
                return Some(Err(self.remote.named(&failure.error)));
            }
        }
    }

    /// Takes in the next bytes. What breaks off after text has come in is kept, unless the caller
    /// has left.
    async fn advance(&mut self) -> Result<(), Failure> {
        let Err(failure) = self.receive().await else {
            return Ok(());
        };
        self.is_done = true;
        if failure.error.kind() == ErrorKind::Cancelled || !self.reading.has_text() {
            return Err(failure);
        }
        let why = self.remote.named(&failure.error).message().to_owned();
        let partial = AnswerEvent::Done(Finish::Partial(why));
        self.reading.events.push_back(partial);
        Ok(())
    }

    async fn receive(&mut self) -> Result<(), Failure> {
        let bytes = self
            .remote
            .transport
            .next(&mut self.body, &self.patience)
            .await?;
        match (&mut self.form, bytes) {
            (Form::Events(events), Some(bytes)) => {
                let mut messages = Vec::new();
                events.read(&bytes, &mut messages)?;
                for message in messages {
                    self.read_event(&message)?;
                }
            }
            (Form::Events(events), None) => {
                if let Some(message) = std::mem::take(events).finish() {
                    self.read_event(&message)?;
                }
                self.reading.end();
            }
            (Form::Whole(whole), Some(bytes)) => {
                whole.extend_from_slice(&bytes);
                let most = self.remote.lmm.answer_bytes.saturating_add(AROUND_TEXT);
                if whole.len() > most {
                    let why = format!("the answer has more than {most} bytes");
                    return Err(Error::exhausted(why).into());
                }
            }
            (Form::Whole(whole), None) => {
                let whole = std::mem::take(whole);
                let message = self.parse(&whole)?;
                self.remote.dialect.read(&message, &mut self.reading)?;
                self.reading.end();
            }
        }
        match self.reading.is_over() {
            true => self.end(),
            false => Ok(()),
        }
    }

    fn read_event(&mut self, event: &str) -> Result<(), Failure> {
        if self.reading.is_over() {
            return Ok(());
        }
        if event.trim() == "[DONE]" {
            self.reading.complete();
            return Ok(());
        }
        let message = self.parse(event.as_bytes())?;
        self.remote.dialect.read(&message, &mut self.reading)
    }

    fn parse(&self, text: &[u8]) -> Result<Value> {
        if text.trim_ascii().is_empty() {
            return Err(Error::unavailable("answered with nothing"));
        }
        serde_json::from_slice(text).map_err(|error| match is_page(text, &self.headers) {
            true => Error::invalid("answered with a web page instead of JSON (is base_url right?)"),
            false => {
                let text = String::from_utf8_lossy(text);
                Error::unavailable(format!("answered with malformed JSON ({error}): {text}"))
            }
        })
    }

    /// Adds the last event.
    fn end(&mut self) -> Result<(), Failure> {
        let finish = match self.reading.ending() {
            Some(Finish::Stop) if !self.reading.has_text() => {
                return Err(Error::unavailable("the answer is empty").into());
            }
            Some(finish) => finish,
            None => {
                let why = "the answer broke off before its end";
                return Err(Failure::passing(Error::unavailable(why)));
            }
        };
        self.is_done = true;
        self.reading.events.push_back(AnswerEvent::Done(finish));
        Ok(())
    }
}

/// A header that no log shows.
fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue)> {
    let malformed = |what: &str| Error::invalid(format!("header {name:?}: malformed {what}"));
    let parsed = name.parse().map_err(|_| malformed("name"))?;
    let mut value = HeaderValue::from_str(value).map_err(|_| malformed("value"))?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

/// The beginning of a text, on one line.
pub(super) fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.floor_char_boundary(MOST_TOLD) {
        end if end < line.len() => format!("{}...", &line[..end]),
        _ => line,
    }
}
