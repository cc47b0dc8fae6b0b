//! Encryption: the PEM files of `[server.tls]` as a rustls acceptor.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use som_core::{Error, Result};
use som_engine::settings::TlsSettings;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
    },
};

/// How new connections are encrypted. The files can be read again while the server runs.
pub(crate) struct Tls(RwLock<Option<TlsAcceptor>>);

impl Tls {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// As [`acceptor`].
    pub(crate) fn read(settings: &TlsSettings) -> Result<Self> {
        acceptor(settings).map(RwLock::new).map(Self)
    }

    /// The acceptor for a new connection; `None` without encryption.
    pub(crate) fn get(&self) -> Option<TlsAcceptor> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes the place of the files that were read before, for new connections.
    pub(crate) fn replace(&self, other: Self) {
        let other = other.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = other;
    }
}

/// The acceptor that the settings ask for; `None` without a certificate.
///
/// # Errors
/// Invalid, naming the file, if one cannot be read, holds nothing of its kind, or if the key is
/// not the certificate's.
fn acceptor(settings: &TlsSettings) -> Result<Option<TlsAcceptor>> {
    if settings.certificate.as_os_str().is_empty() {
        return Ok(None);
    }
    let chain = certificates("certificate", &settings.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&settings.key)
        .map_err(|error| unreadable("key", &settings.key, "a private key", &error))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal("TLS versions").caused_by(error))?;
    let builder = if settings.client_authorities.as_os_str().is_empty() {
        builder.with_no_client_auth()
    } else {
        builder.with_client_cert_verifier(client_verifier(settings)?)
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| {
        let (certificate, key) = (settings.certificate.display(), settings.key.display());
        Error::invalid(format!(
            "server.tls: {certificate} and {key} do not belong together: {error}"
        ))
    })?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

fn client_verifier(
    settings: &TlsSettings,
) -> Result<Arc<dyn tokio_rustls::rustls::server::danger::ClientCertVerifier>> {
    let path = &settings.client_authorities;
    let unusable = |error: &dyn std::fmt::Display| {
        Error::invalid(format!(
            "server.tls.client_authorities {}: {error}",
            path.display()
        ))
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates("client_authorities", path)? {
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    let provider = Arc::new(ring::default_provider());
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    if settings.client_optional {
        builder = builder.allow_unauthenticated();
    }
    builder.build().map_err(|error| unusable(&error))
}

fn certificates(key: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(key, path, "a certificate", &error))?;
    if certificates.is_empty() {
        let path = path.display();
        return Err(Error::invalid(format!(
            "server.tls.{key} {path}: holds no certificate in PEM form"
        )));
    }
    Ok(certificates)
}

fn unreadable(key: &str, path: &Path, what: &str, error: &dyn std::fmt::Display) -> Error {
    Error::invalid(format!(
        "server.tls.{key} \"{}\": cannot be read as {what} in PEM form: {error}",
        path.display()
    ))
}
