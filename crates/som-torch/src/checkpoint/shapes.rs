//! The sizes of a network, read off the shapes of its tensors.

use som_core::{Error, Result};

use super::{Checkpoint, family::foreign};

/// The shapes in a checkpoint, as one kind of network reads them.
#[derive(Clone, Copy, Debug)]
pub struct Shapes<'a> {
    checkpoint: &'a Checkpoint,
    network: &'static str,
}

impl<'a> Shapes<'a> {
    /// The shapes in `checkpoint`, which should hold a `network`, such as `Segment Anything`.
    pub const fn of(checkpoint: &'a Checkpoint, network: &'static str) -> Self {
        Self {
            checkpoint,
            network,
        }
    }

    /// The shape of a tensor that every network of this kind has.
    ///
    /// # Errors
    /// Invalid, if there is no such tensor, or not of so many axes.
    pub fn get<const AXES: usize>(&self, name: &str) -> Result<[i64; AXES]> {
        let shape = self
            .checkpoint
            .shape(name)
            .ok_or_else(|| self.foreign(&format!("it has no tensor {name}")))?;
        shape
            .try_into()
            .map_err(|_| self.foreign(&format!("its tensor {name} has the shape {shape:?}")))
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.checkpoint.shape(name).is_some()
    }

    /// How many numbered tensors `prefix`N`suffix` there are from 0 on.
    pub fn count(&self, prefix: &str, suffix: &str) -> i64 {
        let is_missing = |index: &i64| {
            let name = format!("{prefix}{index}{suffix}");
            self.checkpoint.shape(&name).is_none()
        };
        (0..).find(is_missing).unwrap_or_default()
    }

    /// The error that says why the checkpoint holds no network of this kind.
    pub fn foreign(&self, why: &str) -> Error {
        foreign(self.checkpoint, self.network, why)
    }
}
