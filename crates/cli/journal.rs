//! `--skip-existing`: what earlier runs have done, and what they were asked.
//!
//! Beside the outputs lies a file with a line for each image that was done: the image as it was then,
//! and the digest of what was asked. An image is passed over if both are as they were and all of its
//! outputs are there.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
    fs,
    path::{self, Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use som_core::Result;

use crate::{input::Input, output, plural::counted};

/// What the file is called. Folders of images are searched without it, as it begins with a dot.
const NAME: &str = ".som-done.jsonl";

/// What is done with one image.
pub(crate) trait ImageJob {
    /// The image.
    fn input(&self) -> &Input;
    /// The files that are written in any case.
    fn files(&self) -> Vec<&Path>;
    /// The folder of the first file; `None`, if all goes to stdout.
    fn folder(&self) -> Option<&Path>;
}

/// What was done, and what is asked now.
pub(crate) struct Journal {
    /// Digest of what is asked of every image.
    asked: String,
    /// By folder.
    entries: HashMap<PathBuf, HashMap<String, Entry>>,
    /// Folders whose last line was not written to its end.
    torn: HashSet<PathBuf>,
    /// What there is to be done: where its files go, and what is read as it was before.
    stamps: HashMap<String, (PathBuf, Vec<Stamp>)>,
    again: Again,
}

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    /// As the user named it.
    image: String,
    /// The image, and what else was read for it alone.
    read: Vec<Stamp>,
    asked: String,
    /// What was written, from the folder on if it lies below.
    files: Vec<PathBuf>,
}

/// Which of several states of a file it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: u64,
}

/// How many images are done once more, although their outputs are there.
#[derive(Debug, Default)]
struct Again {
    unknown: usize,
    changed: usize,
    otherwise: usize,
}

impl Journal {
    /// For a run in which this is `asked` of every image.
    pub(crate) fn new(asked: &str) -> Self {
        let mut digest = String::new();
        for byte in Sha256::digest(asked) {
            // Into a text nothing can fail to be written.
            let _ = write!(digest, "{byte:02x}");
        }
        Self {
            asked: digest,
            entries: HashMap::new(),
            torn: HashSet::new(),
            stamps: HashMap::new(),
            again: Again::default(),
        }
    }

    /// True if nothing is left of `job`, for which `beside` is read beside its image: all of its files
    /// are there, and were asked for of the same image in the same way. Blocks.
    pub(crate) fn is_done(&mut self, job: &impl ImageJob, beside: &[PathBuf]) -> bool {
        let read = job.input().path().into_iter();
        let read = read.chain(beside.iter().map(PathBuf::as_path));
        let read: Option<Vec<Stamp>> = read.map(Stamp::of).collect();
        let (Some(read), Some(folder)) = (read.filter(|read| !read.is_empty()), job.folder())
        else {
            return false;
        };
        let (folder, name) = (named(folder), job.input().to_string());
        let files = job.files();
        self.stamps
            .insert(name.clone(), (folder.clone(), read.clone()));
        if !files.iter().all(|file| file.exists()) {
            return false;
        }
        let asked = self.asked.clone();
        match self.of(&folder).get(&name) {
            Some(entry) if entry.read != read => self.again.changed += 1,
            Some(entry) if entry.asked != asked => self.again.otherwise += 1,
            Some(entry) => return entry.files.iter().all(|file| folder.join(file).exists()),
            None if files.is_empty() => {}
            None => self.again.unknown += 1,
        }
        false
    }

    /// Keeps that `files` were written for `input`. Blocks.
    ///
    /// # Errors
    /// As [`output::append`].
    pub(crate) fn keep(&mut self, input: &Input, files: &[PathBuf]) -> Result<()> {
        let Some((folder, read)) = self.stamps.get(&input.to_string()).cloned() else {
            return Ok(());
        };
        self.of(&folder);
        let absolute = |path: &Path| path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let above = absolute(&folder);
        let below = |file: &PathBuf| {
            let file = absolute(file);
            file.strip_prefix(&above)
                .map_or(file.clone(), Path::to_owned)
        };
        let entry = Entry {
            image: input.to_string(),
            read,
            asked: self.asked.clone(),
            files: files.iter().map(below).collect(),
        };
        let mut line = match self.torn.remove(&folder) {
            true => vec![b'\n'],
            false => Vec::new(),
        };
        // A name that is no UTF-8 cannot be kept: that image is done again.
        let Ok(json) = serde_json::to_vec(&entry) else {
            return Ok(());
        };
        line.extend(json);
        line.push(b'\n');
        output::append(&folder.join(NAME), &line)
    }

    /// Why images are done although their outputs are there; `None`, if none is.
    pub(crate) fn told(&self) -> Option<String> {
        let Again {
            unknown,
            changed,
            otherwise,
        } = self.again;
        let why = [
            (changed, "changed since"),
            (otherwise, "asked otherwise"),
            (
                unknown,
                "done by a run that kept nothing (without --skip-existing)",
            ),
        ];
        let why: Vec<String> = why
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, why)| format!("{count} {why}"))
            .collect();
        let all = counted(unknown + changed + otherwise, "image");
        (!why.is_empty()).then(|| format!("{all} done again: {}", why.join(", ")))
    }

    /// What was done in a folder.
    fn of(&mut self, folder: &Path) -> &HashMap<String, Entry> {
        let torn = &mut self.torn;
        self.entries.entry(folder.to_owned()).or_insert_with(|| {
            let bytes = fs::read(folder.join(NAME)).unwrap_or_default();
            if bytes.last().is_some_and(|&last| last != b'\n') {
                torn.insert(folder.to_owned());
            }
            let lines = bytes.split(|&byte| byte == b'\n');
            let entries = lines.filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
            entries.map(|entry| (entry.image.clone(), entry)).collect()
        })
    }
}

impl Stamp {
    /// Of a file as it is now; `None`, if it cannot be told.
    pub(crate) fn of(file: &Path) -> Option<Self> {
        let facts = fs::metadata(file).ok()?;
        let since = facts.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let since = since.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(Self {
            bytes: facts.len(),
            modified: u64::try_from(since.as_nanos()).unwrap_or(u64::MAX),
        })
    }
}

/// A folder as one opens it.
fn named(folder: &Path) -> PathBuf {
    match folder == Path::new("") {
        true => PathBuf::from("."),
        false => folder.to_owned(),
    }
}
