//! What went wrong with a call, as an error of som.

use std::error::Error as StdError;

use som_core::{Error, with_causes};
use som_proto::status;
use tonic::Status;

/// The failure of a call. What went wrong with the connection may work later, and names all of its
/// causes.
pub fn explain(status: &Status) -> Error {
    match status.source() {
        // A status with a source was made on this side.
        Some(source) => Error::unavailable(with_causes(source)),
        None => status::from_wire(status),
    }
}
