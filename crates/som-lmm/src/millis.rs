//! Times in milliseconds, as the keys that end in `_ms` have them.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

/// Writes a time.
///
/// # Errors
/// What the serializer reports.
pub fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// Reads a time.
///
/// # Errors
/// What the deserializer reports: it is no whole number of milliseconds.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    u64::deserialize(from).map(Duration::from_millis)
}
