//! Which server does the work.

use std::path::PathBuf;

use clap::Args;
use som_client::{Connection, Token};
use som_core::Result;

/// Which server does the work; without one, this process does.
#[derive(Args, Default)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerFlags {
    /// Have the work done by a som serve: http://HOST:PORT, https://HOST:PORT or unix:PATH
    #[arg(long, value_name = "ADDR")]
    server: Option<String>,
    /// PEM file with the authorities that sign the server's certificate [default: the system's]
    #[arg(long, value_name = "FILE", requires = "server")]
    server_ca: Option<PathBuf>,
    /// Environment variable that holds the server's bearer token
    #[arg(long, value_name = "NAME", requires = "server")]
    token_env: Option<String>,
}

impl ServerFlags {
    /// The server's address, as written.
    pub(crate) fn address(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// The way to the server; `None` without one.
    ///
    /// # Errors
    /// Invalid, if the token cannot be had.
    pub(crate) fn connection(&self) -> Result<Option<Connection>> {
        let Some(address) = &self.server else {
            return Ok(None);
        };
        let variable = self.token_env.as_deref().unwrap_or_default();
        Ok(Some(Connection {
            address: address.clone(),
            authorities: self.server_ca.clone().unwrap_or_default(),
            token: Token::find(variable, "")?,
            ..Connection::default()
        }))
    }
}
