//! The HTTP client: rustls with ring, like everything else here that encrypts.

use reqwest::{Client, ClientBuilder};
use som_core::{Error, Result, with_causes};

/// A client after `configure`.
///
/// # Errors
/// Unavailable, if the system's certificates cannot be read.
pub fn client(configure: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Client> {
    // The one place where TLS gets its cryptography. Another part of the process may have been
    // first, with the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().user_agent(concat!("som/", env!("CARGO_PKG_VERSION")));
    configure(builder)
        .build()
        .map_err(|error| Error::unavailable(format!("no HTTP client: {}", with_causes(&error))))
}
