//! The feature enhancer: image and text tell each other what they are about, layer by layer.
//!
//! Liu et al., *Grounding DINO*, 2023 (arXiv 2303.05499), section 3.1; official file
//! `groundingdino/models/GroundingDINO/transformer.py`, `TransformerEncoder`.

use som_core::{Call, Result};
use som_torch::{
    Scope, TorchResult,
    attention::{Fusion, Levels, MultiHeadAttention},
    decoder::{EncoderLayer, EncoderLayerSizes},
    nn::{LayerNorm, Linear},
    stages::stage,
    torch_error,
};
use tch::Tensor;

use super::text::ReadText;

/// Of the text layers' norms.
const EPSILON: f64 = 1e-5;

/// Every size of the feature enhancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EncoderSizes {
    /// How many layers.
    pub layers: i64,
    /// Of the layers of the image.
    pub image: EncoderLayerSizes,
    /// Channels of all heads of the fusion together.
    pub fusion: i64,
    /// Heads of the fusion, and of the tokens' attention to each other.
    pub text_heads: i64,
    /// Channels inside the MLPs of the text.
    pub text_hidden: i64,
}

impl EncoderSizes {
    /// Numbers that it holds at its peak for so many cells and tokens: cells, positions, and for the
    /// fusion what the norm gives, likenesses and shares, and what is found; for attention the sum of
    /// both, values twice, what queries ask and find; or what is inside the MLP.
    pub(crate) fn activations(&self, cells: i64, tokens: i64) -> u64 {
        let EncoderLayerSizes {
            channels,
            heads,
            levels,
            points,
            hidden,
        } = self.image;
        let fusing = 5 * channels + 3 * self.text_heads * tokens;
        let attending = 7 * channels + 6 * heads * levels * points;
        let thinking = 4 * channels + hidden;
        (cells * fusing.max(attending).max(thinking)).unsigned_abs()
    }
}

/// Cells and tokens to the same, each knowing of the others. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Encoder {
    layers: Vec<Layer>,
}

/// One layer: first an exchange, then each by itself.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub fusion: Fusion,
    pub text: TextLayer,
    pub image: EncoderLayer,
}

impl Encoder {
    /// `fusion_layers.N`, `text_layers.N` and `layers.N` of `scope`.
    pub(crate) fn load(scope: &Scope<'_>, sizes: &EncoderSizes) -> TorchResult<Self> {
        let channels = sizes.image.channels;
        let layer = |index: i64| {
            let at = |list: &str| scope.at(list).at(index);
            let fusion = at("fusion_layers");
            TorchResult::Ok(Layer {
                fusion: Fusion::load(&fusion, [channels; 2], sizes.fusion, sizes.text_heads),
                text: TextLayer::load(&at("text_layers"), sizes)?,
                image: EncoderLayer::load(&at("layers"), sizes.image)?,
            })
        };
        Ok(Self {
            layers: (0..sizes.layers).map(layer).collect::<TorchResult<_>>()?,
        })
    }

    /// In order.
    #[cfg(test)]
    pub(crate) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The cells `[cells, channels]` of an image, whose `positions` are of the same shape, and a text:
    /// what becomes of the cells, and of the tokens `[tokens, channels]`.
    ///
    /// # Errors
    /// Cancelled, between layers; what libtorch reports.
    pub(crate) fn forward(
        &self,
        cells: &Tensor,
        positions: &Tensor,
        levels: &Levels,
        text: &ReadText,
        call: &Call<'_>,
    ) -> Result<(Tensor, Tensor)> {
        stage("encoder", || {
            let places = levels.centers(cells.device()).map_err(torch_error)?;
            let (mut cells, mut tokens) = (cells.shallow_clone(), text.tokens.shallow_clone());
            for layer in &self.layers {
                call.check()?;
                let step = || {
                    let (cells, tokens) = layer.fusion.forward(&cells, &tokens)?;
                    let tokens = layer.text.forward(&tokens, text)?;
                    let cells = layer.image.forward(&cells, positions, &places, levels)?;
                    TorchResult::Ok((cells, tokens))
                };
                (cells, tokens) = step().map_err(torch_error)?;
            }
            Ok((cells, tokens))
        })
    }
}

/// Tokens look at those of their phrase, and think about it.
#[derive(Clone, Debug)]
pub(crate) struct TextLayer {
    attention: MultiHeadAttention,
    norm1: LayerNorm,
    expand: Linear,
    contract: Linear,
    norm2: LayerNorm,
}

impl TextLayer {
    fn load(scope: &Scope<'_>, sizes: &EncoderSizes) -> TorchResult<Self> {
        let (channels, hidden) = (sizes.image.channels, sizes.text_hidden);
        let attention = scope.at("self_attn");
        let norm = |name| LayerNorm::load(&scope.at(name), channels, EPSILON);
        Ok(Self {
            attention: MultiHeadAttention::load(&attention, channels, sizes.text_heads)?,
            norm1: norm("norm1"),
            expand: Linear::load(&scope.at("linear1"), channels, hidden),
            contract: Linear::load(&scope.at("linear2"), hidden, channels),
            norm2: norm("norm2"),
        })
    }

    /// Tokens `[tokens, channels]` of `text` to the same.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn forward(&self, tokens: &Tensor, text: &ReadText) -> TorchResult<Tensor> {
        let placed = tokens.f_add(&text.places)?;
        let found = self
            .attention
            .forward(&placed, &placed, tokens, Some(&text.mask))?;
        let x = self.norm1.forward(&tokens.f_add(&found)?)?;
        let hidden = self.expand.forward(&x)?.f_relu_()?;
        self.norm2
            .forward(&x.f_add(&self.contract.forward(&hidden)?)?)
    }
}
