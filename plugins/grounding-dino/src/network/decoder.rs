//! Queries, put where the image is most like some token of the text, to objects.
//!
//! Liu et al., *Grounding DINO*, 2023 (arXiv 2303.05499), sections 3.2 and 3.3; official files
//! `groundingdino/models/GroundingDINO/transformer.py`, from the two-stage selection on, and
//! `utils.py`, `ContrastiveEmbed`.
//!
//! Logits of boxes are kept 1e-5 from both ends, as Hugging Face's form does; the official project keeps
//! them 1e-3 away, which shows at boxes as large as the image alone.

use som_core::{Call, Result};
use som_torch::{
    Scope, TorchResult,
    attention::{DeformableAttention, DeformableValues, Levels, MultiHeadAttention},
    decoder::{
        Queries,
        boxes::{inverse_sigmoid, sine_code},
        proposals::{ProposalHead, Proposals, best},
    },
    nn::{LayerNorm, Linear, Mlp, Weight},
    stages::stage,
    torch_error,
};
use tch::Tensor;

use super::config::DecoderSizes;

/// Of all its norms.
const EPSILON: f64 = 1e-5;

/// What makes objects of a memory and a text. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Decoder {
    pub proposals: ProposalHead,
    /// What a proposal's content adds to the logits of its box.
    pub move_proposal: Mlp,
    /// What every query is about before it has seen anything, `[queries, channels]`.
    content: Weight,
    pub layers: Vec<QueryLayer>,
    norm: LayerNorm,
    /// A box's code to what its place adds to a query.
    place: Mlp,
    /// What a query's content adds to the logits of its box.
    move_box: Mlp,
    sizes: DecoderSizes,
}

/// What came of the queries.
#[derive(Debug)]
pub(crate) struct Predictions {
    /// How much each object is like each token, `[queries, tokens]`.
    pub logits: Tensor,
    /// Centre x and y, width and height, in 0..1 of the image, `[queries, 4]`.
    pub boxes: Tensor,
}

impl Decoder {
    /// `transformer` and the head for boxes of `root`.
    pub(crate) fn load(root: &Scope<'_>, sizes: &DecoderSizes) -> TorchResult<Self> {
        let DecoderSizes {
            channels, queries, ..
        } = *sizes;
        let scope = root.at("transformer");
        let decoder = scope.at("decoder");
        let box_widths = [channels, channels, channels, 4];
        let layers =
            (0..sizes.layers).map(|index| QueryLayer::load(&decoder.at("layers").at(index), sizes));
        Ok(Self {
            proposals: ProposalHead::load(&scope, channels),
            move_proposal: Mlp::load(&scope.at("enc_out_bbox_embed"), &box_widths),
            content: scope.at("tgt_embed").weight("weight", &[queries, channels]),
            layers: layers.collect::<TorchResult<_>>()?,
            norm: LayerNorm::load(&decoder.at("norm"), channels, EPSILON),
            place: Mlp::load(
                &decoder.at("ref_point_head"),
                &[2 * channels, channels, channels],
            ),
            move_box: Mlp::load(&box_head(root, sizes.layers, &box_widths), &box_widths),
            sizes: *sizes,
        })
    }

    /// Objects in a memory `[cells, channels]`, which is the maps of `levels`, that are like tokens
    /// `[tokens, channels]`.
    ///
    /// # Errors
    /// Cancelled, between layers; what libtorch reports.
    pub(crate) fn forward(
        &self,
        memory: &Tensor,
        levels: &Levels,
        text: &Tensor,
        call: &Call<'_>,
    ) -> Result<Predictions> {
        stage("decoder", || {
            let mut queries = self.choose(memory, levels, text).map_err(torch_error)?;
            let mut before = queries.boxes.shallow_clone();
            for layer in &self.layers {
                call.check()?;
                before = queries.boxes.shallow_clone();
                let step = || self.step(layer, &queries, memory, levels, text);
                queries = step().map_err(torch_error)?;
            }
            self.predict(&queries, &before, text).map_err(torch_error)
        })
    }

    /// The queries: where the memory is most like some token.
    pub(crate) fn choose(
        &self,
        memory: &Tensor,
        levels: &Levels,
        text: &Tensor,
    ) -> TorchResult<Queries> {
        let proposals = Proposals::new(levels, memory.device())?;
        let content = self.proposals.forward(memory, &proposals)?;
        let chosen = best(&likeness(&content, text)?, self.sizes.queries)?;
        let moved = self
            .move_proposal
            .forward(&content.f_index_select(0, &chosen)?)?;
        let boxes = proposals.boxes.f_index_select(0, &chosen)?.f_add(&moved)?;
        Ok(Queries {
            content: self.content.f_narrow(0, 0, chosen.size1()?)?,
            boxes: boxes.f_sigmoid()?,
        })
    }

    /// Queries through one layer.
    pub(crate) fn step(
        &self,
        layer: &QueryLayer,
        queries: &Queries,
        memory: &Tensor,
        levels: &Levels,
        text: &Tensor,
    ) -> TorchResult<Queries> {
        let values = layer.memory.values(memory, levels)?;
        let code = sine_code(&queries.boxes, self.sizes.channels / 2)?;
        let place = self.place.forward(&code)?;
        let content = layer.forward(queries, &place, text, &values)?;
        let boxes = self.moved(&queries.boxes, &content)?;
        Ok(Queries { content, boxes })
    }

    /// What the queries are, after all layers; `before`: where they were before the last.
    pub(crate) fn predict(
        &self,
        queries: &Queries,
        before: &Tensor,
        text: &Tensor,
    ) -> TorchResult<Predictions> {
        let content = self.normed(&queries.content)?;
        Ok(Predictions {
            logits: likeness(&content, text)?,
            boxes: self.moved(before, &content)?,
        })
    }

    /// The content `[queries, channels]` after the norm that both heads share.
    pub(crate) fn normed(&self, content: &Tensor) -> TorchResult<Tensor> {
        self.norm.forward(content)
    }

    fn moved(&self, boxes: &Tensor, content: &Tensor) -> TorchResult<Tensor> {
        let by = self.move_box.forward(content)?;
        inverse_sigmoid(boxes)?.f_add(&by)?.f_sigmoid()
    }
}

/// How much contents `[queries, channels]` are like tokens `[tokens, channels]`: `[queries, tokens]`.
pub(crate) fn likeness(content: &Tensor, text: &Tensor) -> TorchResult<Tensor> {
    content.f_mm(&text.f_tr()?)
}

/// Where the head for boxes is: all layers share it, and checkpoints hold it once or several times.
fn box_head<'a>(root: &Scope<'a>, layers: i64, widths: &[i64]) -> Scope<'a> {
    let places = [
        root.at("bbox_embed"),
        root.at("transformer.decoder.bbox_embed"),
    ];
    let all = places
        .iter()
        .flat_map(|place| (0..layers).map(move |layer| place.at(layer)));
    let all: Vec<Scope<'a>> = all.collect();
    for place in &all {
        for (index, pair) in widths.windows(2).enumerate() {
            let linear = place.at("layers").at(index);
            linear.spare("weight", &[pair[1], pair[0]]);
            linear.spare("bias", &[pair[1]]);
        }
    }
    let found = all
        .into_iter()
        .find(|place| place.shape("layers.0.weight").is_some());
    found.unwrap_or_else(|| root.at("bbox_embed").at(0))
}

/// Attention among queries, to the text and to the image, and an MLP, each added to what came in and
/// normed.
#[derive(Clone, Debug)]
pub(crate) struct QueryLayer {
    among: MultiHeadAttention,
    norm2: LayerNorm,
    text: MultiHeadAttention,
    text_norm: LayerNorm,
    memory: DeformableAttention,
    norm1: LayerNorm,
    expand: Linear,
    contract: Linear,
    norm3: LayerNorm,
}

impl QueryLayer {
    fn load(scope: &Scope<'_>, sizes: &DecoderSizes) -> TorchResult<Self> {
        let DecoderSizes {
            channels,
            heads,
            levels,
            points,
            hidden,
            ..
        } = *sizes;
        let memory = scope.at("cross_attn");
        let norm = |name| LayerNorm::load(&scope.at(name), channels, EPSILON);
        Ok(Self {
            among: MultiHeadAttention::load(&scope.at("self_attn"), channels, heads)?,
            norm2: norm("norm2"),
            text: MultiHeadAttention::load(&scope.at("ca_text"), channels, heads)?,
            text_norm: norm("catext_norm"),
            memory: DeformableAttention::load(&memory, channels, heads, levels, points)?,
            norm1: norm("norm1"),
            expand: Linear::load(&scope.at("linear1"), channels, hidden),
            contract: Linear::load(&scope.at("linear2"), hidden, channels),
            norm3: norm("norm3"),
        })
    }

    /// The content of queries whose place adds `place` `[queries, channels]`, after the layer.
    fn forward(
        &self,
        queries: &Queries,
        place: &Tensor,
        text: &Tensor,
        values: &DeformableValues,
    ) -> TorchResult<Tensor> {
        let Queries { content, boxes } = queries;
        let placed = content.f_add(place)?;
        let mut x = self.among.forward(&placed, &placed, content, None)?;
        let x = self.norm2.forward(&x.f_add_(content)?)?;
        let mut read = self.text.forward(&x.f_add(place)?, text, text, None)?;
        let x = self.text_norm.forward(&read.f_add_(&x)?)?;
        let mut found = self.memory.forward(&x.f_add(place)?, boxes, values)?;
        let mut x = self.norm1.forward(&found.f_add_(&x)?)?;
        let hidden = self.expand.forward(&x)?.f_relu_()?;
        self.norm3
            .forward(&x.f_add_(&self.contract.forward(&hidden)?)?)
    }
}
