//! Outputs: files that are written wholly or not at all, and stdout.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, ErrorKind as Io, Write as _},
    path::{Path, PathBuf},
};

use som_core::{Error, Result};

/// Where one output goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Output {
    /// Into the pipe.
    Stdout,
    /// Into a file.
    File(PathBuf),
}

impl Output {
    /// Writes all of `bytes`; folders that are missing are made. A file appears under its name
    /// once it is complete, and stays as it was if anything goes wrong. Blocks.
    ///
    /// # Errors
    /// Invalid, if the place cannot be written to; Exhausted, if it is full; see also
    /// [`is_broken_pipe`](crate::exit::is_broken_pipe).
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<()> {
        self.write_by(|output| output.write_all(bytes))
    }

    /// As [`write`](Self::write), for what is too long to be in memory: all that `write` writes.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(crate) fn write_by(
        &self,
        write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    ) -> Result<()> {
        match self {
            Output::Stdout => write_stdout(write),
            Output::File(path) => write_file(path, write),
        }
        .map_err(|error| unwritable(self, error))
    }

    /// As [`write`](Self::write), but what goes to stdout is only added to `stdout`: images in
    /// work at the same time must not mix there.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(crate) fn write_or_keep(&self, bytes: Vec<u8>, stdout: &mut Vec<u8>) -> Result<()> {
        match self {
            Output::Stdout => stdout.extend(bytes),
            Output::File(_) => self.write(&bytes)?,
        }
        Ok(())
    }

    /// The file; `None` for stdout.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Output::Stdout => None,
            Output::File(path) => Some(path),
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Output::Stdout => f.write_str("stdout"),
            Output::File(path) => path.display().fmt(f),
        }
    }
}

/// Adds `bytes` at the end of a file, which is made if it is not there. Blocks.
///
/// # Errors
/// As [`Output::write`].
pub(crate) fn append(path: &Path, bytes: &[u8]) -> Result<()> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    let appended = file.and_then(|mut file| file.write_all(bytes));
    appended.map_err(|error| unwritable(&Output::File(path.to_owned()), error))
}

fn write_stdout(write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    write(&mut stdout)?;
    stdout.flush()
}

fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    // A link stays a link: the file it leads to is replaced.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => return Err(Io::IsADirectory.into()),
        // Replacing a file needs no right to write to it, but whoever took it away meant it.
        Ok(there) if there.permissions().readonly() => return Err(Io::PermissionDenied.into()),
        Ok(there) if there.is_file() => {}
        // A device or a named pipe cannot be replaced.
        Ok(_) => return write(&mut OpenOptions::new().write(true).open(path)?),
        Err(_) => {}
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut temporary = tempfile::Builder::new();
    temporary.prefix(".som-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // What any new file gets, less the umask; tempfile alone would keep it from others.
        temporary.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut temporary = temporary.tempfile_in(folder)?;
    write(&mut temporary)?;
    temporary.persist(path)?;
    Ok(())
}

/// What keeps a file from being read, in words.
pub(crate) fn unreadable(error: io::Error) -> Error {
    match error.kind() {
        Io::NotFound => Error::not_found("there is no such file"),
        Io::IsADirectory => Error::invalid("is a folder, not a file"),
        Io::PermissionDenied => Error::invalid("you may not read it (see its permissions)"),
        _ => Error::unavailable("cannot be read").caused_by(error),
    }
}

/// What keeps an output from being written, in words.
fn unwritable(output: &Output, error: io::Error) -> Error {
    match error.kind() {
        Io::IsADirectory => Error::invalid("is a folder (name a file in it)"),
        Io::NotADirectory | Io::AlreadyExists => {
            let blocker = match output {
                Output::File(path) => path.ancestors().skip(1).find(|part| part.is_file()),
                Output::Stdout => None,
            };
            let blocker = blocker.unwrap_or(Path::new("a part of its path")).display();
            Error::invalid(format!(
                "{blocker} is a file, not a folder (choose another place)"
            ))
        }
        Io::PermissionDenied => {
            Error::invalid("may not be written (see its permissions, or choose another place)")
        }
        Io::ReadOnlyFilesystem => {
            Error::invalid("is on a read-only file system (choose another place)")
        }
        Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => {
            Error::exhausted("no room is left for it (free some, or choose another place)")
        }
        _ => Error::unavailable("cannot be written").caused_by(error),
    }
    .at(output)
}
