//! One file over HTTP: on from where it was cut off, checked, and only then under its name.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind as Io, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_RANGE, RANGE},
};
use som_core::{Error, ErrorKind, Result};
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use super::{Checkpoint, digest};

/// How long a server may take to accept a connection, and be silent in one.
const CONNECT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_secs(30);
/// Connections in a row that bring nothing new before the download is given up …
const ATTEMPTS: u32 = 5;
/// … and the pause after the first; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);

/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes on this machine.
    pub done: u64,
    /// Bytes of the whole file, if known.
    pub total: Option<u64>,
}

/// Fetches `checkpoint` to `target` by way of `target` + `.part`, which stays when it fails.
pub(super) async fn download(
    checkpoint: &Checkpoint,
    target: &Path,
    progress: impl FnMut(Progress),
) -> Result<()> {
    let mut part = target.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let file = open(&part)?;
    if target.is_file() {
        // Another process was first, and what we opened is its file or a new one.
        let _ = fs::remove_file(&part);
        return Ok(());
    }
    let mut transfer = Transfer {
        checkpoint,
        client: som_lmm::http_client(|client| {
            client.connect_timeout(CONNECT).read_timeout(SILENCE)
        })?,
        done: file
            .metadata()
            .map_err(|error| unwritable(&part, error))?
            .len(),
        file: tokio::fs::File::from_std(file),
        part,
        progress,
    };
    transfer.complete().await?;
    transfer.check().await?;
    fs::rename(&transfer.part, target).map_err(|error| unwritable(target, error))
}

/// Opens the partial file for this process alone.
fn open(part: &Path) -> Result<File> {
    let open = || {
        if let Some(folder) = part.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).open(part)
    };
    let file = open().map_err(|error| unwritable(part, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::unavailable(
            "another process is fetching it at this moment (wait for that one)",
        )),
        Err(TryLockError::Error(error)) => Err(unwritable(part, error)),
    }
}

/// A file on its way.
struct Transfer<'a, P> {
    checkpoint: &'a Checkpoint,
    client: Client,
    part: PathBuf,
    file: tokio::fs::File,
    /// Bytes that are there.
    done: u64,
    progress: P,
}

impl<P: FnMut(Progress)> Transfer<'_, P> {
    /// Connects until all bytes are there.
    async fn complete(&mut self) -> Result<()> {
        let mut most = 0;
        let mut failures = 0;
        loop {
            let error = match self.attempt().await {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() != ErrorKind::Unavailable => return Err(error),
                Err(error) => error,
            };
            failures = if self.done > most { 1 } else { failures + 1 };
            most = most.max(self.done);
            if failures == ATTEMPTS {
                return Err(error);
            }
            tracing::info!(%error, done = self.done, "the download goes on");
            tokio::time::sleep(PAUSE * 2_u32.pow(failures - 1)).await;
        }
    }

    /// One connection, for what is missing.
    async fn attempt(&mut self) -> Result<()> {
        let Checkpoint {
            url, size, sha256, ..
        } = self.checkpoint;
        // Only a digest can prove that two halves are of the same file.
        if sha256.is_none() || size.is_some_and(|size| self.done > size) {
            self.done = 0;
        }
        if self.done > 0 && *size == Some(self.done) {
            return Ok(());
        }
        let mut request = self.client.get(url);
        if self.done > 0 {
            request = request.header(RANGE, format!("bytes={}-", self.done));
        }
        let mut response = request.send().await.map_err(broken_off)?;
        self.done = self.start_of(&response)?;
        let total = response
            .content_length()
            .map(|length| length.saturating_add(self.done));
        if let (Some(total), Some(size)) = (total, *size)
            && total != size
        {
            return Err(Error::invalid(format!(
                "{url} is a file of {total} bytes, expected {size} (another file is there now)"
            )));
        }
        self.make_room(total).await?;
        while let Some(bytes) = response.chunk().await.map_err(broken_off)? {
            let written = self.file.write_all(&bytes).await;
            written.map_err(|error| unwritable(&self.part, error))?;
            self.done += bytes.len() as u64;
            (self.progress)(Progress {
                done: self.done,
                total,
            });
        }
        let synced = self.file.sync_all().await;
        synced.map_err(|error| unwritable(&self.part, error))
    }

    /// The byte of the file that the response begins with.
    fn start_of(&mut self, response: &Response) -> Result<u64> {
        let url = &self.checkpoint.url;
        match response.status() {
            StatusCode::OK => Ok(0),
            StatusCode::PARTIAL_CONTENT => {
                let range = response.headers().get(CONTENT_RANGE);
                let range = range
                    .and_then(|range| range.to_str().ok())
                    .unwrap_or_default();
                if range.starts_with(&format!("bytes {}-", self.done)) {
                    return Ok(self.done);
                }
                self.done = 0;
                Err(Error::unavailable(format!(
                    "{url}: the server sent another part than it was asked for ({range:?})"
                )))
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                self.done = 0;
                Err(Error::unavailable(format!(
                    "{url}: the file has become shorter"
                )))
            }
            status @ (StatusCode::NOT_FOUND | StatusCode::GONE) => Err(Error::not_found(format!(
                "{url}: the server does not have it ({status})"
            ))),
            status if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => Err(
                Error::invalid(format!("{url}: the server refuses it ({status})")),
            ),
            status => Err(Error::unavailable(format!(
                "{url}: the server answered {status}"
            ))),
        }
    }

    /// Cuts the partial file to what is kept, and sees that the rest will fit beside it.
    async fn make_room(&mut self, total: Option<u64>) -> Result<()> {
        let cut = async {
            self.file.set_len(self.done).await?;
            self.file.seek(SeekFrom::Start(self.done)).await
        };
        cut.await.map_err(|error| unwritable(&self.part, error))?;
        let Some(total) = total else { return Ok(()) };
        let folder = self.part.parent().unwrap_or(Path::new("."));
        let free = fs4::available_space(folder).map_err(|error| unwritable(&self.part, error))?;
        let missing = total.saturating_sub(self.done);
        if missing <= free {
            return Ok(());
        }
        Err(Error::exhausted(format!(
            "{missing} bytes are missing, but {} has room for {free} (free some, or set models.folder)",
            folder.display()
        )))
    }

    /// Compares the whole with its digest.
    async fn check(&self) -> Result<()> {
        let Some(expected) = &self.checkpoint.sha256 else {
            return Ok(());
        };
        let part = self.part.clone();
        let found = tokio::task::spawn_blocking(move || digest::of_file(&part))
            .await
            .map_err(|error| Error::internal("the digest was not computed").caused_by(error))?
            .map_err(|error| unwritable(&self.part, error))?;
        if found == *expected {
            return Ok(());
        }
        fs::remove_file(&self.part).map_err(|error| unwritable(&self.part, error))?;
        Err(Error::unavailable(format!(
            "{} has SHA-256 {found}, expected {expected}: it was thrown away (try again)",
            self.checkpoint.url
        )))
    }
}

/// A server that cannot be reached, or stops in the middle.
fn broken_off(error: reqwest::Error) -> Error {
    Error::unavailable("the download broke off (run the command again: it goes on from there)")
        .caused_by(error)
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    let path = path.display();
    match error.kind() {
        Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => Error::exhausted(format!(
            "no room is left for {path} (free some, or set models.folder)"
        )),
        _ => Error::invalid(format!(
            "{path} cannot be written (see its permissions, or set models.folder)"
        ))
        .caused_by(error),
    }
}
