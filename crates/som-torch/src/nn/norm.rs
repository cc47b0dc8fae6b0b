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

/// Normalisation of groups of neighbouring channels over a whole map.
#[derive(Clone, Debug)]
pub struct GroupNorm {
    weight: Weight,
    bias: Weight,
    groups: i64,
    epsilon: f64,
}

impl GroupNorm {
    /// `weight` and `bias` of `scope`.
    pub fn load(scope: &Scope<'_>, channels: i64, groups: i64, epsilon: f64) -> Self {
        Self {
            weight: scope.weight("weight", &[channels]),
            bias: scope.weight("bias", &[channels]),
            groups,
            epsilon,
        }
    }

    /// `[height, width, channels]` to the same.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let (weight, bias) = (Some(&*self.weight), Some(&*self.bias));
        x.f_permute([2, 0, 1])?
            .f_unsqueeze(0)?
            .f_group_norm(self.groups, weight, bias, self.epsilon, false)?
            .f_squeeze_dim(0)?
            .f_permute([1, 2, 0])?
            .f_contiguous()
    }
}
