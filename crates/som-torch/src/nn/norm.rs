//! Normalisation over channels.

use tch::Tensor;

use super::Weight;
use crate::{Scope, TorchResult};

/// Layer normalisation of the last axis. With channels last this is what projects call
/// `LayerNorm2d`, too.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    weight: Weight,
    bias: Weight,
    channels: i64,
    epsilon: f64,
}

impl LayerNorm {
    /// `weight` and `bias` of `scope`.
    pub fn load(scope: &Scope<'_>, channels: i64, epsilon: f64) -> Self {
        Self {
            weight: scope.weight("weight", &[channels]),
            bias: scope.weight("bias", &[channels]),
            channels,
            epsilon,
        }
    }

    /// `[…, channels]` to the same.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        x.f_layer_norm(
            [self.channels],
            Some(&*self.weight),
            Some(&*self.bias),
            self.epsilon,
            false,
        )
    }
}
