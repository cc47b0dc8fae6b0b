//! From the backbone's maps to those that all else sees.
//!
//! Lin et al., *Feature Pyramid Networks for Object Detection*, 2017 (arXiv 1612.03144), without its
//! last convolutions; `FpnNeck` in `sam2/modeling/backbones/image_encoder.py`.

use som_torch::{Scope, TorchResult, nn::Linear};
use tch::Tensor;

use super::config::NeckSizes;

/// Maps of the backbone to maps of equally many channels.
#[derive(Clone, Debug)]
pub(crate) struct Neck {
    /// From the finest to the coarsest.
    lateral: Vec<Linear>,
    top_down: Vec<bool>,
}

impl Neck {
    pub(super) fn load(scope: &Scope<'_>, sizes: &NeckSizes) -> TorchResult<Self> {
        let count = sizes.inputs.len();
        let lateral = sizes.inputs.iter().enumerate().map(|(level, &input)| {
            // The first one is that of the coarsest map.
            let scope = scope.at("convs").at(count - 1 - level).at("conv");
            Linear::pointwise(&scope, input, sizes.channels)
        });
        Ok(Self {
            lateral: lateral.collect::<TorchResult<_>>()?,
            top_down: (0..count as i64)
                .map(|level| sizes.top_down.contains(&level))
                .collect(),
        })
    }

    /// Maps `[rows, columns, channels]`, from the finest to the coarsest, to as many; each has half the
    /// rows and columns of the one before.
    pub(crate) fn forward(&self, maps: &[Tensor]) -> TorchResult<Vec<Tensor>> {
        let mut found: Vec<Tensor> = Vec::new();
        for ((lateral, map), top_down) in self.lateral.iter().zip(maps).zip(&self.top_down).rev() {
            let mut x = lateral.forward(map)?;
            if let Some(coarser) = found.last().filter(|_| *top_down) {
                x = x.f_add_(&doubled(coarser)?)?;
            }
            found.push(x);
        }
        found.reverse();
        Ok(found)
    }
}

/// Every cell of `[rows, columns, channels]` four times.
fn doubled(map: &Tensor) -> TorchResult<Tensor> {
    let (rows, columns, channels) = map.size3()?;
    map.f_view([rows, 1, columns, 1, channels])?
        .f_expand([rows, 2, columns, 2, channels], false)?
        .f_reshape([2 * rows, 2 * columns, channels])
}
