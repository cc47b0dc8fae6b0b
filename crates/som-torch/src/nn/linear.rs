//! Affine maps of the last axis.

use tch::Tensor;

use super::Weight;
use crate::{Scope, TorchResult};

/// `x · weightᵀ + bias` over the last axis.
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[output, input]`.
    pub weight: Weight,
    /// `[output]`; `None` for a map without offset.
    pub bias: Option<Weight>,
}

impl Linear {
    /// `weight` and `bias` of `scope`.
    pub fn load(scope: &Scope<'_>, input: i64, output: i64) -> Self {
        Self {
            weight: scope.weight("weight", &[output, input]),
            bias: Some(scope.weight("bias", &[output])),
        }
    }

    /// A convolution of size 1: `weight` `[output, input, 1, 1]` and `bias` of `scope`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn pointwise(scope: &Scope<'_>, input: i64, output: i64) -> TorchResult<Self> {
        let weight = scope.weight("weight", &[output, input, 1, 1]);
        Ok(Self {
            weight: weight.map(|weight| weight.f_flatten(1, -1))?,
            bias: Some(scope.weight("bias", &[output])),
        })
    }

    /// `[…, input]` to `[…, output]`.
    ///
    /// # Errors
    /// What libtorch reports, such as memory that ran out.
    pub fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        x.f_linear(&self.weight, self.bias.as_deref())
    }
}
