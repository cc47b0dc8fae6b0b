//! Queries that become objects, layer by layer: each looks at the others, and at the memory around
//! its box, which it moves.
//!
//! Zhang et al., *DINO*, 2022 (arXiv 2203.03605); `IDEA-Research/MaskDINO`,
//! `maskdino/modeling/transformer_decoder/dino_decoder.py`, whose names the tensors carry.
//! Semantic-SAM and OpenSeeD have the same.

mod layer;
mod sizes;

use som_core::{Call, Result};
use tch::Tensor;

use self::layer::QueryLayer;
pub use self::sizes::QueryDecoderSizes;
use super::boxes::{inverse_sigmoid, sine_code};
use crate::{
    Scope, TorchResult,
    attention::{DeformableValues, Levels},
    nn::{LayerNorm, Linear, Mlp},
    torch_error,
};

/// Of all its norms.
const EPSILON: f64 = 1e-5;

/// Queries to objects. Clones share the weights.
#[derive(Clone, Debug)]
pub struct QueryDecoder {
    /// To the queries' channels, one for each level in reverse; none where those are the memory's.
    projections: Vec<Linear>,
    layers: Vec<QueryLayer>,
    norm: LayerNorm,
    /// A box's code to what its place adds to a query.
    place: Mlp,
    /// A query's content to what is added to the logits of its box.
    move_box: Mlp,
    channels: i64,
}

/// Queries, before or after some layer.
#[derive(Debug)]
pub struct Queries {
    /// What each is about, `[queries, channels]`.
    pub content: Tensor,
    /// Where it is, `[queries, 4]`: centre x and y, width and height, in 0..1.
    pub boxes: Tensor,
}

/// What came of queries.
#[derive(Debug)]
pub struct Objects {
    /// The content after all layers, normed, `[queries, channels]`.
    pub content: Tensor,
    /// Where each object is, `[queries, 4]`: centre x and y, width and height, in 0..1.
    pub boxes: Tensor,
}

impl QueryDecoder {
    /// The decoder at `scope`: `decoder`, `decoder_norm`, the head for boxes, `_bbox_embed`, and
    /// `input_proj.N`, where there are any.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(scope: &Scope<'_>, sizes: &QueryDecoderSizes) -> TorchResult<Self> {
        let QueryDecoderSizes { channels, .. } = *sizes;
        let decoder = scope.at("decoder");
        let layers =
            (0..sizes.layers).map(|index| QueryLayer::load(&decoder.at("layers").at(index), sizes));
        let projections = (0..sizes.projections).map(|index| {
            let scope = scope.at("input_proj").at(index);
            let weight = scope.weight("weight", &[channels, sizes.memory, 1, 1]);
            Ok(Linear {
                weight: weight.map(|weight| weight.f_flatten(1, -1))?,
                bias: Some(scope.weight("bias", &[channels])),
            })
        });
        let loaded = Self {
            projections: projections.collect::<TorchResult<_>>()?,
            layers: layers.collect::<TorchResult<_>>()?,
            norm: LayerNorm::load(&scope.at("decoder_norm"), channels, EPSILON),
            place: Mlp::load(
                &decoder.at("ref_point_head"),
                &[2 * channels, channels, channels],
            ),
            move_box: Mlp::load(&scope.at("_bbox_embed"), &sizes.box_widths()),
            channels,
        };
        sizes.leave_repeated(scope);
        Ok(loaded)
    }

    /// A memory `[cells, channels]` as queries look at it, with their number of channels.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn project(&self, memory: &Tensor, levels: &Levels) -> TorchResult<Tensor> {
        if self.projections.is_empty() {
            return Ok(memory.shallow_clone());
        }
        let maps = levels.split(memory)?;
        let projections = self.projections.iter().rev();
        let maps = maps.iter().zip(projections);
        let maps: TorchResult<Vec<Tensor>> = maps
            .map(|(map, projection)| projection.forward(map))
            .collect();
        Ok(Levels::join(&maps?)?.0)
    }

    /// What each layer sees of a memory `[cells, channels]` with the queries' number of channels: for
    /// many queries, one after the other.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn values(&self, memory: &Tensor, levels: &Levels) -> TorchResult<Vec<DeformableValues>> {
        let layers = self.layers.iter();
        layers.map(|layer| layer.values(memory, levels)).collect()
    }

    /// Queries, all of which know of each other, to objects in a memory `[cells, channels]`.
    ///
    /// # Errors
    /// Cancelled, between layers; what libtorch reports.
    pub fn forward(
        &self,
        queries: Queries,
        memory: &Tensor,
        levels: &Levels,
        call: &Call<'_>,
    ) -> Result<Objects> {
        let step = |index: usize, queries: &Queries| {
            let values = self.layers[index].values(memory, levels)?;
            self.step(index, queries, &values)
        };
        self.run(queries, step, call)
    }

    /// The same in a memory of which it is known what each layer [sees](Self::values).
    ///
    /// # Errors
    /// Cancelled, between layers; what libtorch reports.
    pub fn forward_in(
        &self,
        queries: Queries,
        values: &[DeformableValues],
        call: &Call<'_>,
    ) -> Result<Objects> {
        let step = |index: usize, queries: &Queries| self.step(index, queries, &values[index]);
        self.run(queries, step, call)
    }

    fn run(
        &self,
        mut queries: Queries,
        step: impl Fn(usize, &Queries) -> TorchResult<Queries>,
        call: &Call<'_>,
    ) -> Result<Objects> {
        let mut before = queries.boxes.shallow_clone();
        for index in 0..self.layers.len() {
            call.check()?;
            before = queries.boxes.shallow_clone();
            queries = step(index, &queries).map_err(torch_error)?;
        }
        let finish = || {
            let content = self.normed(&queries.content)?;
            let boxes = self.moved(&before, &content)?;
            Ok(Objects { content, boxes })
        };
        finish().map_err(torch_error)
    }

    /// Queries through one layer, which sees these values of the memory.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn step(
        &self,
        index: usize,
        queries: &Queries,
        values: &DeformableValues,
    ) -> TorchResult<Queries> {
        let code = sine_code(&queries.boxes, self.channels / 2)?;
        let place = self.place.forward(&code)?;
        let content = self.layers[index].forward(queries, &place, values)?;
        let boxes = self.moved(&queries.boxes, &content)?;
        Ok(Queries { content, boxes })
    }

    /// Boxes moved as the content says.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn moved(&self, boxes: &Tensor, content: &Tensor) -> TorchResult<Tensor> {
        let by = self.move_box.forward(content)?;
        inverse_sigmoid(boxes)?.f_add_(&by)?.f_sigmoid()
    }

    /// What the content `[queries, channels]` of proposals adds to the logits of their boxes:
    /// `[queries, 4]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn box_logits(&self, content: &Tensor) -> TorchResult<Tensor> {
        self.move_box.forward(content)
    }

    /// The content `[queries, channels]` after the norm that all heads share.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn normed(&self, content: &Tensor) -> TorchResult<Tensor> {
        self.norm.forward(content)
    }
}
