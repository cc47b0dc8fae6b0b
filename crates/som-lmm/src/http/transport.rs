//! One request over HTTP, up to the body of its response.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::{
    Certificate, Client, Response, Url,
    header::{CONTENT_TYPE, HeaderMap},
};
use som_core::{Error, Result, with_causes};

use super::{client::client, deadline::Deadline, retry::retry_after};
use crate::{
    dialect::{Failure, Retry, explanation},
    settings::LmmSettings,
};

/// Of the body of an error, what is read.
const MAX_ERROR_BODY: usize = 64 << 10;

/// Sends requests; the connections of one provider.
pub(super) struct Transport {
    client: OnceLock<Client>,
    certificates: PathBuf,
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
            certificates: lmm.certificates.clone(),
            connect: lmm.connect,
            first_byte: lmm.first_byte,
            idle: lmm.idle,
        }
    }

    /// The response to `request`, whose body is still to be read.
    pub(super) async fn send(
        &self,
        request: &Request,
        deadline: &Deadline<'_>,
    ) -> Result<Response, Failure> {
        let sending = self
            .client()?
            .post(request.url.clone())
            .headers(request.headers.clone())
            .body(request.body.clone())
            .send();
        let response = deadline
            .within("response", self.first_byte, sending)
            .await?
            .map_err(|error| Failure::passing(broken(error)))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.failure(response, deadline).await)
    }

    /// The next bytes of a body; `None` at its end.
    pub(super) async fn next(
        &self,
        body: &mut (impl futures_util::Stream<Item = reqwest::Result<Bytes>> + Unpin),
        deadline: &Deadline<'_>,
    ) -> Result<Option<Bytes>, Failure> {
        match deadline
            .within("more of the answer", self.idle, body.next())
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
        let trusted = certificates(&self.certificates)?;
        let client = client(|client| {
            client
                .tls_certs_merge(trusted)
                .connect_timeout(self.connect)
                // A redirected POST would lose its body, or carry the key elsewhere.
                .redirect(reqwest::redirect::Policy::none())
        })?;
        Ok(self.client.get_or_init(|| client))
    }

    async fn failure(&self, response: Response, deadline: &Deadline<'_>) -> Failure {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = response.bytes_stream();
        let mut told = Vec::new();
        // What cannot be read is not told.
        while told.len() < MAX_ERROR_BODY
            && let Ok(Some(bytes)) = self.next(&mut body, deadline).await
        {
            told.extend_from_slice(&bytes);
        }
        told.truncate(MAX_ERROR_BODY);
        let mut failure = Failure::of_status(status, &said(&told, &headers));
        if failure.retry == Retry::Later
            && let Some(pause) = retry_after(&headers, SystemTime::now())
        {
            failure.retry = Retry::After(pause);
        }
        failure
    }
}

/// The certificates of a file, which may be none: an empty path.
///
/// # Errors
/// Invalid, if the file cannot be read or holds none.
fn certificates(file: &Path) -> Result<Vec<Certificate>> {
    if file.as_os_str().is_empty() {
        return Ok(Vec::new());
    }
    let wrong = |why: &str| Error::invalid(format!("certificates: {}: {why}", file.display()));
    let text = fs::read(file).map_err(|error| wrong(&error.to_string()))?;
    let found = Certificate::from_pem_bundle(&text).map_err(|error| wrong(&with_causes(&error)))?;
    match found.is_empty() {
        true => Err(wrong("no certificate in it (PEM is expected)")),
        false => Ok(found),
    }
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
    Error::unavailable(format!("{what}: {}", with_causes(&error.without_url())))
}
