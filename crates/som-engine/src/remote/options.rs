//! The table of a remote segmenter: `[segmenter.NAME] remote = [...]`.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use som_client::{Connection, Token};
use som_core::{Error, Result, Schema};

use crate::settings::Settings;

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
    health_ms: u64,
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
                    "description": "How long after the start a call waits for the first endpoint to answer."
                },
                "health_ms": {
                    "type": "integer", "default": 4000, "minimum": 100,
                    "description": "How often health is checked. An endpoint that stops answering costs a call at most so long."
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

    /// How often the health of an endpoint that serves is checked.
    pub(super) const fn health(&self) -> Duration {
        Duration::from_millis(self.health_ms)
    }

    /// Every endpoint, ready to connect.
    ///
    /// # Errors
    /// Invalid, if the token cannot be had.
    pub(super) fn connections(&self) -> Result<Vec<Connection>> {
        let token = Token::find(&self.token_env, &self.token_file)?;
        let connections = self.remote.iter().map(|address| Connection {
            address: address.clone(),
            authorities: (&self.authorities).into(),
            certificate: (&self.certificate).into(),
            key: (&self.key).into(),
            domain: self.domain.clone(),
            token: token.clone(),
            // Silence, and the wait for a sign of life.
            keepalive: Some(self.health() / 2),
        });
        Ok(connections.collect())
    }
}
