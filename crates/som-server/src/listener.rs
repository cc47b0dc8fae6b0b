//! Where connections come from: a TCP port or a Unix socket, with TLS or without.

use std::{
    io,
    net::SocketAddr,
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use som_core::{Error, Result};
use som_engine::settings::ServerSettings;
use tokio::{
    net::{TcpListener, UnixListener, UnixStream},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use crate::{
    authority::Local,
    connection::{self, Ends, Peer},
    metrics::Metrics,
    places::Places,
    preface::{self, Greeted, Io},
    tls::Tls,
};

/// How long to wait when a connection cannot be accepted, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// A bound address.
pub(crate) struct Listener {
    socket: Socket,
    file: Option<SocketFile>,
    tls: Arc<Tls>,
}

enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// The file of a Unix socket, removed when this is dropped.
pub(crate) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Listener {
    /// Binds the address in the settings.
    ///
    /// # Errors
    /// Invalid, if the address is malformed or a TLS file is wrong; Unavailable, if the address
    /// is in use or may not be bound.
    pub(crate) async fn bind(settings: &ServerSettings) -> Result<Self> {
        let tls = Arc::new(Tls::read(&settings.tls)?);
        let (socket, file) = match settings.listen.strip_prefix("unix:") {
            Some(path) => {
                let path = Path::new(path.trim_start_matches("//"));
                let listener = bind_unix(path).await?;
                (Socket::Unix(listener), Some(SocketFile(path.to_owned())))
            }
            None => {
                let listener = bind_tcp("server.listen", &settings.listen).await?;
                (Socket::Tcp(listener), None)
            }
        };
        Ok(Self { socket, file, tls })
    }

    /// The certificates, which can be read again.
    pub(crate) fn tls(&self) -> Arc<Tls> {
        self.tls.clone()
    }

    /// What was bound: `127.0.0.1:50051` with the port that was chosen, or `unix:PATH`.
    pub(crate) fn address(&self) -> String {
        match (&self.socket, &self.file) {
            (Socket::Tcp(listener), _) => listener
                .local_addr()
                .map_or_else(|_| String::new(), |address| address.to_string()),
            (Socket::Unix(_), Some(file)) => format!("unix:{}", file.0.display()),
            (Socket::Unix(_), None) => String::new(),
        }
    }

    /// The file of a Unix socket. It is there until the caller drops it, whichever task still
    /// holds the listener.
    pub(crate) fn take_file(&mut self) -> Option<SocketFile> {
        self.file.take()
    }

    /// True if nothing is encrypted and other machines may connect.
    pub(crate) fn is_exposed(&self) -> bool {
        let is_local = match &self.socket {
            Socket::Tcp(listener) => listener
                .local_addr()
                .is_ok_and(|address| address.ip().is_loopback()),
            Socket::Unix(_) => true,
        };
        !is_local && self.tls.get().is_none()
    }

    /// Accepts connections and serves their calls with `router`, for as long as nobody drops this or
    /// says that the server drains; each connection goes on until it ends.
    pub(crate) async fn serve(
        self,
        router: Router,
        settings: Arc<ServerSettings>,
        metrics: Arc<Metrics>,
        ends: Ends,
    ) {
        let connections = TaskTracker::new();
        let places = Places::new(settings.connections, metrics.clone());
        tokio::select! {
            () = ends.drain.cancelled() => {}
            () = async {
                loop {
                    let (io, address) = self.accept().await;
                    let place = places.take().await;
                    let newcomer = Newcomer { io, tls: self.tls.get(), peer: Peer { address, place } };
                    let (router, settings, ends) = (router.clone(), settings.clone(), ends.clone());
                    let counted = metrics.connection();
                    connections.spawn(async move {
                        let _counted = counted;
                        newcomer.serve(router, settings, ends).await;
                    });
                }
            } => {}
        }
        // The address is free again while connections finish their calls.
        drop(self);
        connections.close();
        connections.wait().await;
    }

    /// The next connection; a system that has none to give, such as for want of file descriptors, is
    /// waited for.
    async fn accept(&self) -> (Box<dyn Io>, Option<SocketAddr>) {
        loop {
            let accepted = match &self.socket {
                Socket::Tcp(listener) => listener.accept().await.map(|(stream, peer)| {
                    // One that is gone already shows soon enough.
                    let _ = stream.set_nodelay(true);
                    (Box::new(stream) as Box<dyn Io>, Some(peer))
                }),
                Socket::Unix(listener) => {
                    let accepted = listener.accept().await;
                    accepted.map(|(stream, _)| (Box::new(Local::new(stream)) as Box<dyn Io>, None))
                }
            };
            match accepted {
                Ok(connection) => return connection,
                // A client that went away before it was greeted makes nobody wait.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

/// A connection that was accepted a moment ago.
struct Newcomer {
    io: Box<dyn Io>,
    tls: Option<TlsAcceptor>,
    peer: Peer,
}

impl Newcomer {
    /// Serves it once it speaks HTTP/2, which it has to do in time.
    async fn serve(self, router: Router, settings: Arc<ServerSettings>, ends: Ends) {
        let Self { io, tls, peer } = self;
        let peer_address = peer.address;
        let greeted = tokio::select! {
            greeted = timeout(settings.handshake, greeted(io, tls)) => greeted,
            // What has not spoken yet has nothing to finish.
            () = ends.drain.cancelled() => return,
        };
        match greeted {
            Ok(Ok(Some(io))) => connection::serve(io, peer, router, settings, ends).await,
            Ok(Ok(None)) => tracing::info!(peer = ?peer_address, "a client did not speak HTTP/2"),
            Ok(Err(error)) => tracing::info!(peer = ?peer_address, %error, "a handshake failed"),
            Err(_) => {
                tracing::info!(peer = ?peer_address, "a connection did not speak HTTP/2 in time");
            }
        }
    }
}

async fn greeted(io: Box<dyn Io>, tls: Option<TlsAcceptor>) -> io::Result<Option<Greeted>> {
    match tls {
        Some(tls) => preface::greet(Box::new(tls.accept(io).await?)).await,
        None => preface::greet(io).await,
    }
}

/// Binds a TCP address; `key` is the setting that names it.
///
/// # Errors
/// Invalid, if it is malformed; Unavailable, if it is in use or may not be bound.
pub(crate) async fn bind_tcp(key: &str, address: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => Error::invalid(format!(
            "{key} \"{address}\": not an address like 127.0.0.1:50051 or unix:/run/som.sock"
        )),
        io::ErrorKind::AddrInUse => Error::unavailable(format!(
            "{key} \"{address}\": the port is in use (stop the other program or choose another port)"
        )),
        _ => Error::unavailable(format!("{key} \"{address}\": cannot be bound: {error}")),
    })
}

async fn bind_unix(path: &Path) -> Result<UnixListener> {
    let cannot = |error: io::Error| {
        let path = path.display();
        Error::unavailable(format!(
            "server.listen \"unix:{path}\": cannot be bound: {error}"
        ))
    };
    let listener = match UnixListener::bind(path) {
        // A file that nobody listens on is what a killed server left behind.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let is_socket = |file: &std::fs::Metadata| file.file_type().is_socket();
            if !std::fs::symlink_metadata(path).is_ok_and(|file| is_socket(&file)) {
                return Err(Error::unavailable(format!(
                    "server.listen \"unix:{}\": is there, and no socket (choose another path)",
                    path.display()
                )));
            }
            match UnixStream::connect(path).await {
                Err(refused) if refused.kind() == io::ErrorKind::ConnectionRefused => {}
                _ => return Err(cannot(error)),
            }
            std::fs::remove_file(path).map_err(cannot)?;
            UnixListener::bind(path)
        }
        result => result,
    };
    listener.map_err(cannot)
}
