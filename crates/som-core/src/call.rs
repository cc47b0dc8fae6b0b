//! One request in flight: its parameters, and the way to call it off.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, Hints, Result};

/// A JSON object: parameters of a call, options of a segmenter, extras of a region.
pub type Params = serde_json::Map<String, Value>;

/// One request as a plugin sees it. The same for embedded, loaded and remote plugins.
///
/// The parameters were validated against the plugin's schema, and defaults are filled in.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    params: &'a Params,
    cancelled: &'a (dyn Fn() -> bool + Sync),
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("params", self.params)
            .finish_non_exhaustive()
    }
}

impl<'a> Call<'a> {
    /// A call with `params` that is over once `cancelled` says so.
    pub const fn new(params: &'a Params, cancelled: &'a (dyn Fn() -> bool + Sync)) -> Self {
        Self { params, cancelled }
    }

    /// A call that nobody cancels.
    pub const fn uncancellable(params: &'a Params) -> Self {
        Self {
            params,
            cancelled: &|| false,
        }
    }

    /// The same call with other parameters.
    pub(crate) const fn with_params<'b>(&self, params: &'b Params) -> Call<'b>
    where
        'a: 'b,
    {
        Call {
            params,
            cancelled: self.cancelled,
        }
    }

    /// The parameters as JSON.
    pub const fn params(&self) -> &'a Params {
        self.params
    }

    /// The parameters as a type of your own.
    ///
    /// # Errors
    /// Invalid, if they do not fit the type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        // A borrowed map deserialises without a copy of its own.
        T::deserialize(self.params).map_err(|error| Error::invalid(format!("parameters: {error}")))
    }

    /// The number under `key`.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.params.get(key).and_then(Value::as_f64)
    }

    /// The string under `key`.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.params.get(key).and_then(Value::as_str)
    }

    /// The visual prompts of interactive segmentation; `None` for "segment everything".
    ///
    /// # Errors
    /// Invalid, if `hints` is there and malformed.
    pub fn hints(&self) -> Result<Option<Hints>> {
        Hints::from_params(self.params)
    }

    /// True once nobody waits for the result.
    pub fn is_cancelled(&self) -> bool {
        (self.cancelled)()
    }

    /// For long loops: `call.check()?`.
    ///
    /// # Errors
    /// Cancelled, once nobody waits for the result.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            Err(Error::cancelled())
        } else {
            Ok(())
        }
    }
}

/// The host's side of calling a request off: a flag that all clones share, and a deadline.
#[derive(Clone, Debug, Default)]
pub struct Cancellation {
    flag: Arc<AtomicBool>,
    /// Those of the requests that this one is a part of.
    above: Vec<Arc<AtomicBool>>,
    deadline: Option<Instant>,
}

impl Cancellation {
    /// Never over until [`cancel`](Self::cancel)led.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same flag, over at the latest `timeout` from now.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        // A timeout beyond what the clock can express is no deadline at all.
        let Some(limit) = Instant::now().checked_add(timeout) else {
            return self;
        };
        self.deadline = Some(self.deadline.map_or(limit, |earlier| earlier.min(limit)));
        self
    }

    /// That of a part of the request: it is over with the whole, and may be called off by itself.
    #[must_use]
    pub fn part(&self) -> Self {
        let mut above = self.above.clone();
        above.push(self.flag.clone());
        Self {
            flag: Arc::default(),
            above,
            deadline: self.deadline,
        }
    }

    /// Calls the request off, for all clones and all parts.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// True once cancelled or past the deadline.
    pub fn is_cancelled(&self) -> bool {
        let mut flags = self.above.iter().chain([&self.flag]);
        flags.any(|flag| flag.load(Ordering::Relaxed)) || self.is_past_deadline()
    }

    /// True once the deadline has passed.
    pub fn is_past_deadline(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// When the request is over at the latest.
    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_called_off_by_itself_and_with_the_whole() {
        let whole = Cancellation::new();
        let (part, other) = (whole.part(), whole.part());
        let inner = part.part();
        part.cancel();
        assert!(part.is_cancelled() && inner.is_cancelled());
        assert!(!whole.is_cancelled() && !other.is_cancelled());
        whole.cancel();
        assert!(other.is_cancelled());
    }
}
