//! Cells of the image and tokens of the prompt tell each other what they are about.
//!
//! Liu et al., *PolyFormer*, 2023 (arXiv 2302.07387), section 3.2; official files
//! `models/polyformer/unify_transformer.py`, `TransformerEncoder`, and `unify_transformer_layer.py`.

use som_core::{Call, Result};
use som_torch::{
    Scope, TorchResult,
    nn::{LayerNorm, Linear, Weight},
    stages::stage,
    torch_error,
};
use tch::Tensor;

use super::{
    attention::{EPSILON, HeadAttention, NormedMlp},
    config::{Config, LayerSizes},
    places::{
        DistanceTable, PlaceProduct, cell_distances, cell_places, count_of_cell_distances,
        token_distances,
    },
};

/// Rows of the embeddings of what comes in.
const TEXT: i64 = 0;
const IMAGE: i64 = 1;

/// What makes a memory of an image and a prompt. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Encoder {
    /// To the channels of the rest of the network.
    project: Linear,
    /// `[2, channels]`: what is text, and what is image.
    kinds: Weight,
    text_norm: LayerNorm,
    image_norm: LayerNorm,
    /// `[positions, channels]`
    text_places: Weight,
    text_place_norm: LayerNorm,
    /// `[bucket² + 1, channels]`
    image_places: Weight,
    image_place_norm: LayerNorm,
    product: PlaceProduct,
    pub layers: Vec<Layer>,
    norm: LayerNorm,
    sizes: LayerSizes,
    image_bucket: i64,
    /// Cells along a side of an image.
    side: i64,
}

/// What the decoder looks at.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Cells, then tokens, `[cells + tokens, channels]`.
    pub content: Tensor,
    /// Where they stand, normed, of the same shape.
    pub places: Tensor,
}

impl Encoder {
    /// `encoder` of `root`, but for backbone and BERT, for images of `config`'s size.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn load(root: &Scope<'_>, config: &Config, seen: i64) -> TorchResult<Self> {
        let scope = root.at("encoder");
        let (sizes, bucket) = (config.encoder, config.image_bucket);
        let channels = sizes.channels;
        // Constants, which are computed here.
        for name in ["version", "token_rp_bucket", "image_rp_bucket"] {
            scope.leave(name);
        }
        let table = |name: &str, rows| scope.at(name).weight("weight", &[rows, channels]);
        let norm = |name: &str| LayerNorm::load(&scope.at(name), channels, EPSILON);
        let layers = (0..sizes.layers).map(|index| Layer::load(&scope, index, &sizes, bucket));
        let product = ["pos_q_linear", "pos_k_linear"];
        Ok(Self {
            project: Linear::load(&scope.at("image_proj"), seen, channels),
            kinds: table("type_embedding", 2),
            text_norm: norm("layernorm_embedding"),
            image_norm: norm("patch_layernorm_embedding"),
            text_places: table("embed_positions", sizes.positions),
            text_place_norm: norm("pos_ln"),
            image_places: table("embed_image_positions", bucket * bucket + 1),
            image_place_norm: norm("image_pos_ln"),
            product: PlaceProduct::load(&scope, product, &sizes),
            layers: layers.collect::<TorchResult<_>>()?,
            norm: norm("layer_norm"),
            sizes,
            image_bucket: bucket,
            side: config.side(),
        })
    }

    /// The backbone's map `[rows, columns, channels there]` as cells `[cells, channels]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn cells(&self, map: &Tensor) -> TorchResult<Tensor> {
        let cells = self.project.forward(&map.f_flatten(0, 1)?)?;
        self.image_norm
            .forward(&cells.f_add(&self.kinds.f_select(0, IMAGE)?)?)
    }

    /// What BERT gives, as tokens: `[tokens, channels]` both.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn tokens(&self, read: &Tensor) -> TorchResult<Tensor> {
        self.text_norm
            .forward(&read.f_add(&self.kinds.f_select(0, TEXT)?)?)
    }

    /// What becomes of cells `[cells, channels]` and tokens `[tokens, channels]`.
    ///
    /// # Errors
    /// Cancelled, between layers; what libtorch reports.
    pub(crate) fn forward(
        &self,
        cells: &Tensor,
        tokens: &Tensor,
        call: &Call<'_>,
    ) -> Result<Memory> {
        stage("encoder", || {
            let places = self.places(tokens).map_err(torch_error)?;
            let mut x = Tensor::f_cat(&[cells, tokens], 0).map_err(torch_error)?;
            for layer in &self.layers {
                call.check()?;
                x = layer.forward(&x, &places).map_err(torch_error)?;
            }
            Ok(Memory {
                content: self.norm.forward(&x).map_err(torch_error)?,
                places: places.content,
            })
        })
    }

    /// The places of all cells, then of tokens.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn places(&self, tokens: &Tensor) -> TorchResult<Places> {
        let (device, count) = (tokens.device(), tokens.size2()?.0);
        let LayerSizes { token_bucket, .. } = self.sizes;
        let of_cells = cell_places(self.image_bucket, self.side, device)?;
        let of_cells = self.image_places.f_index_select(0, &of_cells)?;
        let of_tokens = self.text_places.f_narrow(0, 0, count)?;
        let content = Tensor::f_cat(
            &[
                self.image_place_norm.forward(&of_cells)?,
                self.text_place_norm.forward(&of_tokens)?,
            ],
            0,
        )?;
        Ok(Places {
            product: self.product.forward(&content, &content)?,
            content,
            between_cells: cell_distances(self.image_bucket, self.side, device)?,
            between_tokens: token_distances(token_bucket, count, device)?,
        })
    }
}

/// Where cells and tokens stand.
#[derive(Debug)]
pub(crate) struct Places {
    /// Normed, `[cells + tokens, channels]`.
    content: Tensor,
    /// How well they fit each other, `[heads, cells + tokens, cells + tokens]`.
    product: Tensor,
    /// Distances, `[cells, cells]` and `[tokens, tokens]`.
    between_cells: Tensor,
    between_tokens: Tensor,
}

/// Attention to all that there is, then an MLP.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    before: LayerNorm,
    attention: HeadAttention,
    mlp: NormedMlp,
    text: DistanceTable,
    image: DistanceTable,
}

impl Layer {
    fn load(encoder: &Scope<'_>, index: i64, sizes: &LayerSizes, bucket: i64) -> TorchResult<Self> {
        let scope = encoder.at("layers").at(index);
        let table = |name: &str, rows| {
            let scope = encoder.at(name).at(index);
            DistanceTable::load(&scope, rows, sizes.heads)
        };
        let distances = 2 * sizes.token_bucket - 1;
        Ok(Self {
            before: LayerNorm::load(&scope.at("self_attn_layer_norm"), sizes.channels, EPSILON),
            attention: HeadAttention::load(&scope, "self_attn", "attn_ln", sizes)?,
            mlp: NormedMlp::load(&scope, sizes),
            text: table("token_rel_pos_table_list", distances),
            image: table("image_rel_pos_table_list", count_of_cell_distances(bucket)),
        })
    }

    /// `[cells + tokens, channels]` to the same.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn forward(&self, x: &Tensor, places: &Places) -> TorchResult<Tensor> {
        let bias = self.bias(places)?;
        let normed = self.before.forward(x)?;
        let seen = self.attention.keys_and_values(&normed)?;
        let x = self.attention.forward(&normed, &seen, &bias)?.f_add_(x)?;
        self.mlp.forward(&x)
    }

    /// What is added to the logits, `[heads, cells + tokens, cells + tokens]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn bias(&self, places: &Places) -> TorchResult<Tensor> {
        let Places {
            product,
            between_cells,
            between_tokens,
            ..
        } = places;
        let (cells, tokens) = (between_cells.size2()?.0, between_tokens.size2()?.0);
        let image = self.image.of(between_cells)?;
        let bias = product.f_add(&image.f_constant_pad_nd([0, tokens, 0, tokens])?)?;
        let mut text = bias
            .f_narrow(1, cells, tokens)?
            .f_narrow(2, cells, tokens)?;
        let _ = text.f_add_(&self.text.of(between_tokens)?)?;
        Ok(bias)
    }
}
