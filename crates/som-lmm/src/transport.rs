//! One request over HTTP, and what its status means.

use std::{
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde_json::Value;
use som_core::{Error, Result, error::chain};

use super::{
    retry::{Failure, Retry, retry_after},
    wait::Patience,
};
use crate::{http, settings::LmmSettings};

/// Of the body of an error, what is read.
const MOST_READ: usize = 64 << 10;

/// Sends requests; the connections of one provider.
pub(super) struct Transport {
    client: OnceLock<Client>,
    connect: Duration,
    first_byte: Duration,
    idle: Duration,
}

/// A request, ready to be sent any number of times.
pub(super) struct Request {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Transport {
    pub(super) fn new(lmm: &LmmSettings) -> Self {
        Self {
            client: OnceLock::new(),
            connect: lmm.connect,
            first_byte: lmm.first_byte,
            idle: lmm.idle,
        }
    }

    /// The response to `request`, whose body is still to be read.
    pub(super) async fn send(
        &self,
        request: &Request,
        patience: &Patience<'_>,
    ) -> Result<Response, Failure> {
        let sending = self
            .client()?
            .post(request.url.clone())
            .headers(request.headers.clone())
            .body(request.body.clone())
            .send();
        let response = patience
            .wait("response", self.first_byte, sending)
            .await?
            .map_err(|error| Failure::passing(broken(error)))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.failure(response, patience).await)
    }

    /// The next bytes of a body; `None` at its end.
    pub(super) async fn next(
        &self,
        body: &mut (impl futures_util::Stream<Item = reqwest::Result<Bytes>> + Unpin),
        patience: &Patience<'_>,
    ) -> Result<Option<Bytes>, Failure> {
        match patience
            .wait("more of the answer", self.idle, body.next())
            .await?
        {
            None => Ok(None),
            Some(Ok(bytes)) => Ok(Some(bytes)),
            Some(Err(error)) => Err(Failure::passing(broken(error))),
        }
    }

    /// Made with the first request: nothing is read from the system before.
    fn client(&self) -> Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = http::client(|client| {
            client
                .connect_timeout(self.connect)
                // A redirected POST would lose its body, or carry the key elsewhere.
                .redirect(reqwest::redirect::Policy::none())
        })?;
        Ok(self.client.get_or_init(|| client))
    }

    async fn failure(&self, response: Response, patience: &Patience<'_>) -> Failure {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = response.bytes_stream();
        let mut told = Vec::new();
        // What cannot be read is not told.
        while told.len() < MOST_READ
            && let Ok(Some(bytes)) = self.next(&mut body, patience).await
        {
            told.extend_from_slice(&bytes);
        }
        told.truncate(MOST_READ);
        let mut failure = of_status(status, &said(&told, &headers));
        if failure.retry == Retry::Later
            && let Some(pause) = retry_after(&headers, SystemTime::now())
        {
            failure.retry = Retry::After(pause);
        }
        failure
    }
}

/// What a status means, with what the far side `said`.
fn of_status(status: StatusCode, said: &str) -> Failure {
    let code = status.as_u16();
    let told = |what: &str| format!("{what} (HTTP {code}: {said})");
    match code {
        401 | 403 => Error::invalid(told("the key was refused")).into(),
        404 => Error::not_found(told("there is no such model or address")).into(),
        413 => Error::exhausted(told("the request is too large")).into(),
        // An account without money does not fill up by waiting.
        429 if said.contains("quota") && said.contains("billing") => {
            Error::exhausted(told("the account's quota is used up")).into()
        }
        429 => Failure::passing(Error::exhausted(told("too many requests"))),
        408 | 409 | 425 => Failure::passing(Error::unavailable(told("the server is not ready"))),
        501 | 505 => Error::unsupported(told("the server cannot do it")).into(),
        500.. => Failure::passing(Error::unavailable(told("the server failed"))),
        300..=399 => Error::invalid(told("the address has moved (set base_url)")).into(),
        _ => Error::invalid(told("the request was refused")).into(),
    }
}

/// An error that came as a message instead of a status.
pub(super) fn of_message(why: &str, code: Option<u64>) -> Failure {
    let status = code.and_then(|code| u16::try_from(code).ok());
    let status = status.and_then(|code| StatusCode::from_u16(code).ok());
    match status.filter(|status| status.as_u16() >= 400) {
        Some(status) => of_status(status, why),
        None => Failure::passing(Error::unavailable(format!("the server failed ({why})"))),
    }
}

/// The text for people in a JSON error, in any of the forms that servers use.
pub(super) fn explanation(body: &Value) -> Option<String> {
    let body = match body {
        Value::Array(items) => items.first()?,
        body => body,
    };
    for path in ["/error/message", "/error", "/message", "/detail"] {
        match body.pointer(path) {
            Some(Value::String(text)) => return Some(text.clone()),
            Some(Value::Array(items)) if path == "/detail" => {
                return Some(Value::Array(items.clone()).to_string());
            }
            _ => {}
        }
    }
    None
}

/// True if a body is a web page: some proxy or front page answered instead of the interface.
pub(super) fn is_page(body: &[u8], headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .map_or(&[][..], |kind| kind.as_bytes());
    kind.starts_with(b"text/html") || body.trim_ascii_start().starts_with(b"<")
}

/// What the body of an error says.
fn said(body: &[u8], headers: &HeaderMap) -> String {
    if body.trim_ascii().is_empty() {
        return "without explanation".to_owned();
    }
    if is_page(body, headers) {
        return "a web page instead of JSON".to_owned();
    }
    let json = serde_json::from_slice(body).ok();
    let explained = json.as_ref().and_then(explanation);
    explained.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned())
}

/// A failure of the network. Addresses are left out.
fn broken(error: reqwest::Error) -> Error {
    let what = match error.is_connect() {
        true => "cannot connect",
        false => "the connection broke",
    };
    Error::unavailable(format!("{what}: {}", chain(&error.without_url())))
}
