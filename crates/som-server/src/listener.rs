//! Where connections come from: a TCP port or a Unix socket, with TLS or without.

use std::{
    io,
    net::SocketAddr,
    os::unix::fs::FileTypeExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use som_core::{Error, Result};
use som_engine::settings::ServerSettings;
use tokio::{
    net::{TcpListener, UnixListener, UnixStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Instant, sleep, timeout_at},
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::connection::{Connection, Io};

/// How long to wait when a connection cannot be accepted, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// A bound address.
pub(crate) struct Listener {
    socket: Socket,
    file: Option<SocketFile>,
    tls: Option<TlsAcceptor>,
    handshake: Duration,
    connections: usize,
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
        let tls = crate::tls::acceptor(&settings.tls)?;
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
        Ok(Self {
            socket,
            file,
            tls,
            handshake: settings.handshake,
            connections: settings.connections,
        })
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
        !is_local && self.tls.is_none()
    }

    /// The connections, once they are ready to speak HTTP/2. All end when `kill` is cancelled; the
    /// address is given free when the stream is dropped.
    pub(crate) fn incoming(
        self,
        kill: CancellationToken,
    ) -> ReceiverStream<io::Result<Connection>> {
        let (ready, incoming) = mpsc::channel(16);
        tokio::spawn(async move {
            tokio::select! {
                () = self.accept_all(&ready, kill) => {}
                () = ready.closed() => {}
            }
        });
        ReceiverStream::new(incoming)
    }

    async fn accept_all(
        &self,
        ready: &mpsc::Sender<io::Result<Connection>>,
        kill: CancellationToken,
    ) {
        let slots = Arc::new(Semaphore::new(self.connections));
        loop {
            let Ok(slot) = slots.clone().acquire_owned().await else {
                return;
            };
            match self.accept().await {
                Ok((io, peer)) => {
                    let newcomer = Newcomer {
                        io,
                        peer,
                        slot,
                        deadline: Instant::now() + self.handshake,
                    };
                    let (tls, ready, kill) = (self.tls.clone(), ready.clone(), kill.clone());
                    tokio::spawn(async move {
                        if let Some(connection) = newcomer.greet(tls, kill).await {
                            let _ = ready.send(Ok(connection)).await;
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn accept(&self) -> io::Result<(Box<dyn Io>, Option<SocketAddr>)> {
        match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Box::new(stream), Some(peer)))
            }
            Socket::Unix(listener) => Ok((Box::new(listener.accept().await?.0), None)),
        }
    }
}

/// A connection that was accepted a moment ago.
struct Newcomer {
    io: Box<dyn Io>,
    peer: Option<SocketAddr>,
    slot: OwnedSemaphorePermit,
    deadline: Instant,
}

impl Newcomer {
    /// Does the TLS handshake, if there is one.
    async fn greet(self, tls: Option<TlsAcceptor>, kill: CancellationToken) -> Option<Connection> {
        let Self {
            mut io,
            peer,
            slot,
            deadline,
        } = self;
        if let Some(tls) = tls {
            io = match timeout_at(deadline, tls.accept(io)).await {
                Ok(Ok(stream)) => Box::new(stream),
                Ok(Err(error)) => {
                    tracing::info!(?peer, %error, "a TLS handshake failed");
                    return None;
                }
                Err(_) => {
                    tracing::info!(?peer, "a TLS handshake took too long");
                    return None;
                }
            };
        }
        Some(Connection::new(io, peer, deadline, slot, kill))
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
