//! The folder of a run: what was asked for, and what was found row by row.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions, TryLockError},
    io::Write as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use som_core::{Error, Result};

use super::{
    Row, Selection,
    files::{read_json, write, write_json},
    grid::slug,
};
use crate::{
    data::Place,
    results::{self, Outcome},
};

/// What is written here is of this version.
const VERSION: u32 = 1;

/// `run.json`: what a run was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    version: u32,
    /// Which data set, and what of it.
    pub data: Place,
    /// Which of its samples.
    pub selection: Selection,
    /// The rows, in order.
    pub rows: Vec<Row>,
}

/// A folder that this run alone writes to.
pub(super) struct Folder {
    path: PathBuf,
    /// Held as long as it is open.
    _lock: File,
}

/// The results of a row.
pub(super) struct RowFile {
    pub(super) folder: PathBuf,
    file: File,
    path: PathBuf,
    /// Ids of the samples that are there.
    pub(super) done: HashSet<String>,
}

impl Manifest {
    /// A run of these `rows` over that part of `data`.
    pub fn new(data: Place, selection: Selection, rows: Vec<Row>) -> Self {
        Self {
            version: VERSION,
            data,
            selection,
            rows,
        }
    }

    /// What the run in `folder` was asked for. Blocks.
    ///
    /// # Errors
    /// NotFound, if there is none; Unsupported for one of another version; Invalid, if its file is
    /// damaged.
    pub fn read(folder: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let file = folder.join("run.json");
        if !file.exists() {
            return Err(Error::not_found(format!(
                "{}: holds no run (som eval run makes one)",
                folder.display()
            )));
        }
        let Version { version } = read_json(&file)?;
        if version != VERSION {
            return Err(Error::unsupported(format!(
                "{}: the run is of version {version}, but this program reads version {VERSION}",
                folder.display()
            )));
        }
        read_json(&file)
    }

    /// Ids of the samples that the run in `folder` has done of `row`. Blocks.
    ///
    /// # Errors
    /// Unavailable, if they cannot be read.
    pub(super) fn done(folder: &Path, row: &Row) -> Result<HashSet<String>> {
        let path = Self::results(folder, row);
        if !path.exists() {
            return Ok(HashSet::new());
        }
        let outcomes = results::read(&path)?.filter_map(|(_, outcome)| outcome.ok());
        let done = outcomes.filter(|outcome| !outcome.has_failed());
        Ok(done.map(|outcome| outcome.sample).collect())
    }

    /// Where the results of `row` are in the `folder` of a run.
    pub fn results(folder: &Path, row: &Row) -> PathBuf {
        row_folder(folder, row).join("results.jsonl")
    }
}

impl Folder {
    /// The folder for a run that is asked for as `manifest` says; what was begun there goes on. Blocks.
    ///
    /// # Errors
    /// Unavailable, if another run writes there, or the folder cannot be written; Invalid, if it
    /// holds another run.
    pub(super) fn open(path: &Path, manifest: &Manifest) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::unavailable(format!("{}: cannot be written", path.display())).caused_by(error)
        };
        fs::create_dir_all(path).map_err(failed)?;
        let lock = File::create(path.join("lock")).map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Error::unavailable(format!(
                "{}: another run writes there (wait for it, or choose another folder)",
                path.display()
            )),
            TryLockError::Error(error) => failed(error),
        })?;
        if path.join("run.json").exists() {
            let begun = Manifest::read(path)?;
            if let Some(what) = begun.contradicts(manifest) {
                return Err(Error::invalid(format!(
                    "{}: holds a run with {what} (choose another folder with --out, or delete it; \
                     with --cache {} nothing is asked twice)",
                    path.display(),
                    path.join("cache").display()
                )));
            }
        }
        write_json(&path.join("run.json"), manifest)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The results of `row`, without those that failed. Blocks.
    ///
    /// # Errors
    /// Unavailable, if they cannot be read or written.
    pub(super) fn row(&self, row: &Row) -> Result<RowFile> {
        RowFile::open(row_folder(&self.path, row))
    }
}

impl Manifest {
    /// What is other than in `asked`, so that its results would not be what that asks for.
    fn contradicts(&self, asked: &Self) -> Option<String> {
        if self.data != asked.data {
            return Some("other data".to_owned());
        }
        if self.selection != asked.selection {
            return Some("another choice of samples".to_owned());
        }
        let mut rows = self.rows.iter();
        let other = rows.find(|row| {
            let mut same = asked.rows.iter();
            let same = same.find(|asked| slug(&asked.title()) == slug(&row.title()));
            same.is_none_or(|asked| asked != *row)
        })?;
        Some(format!("another row \"{}\"", other.title()))
    }
}

impl RowFile {
    fn open(folder: PathBuf) -> Result<Self> {
        let path = folder.join("results.jsonl");
        let mut done = HashSet::new();
        if path.exists() {
            let mut kept = Vec::new();
            let mut is_whole = true;
            for (_, outcome) in results::read(&path)? {
                match outcome {
                    Ok(outcome) if !outcome.has_failed() && !done.contains(&outcome.sample) => {
                        kept.extend(line(&outcome)?);
                        done.insert(outcome.sample);
                    }
                    // A line that broke off, or a failure, is asked about again.
                    _ => is_whole = false,
                }
            }
            if !is_whole {
                write(&path, &kept)?;
            }
        } else {
            write(&path, b"")?;
        }
        let file = OpenOptions::new().append(true).open(&path);
        let file = file.map_err(|error| unwritable(&path, error))?;
        Ok(Self {
            folder,
            file,
            path,
            done,
        })
    }

    /// Adds the outcome of a sample. Blocks.
    ///
    /// # Errors
    /// Unavailable, if it cannot be written.
    pub(super) fn add(&mut self, outcome: &Outcome) -> Result<()> {
        let line = line(outcome)?;
        let written = self.file.write_all(&line);
        written.map_err(|error| unwritable(&self.path, error))
    }
}

fn row_folder(run: &Path, row: &Row) -> PathBuf {
    run.join("rows").join(slug(&row.title()))
}

fn line(outcome: &Outcome) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(outcome)
        .map_err(|error| Error::internal("an outcome is no JSON").caused_by(error))?;
    line.push(b'\n');
    Ok(line)
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    Error::unavailable(format!("{}: cannot be written", path.display())).caused_by(error)
}
