//! Errors: one table from [`ErrorKind`] to gRPC codes, and back.

use std::time::Duration;

use som_core::{Error, ErrorKind};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::pb::v1::Failure;

/// The code of an error; [`Code::DeadlineExceeded`] takes the place of `Cancelled` where the
/// deadline was the reason.
pub const fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Cancelled => Code::Cancelled,
        ErrorKind::Invalid => Code::InvalidArgument,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::Unsupported => Code::Unimplemented,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Exhausted => Code::ResourceExhausted,
        ErrorKind::Internal => Code::Internal,
    }
}

/// The kind of a peer's status; what a som server never sends counts as its bug.
pub const fn kind(code: Code) -> ErrorKind {
    match code {
        Code::Cancelled | Code::DeadlineExceeded => ErrorKind::Cancelled,
        Code::InvalidArgument
        | Code::FailedPrecondition
        | Code::AlreadyExists
        | Code::Unauthenticated
        | Code::PermissionDenied => ErrorKind::Invalid,
        Code::NotFound => ErrorKind::NotFound,
        Code::Unimplemented => ErrorKind::Unsupported,
        Code::Unavailable => ErrorKind::Unavailable,
        // A message beyond the size limit is out of range to tonic.
        Code::ResourceExhausted | Code::OutOfRange => ErrorKind::Exhausted,
        Code::Ok | Code::Unknown | Code::Aborted | Code::Internal | Code::DataLoss => {
            ErrorKind::Internal
        }
    }
}

/// To the wire.
pub fn to_wire(error: &Error) -> Status {
    Status::new(code(error.kind()), error.message())
}

/// To the wire: exhausted, and worth another try after `delay`.
pub fn exhausted(message: impl Into<String>, delay: Duration) -> Status {
    let mut details = tonic_types::ErrorDetails::new();
    details.set_retry_info(Some(delay));
    Status::with_error_details(Code::ResourceExhausted, message, details)
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

/// From the wire.
pub fn from_wire(status: &Status) -> Error {
    let message = match status.message() {
        "" => status.code().description(),
        message => message,
    };
    Error::new(kind(status.code()), message)
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
    fn a_status_without_message_still_says_something() {
        assert!(!from_wire(&Status::unavailable("")).message().is_empty());
    }
}
