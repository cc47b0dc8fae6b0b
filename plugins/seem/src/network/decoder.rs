//! Queries to objects: what is learned to be asked, and what hints ask.
//!
//! `modeling/interface/seem_v1.py`, and `prototype/attention_data_struct_seemv1.py` for what sees
//! what. There one sequence holds everything: queries for objects, copies of them for words and for
//! strokes, and the tokens of words and strokes; a mask keeps them apart. By that mask the queries for
//! objects see nobody else and nobody sees them, and the same holds for words and their queries, and
//! for each stroke and its queries. So each of these runs by itself here, and what is not asked is
//! not computed.

use som_core::{Call, Result};
use som_torch::{
    Scope, TorchResult,
    decoder::PyramidFeatures,
    nn::{LayerNorm, Mlp, Weight, sine_positions},
    torch_error,
};
use tch::Tensor;

use super::{
    config::Config,
    layer::{EPSILON, Layer, Level, Placed},
};

/// Added to the length of what is divided by it.
const TINY: f64 = 1e-7;

/// What makes objects of an image. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Decoder {
    pub layers: Vec<Layer>,
    norm: LayerNorm,
    /// What is learned to be asked, `[queries, channels]`.
    content: Weight,
    place: Weight,
    /// What being of a level adds to its cells, `[levels, channels]`.
    level_embedding: Weight,
    mask_embed: Mlp,
    /// To what texts are compared with, `[channels, embedding]`.
    class_embed: Weight,
}

/// Queries before or after some layer, both `[queries, channels]`.
#[derive(Debug)]
pub(crate) struct Queries {
    pub content: Tensor,
    pub place: Tensor,
}

/// Whom queries confer with, beside each other.
#[derive(Debug)]
pub(crate) enum Company {
    /// Nobody.
    None,
    /// Words, which change along with the queries.
    Words {
        /// `[tokens, channels]`
        content: Tensor,
        /// What they were at first.
        place: Tensor,
    },
    /// Points on an image, which each layer sees afresh, at its level.
    Points {
        /// For each level `[points, channels]`.
        tokens: Vec<Tensor>,
        /// For each level which queries and, after these, which points a query sees:
        /// `[queries, queries + points]`.
        visible: Vec<Tensor>,
    },
}

/// The classes to look for, as the network compares with them.
#[derive(Debug)]
pub(crate) struct ClassWeights {
    /// `[embedding, classes]`
    pub embeddings: Tensor,
    /// What similarities are multiplied with.
    pub scale: f64,
}

impl Decoder {
    /// The decoder at `scope`.
    pub(crate) fn load(scope: &Scope<'_>, config: &Config) -> TorchResult<Self> {
        let sizes = &config.decoder;
        let channels = sizes.channels;
        let queries = [sizes.queries, channels];
        let layers = (0..sizes.layers).map(|index| Layer::load(scope, index, sizes));
        let widths = [channels, channels, channels, config.pixels.mask_channels];
        Ok(Self {
            layers: layers.collect::<TorchResult<_>>()?,
            norm: LayerNorm::load(&scope.at("decoder_norm"), channels, EPSILON),
            content: scope.weight("query_feat.weight", &queries),
            place: scope.weight("query_embed.weight", &queries),
            level_embedding: scope.weight("level_embed.weight", &[sizes.levels, channels]),
            mask_embed: Mlp::load(&scope.at("mask_embed"), &widths),
            class_embed: scope.weight("class_embed", &[channels, config.embedding]),
        })
    }

    /// An image as queries look at it.
    pub(crate) fn levels(&self, features: &PyramidFeatures) -> TorchResult<Vec<Level>> {
        let masks = features
            .mask_features
            .f_permute([2, 0, 1])?
            .f_unsqueeze(0)?;
        let level = |(index, map): (i64, &Tensor)| {
            let (height, width, channels) = map.size3()?;
            let embedding = self.level_embedding.f_select(0, index)?;
            let values = map.f_add(&embedding)?.f_flatten(0, 1)?;
            let places = sine_positions(height, width, channels, map.device())?;
            // Masks are linear in their features, so that these can be resized in their stead.
            let masks = masks
                .f_upsample_bilinear2d([height, width], false, None, None)?
                .f_squeeze_dim(0)?
                .f_permute([1, 2, 0])?
                .f_flatten(0, 1)?;
            Ok(Level {
                height,
                width,
                keys: values.f_add(&places.f_flatten(0, 1)?)?,
                values,
                masks: masks.f_contiguous()?,
            })
        };
        (0..).zip(&features.levels).map(level).collect()
    }

    /// All queries that are learned.
    pub(crate) fn queries(&self) -> Queries {
        Queries {
            content: self.content.shallow_clone(),
            place: self.place.shallow_clone(),
        }
    }

    /// Copies of the learned queries at these indices.
    pub(crate) fn copies(&self, indices: &[i64]) -> TorchResult<Queries> {
        let indices = Tensor::f_from_slice(indices)?.f_to_device(self.content.device())?;
        Ok(Queries {
            content: self.content.f_index_select(0, &indices)?,
            place: self.place.f_index_select(0, &indices)?,
        })
    }

    /// Queries after all layers, normed: `[queries, channels]`.
    ///
    /// # Errors
    /// Cancelled, between layers; what libtorch reports.
    pub(crate) fn forward(
        &self,
        mut queries: Queries,
        levels: &[Level],
        mut company: Company,
        call: &Call<'_>,
    ) -> Result<Tensor> {
        for index in 0..self.layers.len() {
            call.check()?;
            queries.content = self
                .step(index, &queries, levels, &mut company)
                .map_err(torch_error)?;
        }
        self.normed(&queries.content).map_err(torch_error)
    }

    /// Queries after layer `index`.
    pub(crate) fn step(
        &self,
        index: usize,
        queries: &Queries,
        levels: &[Level],
        company: &mut Company,
    ) -> TorchResult<Tensor> {
        let Queries { content, place } = queries;
        let layer = &self.layers[index];
        let at = index % levels.len();
        let level = &levels[at];
        let visible = opened(&self.visible(content, level)?)?;
        let content = layer.look(&Placed { content, place }, level, &visible)?;
        let content = self.confer(
            layer,
            at,
            &Placed {
                content: &content,
                place,
            },
            company,
        )?;
        let count = place.size()[0];
        let Company::Words { content: words, .. } = company else {
            return layer.think(&content);
        };
        let all = layer.think(&content)?;
        *words = all.f_narrow(0, count, all.size()[0] - count)?;
        all.f_narrow(0, 0, count)
    }

    /// Queries, with the words of their company behind them, after they conferred.
    pub(crate) fn confer(
        &self,
        layer: &Layer,
        level: usize,
        queries: &Placed<'_>,
        company: &Company,
    ) -> TorchResult<Tensor> {
        let after = |a: &Tensor, b: &Tensor| Tensor::f_cat(&[a, b], 0);
        match company {
            Company::None => layer.confer(queries, queries, None),
            Company::Words { content, place } => {
                let content = after(queries.content, content)?;
                let place = after(queries.place, place)?;
                let all = Placed {
                    content: &content,
                    place: &place,
                };
                layer.confer(&all, &all, None)
            }
            Company::Points { tokens, visible } => {
                // A point's place is what the point is.
                let content = after(queries.content, &tokens[level])?;
                let place = after(queries.place, &tokens[level])?;
                let others = Placed {
                    content: &content,
                    place: &place,
                };
                layer.confer(queries, &others, Some(&visible[level]))
            }
        }
    }

    /// Which cells of a level lie in the mask that each query has by now, `[queries, cells]`.
    pub(crate) fn visible(&self, content: &Tensor, level: &Level) -> TorchResult<Tensor> {
        let masks = self.masks(&self.normed(content)?)?;
        masks.f_mm(&level.masks.f_tr()?)?.f_sigmoid_()?.f_ge(0.5)
    }

    /// Content as predictions are made of it.
    pub(crate) fn normed(&self, content: &Tensor) -> TorchResult<Tensor> {
        self.norm.forward(content)
    }

    /// The mask embeddings of normed queries, `[queries, mask channels]`.
    pub(crate) fn masks(&self, normed: &Tensor) -> TorchResult<Tensor> {
        self.mask_embed.forward(normed)
    }

    /// Normed queries as texts are compared with them, `[queries, embedding]`.
    pub(crate) fn texts(&self, normed: &Tensor) -> TorchResult<Tensor> {
        normed.f_mm(&self.class_embed)
    }

    /// How much normed queries are like each class, `[queries, classes]`.
    pub(crate) fn class_logits(
        &self,
        normed: &Tensor,
        classes: &ClassWeights,
    ) -> TorchResult<Tensor> {
        unit(&self.texts(normed)?)?
            .f_mul_scalar(classes.scale)?
            .f_mm(&classes.embeddings)
    }
}

/// Rows of length 1.
pub(crate) fn unit(x: &Tensor) -> TorchResult<Tensor> {
    let length = x.f_norm_scalaropt_dim(2, [-1], true)?;
    x.f_div(&length.f_add_scalar(TINY)?)
}

/// Whoever sees nothing sees everything.
pub(super) fn opened(visible: &Tensor) -> TorchResult<Tensor> {
    let blind = visible.f_any_dim(-1, true)?.f_logical_not()?;
    visible.f_logical_or(&blind)
}
