//! Where a config file says otherwise than the tensors.

use std::fmt::Debug;

use som_core::Result;

use crate::Source;

/// What a config file and a checkpoint say differently, or what no network can have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contradictions(Vec<String>);

impl Contradictions {
    /// Compares what the file says under `key`, if it does, with what the tensors have.
    pub fn compare<T: Debug + PartialEq>(&mut self, key: &str, told: Option<&T>, found: &T) {
        if let Some(told) = told.filter(|&told| told != found) {
            self.add(format!(
                "{key} is {told:?} in the config, but {found:?} in the checkpoint"
            ));
        }
    }

    /// Notes something else that cannot be.
    pub fn add(&mut self, why: String) {
        self.0.push(why);
    }

    /// # Errors
    /// Invalid, with all of them, if there are any.
    pub fn none_in(self, source: &Source) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(source.misfit(&self.0.join("; ")))
    }
}
