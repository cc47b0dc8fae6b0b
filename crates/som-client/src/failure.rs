//! What went wrong with a call, as an error of som.

use std::error::Error as StdError;

use som_core::Error;
use som_proto::status;
use tonic::Status;

/// The failure of a call. What went wrong with the connection may work later, and names all of its
/// causes.
pub fn explain(status: &Status) -> Error {
    match status.source() {
        // A status with a source was made on this side.
        Some(source) => Error::unavailable(chain(source)),
        None => status::from_wire(status),
    }
}

/// An error with its causes, outermost first.
pub fn chain(error: &dyn StdError) -> String {
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
