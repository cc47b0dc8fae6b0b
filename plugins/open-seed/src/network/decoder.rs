//! Queries, chosen by how much they look like one of the classes, to objects.
//!
//! `openseed/body/decoder/openseed_decoder.py`, and `openseed_decoder_decouple.py` for networks with
//! queries of their own for stuff.

use som_core::{Call, Result};
use som_torch::{
    Scope, TorchResult,
    decoder::{
        PixelFeatures, Queries, QueryDecoder,
        proposals::{ProposalHead, Proposals, best},
    },
    nn::{Mlp, Weight},
    torch_error,
};
use tch::Tensor;

use super::config::Config;

/// Added to the length of what is divided by it.
const EPSILON: f64 = 1e-7;

/// What makes objects of a memory. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Decoder {
    pub proposals: ProposalHead,
    pub queries: QueryDecoder,
    /// To what class embeddings are compared with, `[channels, embedding]`.
    class_embed: Weight,
    pub mask_embed: Mlp,
    stuff: Option<StuffQueries>,
    /// Proposals that become queries.
    count: i64,
}

/// Queries that are learned, for stuff.
#[derive(Clone, Debug)]
struct StuffQueries {
    /// `[queries, channels]`
    content: Weight,
    /// The logits of their boxes, `[queries, 4]`.
    boxes: Weight,
}

/// The classes to look for, as the network compares with them.
#[derive(Debug)]
pub(crate) struct ClassWeights {
    /// `[embedding, classes]`
    pub embeddings: Tensor,
    /// What similarities are multiplied with.
    pub scale: f64,
}

/// What came of the queries: first those of proposals, then those for stuff.
#[derive(Debug)]
pub(crate) struct Predictions {
    /// `[queries, classes]`
    pub logits: Tensor,
    /// Centre x and y, width and height, in 0..1 of the padded input, `[queries, 4]`.
    pub boxes: Tensor,
    /// `[queries, mask channels]`
    pub masks: Tensor,
    /// How many of the queries are proposals.
    pub proposals: i64,
}

impl Decoder {
    /// The decoder at `scope`.
    pub(crate) fn load(scope: &Scope<'_>, config: &Config) -> TorchResult<Self> {
        let channels = config.decoder.channels;
        let stuff = (config.stuff_queries > 0).then(|| StuffQueries {
            content: scope.weight("query_feat.weight", &[config.stuff_queries, channels]),
            boxes: scope.weight("query_embed.weight", &[config.stuff_queries, 4]),
        });
        // For training only: it turns classes into queries that are to be found again.
        scope.spare("lang_mapper", &[config.embedding, channels]);
        let mask_widths = [channels, channels, channels, config.pixels.mask_channels];
        Ok(Self {
            proposals: ProposalHead::load(scope, channels),
            queries: QueryDecoder::load(scope, &config.decoder)?,
            class_embed: scope.weight("class_embed", &[channels, config.embedding]),
            mask_embed: Mlp::load(&scope.at("mask_embed"), &mask_widths),
            stuff,
            count: config.queries,
        })
    }

    /// Objects of these classes.
    ///
    /// # Errors
    /// Cancelled, between layers; what libtorch reports.
    pub(crate) fn forward(
        &self,
        image: &PixelFeatures,
        classes: &ClassWeights,
        call: &Call<'_>,
    ) -> Result<Predictions> {
        let memory = self.queries.project(&image.memory, &image.levels);
        let memory = memory.map_err(torch_error)?;
        let queries = self.choose(&memory, image, classes).map_err(torch_error)?;
        let count = queries.content.size()[0];
        let proposals = count - self.stuff_count();
        let objects = self
            .queries
            .forward(queries, &memory, &image.levels, call)?;
        let predict = || {
            // The official decoder norms what has been normed already.
            let content = self.queries.normed(&objects.content)?;
            Ok(Predictions {
                logits: self.class_logits(&content, classes)?,
                masks: self.mask_embed.forward(&content)?,
                boxes: objects.boxes,
                proposals,
            })
        };
        predict().map_err(torch_error)
    }

    fn stuff_count(&self) -> i64 {
        self.stuff
            .as_ref()
            .map_or(0, |stuff| stuff.content.size()[0])
    }

    /// The proposals that look most like one of the classes, and the queries for stuff.
    pub(crate) fn choose(
        &self,
        memory: &Tensor,
        image: &PixelFeatures,
        classes: &ClassWeights,
    ) -> TorchResult<Queries> {
        let proposals = Proposals::new(&image.levels, memory.device())?;
        let content = self.proposals.forward(memory, &proposals)?;
        let logits = self.class_logits(&content, classes)?;
        let logits = logits.f_masked_fill(&proposals.none, f64::NEG_INFINITY)?;
        let chosen = best(&logits, self.count)?;
        let content = content.f_index_select(0, &chosen)?;
        let boxes = proposals.boxes.f_index_select(0, &chosen)?;
        let boxes = boxes.f_add(&self.queries.box_logits(&content)?)?;
        let (content, boxes) = match &self.stuff {
            None => (content, boxes),
            Some(stuff) => (
                Tensor::f_cat(&[&content, &*stuff.content], 0)?,
                Tensor::f_cat(&[&boxes, &*stuff.boxes], 0)?,
            ),
        };
        Ok(Queries {
            content,
            boxes: boxes.f_sigmoid()?,
        })
    }

    /// How much content `[queries, channels]` is like each class: `[queries, classes]`.
    pub(crate) fn class_logits(
        &self,
        content: &Tensor,
        classes: &ClassWeights,
    ) -> TorchResult<Tensor> {
        let embedded = content.f_mm(&self.class_embed)?;
        let length = embedded.f_norm_scalaropt_dim(2, [-1], true)?;
        let embedded = embedded.f_div(&length.f_add_scalar(EPSILON)?)?;
        embedded
            .f_mul_scalar(classes.scale)?
            .f_mm(&classes.embeddings)
    }
}
