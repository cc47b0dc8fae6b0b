//! Errors: one table from [`ErrorKind`] to gRPC codes, and back.

use std::time::Duration;

use som_core::{Error, ErrorKind};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{pb::v1::Failure, text};

/// The code of an error; [`Code::DeadlineExceeded`] takes the place of `Cancelled` where the
/// deadline was the reason.
pub const fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Cancelled => Code::Cancelled,
        ErrorKind::Invalid => Code::InvalidArgument,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::Unsupported => Code::Unimplemented,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Denied => Code::FailedPrecondition,
        ErrorKind::Exhausted => Code::ResourceExhausted,
        ErrorKind::Internal => Code::Internal,
    }
}

/// The kind of a peer's status; what a som server never sends counts as its bug.
pub const fn kind(code: Code) -> ErrorKind {
    match code {
        Code::Cancelled | Code::DeadlineExceeded => ErrorKind::Cancelled,
        Code::InvalidArgument
        | Code::AlreadyExists
        | Code::Unauthenticated
        | Code::PermissionDenied => ErrorKind::Invalid,
        Code::NotFound => ErrorKind::NotFound,
        Code::Unimplemented => ErrorKind::Unsupported,
        Code::Unavailable => ErrorKind::Unavailable,
        Code::FailedPrecondition => ErrorKind::Denied,
        // A message beyond the size limit is out of range to tonic.
        Code::ResourceExhausted | Code::OutOfRange => ErrorKind::Exhausted,
        Code::Ok | Code::Unknown | Code::Aborted | Code::Internal | Code::DataLoss => {
            ErrorKind::Internal
        }
    }
}

/// To the wire. A message that is longer than clients take as metadata is shortened.
pub fn to_wire(error: &Error) -> Status {
    Status::new(code(error.kind()), text::message(error.message()))
}

/// To the wire: exhausted, and worth another try after `delay`.
pub fn exhausted(message: &str, delay: Duration) -> Status {
    passing(Code::ResourceExhausted, message, delay)
}

/// To the wire: unavailable, and worth another try after `delay`.
pub fn unavailable(message: &str, delay: Duration) -> Status {
    passing(Code::Unavailable, message, delay)
}

fn passing(code: Code, message: &str, delay: Duration) -> Status {
    let mut details = tonic_types::ErrorDetails::new();
    details.set_retry_info(Some(delay));
    Status::with_error_details(code, text::message(message), details)
}

/// To the wire, as the fate of one request among others.
pub fn failure(status: &Status) -> Failure {
    Failure {
        code: status.code().into(),
        message: status.message().to_owned(),
        retry_delay: retry_delay(status).and_then(|delay| delay.try_into().ok()),
    }
}

/// From the wire: the fate of one request among others.
pub fn failure_from_wire(failure: &Failure) -> Error {
    from_wire(&Status::new(Code::from(failure.code), &failure.message))
}

/// From the wire. The message is another process's: it is shortened, and no line of a log ends in it.
pub fn from_wire(status: &Status) -> Error {
    let message = match status.message() {
        "" => status.code().description(),
        message => message,
    };
    Error::new(kind(status.code()), text::message(message))
}

/// When to try again, if the status says so.
pub fn retry_delay(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_code_and_comes_back() {
        let table = [
            (ErrorKind::Cancelled, Code::Cancelled),
            (ErrorKind::Invalid, Code::InvalidArgument),
            (ErrorKind::NotFound, Code::NotFound),
            (ErrorKind::Unsupported, Code::Unimplemented),
            (ErrorKind::Unavailable, Code::Unavailable),
            (ErrorKind::Denied, Code::FailedPrecondition),
            (ErrorKind::Exhausted, Code::ResourceExhausted),
            (ErrorKind::Internal, Code::Internal),
        ];
        assert_eq!(table.map(|(kind, _)| kind), ErrorKind::ALL);
        for (kind, code) in table {
            let status = to_wire(&Error::new(kind, "a message"));
            assert_eq!((status.code(), status.message()), (code, "a message"));
            let back = from_wire(&status);
            assert_eq!((back.kind(), back.message()), (kind, "a message"));
        }
    }

    #[test]
    fn every_code_has_a_kind() {
        let kinds: Vec<ErrorKind> = (0..=16)
            .map(|number| kind(Code::from_i32(number)))
            .collect();
        assert!(ErrorKind::ALL.iter().all(|kind| kinds.contains(kind)));
        assert_eq!(kind(Code::DeadlineExceeded), ErrorKind::Cancelled);
        assert_eq!(kind(Code::Unauthenticated), ErrorKind::Invalid);
    }

    #[test]
    fn a_retry_hint_arrives() {
        let delay = Duration::from_millis(250);
        assert_eq!(
            retry_delay(&exhausted("the queue is full", delay)),
            Some(delay)
        );
        assert_eq!(retry_delay(&Status::unavailable("down")), None);
    }

    #[test]
    fn a_message_of_any_length_arrives() {
        let error = Error::invalid(format!(
            "unknown parameter \"{}\"\nor so",
            "x".repeat(1 << 20)
        ));
        for status in [to_wire(&error), exhausted(error.message(), Duration::ZERO)] {
            assert!(status.message().len() <= text::MAX_MESSAGE);
            assert!(status.message().starts_with("unknown parameter"));
            assert!(status.message().ends_with("\\nor so"), "{status}");
        }
        let back = from_wire(&Status::internal("first\nsecond: \u{1b}[2J"));
        assert_eq!(back.message(), "first\\nsecond: \\u{1b}[2J");
    }

    #[test]
    fn a_status_without_message_still_says_something() {
        assert!(!from_wire(&Status::unavailable("")).message().is_empty());
    }
}
