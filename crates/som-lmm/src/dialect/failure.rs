//! What a failure of the far side means: of which kind it is, and whether it may pass.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use som_core::Error;

use super::concession::Concession;

/// Why one attempt failed, and whether another one may succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) retry: Retry,
}

/// Whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// It would fail again.
    Never,
    /// After a pause.
    Later,
    /// After the pause that the far side asked for.
    After(Duration),
    /// At once, without what the far side refused.
    Conceding(Concession),
}

impl Failure {
    /// It may pass.
    pub(crate) fn passing(error: Error) -> Self {
        let retry = Retry::Later;
        Self { error, retry }
    }

    /// What a status means, with what the far side `said`.
    pub(crate) fn of_status(status: StatusCode, said: &str) -> Self {
        let code = status.as_u16();
        let told = |what: &str| format!("{what} (HTTP {code}: {said})");
        if let Some(concession) = Concession::asked_for(code, said) {
            let error = Error::invalid(told("the request was refused"));
            let retry = Retry::Conceding(concession);
            return Self { error, retry };
        }
        match code {
            401 | 403 => Error::denied(told("the key was refused")).into(),
            404 => Error::not_found(told("there is no such model or address")).into(),
            413 => Error::exhausted(told("the request is too large")).into(),
            // An account without money does not fill up by waiting.
            429 if said.contains("quota") && said.contains("billing") => {
                Error::exhausted(told("the account's quota is used up")).into()
            }
            429 => Self::passing(Error::exhausted(told("too many requests"))),
            408 | 409 | 425 => Self::passing(Error::unavailable(told("the server is not ready"))),
            501 | 505 => Error::unsupported(told("the server cannot do it")).into(),
            500.. => Self::passing(Error::unavailable(told("the server failed"))),
            300..=399 => Error::invalid(told("the address has moved (set base_url)")).into(),
            _ => Error::invalid(told("the request was refused")).into(),
        }
    }

    /// What a `message` with an error in it means: one that came in the place of a status, which
    /// it perhaps holds as a number.
    pub(crate) fn of_message(message: &Value, status: Option<u64>) -> Self {
        let why = explanation(message).unwrap_or_else(|| message.to_string());
        let status = status.and_then(|code| u16::try_from(code).ok());
        let status = status.and_then(|code| StatusCode::from_u16(code).ok());
        match status.filter(|status| status.as_u16() >= 400) {
            Some(status) => Self::of_status(status, &why),
            None => Self::passing(Error::unavailable(format!("the server failed ({why})"))),
        }
    }
}

impl From<Error> for Failure {
    /// It would fail again.
    fn from(error: Error) -> Self {
        let retry = Retry::Never;
        Self { error, retry }
    }
}

/// The text for people in a JSON error, in any of the forms that servers use.
pub(crate) fn explanation(body: &Value) -> Option<String> {
    let body = match body {
        Value::Array(items) => items.first()?,
        body => body,
    };
    for path in ["/error/message", "/error", "/message", "/msg", "/detail"] {
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
