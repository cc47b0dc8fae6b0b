//! Normalisation over channels.

use tch::{Device, Kind, Tensor};

use super::Weight;
use crate::{Scope, TorchResult};

/// Cells of a map at once: small enough for caches.
const SLAB: i64 = 4096;

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
        if x.device() == Device::Cpu && x.kind() == Kind::Float {
            return self.channels_last(x);
        }
        let (weight, bias) = (Some(&*self.weight), Some(&*self.bias));
        x.f_permute([2, 0, 1])?
            .f_unsqueeze(0)?
            .f_group_norm(self.groups, weight, bias, self.epsilon, false)?
            .f_squeeze_dim(0)?
            .f_permute([1, 2, 0])?
            .f_contiguous()
    }

    /// The same without a copy: libtorch's own norm would put one channel after the other, and back.
    fn channels_last(&self, x: &Tensor) -> TorchResult<Tensor> {
        let (height, width, channels) = x.size3()?;
        let cells = height * width;
        let map = x.f_reshape([cells, channels])?;
        // Of each group, and again for each of its channels.
        let mean_of_groups = |of_channels: &Tensor| {
            of_channels
                .f_view([self.groups, -1])?
                .f_mean_dim(1_i64, true, Kind::Float)?
                .f_expand([self.groups, channels / self.groups], false)?
                .f_reshape([channels])
        };
        let mean = mean_of_groups(&map.f_mean_dim(0_i64, false, Kind::Float)?)?;
        let mut squares = mean.f_zeros_like()?;
        for first in (0..cells).step_by(SLAB as usize) {
            let mut off = map
                .f_narrow(0, first, SLAB.min(cells - first))?
                .f_sub(&mean)?;
            let sum = off
                .f_square_()?
                .f_sum_dim_intlist(0_i64, false, Kind::Float)?;
            squares = squares.f_add_(&sum)?;
        }
        let variance = mean_of_groups(&squares.f_div_scalar(cells)?)?;
        let scale = variance
            .f_add_scalar(self.epsilon)?
            .f_rsqrt()?
            .f_mul(&self.weight)?;
        let shift = self.bias.f_sub(&mean.f_mul(&scale)?)?;
        shift
            .f_addcmul(&map, &scale)?
            .f_view([height, width, channels])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Weight;

    #[test]
    fn groups_are_normed_as_by_libtorch() -> TorchResult<()> {
        tch::manual_seed(7);
        for (height, width, groups) in [(1, 1, 4), (3, 5, 2), (70, 90, 8)] {
            let random = |shape: &[i64]| Tensor::f_randn(shape, (Kind::Float, Device::Cpu));
            let norm = GroupNorm {
                weight: Weight::new(random(&[16])?),
                bias: Weight::new(random(&[16])?),
                groups,
                epsilon: 1e-5,
            };
            let x = random(&[height, width, 16])?
                .f_mul_scalar(3)?
                .f_add_scalar(40)?;
            let plain = x
                .f_to_kind(Kind::Double)?
                .f_permute([2, 0, 1])?
                .f_unsqueeze(0)?
                .f_group_norm(
                    groups,
                    Some(&norm.weight.f_to_kind(Kind::Double)?),
                    Some(&norm.bias.f_to_kind(Kind::Double)?),
                    norm.epsilon,
                    false,
                )?
                .f_squeeze_dim(0)?
                .f_permute([1, 2, 0])?;
            let apart = f64::try_from(norm.forward(&x)?.f_sub(&plain)?.f_abs()?.f_max()?)?;
            assert!(apart < 1e-4, "{height}x{width}: {apart}");
        }
        Ok(())
    }
}
