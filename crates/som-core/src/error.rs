//! One kind-first error: boundaries (plugin ABI, gRPC, HTTP, exit codes) translate the
//! [`ErrorKind`] alone, people read the message.

use std::{error::Error as StdError, fmt};

/// The result of everything in som that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as a caller can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The caller went away or its deadline passed.
    Cancelled,
    /// The request is wrong: do not retry.
    Invalid,
    /// A named thing does not exist.
    NotFound,
    /// Valid, but this segmenter, style or provider cannot do it.
    Unsupported,
    /// No weights, no GPU, a peer is down: may work later.
    Unavailable,
    /// A peer refused what this process logs in with, such as an expired key: whoever runs it has
    /// to act, not the caller.
    Denied,
    /// Out of memory, queue full or another limit reached.
    Exhausted,
    /// A bug.
    Internal,
}

impl ErrorKind {
    /// Every kind, for tables that must be total.
    pub const ALL: [ErrorKind; 8] = [
        ErrorKind::Cancelled,
        ErrorKind::Invalid,
        ErrorKind::NotFound,
        ErrorKind::Unsupported,
        ErrorKind::Unavailable,
        ErrorKind::Denied,
        ErrorKind::Exhausted,
        ErrorKind::Internal,
    ];

    /// The kind's name in lower case, as logs and metrics show it.
    pub const fn name(self) -> &'static str {
        match self {
            ErrorKind::Cancelled => "cancelled",
            ErrorKind::Invalid => "invalid",
            ErrorKind::NotFound => "not found",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Denied => "denied",
            ErrorKind::Exhausted => "exhausted",
            ErrorKind::Internal => "internal",
        }
    }
}

/// A failure: its kind, a message that names the thing and the fix, and perhaps a cause.
///
/// Messages are in lower case without a final dot:
/// `segmenter "sam": weights not found at x.pth (set segmenter.sam.weights)`.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    is_passing: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` with a message for people.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            is_passing: false,
            source: None,
        }
    }

    /// The call was cancelled, or its deadline passed.
    pub fn cancelled() -> Self {
        Self::new(
            ErrorKind::Cancelled,
            "the call was cancelled or its deadline passed",
        )
    }

    /// The request is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// A named thing does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// Valid, but not offered.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// May work later.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }

    /// A peer refused what this process logs in with.
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Denied, message)
    }

    /// A limit was reached.
    pub fn exhausted(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Exhausted, message)
    }

    /// A bug, here or in a plugin.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// `name` is no `what` there is: lists the `known` ones and guesses which one was meant.
    pub fn unknown<'a>(
        kind: ErrorKind,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        // As typists err: a similarity of 0.7 is about two wrong letters in seven.
        const SIMILAR: f64 = 0.7;
        /// Nobody errs in longer names, and to compare them takes memory for each pair of letters.
        const LONGEST: usize = 64;
        let known: Vec<&str> = known.into_iter().collect();
        let guess = known
            .iter()
            .filter(|_| name.len() <= LONGEST)
            .map(|&candidate| {
                (
                    strsim::normalized_damerau_levenshtein(name, candidate),
                    candidate,
                )
            })
            .filter(|&(similarity, _)| similarity >= SIMILAR)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let hint = match (guess, known.as_slice()) {
            (_, []) => "there are none".to_owned(),
            (None, known) => format!("known: {}", known.join(", ")),
            (Some((_, guess)), known) => {
                format!("did you mean {guess:?}? known: {}", known.join(", "))
            }
        };
        Self::new(kind, format!("unknown {what} {name:?} ({hint})"))
    }

    /// Keeps `source` as the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Says that the limit is one of the moment: the same request may work in a while.
    #[must_use]
    pub fn passing(mut self) -> Self {
        self.is_passing = true;
        self
    }

    /// Puts `place` in front of the message: `place: message`.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// What a caller can act on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// True if the same request may work in a while, as after a full queue.
    pub fn is_passing(&self) -> bool {
        self.is_passing
    }

    /// The text for people, without the cause.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// An error with its causes, outermost first: `what failed: why: and why that`.
pub fn with_causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        // Some messages quote their cause already.
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_once_and_in_order() {
        let cause = Error::unavailable("connection refused (111)");
        let quoting = Error::unavailable("connect: connection refused (111)").caused_by(cause);
        let error = Error::internal("no answer").caused_by(quoting);
        assert_eq!(
            with_causes(&error),
            "no answer: connect: connection refused (111)"
        );
        assert_eq!(with_causes(&Error::invalid("alone")), "alone");
    }
}
