//! What a run of the suite found, for people and for machines.

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use serde_json::json;
use som_core::{Error, Result};
use som_plugin::host::check::{Check, Subject};

use crate::report::{milliseconds, to_lines};

/// All checks of a library, in the order they ran.
pub(super) struct Report {
    pub(super) library: PathBuf,
    pub(super) checks: Vec<Checked>,
}

/// A check that ran.
pub(super) struct Checked {
    pub(super) subject: Subject,
    pub(super) check: &'static Check,
    pub(super) failure: Option<Error>,
    pub(super) took: Duration,
}

impl Report {
    pub(super) fn failures(&self) -> impl Iterator<Item = &Error> {
        self.checks
            .iter()
            .filter_map(|checked| checked.failure.as_ref())
    }

    /// The line above the checks of a subject.
    pub(super) fn heading(&self, subject: &Subject) -> String {
        match subject {
            Subject::Library => format!("library {}\n", self.library.display()),
            Subject::Segmenter(id) => format!("segmenter {id}\n"),
            Subject::MarkStyle(id) => format!("mark style {id}\n"),
            Subject::Tracker(id) => format!("tracker {id}\n"),
        }
    }

    /// The last line.
    pub(super) fn summary(&self) -> String {
        match (self.checks.len(), self.failures().count()) {
            (all, 0) => format!("{all} checks passed\n"),
            (all, failed) => format!("{failed} of {all} checks failed\n"),
        }
    }

    /// # Errors
    /// Internal, never.
    pub(super) fn as_json(&self) -> Result<Vec<u8>> {
        let checks = self.checks.iter().map(|checked| {
            let Checked {
                subject,
                check,
                failure,
                took,
            } = checked;
            json!({
                "subject": subject.to_string(),
                "check": check.name,
                "promise": check.promise,
                "failure": failure.as_ref().map(|error| json!({
                    "kind": error.kind().name(),
                    "message": error.message(),
                    "fix": check.fix,
                })),
                "took_ms": milliseconds(*took),
            })
        });
        let failed = self.failures().count();
        to_lines(&json!({
            "library": self.library.display().to_string(),
            "checks": checks.collect::<Vec<_>>(),
            "passed": self.checks.len() - failed,
            "failed": failed,
        }))
    }
}

impl Checked {
    /// A line, and why and what to do, if it failed.
    pub(super) fn as_lines(&self) -> String {
        let Check {
            name, promise, fix, ..
        } = self.check;
        let Some(failure) = &self.failure else {
            return format!("  passed  {name:<12}  {promise}\n");
        };
        let mut lines = format!("  FAILED  {name:<12}  {promise}\n");
        let _ = writeln!(lines, "          {failure}");
        let _ = writeln!(lines, "          to fix it: {fix}");
        lines
    }
}
