//! Certificates, right and wrong.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use som_core::{Cancellation, ErrorKind};
use som_server::{Role, Server};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::support::{Columns, Running, backend, engine, request, segment, wire};

/// An authority, and certificates it signed, as PEM files in a folder.
struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        fs::write(folder.path().join("authority.pem"), certificate.pem()).unwrap();
        let issuer = Issuer::new(params, key);
        for name in ["server", "client"] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["localhost".into()]).unwrap();
            let certificate = params.signed_by(&key, &issuer).unwrap();
            fs::write(folder.path().join(format!("{name}.pem")), certificate.pem()).unwrap();
            fs::write(
                folder.path().join(format!("{name}.key")),
                key.serialize_pem(),
            )
            .unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// `[server.tls]` with the server's certificate.
    fn settings(&self, more: &str) -> String {
        let (certificate, key) = (self.path("server.pem"), self.path("server.key"));
        format!("[server.tls]\ncertificate = {certificate:?}\nkey = {key:?}\n{more}")
    }

    /// What a client needs to trust the server.
    fn trust(&self) -> ClientTlsConfig {
        ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(self.read("authority.pem")))
            .domain_name("localhost")
    }

    fn identity(&self) -> Identity {
        Identity::from_pem(self.read("client.pem"), self.read("client.key"))
    }
}

async fn connect(
    server: &Running,
    tls: ClientTlsConfig,
) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_shared(format!("https://{}", server.address))?
        .tls_config(tls)?
        .connect()
        .await
}

#[tokio::test]
async fn clients_that_trust_the_authority_get_in() {
    let authority = Authority::new();
    let server = backend(&authority.settings("")).await;
    let channel = connect(&server, authority.trust()).await.unwrap();
    assert_eq!(segment(&channel, wire(json!({}))).await.unwrap(), 3);

    let stranger = Authority::new();
    assert!(connect(&server, stranger.trust()).await.is_err());
    let plain = Endpoint::from_shared(format!("http://{}", server.address))
        .unwrap()
        .connect_lazy();
    assert!(segment(&plain, wire(json!({}))).await.is_err());
}

#[tokio::test]
async fn client_certificates_can_be_needed_or_optional() {
    let authority = Authority::new();
    let needed = format!("client_authorities = {:?}", authority.path("authority.pem"));
    let server = backend(&authority.settings(&needed)).await;
    let with = connect(&server, authority.trust().identity(authority.identity()))
        .await
        .unwrap();
    assert_eq!(segment(&with, wire(json!({}))).await.unwrap(), 3);
    for tls in [
        authority.trust(),
        authority.trust().identity(Authority::new().identity()),
    ] {
        // The client may only notice with the first call.
        if let Ok(without) = connect(&server, tls).await {
            assert!(segment(&without, wire(json!({}))).await.is_err());
        }
    }

    let optional = format!("{needed}\nclient_optional = true");
    let server = backend(&authority.settings(&optional)).await;
    let without = connect(&server, authority.trust()).await.unwrap();
    assert_eq!(segment(&without, wire(json!({}))).await.unwrap(), 3);
}

#[tokio::test]
async fn files_that_are_wrong_are_named() {
    let (authority, other) = (Authority::new(), Authority::new());
    let table = |certificate: &str, key: &str, more: &str| {
        format!("[server.tls]\ncertificate = {certificate:?}\nkey = {key:?}\n{more}")
    };
    let (good, key) = (authority.path("server.pem"), authority.path("server.key"));
    let missing = authority.path("no-such.pem");
    let broken = authority.path("broken.pem");
    fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA").unwrap();
    let empty = authority.path("empty.pem");
    fs::write(&empty, "").unwrap();
    for (toml, why) in [
        (table(&missing, &key, ""), "no-such.pem"),
        (table(&good, &missing, ""), "no-such.pem"),
        (table(&broken, &key, ""), "broken.pem"),
        (table(&empty, &key, ""), "holds no certificate"),
        (table(&good, &good, ""), "a private key"),
        (
            table(&good, &other.path("server.key"), ""),
            "do not belong together",
        ),
        (
            table(&good, &key, &format!("client_authorities = {empty:?}")),
            "client_authorities",
        ),
        (table("", &key, ""), "but no certificate"),
    ] {
        let engine = engine(&toml, Columns::default()).unwrap();
        let error = Server::bind(engine, Role::Backend("columns".into()))
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(
            error.message().starts_with("server.tls") && error.message().contains(why),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_segmenter_may_be_behind_tls_and_a_token() {
    let authority = Authority::new();
    let token = authority.path("token");
    fs::write(&token, "0123456789abcdef").unwrap();
    let server = backend(&format!(
        "{}\n[server.token.front]\nfile = {token:?}",
        authority.settings(&format!(
            "client_authorities = {:?}",
            authority.path("authority.pem")
        ))
    ))
    .await;
    let table = |more: String| {
        let toml = format!(
            "[segmenter.far]\nremote = ['https://{}']\npatience_ms = 0\n{more}",
            server.address
        );
        engine(&toml, Columns::default())
    };
    let far = || request("far", json!({}));
    let trust = format!(
        "domain = 'localhost'\nauthorities = {:?}",
        authority.path("authority.pem")
    );
    let identity = format!(
        "certificate = {:?}\nkey = {:?}",
        authority.path("client.pem"),
        authority.path("client.key")
    );
    let engine = table(format!("{trust}\n{identity}\ntoken_file = {token:?}")).unwrap();
    let done = engine.segment(far(), &Cancellation::new()).await.unwrap();
    assert_eq!(done.regions.len(), 3);

    let wrong = authority.path("wrong");
    fs::write(&wrong, "fedcba9876543210").unwrap();
    for (more, why) in [
        (
            format!("{trust}\n{identity}\ntoken_file = {wrong:?}"),
            "refuses what this process logs in with",
        ),
        (
            format!("{trust}\n{identity}"),
            "refuses what this process logs in with",
        ),
        (format!("{identity}\ntoken_file = {token:?}"), "far"),
        (format!("{trust}\ntoken_file = {token:?}"), "far"),
        (
            format!("{trust}\ncertificate = 'no-such-certificate'"),
            "no-such-certificate",
        ),
        ("authorities = 'no-such-file'".into(), "no-such-file"),
        (
            "token_env = 'SOM_TEST_NO_SUCH_VARIABLE'".into(),
            "SOM_TEST_NO_SUCH_VARIABLE",
        ),
    ] {
        let error = match table(more) {
            Err(error) => error,
            Ok(engine) => engine
                .segment(far(), &Cancellation::new())
                .await
                .unwrap_err(),
        };
        assert!(error.message().contains(why), "{why}: {error}");
        assert!(!error.message().contains("fedcba"), "{error}");
    }
}
