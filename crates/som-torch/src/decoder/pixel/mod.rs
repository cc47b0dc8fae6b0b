//! The pixel decoder of Mask DINO: a deformable encoder over several resolutions, and one finer map
//! for masks.
//!
//! Li et al., *Mask DINO*, 2022 (arXiv 2206.02777), section 3; `IDEA-Research/MaskDINO`,
//! `maskdino/modeling/pixel_decoder/maskdino_encoder.py`, whose names the tensors carry. Semantic-SAM
//! and OpenSeeD have the same.

mod encoder;
mod fine;
mod sizes;

use som_core::{Call, Result};
use tch::Tensor;

pub use self::{
    encoder::{EncoderLayer, EncoderLayerSizes},
    fine::NormedConv,
    sizes::{LevelOrder, PixelDecoderSizes},
};
use self::{fine::Step, sizes::Level};
use crate::{
    Scope, TorchResult,
    attention::Levels,
    nn::{Linear, Weight, sine_positions},
    stages::stage,
    torch_error,
};

/// Of all its norms.
const EPSILON: f64 = 1e-5;

/// A backbone's maps to a memory for queries and to a map for masks. Clones share the weights.
#[derive(Clone, Debug)]
pub struct PixelDecoder {
    /// To the levels' common channels, in the order of the tensors.
    projections: Vec<NormedConv>,
    /// In the encoder's order.
    levels: Vec<Level>,
    order: LevelOrder,
    /// `[levels, channels]`
    level_embedding: Weight,
    layers: Vec<EncoderLayer>,
    /// To finer maps, the finest last.
    steps: Vec<Step>,
    mask_features: Linear,
    channels: i64,
}

/// What a pixel decoder makes of an image.
#[derive(Debug)]
pub struct PixelFeatures {
    /// `[height / 4, width / 4, mask channels]`: a mask's logits are the product of a query's mask
    /// embedding with each of these.
    pub mask_features: Tensor,
    /// `[cells, channels]`: the levels as queries look at them, in the encoder's order reversed.
    pub memory: Tensor,
    /// The maps that the memory consists of.
    pub levels: Levels,
}

/// What goes into the encoder.
#[derive(Debug)]
pub struct EncoderInput {
    /// `[cells, channels]`
    pub tokens: Tensor,
    /// What each cell's place adds to queries, `[cells, channels]`.
    pub positions: Tensor,
    /// The maps that the tokens consist of, in the encoder's order.
    pub levels: Levels,
}

impl PixelDecoder {
    /// The decoder at `scope`: `input_proj.N`, `transformer`, `adapter_N` and `layer_N`,
    /// `mask_features`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(scope: &Scope<'_>, sizes: &PixelDecoderSizes) -> TorchResult<Self> {
        let PixelDecoderSizes {
            channels, groups, ..
        } = *sizes;
        let projections = sizes.projections().into_iter().enumerate();
        let projections = projections.map(|(index, (input, size))| {
            let scope = scope.at("input_proj").at(index);
            let stride = if size == 3 { 2 } else { 1 };
            let names = [scope.at(0), scope.at(1)];
            NormedConv::load(&names, [input, channels, size], stride, groups)
        });
        let transformer = scope.at("transformer");
        let layers = (0..sizes.layers).map(|index| {
            let scope = transformer.at("encoder.layers").at(index);
            EncoderLayer::load(&scope, sizes.layer())
        });
        let steps = sizes.steps().map(|index| Step::load(scope, index, sizes));
        let mask_features = scope.at("mask_features");
        let weight = mask_features.weight("weight", &[sizes.mask_channels, channels, 1, 1]);
        Ok(Self {
            projections: projections.collect::<TorchResult<_>>()?,
            levels: sizes.levels(),
            order: sizes.order,
            level_embedding: transformer.weight("level_embed", &[sizes.count() as i64, channels]),
            layers: layers.collect::<TorchResult<_>>()?,
            steps: steps.collect::<TorchResult<_>>()?,
            mask_features: Linear {
                weight: weight.map(|weight| weight.f_flatten(1, -1))?,
                bias: Some(mask_features.weight("bias", &[sizes.mask_channels])),
            },
            channels,
        })
    }

    /// The maps of a backbone, from the finest (a quarter of the image's height and width) on, each
    /// `[height, width, channels]` in single precision, to a memory and a map for masks.
    ///
    /// # Errors
    /// Cancelled, between layers; what libtorch reports.
    pub fn forward(&self, features: &[Tensor], call: &Call<'_>) -> Result<PixelFeatures> {
        stage("pixel decoder", || self.run(features, call))
    }

    fn run(&self, features: &[Tensor], call: &Call<'_>) -> Result<PixelFeatures> {
        let input = self.prepare(features).map_err(torch_error)?;
        let (mut tokens, positions, levels) = (input.tokens, input.positions, input.levels);
        let places = levels.centers(tokens.device()).map_err(torch_error)?;
        for layer in &self.layers {
            call.check()?;
            tokens = layer
                .forward(&tokens, &positions, &places, &levels)
                .map_err(torch_error)?;
        }
        drop((positions, places));
        call.check()?;
        self.finish(&tokens, &levels, features).map_err(torch_error)
    }

    /// The layers of the encoder.
    pub fn layers(&self) -> &[EncoderLayer] {
        &self.layers
    }

    /// The maps of a backbone as tokens of the encoder.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn prepare(&self, features: &[Tensor]) -> TorchResult<EncoderInput> {
        let maps = self.project(features)?;
        let mut positions = Vec::with_capacity(maps.len());
        for (level, map) in (0..).zip(&maps) {
            let (height, width, _) = map.size3()?;
            let places = sine_positions(height, width, self.channels, map.device())?;
            positions.push(places.f_add(&self.level_embedding.f_select(0, level)?)?);
        }
        let (positions, _) = Levels::join(&positions)?;
        let (tokens, levels) = Levels::join(&maps)?;
        Ok(EncoderInput {
            tokens,
            positions,
            levels,
        })
    }

    /// One level after the other, each `[height, width, channels]`, in the encoder's order.
    fn project(&self, features: &[Tensor]) -> TorchResult<Vec<Tensor>> {
        let map =
            |level: &Level| self.projections[level.projection].forward(&features[level.feature]);
        self.levels.iter().map(map).collect()
    }

    /// What comes out of the encoder as a memory and a map for masks.
    fn finish(
        &self,
        tokens: &Tensor,
        levels: &Levels,
        features: &[Tensor],
    ) -> TorchResult<PixelFeatures> {
        let mut maps = levels.split(tokens)?;
        let finest = match self.order {
            LevelOrder::FineFirst => 0,
            LevelOrder::CoarseFirst => maps.len() - 1,
        };
        let finest = maps[finest].shallow_clone();
        let mut fine = finest.shallow_clone();
        for (step, feature) in self.steps.iter().zip((0..self.steps.len()).rev()) {
            let from = match self.order {
                // There, each step starts from the finest level, not from the step before.
                LevelOrder::FineFirst => &finest,
                LevelOrder::CoarseFirst => &fine,
            };
            fine = step.forward(from, &features[feature])?;
        }
        let mask_features = self.mask_features.forward(&fine)?;
        maps.reverse();
        let (memory, levels) = Levels::join(&maps)?;
        Ok(PixelFeatures {
            mask_features,
            memory,
            levels,
        })
    }
}
