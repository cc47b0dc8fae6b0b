//! ResNet of bottleneck blocks, such as ResNet-50.
//!
//! He et al., *Deep Residual Learning for Image Recognition*, 2015 (arXiv 1512.03385); the form of
//! `facebookresearch/detectron2`, `detectron2/modeling/backbone/resnet.py`, whose names the tensors
//! carry. Batch norms are constant after training, so that they go into the convolutions before
//! them.

mod block;
mod sizes;

use som_core::{Call, Result};
use tch::Tensor;

use self::block::{Block, NormedConv};
pub use self::sizes::{ResNetSizes, Stage};
use crate::{Scope, TorchResult, stages::stage, torch_error};

/// Image to one feature map per stage. Clones share the weights.
#[derive(Clone, Debug)]
pub struct ResNet {
    stem: NormedConv,
    stages: Vec<Vec<Block>>,
    kind: tch::Kind,
}

impl ResNet {
    /// The backbone at `scope`: `stem.conv1`, and the blocks `res2.N`, `res3.N`, … .
    /// [`ResNetSizes::of`] reads the sizes there.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(scope: &Scope<'_>, sizes: &ResNetSizes) -> TorchResult<Self> {
        let mut input = sizes.stem;
        let mut stages = Vec::new();
        for (index, stage) in sizes.stages.iter().enumerate() {
            let scope = scope.at(format_args!("res{}", index + 2));
            let blocks = (0..stage.blocks).map(|block| {
                // Each stage but the first halves the map, in its first block.
                let stride = if index > 0 && block == 0 { 2 } else { 1 };
                let input = std::mem::replace(&mut input, stage.output);
                Block::load(&scope.at(block), sizes, stage, input, stride)
            });
            stages.push(blocks.collect::<TorchResult<_>>()?);
        }
        Ok(Self {
            stem: NormedConv::load(&scope.at("stem.conv1"), [3, sizes.stem, 7], 2, 1)?,
            stages,
            kind: scope.kind(),
        })
    }

    /// A normalised image `[height, width, 3]` to the map of each stage, `[rows, columns, channels]`:
    /// a quarter of the image's rows and columns, rounded up, in the first, and half as many in each
    /// further one.
    ///
    /// # Errors
    /// Cancelled, between blocks; what libtorch reports.
    pub fn forward(&self, image: &Tensor, call: &Call<'_>) -> Result<Vec<Tensor>> {
        stage("backbone", || self.run(image, call))
    }

    fn run(&self, image: &Tensor, call: &Call<'_>) -> Result<Vec<Tensor>> {
        let mut x = self.embed(image).map_err(torch_error)?;
        let mut maps = Vec::new();
        for stage in &self.stages {
            for block in stage {
                call.check()?;
                x = block.forward(&x).map_err(torch_error)?;
            }
            maps.push(x.shallow_clone());
        }
        Ok(maps)
    }

    /// A normalised image `[height, width, 3]` to the stem's map, a quarter as high and wide.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn embed(&self, image: &Tensor) -> TorchResult<Tensor> {
        let x = self.stem.forward(&image.f_to_kind(self.kind)?)?.f_relu_()?;
        x.f_permute([2, 0, 1])?
            .f_unsqueeze(0)?
            .f_max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false)?
            .f_squeeze_dim(0)?
            .f_permute([1, 2, 0])?
            .f_contiguous()
    }
}
