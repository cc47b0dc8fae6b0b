//! The conformance suite: does a library keep the promises of `som_plugin.h`?
//!
//! Each [`Check`] asks one question about one [`Subject`]. A plugin that breaks a promise may crash,
//! hang or end the process, so whoever asks does so in a process for each question:
//! `som plugin check` does.

mod given;
mod hints;
mod library;
mod mark_style;
mod test_image;
mod segmenter;
mod tracker;

use std::{fmt, path::Path, str::FromStr, time::Duration};

use som_core::{Error, ErrorKind, Result, SegmenterFactory as _, TrackerFactory as _};

use self::{mark_style::StyleSubject, segmenter::SegmenterSubject, tracker::TrackerSubject};
use super::library::load;

/// One question of the suite.
#[derive(Debug)]
pub struct Check {
    /// What reports call it: `sizes`.
    pub name: &'static str,
    /// What holds if it passes.
    pub promise: &'static str,
    /// Where an author looks if it fails.
    pub fix: &'static str,
    /// If it fails, the checks that follow it have nothing to say.
    pub is_basic: bool,
    ask: Ask,
}

/// How a question is put.
#[derive(Debug)]
enum Ask {
    Library(fn(&Path) -> Result<()>),
    Segmenter(fn(&SegmenterSubject) -> Result<()>),
    MarkStyle(fn(&StyleSubject) -> Result<()>),
    Tracker(fn(&TrackerSubject) -> Result<()>),
}

/// What a check is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The library itself.
    Library,
    /// One of its segmenters, by id.
    Segmenter(String),
    /// One of its mark styles, by id.
    MarkStyle(String),
    /// One of its trackers, by id.
    Tracker(String),
}

/// What the checks are told.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Options and parameters as one types them, such as (`weights`, `sam.pth`). Each goes to
    /// everything in the library that knows the key.
    pub settings: Vec<(String, String)>,
    /// How long a call may go on after it was cancelled.
    pub grace: Duration,
}

impl Subject {
    /// The questions about it, in the order they are to be asked.
    pub fn checks(&self) -> &'static [Check] {
        match self {
            Subject::Library => library::CHECKS,
            Subject::Segmenter(_) => segmenter::CHECKS,
            Subject::MarkStyle(_) => mark_style::CHECKS,
            Subject::Tracker(_) => tracker::CHECKS,
        }
    }

    /// The question called `name`.
    ///
    /// # Errors
    /// NotFound, listing those there are.
    pub fn check(&self, name: &str) -> Result<&'static Check> {
        let mut checks = self.checks().iter();
        checks.find(|check| check.name == name).ok_or_else(|| {
            let known = self.checks().iter().map(|check| check.name);
            Error::unknown(ErrorKind::NotFound, "check", name, known)
        })
    }
}

/// As in a path: `library`, `segmenter/grid`, `mark-style/corners`.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Library => f.write_str("library"),
            Subject::Segmenter(id) => write!(f, "segmenter/{id}"),
            Subject::MarkStyle(id) => write!(f, "mark-style/{id}"),
            Subject::Tracker(id) => write!(f, "tracker/{id}"),
        }
    }
}

impl FromStr for Subject {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once('/') {
            None if text == "library" => Ok(Subject::Library),
            Some(("segmenter", id)) => Ok(Subject::Segmenter(id.to_owned())),
            Some(("mark-style", id)) => Ok(Subject::MarkStyle(id.to_owned())),
            Some(("tracker", id)) => Ok(Subject::Tracker(id.to_owned())),
            _ => Err(Error::invalid(format!(
                "{text:?} is no subject of checks (write library, segmenter/ID, mark-style/ID or tracker/ID)"
            ))),
        }
    }
}

/// What a library brings, beside itself, that there is to check.
///
/// # Errors
/// As [`load`].
pub fn brought(library: &Path) -> Result<Vec<Subject>> {
    let plugin = load(library)?;
    let segmenters = plugin.segmenters.iter();
    let segmenters = segmenters.map(|it| Subject::Segmenter(it.descriptor().id.clone()));
    let styles = plugin.mark_styles.iter();
    let styles = styles.map(|it| Subject::MarkStyle(it.descriptor().id.clone()));
    let trackers = plugin.trackers.iter();
    let trackers = trackers.map(|it| Subject::Tracker(it.descriptor().id.clone()));
    Ok(segmenters.chain(styles).chain(trackers).collect())
}

/// Asks one question about one subject. The plugin's code runs, with all it may do.
///
/// # Errors
/// What the answer is instead of "yes". The kind is Internal where the plugin is to blame,
/// Unavailable or Exhausted where it says so itself, Invalid for wrong settings; for the library,
/// as [`load`].
pub fn ask(library: &Path, subject: &Subject, check: &Check, setup: &Setup) -> Result<()> {
    let not_there = || Error::not_found(format!("the library brings no {subject}"));
    match (&check.ask, subject) {
        (Ask::Library(question), Subject::Library) => {
            question(library)?;
            given::refuse_unknown(&load(library)?, &setup.settings)
        }
        (Ask::Segmenter(question), Subject::Segmenter(id)) => {
            let mut segmenters = load(library)?.segmenters.into_iter();
            let found = segmenters.find(|it| it.descriptor().id == *id);
            let subject = SegmenterSubject::new(found.ok_or_else(not_there)?, setup);
            subject.and_then(|subject| question(&subject).map_err(blame))
        }
        (Ask::MarkStyle(question), Subject::MarkStyle(id)) => {
            let mut styles = load(library)?.mark_styles.into_iter();
            let found = styles.find(|it| it.descriptor().id == *id);
            let subject = StyleSubject::new(found.ok_or_else(not_there)?, setup);
            subject.and_then(|subject| question(&subject).map_err(blame))
        }
        (Ask::Tracker(question), Subject::Tracker(id)) => {
            let mut trackers = load(library)?.trackers.into_iter();
            let found = trackers.find(|it| it.descriptor().id == *id);
            let subject = TrackerSubject::new(found.ok_or_else(not_there)?, setup);
            subject.and_then(|subject| question(&subject).map_err(blame))
        }
        _ => Err(Error::invalid(format!(
            "{:?} is no check of a {subject}",
            check.name
        ))),
    }
}

/// The suite asks for nothing wrong: who refuses it is to blame.
fn blame(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Unavailable | ErrorKind::Exhausted | ErrorKind::Internal => error,
        _ => Error::internal(error.message()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_read_as_written() {
        for subject in [
            Subject::Library,
            Subject::Segmenter("grid".to_owned()),
            Subject::MarkStyle("corners".to_owned()),
            Subject::Tracker("follow".to_owned()),
        ] {
            assert_eq!(subject.to_string().parse::<Subject>().unwrap(), subject);
        }
        assert!("style/x".parse::<Subject>().is_err());
    }

    #[test]
    fn names_are_unique_and_the_basic_checks_come_first() {
        let id = || "x".to_owned();
        for subject in [
            Subject::Library,
            Subject::Segmenter(id()),
            Subject::MarkStyle(id()),
            Subject::Tracker(id()),
        ] {
            let checks = subject.checks();
            assert!(
                checks.is_sorted_by_key(|check| !check.is_basic),
                "{subject}"
            );
            for check in checks {
                let same = checks.iter().filter(|other| other.name == check.name);
                assert_eq!(same.count(), 1, "{subject}: {}", check.name);
            }
        }
    }
}
