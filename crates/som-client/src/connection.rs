//! Where a server is, and what it takes to get in.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use som_core::{Error, Result, with_causes};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, ClientTlsConfig, Endpoint, Identity},
};

use crate::trace;

/// How long a connection may take, and how a silent one is found out.
const CONNECT: Duration = Duration::from_secs(2);
const KEEPALIVE: Duration = Duration::from_secs(5);
/// Bytes of headers and trailers: a long reason is no broken connection. It is shortened here.
const HEADERS: u32 = 1 << 20;
/// Flow-control windows in which a large image does not have to wait for acknowledgements.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// Frames in which a large image does not come in hundreds of pieces.
const FRAME: u32 = 1 << 20;

/// Where a server is, and what it takes to get in. Empty paths and names are not given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Connection {
    /// `http://HOST:PORT`, `https://HOST:PORT` or `unix:PATH`.
    pub address: String,
    /// PEM file with the authorities that sign the server's certificate; else those of the system.
    pub authorities: PathBuf,
    /// PEM file with the certificate to show to the server.
    pub certificate: PathBuf,
    /// PEM file with the key of that certificate.
    pub key: PathBuf,
    /// The name in the server's certificate, if it is not its host's.
    pub domain: String,
    /// The bearer token.
    pub token: Option<Token>,
    /// After so long without a word the server is asked for a sign of life, which may take as long;
    /// `None` for 5 s.
    pub keepalive: Option<Duration>,
}

/// A bearer token, which no log shows.
#[derive(Clone, PartialEq)]
pub struct Token(MetadataValue<Ascii>);

impl Connection {
    /// A connection without more than an address.
    pub fn to(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            ..Self::default()
        }
    }

    /// The address, ready to connect.
    ///
    /// # Errors
    /// Invalid, if the address is malformed or a TLS file is wrong.
    pub fn endpoint(&self) -> Result<Endpoint> {
        self.plain()
            .and_then(|endpoint| self.with_tls(endpoint))
            .map_err(|error| error.at(&self.address))
    }

    fn plain(&self) -> Result<Endpoint> {
        let known = ["http://", "https://", "unix:"];
        if !known.iter().any(|scheme| self.address.starts_with(scheme)) {
            return Err(Error::invalid(
                "not an endpoint like http://host:50051, https://host:50051 or unix:/run/som.sock",
            ));
        }
        let endpoint = Endpoint::from_shared(self.address.clone()).map_err(|error| {
            Error::invalid(format!("malformed endpoint: {}", with_causes(&error)))
        })?;
        let keepalive = self.keepalive.unwrap_or(KEEPALIVE);
        Ok(endpoint
            .connect_timeout(CONNECT)
            .http2_max_header_list_size(HEADERS)
            .http2_keep_alive_interval(keepalive)
            .keep_alive_timeout(keepalive)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME))
    }

    fn with_tls(&self, endpoint: Endpoint) -> Result<Endpoint> {
        if !self.address.starts_with("https://") {
            return Ok(endpoint);
        }
        let mut tls = ClientTlsConfig::new();
        tls = match given(&self.authorities) {
            None => tls.with_native_roots(),
            Some(path) => tls.ca_certificate(Certificate::from_pem(read("authorities", path)?)),
        };
        if !self.domain.is_empty() {
            tls = tls.domain_name(&self.domain);
        }
        if given(&self.certificate).is_some() || given(&self.key).is_some() {
            let certificate = read("certificate", &self.certificate)?;
            tls = tls.identity(Identity::from_pem(certificate, read("key", &self.key)?));
        }
        endpoint.tls_config(tls).map_err(|error| {
            Error::invalid(format!(
                "the TLS files are unusable: {}",
                with_causes(&error)
            ))
        })
    }

    /// A request with the token, in the trace of the current span.
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(Token(token)) = &self.token {
            request
                .metadata_mut()
                .insert("authorization", token.clone());
        }
        trace::inject(request.metadata_mut());
        request
    }
}

impl Token {
    /// From its text.
    ///
    /// # Errors
    /// Invalid, if the text holds characters that a header cannot.
    pub fn new(text: &str) -> Result<Self> {
        let mut value: MetadataValue<Ascii> = format!("Bearer {}", text.trim())
            .parse()
            .map_err(|_| Error::invalid("the token holds characters that a header cannot"))?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// From an environment variable or a file; `None` if both are empty.
    ///
    /// # Errors
    /// Invalid, if both are given or the token cannot be had.
    pub fn find(variable: &str, file: &str) -> Result<Option<Self>> {
        match (variable, file) {
            ("", "") => Ok(None),
            (variable, "") => {
                let text = std::env::var(variable).map_err(|_| {
                    Error::invalid(format!(
                        "the token's environment variable {variable} is not set"
                    ))
                })?;
                Self::new(&text).map(Some)
            }
            ("", file) => {
                let text = fs::read_to_string(file).map_err(|error| {
                    Error::invalid(format!(
                        "the token's file \"{file}\" cannot be read: {error}"
                    ))
                })?;
                Self::new(&text).map(Some)
            }
            _ => Err(Error::invalid("set token_env or token_file, not both")),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

fn given(path: &Path) -> Option<&Path> {
    Some(path).filter(|path| !path.as_os_str().is_empty())
}

fn read(key: &str, path: &Path) -> Result<Vec<u8>> {
    fs::read(path)
        .map_err(|error| Error::invalid(format!("{key} {path:?}: cannot be read: {error}")))
}
