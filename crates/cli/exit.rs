//! How the command ends: exit codes, and the one line that says why.

use std::{error::Error as _, io, process::ExitCode};

use som_core::{Error, ErrorKind, with_causes};

/// The exit code of an error: the one table of the command line.
pub(crate) const fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Cancelled => 130,
        ErrorKind::Invalid | ErrorKind::NotFound => 2,
        ErrorKind::Unsupported => 3,
        ErrorKind::Unavailable | ErrorKind::Denied => 4,
        ErrorKind::Exhausted => 5,
        ErrorKind::Internal => 1,
    }
}

/// The exit code of an image without marks or regions, where that is to be told.
pub(crate) const EMPTY: u8 = 6;
/// The exit code of an answer that names marks which are not there, after all that could be done.
pub(crate) const UNRESOLVED: u8 = 7;

/// The exit code of a run over several images: the code all failures share, else 1.
pub(crate) fn code_of_all(failures: impl IntoIterator<Item = ErrorKind>) -> u8 {
    let mut codes = failures.into_iter().map(code);
    let Some(first) = codes.next() else { return 0 };
    if codes.all(|other| other == first) {
        first
    } else {
        1
    }
}

/// Prints the error, and gives the exit code of its kind.
pub(crate) fn report(error: &Error) -> ExitCode {
    if is_broken_pipe(error) {
        // Whoever reads our output has enough: nothing went wrong.
        return ExitCode::SUCCESS;
    }
    eprintln!("som: {}", one_line(error));
    ExitCode::from(code(error.kind()))
}

/// The error and its causes in one line.
pub(crate) fn one_line(error: &Error) -> String {
    with_causes(error)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// True if the reader of stdout or of a named pipe went away.
pub(crate) fn is_broken_pipe(error: &Error) -> bool {
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_documented_code() {
        let codes = ErrorKind::ALL.map(|kind| (kind.name(), code(kind)));
        let documented = [
            ("cancelled", 130),
            ("invalid", 2),
            ("not found", 2),
            ("unsupported", 3),
            ("unavailable", 4),
            ("denied", 4),
            ("exhausted", 5),
            ("internal", 1),
        ];
        assert_eq!(codes, documented);
    }

    #[test]
    fn failures_of_one_kind_keep_its_code() {
        use ErrorKind::{Invalid, NotFound, Unavailable};
        assert_eq!(code_of_all([]), 0);
        assert_eq!(code_of_all([Unavailable, Unavailable]), 4);
        assert_eq!(code_of_all([Invalid, NotFound]), 2);
        assert_eq!(code_of_all([Invalid, Unavailable]), 1);
    }

    #[test]
    fn an_error_is_one_line_with_its_causes() {
        let cause = io::Error::other("cause\n  in two lines");
        let error = Error::invalid("som.toml: bad").caused_by(cause);
        assert_eq!(one_line(&error), "som.toml: bad: cause in two lines");
        let quoted = Error::invalid("bad: cause").caused_by(io::Error::other("cause"));
        assert_eq!(one_line(&quoted), "bad: cause");
    }
}
