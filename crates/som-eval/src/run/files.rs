//! Files of a run, complete or not there.

use std::{fs, io::Write as _, path::Path};

use serde::{Serialize, de::DeserializeOwned};
use som_core::{Error, Result};

/// What a file says. Blocks.
///
/// # Errors
/// NotFound or Unavailable, if it cannot be read; Invalid, if it is not what it should be.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::not_found(format!("{}: there is no such file", path.display()))
        }
        _ => Error::unavailable(format!("{}: cannot be read", path.display())).caused_by(error),
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::invalid(format!("{}: {error} (delete it)", path.display())))
}

/// Writes `value`, and the folders that it needs. Blocks.
///
/// # Errors
/// As [`write`].
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec(value)
        .map_err(|error| Error::internal("a file of a run is no JSON").caused_by(error))?;
    write(path, &text)
}

/// Writes `bytes` wholly or not at all. Blocks.
///
/// # Errors
/// Unavailable, if they cannot be written.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::unavailable(format!("{}: cannot be written", path.display())).caused_by(error)
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
