//! The Mask DINO network.
//!
//! Li et al., *Mask DINO: Towards A Unified Transformer-based Framework for Object Detection and
//! Segmentation*, 2022 (arXiv 2206.02777); official project `IDEA-Research/MaskDINO`, whose names the
//! tensors carry. Where the arithmetic is arranged otherwise than there, the result is the same and
//! the place says why.

mod backbone;
mod config;
mod heads;
mod selection;

use som_core::{Call, Result};
use som_torch::{
    Loader, Source,
    decoder::{Objects, PixelDecoder, PixelFeatures, QueryDecoder},
    stages::stage,
    torch_error,
};
use tch::{Kind, Tensor};

pub(crate) use self::config::{Config, Output, Task};
use self::{backbone::Backbone, heads::Heads, selection::QuerySelection};

/// Backbone, pixel decoder, and decoder of queries. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub config: Config,
    backbone: Backbone,
    pixel_decoder: PixelDecoder,
    selection: QuerySelection,
    queries: QueryDecoder,
    heads: Heads,
}

/// What the network says about an image.
#[derive(Debug)]
pub(crate) struct Answer {
    /// `[queries, classes]`, and perhaps a column more for "no object".
    pub class_logits: Tensor,
    /// `[queries, 4]`: centre x and y, width and height, in 0..1 of the padded image.
    pub boxes: Tensor,
    /// `[queries, channels]`
    pub mask_embeddings: Tensor,
    /// `[rows, columns, channels]`: a mask's logits are the product of its embedding with each of
    /// these.
    pub mask_features: Tensor,
}

impl Network {
    /// Loads the network of `source`.
    ///
    /// The precision is the backbone's. All behind it computes in single precision, as in the official
    /// project, whatever the backbone's is.
    ///
    /// # Errors
    /// Invalid, if the files hold another network, with every tensor that does not fit, or contradict
    /// each other; Exhausted, if memory runs out.
    pub(crate) fn load(source: &Source) -> Result<Self> {
        let compute = source.compute;
        let loader = Loader::new(&source.checkpoint, compute.device)?;
        let root = loader.root(Kind::Float);
        let config = Config::of(&root, source)?;
        let head = root.at("sem_seg_head");
        let predictor = head.at("predictor");
        let backbone = Backbone::load(
            &loader.root(compute.kind()).at("backbone"),
            &config.backbone,
        );
        let pixel_decoder = PixelDecoder::load(&head.at("pixel_decoder"), &config.pixel_decoder);
        let queries = QueryDecoder::load(&predictor, &config.queries);
        let heads = Heads::load(&predictor, &config);
        let selection = QuerySelection::load(&predictor, &config);
        // Only training needs these.
        predictor.spare(
            "label_enc.weight",
            &[config.classes, config.queries.channels],
        );
        root.at("criterion").leave("empty_weight");
        // First what does not fit: with placeholders in it, the network may not have been built.
        loader.finish()?;
        Ok(Self {
            backbone: backbone.map_err(torch_error)?,
            pixel_decoder: pixel_decoder.map_err(torch_error)?,
            queries: queries.map_err(torch_error)?,
            heads,
            selection,
            config,
        })
    }

    /// A normalised image `[height, width, 3]`, padded, to what is in it.
    ///
    /// # Errors
    /// Cancelled, between layers; Exhausted, if memory runs out.
    pub(crate) fn forward(&self, image: &Tensor, call: &Call<'_>) -> Result<Answer> {
        let maps = self.backbone.forward(image, call)?;
        let features = self.pixel_decoder.forward(&maps, call)?;
        drop(maps);
        stage("decoder", || self.decode(features, call))
    }

    /// What the pixel decoder made of an image, to what is in it.
    fn decode(&self, features: PixelFeatures, call: &Call<'_>) -> Result<Answer> {
        let PixelFeatures {
            mask_features,
            memory,
            levels,
        } = features;
        let memory = self
            .queries
            .project(&memory, &levels)
            .map_err(torch_error)?;
        let queries = self
            .selection
            .choose(&self.queries, &self.heads, &memory, &levels, &mask_features)
            .map_err(torch_error)?;
        let Objects { content, boxes } = self.queries.forward(queries, &memory, &levels, call)?;
        let answer = || {
            let content = self.queries.normed(&content)?;
            Ok(Answer {
                class_logits: self.heads.classes(&content)?,
                boxes,
                mask_embeddings: self.heads.masks(&content)?,
                mask_features,
            })
        };
        answer().map_err(torch_error)
    }

    /// Numbers that it holds at its peak for an image of `height` x `width` pixels.
    pub(crate) fn activations(&self, height: i64, width: i64) -> u64 {
        let Config {
            backbone,
            pixel_decoder,
            queries,
            ..
        } = &self.config;
        let cell = |[height, width]: &[i64; 2]| height * width;
        let maps = pixel_decoder.extents(height, width);
        let memory: u64 = maps.iter().map(cell).sum::<i64>().unsigned_abs();
        let fine = (height / 4 * (width / 4)).unsigned_abs();
        let count = self.config.query_count().unsigned_abs();
        let masks = fine * (count + pixel_decoder.mask_channels.unsigned_abs());
        let features = backbone.features();
        let maps = features.iter().zip(2..).map(|(channels, shift)| {
            ((height >> shift) * (width >> shift) * channels).unsigned_abs()
        });
        let stages = [
            backbone.activations(height, width),
            maps.sum::<u64>() + pixel_decoder.activations(height, width),
            masks + queries.activations(count, memory),
        ];
        stages.into_iter().max().unwrap_or_default()
    }
}

/// The logits of masks, `[masks, rows, columns]`: of embeddings `[masks, channels]` in features
/// `[rows, columns, channels]`.
///
/// # Errors
/// What libtorch reports.
pub(crate) fn mask_logits(embeddings: &Tensor, features: &Tensor) -> Result<Tensor, tch::TchError> {
    let (rows, columns, channels) = features.size3()?;
    embeddings
        .f_mm(&features.f_view([rows * columns, channels])?.f_tr()?)?
        .f_view([-1, rows, columns])
}

#[cfg(test)]
mod tests;
