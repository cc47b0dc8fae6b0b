//! `[server]`: how `som serve` and `som backend` listen, and what they allow.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
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
    /// Connections before further ones wait.
    pub connections: usize,
    /// Bytes of decoded images held for requests that name them by digest.
    pub kept_bytes: u64,
    /// The longest a call may take; clients may ask for less.
    #[serde(rename = "deadline_ms", with = "millis")]
    pub deadline: Duration,
    /// How long a new connection may take until it speaks HTTP/2.
    #[serde(rename = "handshake_ms", with = "millis")]
    pub handshake: Duration,
    /// How long a stream may wait for its client.
    #[serde(rename = "idle_ms", with = "millis")]
    pub idle: Duration,
    /// After this long without a word, a peer is asked for a sign of life.
    #[serde(rename = "keepalive_ms", with = "millis")]
    pub keepalive: Duration,
    /// How long that sign may take before the connection is given up.
    #[serde(rename = "keepalive_timeout_ms", with = "millis")]
    pub keepalive_timeout: Duration,
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
}
