//! Patterns such as `photos/*/*.jpg`: what they match, whatever bytes its name has.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Component, Path, PathBuf},
};

use glob::{MatchOptions, Pattern};
use som_core::{Error, Result};
use walkdir::{DirEntry, WalkDir};

/// As in a shell, `*` does not match a leading dot.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// True for what a shell would have expanded.
pub(super) fn is_pattern(argument: &Path) -> bool {
    let bytes = argument.as_os_str().as_encoded_bytes();
    bytes.iter().any(|byte| b"*?[".contains(byte))
}

/// What a pattern matches, sorted. `**` stands for any number of folders.
///
/// # Errors
/// Invalid for a malformed pattern, or a folder that cannot be searched; NotFound, if nothing matches.
pub(super) fn matches(pattern: &Path) -> Result<Vec<PathBuf>> {
    let shown = pattern.display();
    let mut places = vec![PathBuf::new()];
    for part in pattern.components() {
        let Component::Normal(name) = part else {
            places.iter_mut().for_each(|place| place.push(part));
            continue;
        };
        if !is_pattern(Path::new(name)) {
            places.iter_mut().for_each(|place| place.push(name));
            places.retain(|place| fs::symlink_metadata(place).is_ok());
            continue;
        }
        let mut found = Vec::new();
        if name == "**" {
            for place in &places {
                found.extend(folders_below(place));
            }
        } else {
            // A name is compared as text; bytes that are none stand for one character each.
            let wanted = Pattern::new(&name.to_string_lossy()).map_err(|error| {
                Error::invalid(format!("{shown}: the pattern is malformed: {}", error.msg))
            })?;
            for place in &places {
                let below = matching(place, &wanted).map_err(|error| {
                    let message = format!("{shown}: a folder cannot be searched");
                    Error::invalid(message).caused_by(error)
                })?;
                found.extend(below);
            }
        }
        places = found;
    }
    places.sort();
    places.dedup();
    match places.is_empty() {
        true => Err(Error::not_found(format!("{shown}: no file matches"))),
        false => Ok(places),
    }
}

/// What lies in a folder and matches; nothing, if it is no folder.
fn matching(folder: &Path, wanted: &Pattern) -> io::Result<Vec<PathBuf>> {
    let opened = opened(folder);
    if !opened.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(opened)? {
        let name = entry?.file_name();
        if wanted.matches_with(&name.to_string_lossy(), OPTIONS) {
            found.push(folder.join(name));
        }
    }
    Ok(found)
}

/// A folder and all below it, but for hidden ones.
fn folders_below(folder: &Path) -> Vec<PathBuf> {
    let is_wanted = |entry: &DirEntry| {
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        entry.file_type().is_dir() && (entry.depth() == 0 || !is_hidden)
    };
    let opened = opened(folder);
    let walk = WalkDir::new(opened).into_iter().filter_entry(is_wanted);
    let below = walk.flatten().map(|entry| {
        let below = entry.path().strip_prefix(opened).unwrap_or(entry.path());
        match below.as_os_str() == OsStr::new("") {
            true => folder.to_owned(),
            false => folder.join(below),
        }
    });
    below.collect()
}

/// A folder as one opens it.
fn opened(folder: &Path) -> &Path {
    match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_a_shell() {
        let folder = tempfile::tempdir().unwrap();
        for file in [
            "a.png",
            "b.jpg",
            ".c.png",
            "x/a.png",
            "x/y/d.png",
            ".z/e.png",
        ] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = |pattern: &str| -> Result<Vec<String>> {
            let below = |path: &PathBuf| {
                let below = path.strip_prefix(folder.path()).unwrap();
                below.to_str().unwrap().to_owned()
            };
            Ok(matches(&folder.path().join(pattern))?
                .iter()
                .map(below)
                .collect())
        };
        for (pattern, expected) in [
            ("*.png", &["a.png"][..]),
            ("?.*", &["a.png", "b.jpg"]),
            ("*/*.png", &["x/a.png"]),
            ("**/*.png", &["a.png", "x/a.png", "x/y/d.png"]),
            ("x/**", &["x", "x/y"]),
            (".*.png", &[".c.png"]),
            ("[ab].*", &["a.png", "b.jpg"]),
            ("*/y/d.png", &["x/y/d.png"]),
        ] {
            assert_eq!(found(pattern).unwrap(), expected, "{pattern}");
        }
        assert!(found("*.gif").is_err());
        let error = found("a[.png").unwrap_err();
        assert!(error.message().contains("is malformed"), "{error}");
    }
}
