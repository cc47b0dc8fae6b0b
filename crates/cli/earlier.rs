//! What earlier runs left beside an output: further pages or masks that this run does not write.
//! Whoever looks at them would take them for its own.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde::Deserialize;
use som_core::{Error, Result};

use crate::{output::Output, signature::is_signed};

/// The files that were there before this run wrote any, folder by folder.
#[derive(Debug, Default)]
pub(crate) struct Earlier(Mutex<HashMap<PathBuf, Arc<BTreeSet<OsString>>>>);

/// Files of an earlier run in whose place nothing comes.
#[derive(Debug)]
#[must_use]
pub(crate) struct Leftovers(Vec<PathBuf>);

impl Earlier {
    /// The files called `base`, a number and `ending`, such as `coffee.marked.2.png`, but for those
    /// that are `written` now. Blocks.
    ///
    /// # Errors
    /// Invalid for one that is not som's own: neither says it so itself, nor does the JSON that an
    /// earlier run wrote to `json` name it.
    pub(crate) fn leftovers(
        &self,
        base: &Path,
        ending: &OsStr,
        written: &HashSet<PathBuf>,
        json: Option<&Output>,
    ) -> Result<Leftovers> {
        let folder = match base.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let mut start = base.file_name().unwrap_or_default().to_owned();
        start.push(".");
        let mut left = Vec::new();
        for name in self.of(folder).range(start.clone()..) {
            let Some(rest) = after(name, &start) else {
                break;
            };
            let path = base.with_file_name(name);
            if is_number(rest, ending) && !written.contains(&path) {
                left.push(path);
            }
        }
        let mut named = None;
        for path in left.iter().filter(|path| !is_signed(path)) {
            let named = named.get_or_insert_with(|| named_in(json));
            if !path.file_name().is_some_and(|name| named.contains(name)) {
                return Err(Error::invalid(format!(
                    "{}: is there already and would be taken for one of this run's, which are fewer \
                     (som did not write it, or does not know it any more: remove it, or choose \
                     another place)",
                    path.display()
                )));
            }
        }
        Ok(Leftovers(left))
    }

    /// The names in a folder; none, if it is not there or cannot be read.
    fn of(&self, folder: &Path) -> Arc<BTreeSet<OsString>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let names = known.entry(folder.to_owned()).or_insert_with(|| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            Arc::new(entries.map(|entry| entry.file_name()).collect())
        });
        names.clone()
    }
}

impl Leftovers {
    /// Removes them. Blocks.
    ///
    /// # Errors
    /// Unavailable for one that cannot be removed.
    pub(crate) fn remove(self) -> Result<()> {
        for path in self.0 {
            fs::remove_file(&path).map_err(|error| {
                let why = "is left of an earlier run and cannot be removed";
                Error::unavailable(format!("{}: {why}", path.display())).caused_by(error)
            })?;
        }
        Ok(())
    }
}

/// What follows `start` in `name`.
fn after<'a>(name: &'a OsStr, start: &OsStr) -> Option<&'a [u8]> {
    let (name, start) = (name.as_encoded_bytes(), start.as_encoded_bytes());
    name.strip_prefix(start)
}

/// True for a number and then `ending`.
fn is_number(rest: &[u8], ending: &OsStr) -> bool {
    let number = rest.strip_suffix(ending.as_encoded_bytes());
    let number = number.and_then(|rest| rest.strip_suffix(b"."));
    number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}

/// The names of the pages that the JSON of an earlier run tells of.
fn named_in(json: Option<&Output>) -> HashSet<OsString> {
    /// Of `som mark`, or of `som ask`.
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Report {
        pages: Vec<PathBuf>,
        marked: Vec<PathBuf>,
        highlighted: Vec<PathBuf>,
    }
    let Some(Output::File(json)) = json else {
        return HashSet::new();
    };
    // Whatever else lies there names nothing.
    let report = fs::read(json).ok();
    let report = report.and_then(|bytes| serde_json::from_slice::<Report>(&bytes).ok());
    let report = report.unwrap_or_default();
    let images = [report.pages, report.marked, report.highlighted];
    images
        .into_iter()
        .flatten()
        .filter_map(|page| page.file_name().map(OsStr::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_make_a_further_page() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "a.1.png",
            "a.2.png",
            "a.10.png",
            "a.x.png",
            "a.1.2.png",
            "ab.1.png",
            "a.3.jpg",
            "a.png",
        ] {
            fs::write(folder.path().join(name), "no image").unwrap();
        }
        let json = folder.path().join("a.json");
        fs::write(
            &json,
            r#"{"pages": ["out/a.2.png", "out/a.10.png"], "marks": []}"#,
        )
        .unwrap();
        let base = folder.path().join("a");
        let written = HashSet::from([folder.path().join("a.1.png")]);
        let left = |json: Option<&Output>| {
            Earlier::default().leftovers(&base, OsStr::new("png"), &written, json)
        };
        let error = left(None).unwrap_err();
        assert!(
            error.message().contains("a.10.png: is there already"),
            "{error}"
        );
        left(Some(&Output::File(json))).unwrap().remove().unwrap();
        let mut names: Vec<OsString> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        let kept = [
            "a.1.2.png",
            "a.1.png",
            "a.3.jpg",
            "a.json",
            "a.png",
            "a.x.png",
            "ab.1.png",
        ];
        assert_eq!(names, kept);
    }
}
