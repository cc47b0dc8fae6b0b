//! FocalNet: blocks that weigh each place with what surrounds it, from near to far, on maps that
//! halve from stage to stage. Nothing attends.
//!
//! Yang et al., *Focal Modulation Networks*, 2022 (arXiv 2203.11926), in the form that X-Decoder and
//! SEEM have: `UX-Decoder/Segment-Everything-Everywhere-All-At-Once`,
//! `modeling/vision/backbone/focal.py` (Focal-L) and `focal_dw.py` (Focal-T, with convolutions of
//! single channels before modulation and MLP).

mod block;
mod sizes;

use som_core::{Call, Result};
use tch::Tensor;

use self::block::Block;
pub use self::sizes::{FocalSizes, Stage};
use crate::{
    Scope, TorchResult,
    nn::{Conv, LayerNorm},
    stages::stage,
    torch_error,
};

/// Of all its norms.
const EPSILON: f64 = 1e-5;

/// Image to one feature map per stage. Clones share the weights.
#[derive(Clone, Debug)]
pub struct Focal {
    stem: Embedding,
    stages: Vec<StageBlocks>,
    sizes: FocalSizes,
    kind: tch::Kind,
}

#[derive(Clone, Debug)]
struct StageBlocks {
    blocks: Vec<Block>,
    /// Of what leaves the backbone; the next stage gets it as it is.
    norm: LayerNorm,
    /// To the next stage.
    downsample: Option<Embedding>,
}

/// A convolution to a coarser map, and a norm.
#[derive(Clone, Debug)]
struct Embedding {
    conv: Conv,
    norm: LayerNorm,
}

impl Embedding {
    /// `proj` and `norm` of `scope`.
    fn load(
        scope: &Scope<'_>,
        [input, output, size]: [i64; 3],
        stride: i64,
        padding: i64,
    ) -> TorchResult<Self> {
        let conv = Conv::load(&scope.at("proj"), [input, output, size], stride, true)?;
        Ok(Self {
            conv: conv.with_padding(padding),
            norm: LayerNorm::load(&scope.at("norm"), output, EPSILON),
        })
    }

    fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        self.norm.forward(&self.conv.forward(x)?)
    }
}

impl Focal {
    /// The backbone at `scope`: `patch_embed`, `layers.N` and `normN`. [`FocalSizes::of`] reads the
    /// sizes there.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(scope: &Scope<'_>, sizes: &FocalSizes) -> TorchResult<Self> {
        let width = sizes.stages.first().map_or(0, |stage| stage.channels);
        // No tensor tells: the two official files differ in it.
        let padding = if sizes.depthwise { 3 } else { 2 };
        let stages = sizes.stages.iter().enumerate();
        let stages = stages.map(|(index, stage)| {
            let layer = scope.at("layers").at(index);
            let blocks = (0..stage.blocks)
                .map(|block| Block::load(&layer.at("blocks").at(block), stage, sizes.depthwise));
            let next = sizes.stages.get(index + 1).map(|next| {
                let widths = [stage.channels, next.channels, 3];
                Embedding::load(&layer.at("downsample"), widths, 2, 1)
            });
            let norm = scope.at(format_args!("norm{index}"));
            TorchResult::Ok(StageBlocks {
                blocks: blocks.collect::<TorchResult<_>>()?,
                norm: LayerNorm::load(&norm, stage.channels, EPSILON),
                downsample: next.transpose()?,
            })
        });
        Ok(Self {
            stem: Embedding::load(&scope.at("patch_embed"), [3, width, 7], 4, padding)?,
            stages: stages.collect::<TorchResult<_>>()?,
            sizes: sizes.clone(),
            kind: scope.kind(),
        })
    }

    /// Its sizes.
    pub const fn sizes(&self) -> &FocalSizes {
        &self.sizes
    }

    /// A normalised image `[height, width, 3]`, whose sides are multiples of 4, to the outputs of all
    /// stages, each `[rows, columns, channels]`: a quarter of the rows and columns in the first stage,
    /// and half of them, rounded up, in each further one.
    ///
    /// # Errors
    /// Cancelled, between blocks; what libtorch reports.
    pub fn forward(&self, image: &Tensor, call: &Call<'_>) -> Result<Vec<Tensor>> {
        stage("backbone", || self.run(image, call))
    }

    fn run(&self, image: &Tensor, call: &Call<'_>) -> Result<Vec<Tensor>> {
        let mut x = self.embed(image).map_err(torch_error)?;
        let mut outputs = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            for block in &stage.blocks {
                call.check()?;
                x = block.forward(&x).map_err(torch_error)?;
            }
            outputs.push(stage.norm.forward(&x).map_err(torch_error)?);
            if let Some(downsample) = &stage.downsample {
                x = downsample.forward(&x).map_err(torch_error)?;
            }
        }
        Ok(outputs)
    }

    fn embed(&self, image: &Tensor) -> TorchResult<Tensor> {
        self.stem.forward(&image.f_to_kind(self.kind)?)
    }
}

#[cfg(test)]
mod tests;
