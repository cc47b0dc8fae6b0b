//! The table of a remote segmenter: `[segmenter.NAME] remote = [...]`.

use std::{fs, path::Path, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};
use som_core::{Error, Result, schema::Schema};
use tonic::{
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, ClientTlsConfig, Endpoint, Identity},
};

use crate::settings::Settings;

/// How long a connection may take, and how a silent one is found out.
const CONNECT: Duration = Duration::from_secs(2);
const KEEPALIVE: Duration = Duration::from_secs(5);
/// Flow-control windows in which a large image does not have to wait for acknowledgements.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// The table's keys that are not the worker's.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Options {
    remote: Vec<String>,
    authorities: String,
    certificate: String,
    key: String,
    domain: String,
    token_env: String,
    token_file: String,
    patience_ms: u64,
}

impl Options {
    /// What the table may hold.
    pub(super) fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["remote"],
            "properties": {
                "remote": {
                    "type": "array", "items": {"type": "string"}, "minItems": 1,
                    "description": "Endpoints: http://HOST:PORT, https://HOST:PORT or unix:PATH."
                },
                "authorities": {
                    "type": "string", "default": "",
                    "description": "PEM file with the authorities that sign the endpoints' certificates; empty for the system's."
                },
                "certificate": {
                    "type": "string", "default": "",
                    "description": "PEM file with the certificate to show to the endpoints."
                },
                "key": {
                    "type": "string", "default": "",
                    "description": "PEM file with the key of that certificate."
                },
                "domain": {
                    "type": "string", "default": "",
                    "description": "Name that the endpoints' certificates hold, if not their host's."
                },
                "token_env": {
                    "type": "string", "default": "",
                    "description": "Environment variable with the bearer token."
                },
                "token_file": {
                    "type": "string", "default": "",
                    "description": "File with the bearer token."
                },
                "patience_ms": {
                    "type": "integer", "default": 5000, "minimum": 0,
                    "description": "How long to wait at start-up for the first endpoint to answer."
                }
            }
        })
    }

    /// The table of segmenter `id`.
    ///
    /// # Errors
    /// Invalid, naming the first key that does not fit.
    pub(super) fn read(settings: &Settings, id: &str) -> Result<Self> {
        let who = format!("segmenter \"{id}\"");
        let schema = Schema::compile(&Self::schema())?;
        let (_, mut table) = settings.segmenter(id)?;
        for (key, value) in &mut table {
            if let Value::String(text) = value {
                *value = schema.parse_text(&who, key, text)?;
            }
        }
        let table = schema.resolve(&who, &table)?;
        Self::deserialize(Value::Object(table))
            .map_err(|error| Error::invalid(format!("{who}: {error}")))
    }

    /// How long to wait for the first endpoint.
    pub(super) const fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms)
    }

    /// The bearer token as metadata; `None` if there is none.
    ///
    /// # Errors
    /// Invalid, if it cannot be had.
    pub(super) fn token(&self) -> Result<Option<MetadataValue<Ascii>>> {
        let token = match (self.token_env.as_str(), self.token_file.as_str()) {
            ("", "") => return Ok(None),
            (variable, "") => std::env::var(variable).map_err(|_| {
                Error::invalid(format!(
                    "token_env: environment variable {variable} is not set"
                ))
            })?,
            ("", path) => String::from_utf8(read("token_file", path)?)
                .map_err(|_| Error::invalid(format!("token_file \"{path}\": is not text")))?,
            (_, _) => return Err(Error::invalid("set token_env or token_file, not both")),
        };
        let mut value: MetadataValue<Ascii> = format!("Bearer {}", token.trim())
            .parse()
            .map_err(|_| Error::invalid("the token holds characters that a header cannot"))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    /// Every endpoint's address, ready to connect.
    ///
    /// # Errors
    /// Invalid, if an address is malformed or a TLS file is wrong.
    pub(super) fn endpoints(&self) -> Result<Vec<(String, Endpoint)>> {
        let endpoints = self.remote.iter().map(|address| {
            let endpoint = self.endpoint(address).map_err(|error| error.at(address))?;
            Ok((address.clone(), endpoint))
        });
        endpoints.collect()
    }

    fn endpoint(&self, address: &str) -> Result<Endpoint> {
        let known = ["http://", "https://", "unix:"];
        if !known.iter().any(|scheme| address.starts_with(scheme)) {
            return Err(Error::invalid(
                "not an endpoint like http://host:50061, https://host:50061 or unix:/run/som.sock",
            ));
        }
        let malformed = |error| Error::invalid(format!("malformed endpoint: {}", chain(&error)));
        let endpoint = Endpoint::from_shared(address.to_owned())
            .map_err(malformed)?
            .connect_timeout(CONNECT)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        if !address.starts_with("https://") {
            return Ok(endpoint);
        }
        endpoint.tls_config(self.tls()?).map_err(|error| {
            Error::invalid(format!("the TLS files are unusable: {}", chain(&error)))
        })
    }

    fn tls(&self) -> Result<ClientTlsConfig> {
        let mut tls = ClientTlsConfig::new();
        tls = match self.authorities.as_str() {
            "" => tls.with_native_roots(),
            path => tls.ca_certificate(Certificate::from_pem(read("authorities", path)?)),
        };
        if !self.domain.is_empty() {
            tls = tls.domain_name(&self.domain);
        }
        Ok(match (self.certificate.as_str(), self.key.as_str()) {
            ("", "") => tls,
            (certificate, key) => tls.identity(Identity::from_pem(
                read("certificate", certificate)?,
                read("key", key)?,
            )),
        })
    }
}

fn read(key: &str, path: &str) -> Result<Vec<u8>> {
    fs::read(Path::new(path))
        .map_err(|error| Error::invalid(format!("{key} \"{path}\": cannot be read: {error}")))
}

/// An error with its causes, outermost first.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
