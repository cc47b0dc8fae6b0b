//! Files of data sets, read whole.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

use super::Kind;
use crate::{Error, Result};

/// The bytes of a file without which the data set is not whole.
pub(super) fn bytes(kind: Kind, path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| unreadable(kind, path, error))
}

/// The text of a file that has to be UTF-8.
pub(super) fn text(kind: Kind, path: &Path) -> Result<String> {
    String::from_utf8(bytes(kind, path)?).map_err(|error| {
        let place = format!("byte {}", error.utf8_error().valid_up_to());
        Error::malformed(path, place, "is not UTF-8 (download the file again)")
    })
}

/// What a JSON file says.
pub(super) fn json<T: DeserializeOwned>(kind: Kind, path: &Path) -> Result<T> {
    serde_json::from_slice(&bytes(kind, path)?).map_err(|error| {
        let place = format!("line {}", error.line());
        let message = if error.is_eof() {
            format!("{error}: the file breaks off (download it again)")
        } else {
            error.to_string()
        };
        Error::malformed(path, place, message)
    })
}

/// The entries of a folder by name that `want` their file name, in order.
pub(super) fn listed(
    kind: Kind,
    folder: &Path,
    want: impl Fn(&str) -> bool,
) -> Result<Vec<(String, PathBuf)>> {
    let entries = fs::read_dir(folder).map_err(|error| unreadable(kind, folder, error))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(kind, folder, error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if want(&name) {
            found.push((name, entry.path()));
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn unreadable(kind: Kind, path: &Path, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => kind.missing(path),
        _ => Error::Unreadable {
            path: path.to_owned(),
            source,
        },
    }
}
