//! What is kept of a frame and of a mask of it.
//!
//! `sam2/modeling/memory_encoder.py`; the blocks are ConvNeXt's: Liu et al., *A ConvNet for the 2020s*,
//! 2022 (arXiv 2201.03545).

use som_torch::{
    Scope, TorchResult,
    nn::{Conv, DepthwiseConv, FeedForward, LayerNorm, Linear, Weight},
};
use tch::Tensor;

use super::sizes::MemorySizes;

const EPSILON: f64 = 1e-6;

/// Frame and mask to a memory.
#[derive(Clone, Debug)]
pub(crate) struct MemoryEncoder {
    /// Each halves the mask.
    shrink: Vec<(Conv, LayerNorm)>,
    project_mask: Linear,
    project_image: Linear,
    fusers: Vec<Fuser>,
    output: Linear,
    grid: i64,
}

impl MemoryEncoder {
    pub(super) fn load(scope: &Scope<'_>, sizes: &MemorySizes) -> TorchResult<Self> {
        let MemorySizes {
            hidden_channels: hidden,
            channels,
            grid,
            ref shrinking,
            ..
        } = *sizes;
        let mask = scope.at("mask_downsampler.encoder");
        let shrink = shrinking.windows(2).enumerate();
        let shrink = shrink.filter_map(|(step, pair)| match *pair {
            [input, output] => Some((step, input, output)),
            _ => None,
        });
        let shrink = shrink.map(|(step, input, output)| {
            let convolution = Conv::load(&mask.at(3 * step), [input, output, 3], 2, true)?;
            let norm = LayerNorm::load(&mask.at(3 * step + 1), output, EPSILON);
            Ok((convolution, norm))
        });
        let last = shrinking.last().copied().unwrap_or(1);
        let end = mask.at(3 * (shrinking.len() - 1));
        let fusers =
            (0..sizes.fusers).map(|index| Fuser::load(&scope.at("fuser.layers").at(index), sizes));
        Ok(Self {
            shrink: shrink.collect::<TorchResult<_>>()?,
            project_mask: Linear::pointwise(&end, last, hidden)?,
            project_image: Linear::pointwise(&scope.at("pix_feat_proj"), hidden, hidden)?,
            fusers: fusers.collect(),
            output: Linear::pointwise(&scope.at("out_proj"), hidden, channels)?,
            grid,
        })
    }

    /// An image `[places, hidden channels]` and a mask `[side, side]` to `[places, channels]`.
    pub(super) fn forward(&self, image: &Tensor, mask: &Tensor) -> TorchResult<Tensor> {
        let mut x = mask.f_unsqueeze(-1)?;
        for (convolution, norm) in &self.shrink {
            x = norm.forward(&convolution.forward(&x)?)?.f_gelu_("none")?;
        }
        let mask = self.project_mask.forward(&x)?.f_flatten(0, 1)?;
        let x = self.project_image.forward(image)?.f_add(&mask)?;
        let mut x = x.f_view([self.grid, self.grid, -1])?;
        for fuser in &self.fusers {
            x = fuser.forward(&x)?;
        }
        self.output.forward(&x.f_flatten(0, 1)?)
    }
}

/// A convolution over each channel by itself, and an MLP over each cell.
#[derive(Clone, Debug)]
struct Fuser {
    convolution: DepthwiseConv,
    norm: LayerNorm,
    mlp: FeedForward,
    /// `[hidden channels]`: how much of it is added to what came in.
    gamma: Weight,
}

impl Fuser {
    fn load(scope: &Scope<'_>, sizes: &MemorySizes) -> Self {
        let MemorySizes {
            hidden_channels: channels,
            fuser_hidden: hidden,
            ..
        } = *sizes;
        Self {
            convolution: DepthwiseConv::load(&scope.at("dwconv"), channels, 7, true),
            norm: LayerNorm::load(&scope.at("norm"), channels, EPSILON),
            mlp: FeedForward {
                expand: Linear::load(&scope.at("pwconv1"), channels, hidden),
                contract: Linear::load(&scope.at("pwconv2"), hidden, channels),
            },
            gamma: scope.weight("gamma", &[channels]),
        }
    }

    /// `[rows, columns, channels]` to the same.
    fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let normed = self.norm.forward(&self.convolution.forward(x)?)?;
        x.f_add(&self.mlp.forward(&normed)?.f_mul(&self.gamma)?)
    }
}
