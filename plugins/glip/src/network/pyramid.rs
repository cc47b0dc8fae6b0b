//! From the backbone's maps to levels of the same channels, each half the size of the one below.
//!
//! Lin et al., *Feature Pyramid Networks for Object Detection*, 2016 (arXiv 1612.03144), and the levels
//! above from *Focal Loss for Dense Object Detection*, 2017 (arXiv 1708.02002); official file
//! `maskrcnn_benchmark/modeling/backbone/fpn.py`, `FPN` and `LastLevelP6P7`.

use som_torch::{Scope, TorchResult, backbone::SwinSizes, nn::Conv};
use tch::Tensor;

/// Backbone's maps to levels. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Pyramid {
    /// One for each map, from the finest to the coarsest.
    steps: Vec<Step>,
    above: [Conv; 2],
}

/// A map of the backbone, added to what is above it, and smoothed.
#[derive(Clone, Debug)]
struct Step {
    lateral: Conv,
    smooth: Conv,
}

impl Pyramid {
    /// `fpn_innerN`, `fpn_layerN` and `top_blocks` of `scope`, with stages counted from 1.
    pub(crate) fn load(
        scope: &Scope<'_>,
        backbone: &SwinSizes,
        channels: i64,
    ) -> TorchResult<Self> {
        let conv = |name: &str, input: i64, size: i64, stride: i64| {
            Conv::load(&scope.at(name), [input, channels, size], stride, true)
        };
        let stages = backbone.stages.iter().zip(1..);
        let outputs = stages.filter(|(stage, _)| stage.is_output);
        let steps = outputs.map(|(stage, number)| {
            TorchResult::Ok(Step {
                lateral: conv(&format!("fpn_inner{number}"), stage.channels, 1, 1)?,
                smooth: conv(&format!("fpn_layer{number}"), channels, 3, 1)?,
            })
        });
        Ok(Self {
            steps: steps.collect::<TorchResult<_>>()?,
            above: [
                conv("top_blocks.p6", channels, 3, 2)?,
                conv("top_blocks.p7", channels, 3, 2)?,
            ],
        })
    }

    /// Maps of the backbone to levels `[height, width, channels]`, from the finest to the coarsest.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn forward(&self, maps: &[Tensor]) -> TorchResult<Vec<Tensor>> {
        let mut levels = Vec::with_capacity(maps.len() + self.above.len());
        let mut coarser: Option<Tensor> = None;
        for (step, map) in self.steps.iter().zip(maps).rev() {
            let mut sum = step.lateral.forward(map)?;
            if let Some(coarser) = coarser {
                sum = sum.f_add_(&enlarged(&coarser, &sum)?)?;
            }
            levels.push(step.smooth.forward(&sum)?);
            coarser = Some(sum);
        }
        levels.reverse();
        let [first, second] = &self.above;
        if let Some(coarsest) = levels.last() {
            let above = first.forward(coarsest)?;
            let topmost = second.forward(&above.f_relu()?)?;
            levels.extend([above, topmost]);
        }
        Ok(levels)
    }
}

/// A map at the size of another: each cell is the nearest of it.
fn enlarged(map: &Tensor, like: &Tensor) -> TorchResult<Tensor> {
    let (height, width, _) = like.size3()?;
    map.f_permute([2, 0, 1])?
        .f_unsqueeze(0)?
        .f_upsample_nearest2d([height, width], None, None)?
        .f_squeeze_dim(0)?
        .f_permute([1, 2, 0])
}
