//! The pixel decoder of MaskFormer: a transformer on the coarsest map, and a pyramid of finer ones.
//!
//! Cheng et al., *Per-Pixel Classification is Not All You Need for Semantic Segmentation*, 2021
//! (arXiv 2107.06278); X-Decoder and SEEM have the same:
//! `UX-Decoder/Segment-Everything-Everywhere-All-At-Once`,
//! `modeling/vision/encoder/transformer_encoder_fpn.py`, whose names the tensors carry.

mod layer;
mod sizes;

use som_core::{Call, Result};
use tch::Tensor;

pub use self::{layer::PyramidLayer, sizes::PyramidDecoderSizes};
use crate::{
    Scope, TorchResult,
    nn::{Conv, GroupNorm, Linear, sine_positions},
    stages::stage,
    torch_error,
};

/// Of all its norms.
const EPSILON: f64 = 1e-5;

/// Maps that queries look at.
const LEVELS: usize = 3;

/// A backbone's maps to levels for queries and to a map for masks. Clones share the weights.
#[derive(Clone, Debug)]
pub struct PyramidDecoder {
    project: Linear,
    /// Of the transformer on the coarsest map.
    pub layers: Vec<PyramidLayer>,
    /// To the coarsest level.
    coarsest: NormedConv,
    /// To finer levels, the finest last.
    steps: Vec<Step>,
    mask_features: Conv,
    channels: i64,
}

/// What a pixel decoder makes of an image.
#[derive(Debug)]
pub struct PyramidFeatures {
    /// `[height / 4, width / 4, mask channels]`: a mask's logits are the product of a query's mask
    /// embedding with each of these.
    pub mask_features: Tensor,
    /// What queries look at, each `[rows, columns, channels]`, from the coarsest to the third.
    pub levels: Vec<Tensor>,
}

impl PyramidDecoder {
    /// The decoder at `scope`: `input_proj`, `transformer`, `adapter_N` and `layer_N`,
    /// `mask_features`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(scope: &Scope<'_>, sizes: &PyramidDecoderSizes) -> TorchResult<Self> {
        let PyramidDecoderSizes {
            ref features,
            channels,
            mask_channels,
            ..
        } = *sizes;
        let coarsest = features.last().copied().unwrap_or_default();
        let project = scope.at("input_proj");
        let weight = project.weight("weight", &[channels, coarsest, 1, 1]);
        let layers = scope.at("transformer.encoder.layers");
        let layers = (0..sizes.layers).map(|index| PyramidLayer::load(&layers.at(index), sizes));
        let conv = |name: &str, index: usize, widths: [i64; 3]| {
            NormedConv::load(&scope.at(format_args!("{name}_{index}")), widths, sizes)
        };
        // Counted from 1, the finest first.
        let steps = features.iter().enumerate().rev().skip(1);
        let steps = steps.map(|(index, &feature)| {
            TorchResult::Ok(Step {
                lateral: conv("adapter", index + 1, [feature, channels, 1])?,
                smooth: conv("layer", index + 1, [channels, channels, 3])?,
            })
        });
        let mask_features = [channels, mask_channels, 3];
        Ok(Self {
            project: Linear {
                weight: weight.map(|weight| weight.f_flatten(1, -1))?,
                bias: Some(project.weight("bias", &[channels])),
            },
            layers: layers.collect::<TorchResult<_>>()?,
            coarsest: conv("layer", features.len(), [channels, channels, 3])?,
            steps: steps.collect::<TorchResult<_>>()?,
            mask_features: Conv::load(&scope.at("mask_features"), mask_features, 1, true)?,
            channels,
        })
    }

    /// The maps of a backbone, from the finest (a quarter of the image's height and width) on, each
    /// `[height, width, channels]` in single precision, to levels and a map for masks.
    ///
    /// # Errors
    /// Cancelled, between layers; what libtorch reports.
    pub fn forward(&self, features: &[Tensor], call: &Call<'_>) -> Result<PyramidFeatures> {
        stage("pixel decoder", || self.run(features, call))
    }

    fn run(&self, features: &[Tensor], call: &Call<'_>) -> Result<PyramidFeatures> {
        let (mut tokens, positions) = self.prepare(features).map_err(torch_error)?;
        for layer in &self.layers {
            call.check()?;
            tokens = layer.forward(&tokens, &positions).map_err(torch_error)?;
        }
        call.check()?;
        self.finish(&tokens, features).map_err(torch_error)
    }

    /// The coarsest map as tokens of the transformer, and what each cell's place adds to queries and
    /// keys, both `[cells, channels]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn prepare(&self, features: &[Tensor]) -> TorchResult<(Tensor, Tensor)> {
        let map = self.project.forward(&features[features.len() - 1])?;
        let (height, width, _) = map.size3()?;
        let positions = sine_positions(height, width, self.channels, map.device())?;
        Ok((map.f_flatten(0, 1)?, positions.f_flatten(0, 1)?))
    }

    /// What comes out of the transformer as levels and a map for masks.
    fn finish(&self, tokens: &Tensor, features: &[Tensor]) -> TorchResult<PyramidFeatures> {
        let (height, width, _) = features[features.len() - 1].size3()?;
        let map = tokens.f_view([height, width, self.channels])?;
        let mut fine = self.coarsest.forward(&map)?.f_relu_()?;
        let mut levels = vec![fine.shallow_clone()];
        for (step, feature) in self.steps.iter().zip(features.iter().rev().skip(1)) {
            fine = step.forward(&fine, feature)?;
            if levels.len() < LEVELS {
                levels.push(fine.shallow_clone());
            }
        }
        Ok(PyramidFeatures {
            mask_features: self.mask_features.forward(&fine)?,
            levels,
        })
    }
}

/// A map of the backbone, added to a coarser map that is enlarged to its size, and smoothed.
#[derive(Clone, Debug)]
struct Step {
    lateral: NormedConv,
    smooth: NormedConv,
}

impl Step {
    /// A coarser map and the backbone's map to a map of the latter's size.
    fn forward(&self, coarse: &Tensor, feature: &Tensor) -> TorchResult<Tensor> {
        let sum = with_enlarged(self.lateral.forward(feature)?, coarse)?;
        // Of the finest map every copy is large: none outlives its use.
        let smooth = self.smooth.conv.forward(&sum)?;
        drop(sum);
        self.smooth.norm.forward(&smooth)?.f_relu_()
    }
}

/// The map `x` and `coarse`, which is enlarged to its size by repeating cells, added.
fn with_enlarged(mut x: Tensor, coarse: &Tensor) -> TorchResult<Tensor> {
    let (height, width, channels) = x.size3()?;
    let (rows, columns, _) = coarse.size3()?;
    if (height, width) == (2 * rows, 2 * columns) {
        // Each cell meets its four.
        let mut fours = x.f_view([rows, 2, columns, 2, channels])?;
        let _ = fours.f_add_(&coarse.f_unsqueeze(1)?.f_unsqueeze(3)?)?;
        return Ok(x);
    }
    let enlarged = coarse
        .f_permute([2, 0, 1])?
        .f_unsqueeze(0)?
        .f_upsample_nearest2d([height, width], None, None)?
        .f_squeeze_dim(0)?
        .f_permute([1, 2, 0])?;
    x.f_add_(&enlarged)
}

/// A convolution without offset, and a norm of groups of its channels.
#[derive(Clone, Debug)]
struct NormedConv {
    conv: Conv,
    norm: GroupNorm,
}

impl NormedConv {
    fn load(
        scope: &Scope<'_>,
        [input, output, size]: [i64; 3],
        sizes: &PyramidDecoderSizes,
    ) -> TorchResult<Self> {
        Ok(Self {
            conv: Conv::load(scope, [input, output, size], 1, false)?,
            norm: GroupNorm::load(&scope.at("norm"), output, sizes.groups, EPSILON),
        })
    }

    fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        self.norm.forward(&self.conv.forward(x)?)
    }
}
