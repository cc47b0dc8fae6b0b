//! `[server]`: how `som serve` and `som backend` listen, and what they allow.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use som_core::{Error, Result};
use som_lmm::millis;

/// How `som serve` and `som backend` listen, and what they allow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    /// `HOST:PORT`, or `unix:PATH`.
    pub listen: String,
    /// `HOST:PORT` of the Prometheus page; empty for none.
    pub metrics: String,
    /// Largest message in bytes, both ways.
    pub message_bytes: usize,
    /// Calls in progress before further ones are refused.
    pub calls: usize,
    /// Connections before further ones are told health alone, or wait.
    pub connections: usize,
    /// Connections to the Prometheus page; further ones end the oldest.
    pub metrics_connections: usize,
    /// Bytes of decoded images held for requests that name them by digest.
    pub kept_bytes: u64,
    /// The longest a call may take; clients may ask for less.
    #[serde(rename = "deadline_ms", with = "millis")]
    pub deadline: Duration,
    /// How long a new connection may take until it speaks HTTP/2.
    #[serde(rename = "handshake_ms", with = "millis")]
    pub handshake: Duration,
    /// How long the request of a call may take to come in.
    #[serde(rename = "upload_ms", with = "millis")]
    pub upload: Duration,
    /// How long a stream may wait for its client.
    #[serde(rename = "idle_ms", with = "millis")]
    pub idle: Duration,
    /// After this long without a word, a peer is asked for a sign of life.
    #[serde(rename = "keepalive_ms", with = "millis")]
    pub keepalive: Duration,
    /// How long that sign may take before the connection is given up.
    #[serde(rename = "keepalive_timeout_ms", with = "millis")]
    pub keepalive_timeout: Duration,
    /// A connection without calls for so long is ended; never, if 0.
    #[serde(rename = "connection_idle_ms", with = "millis")]
    pub connection_idle: Duration,
    /// A connection of this age takes no further calls; of any age, if 0.
    #[serde(rename = "connection_age_ms", with = "millis")]
    pub connection_age: Duration,
    /// How long its calls may go on then; for as long as they take, if 0.
    #[serde(rename = "connection_grace_ms", with = "millis")]
    pub connection_grace: Duration,
    /// How long calls in progress may go on at shutdown.
    #[serde(rename = "drain_ms", with = "millis")]
    pub drain: Duration,
    /// Encryption; off without a certificate.
    pub tls: TlsSettings,
    /// Bearer tokens by the name that logs show; none for an open server.
    #[serde(default)]
    pub token: BTreeMap<String, TokenSettings>,
}

/// Encryption, in PEM files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The server's certificate chain; empty for no encryption.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Authorities whose client certificates are accepted; empty for none.
    pub client_authorities: PathBuf,
    /// Clients without a certificate are accepted as well.
    pub client_optional: bool,
}

/// A bearer token, by where it is kept, and what its owner may do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenSettings {
    /// Environment variable that holds it; this or `file`.
    pub env: String,
    /// File that holds it; this or `env`.
    pub file: PathBuf,
    /// Calls in progress before further ones are refused; 0 for no limit of its own.
    pub calls: usize,
    /// Calls a second, over time; 0 for no limit.
    pub per_second: f64,
    /// Calls a day (of UTC) before further ones are refused; 0 for no limit.
    pub calls_per_day: u64,
    /// Tokens of models, of prompts and answers together, a day; 0 for no limit.
    pub tokens_per_day: u64,
    /// US dollars a day that models with prices take; 0 for no limit.
    pub dollars_per_day: f64,
}

/// Where a token is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenSource<'a> {
    /// In this environment variable.
    Variable(&'a str),
    /// In this file.
    File(&'a Path),
}

impl ServerSettings {
    /// Checks what can be checked before a file is read or an address bound.
    ///
    /// # Errors
    /// Invalid, naming the key that is wrong.
    pub fn check(&self) -> Result<()> {
        let counts = [
            ("message_bytes", self.message_bytes),
            ("calls", self.calls),
            ("connections", self.connections),
            ("metrics_connections", self.metrics_connections),
        ];
        let times = [
            ("deadline_ms", self.deadline),
            ("handshake_ms", self.handshake),
            ("upload_ms", self.upload),
            ("idle_ms", self.idle),
            ("keepalive_ms", self.keepalive),
            ("keepalive_timeout_ms", self.keepalive_timeout),
        ];
        let counts = counts.map(|(key, count)| (key, count == 0));
        let times = times.map(|(key, time)| (key, time.is_zero()));
        if let Some((key, _)) = counts
            .into_iter()
            .chain(times)
            .find(|(_, is_zero)| *is_zero)
        {
            return Err(Error::invalid(format!(
                "server.{key} is 0, but has to be above"
            )));
        }
        for (name, token) in &self.token {
            token
                .check()
                .map_err(|error| error.at(format!("server.token.{name}")))?;
        }
        self.tls.check().map_err(|error| error.at("server.tls"))
    }
}

impl TlsSettings {
    fn check(&self) -> Result<()> {
        let is_given = |path: &PathBuf| !path.as_os_str().is_empty();
        if !is_given(&self.certificate)
            && (is_given(&self.key) || is_given(&self.client_authorities))
        {
            return Err(Error::invalid(
                "a key or client_authorities, but no certificate",
            ));
        }
        Ok(())
    }
}

impl TokenSettings {
    /// Where the token is.
    ///
    /// # Errors
    /// Invalid, if neither or both are named.
    pub fn source(&self) -> Result<TokenSource<'_>> {
        match (self.env.as_str(), self.file.as_path()) {
            ("", file) if file.as_os_str().is_empty() => {
                Err(Error::invalid("set env or file to say where the token is"))
            }
            ("", file) => Ok(TokenSource::File(file)),
            (variable, file) if file.as_os_str().is_empty() => Ok(TokenSource::Variable(variable)),
            _ => Err(Error::invalid("set env or file, not both")),
        }
    }

    fn check(&self) -> Result<()> {
        for (key, value) in [
            ("per_second", self.per_second),
            ("dollars_per_day", self.dollars_per_day),
        ] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::invalid(format!(
                    "{key} has to be 0 (no limit) or above"
                )));
            }
        }
        self.source().map(drop)
    }
}
