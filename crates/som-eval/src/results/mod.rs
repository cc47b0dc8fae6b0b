//! What a run found: JSON lines by `schemas/results.schema.json`, one a sample.

mod outcome;
mod trace;

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

pub use self::{
    outcome::{Answer, Found, Outcome, PhraseAnswer, Reading},
    trace::{Named, Trace},
};
use crate::{Error, Result};

/// The JSON Schema of a line.
pub const SCHEMA: &str = include_str!("../../schemas/results.schema.json");

/// The lines of a file, one after the other: its line, and what it says.
///
/// # Errors
/// [`Error::Unreadable`], if there is no such file. Of the items: [`Error::Malformed`], for a line
/// that is no outcome; the others go on.
pub fn read(path: &Path) -> Result<impl Iterator<Item = (usize, Result<Outcome>)>> {
    let unreadable = |source| Error::Unreadable {
        path: path.to_owned(),
        source,
    };
    let lines = BufReader::new(File::open(path).map_err(unreadable)?).lines();
    let mut is_over = false;
    let next = move |(index, line): (usize, io::Result<String>)| {
        if is_over {
            return None;
        }
        let number = index + 1;
        let outcome = match line {
            Ok(line) if line.trim().is_empty() => return Some(None),
            Ok(line) => serde_json::from_str(&line).map_err(|error| error.to_string()),
            Err(error) => {
                // Behind what is not UTF-8 there may be more lines; else nothing more can be read.
                is_over = error.kind() != io::ErrorKind::InvalidData;
                Err(error.to_string())
            }
        };
        let wrong = |why| Error::malformed(path, format!("line {number}"), why);
        Some(Some((number, outcome.map_err(wrong))))
    };
    Ok(lines.enumerate().map_while(next).flatten())
}
