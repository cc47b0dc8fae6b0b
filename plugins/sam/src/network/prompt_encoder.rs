//! The prompt encoder: points, box corners and masks as embeddings.

use som_torch::{
    Scope, TorchResult,
    nn::{LayerNorm, Linear, PatchConv, Weight},
};
use tch::{Kind, Tensor};

use super::config::Config;

/// One token of a prompt: a place in the square input, as fractions of its side, and its meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PromptToken {
    pub x: f32,
    pub y: f32,
    pub meaning: Meaning,
}

/// What a token says; the numbers are rows of the table of learned embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Background = 0,
    Foreground = 1,
    TopLeft = 2,
    BottomRight = 3,
    /// No point; stands where the network expects one.
    Padding = 4,
}

impl PromptToken {
    pub(crate) const PADDING: Self = Self {
        x: 0.0,
        y: 0.0,
        meaning: Meaning::Padding,
    };
}

/// Prompts to embeddings.
#[derive(Clone, Debug)]
pub(crate) struct PromptEncoder {
    /// `[2, embedding / 2]`
    frequencies: Weight,
    /// `[5, embedding]`, indexed by [`Meaning`].
    meanings: Weight,
    /// `[embedding]`: stands for "no mask" at each place.
    pub no_mask: Weight,
    masks: MaskEncoder,
}

impl PromptEncoder {
    pub(crate) fn load(scope: &Scope<'_>, config: &Config) -> TorchResult<Self> {
        let Config {
            embedding,
            mask_channels,
            ..
        } = *config;
        let points = (0..4).map(|index| {
            scope
                .at("point_embeddings")
                .at(index)
                .weight("weight", &[1, embedding])
        });
        let meanings: Vec<Weight> = points
            .chain([scope.weight("not_a_point_embed.weight", &[1, embedding])])
            .collect();
        let no_mask = scope.weight("no_mask_embed.weight", &[1, embedding]);
        Ok(Self {
            frequencies: scope.weight(
                "pe_layer.positional_encoding_gaussian_matrix",
                &[2, embedding / 2],
            ),
            meanings: Weight::concatenate(&meanings)?,
            no_mask: no_mask.map(|no_mask| no_mask.f_squeeze_dim(0))?,
            masks: MaskEncoder::load(&scope.at("mask_downscaling"), mask_channels, embedding)?,
        })
    }

    /// Prompts of equally many tokens to embeddings `[prompts, tokens, embedding]`.
    pub(crate) fn embed_tokens(&self, prompts: &[Vec<PromptToken>]) -> TorchResult<Tensor> {
        let device = self.meanings.device();
        let tokens = prompts.iter().flatten();
        let places: Vec<f32> = tokens
            .clone()
            .flat_map(|token| [token.x, token.y])
            .collect();
        let meanings: Vec<i64> = tokens.clone().map(|token| token.meaning as i64).collect();
        // Padding has no place.
        let placed: Vec<f32> = tokens
            .map(|token| f32::from(u8::from(token.meaning != Meaning::Padding)))
            .collect();
        let count = meanings.len() as i64;
        let places = Tensor::f_from_slice(&places)?
            .f_view([count, 2])?
            .f_to_device(device)?;
        let placed = Tensor::f_from_slice(&placed)?
            .f_view([count, 1])?
            .f_to_device(device)?;
        let meanings = Tensor::f_from_slice(&meanings)?.f_to_device(device)?;
        self.encode_places(&places)?
            .f_mul_(&placed)?
            .f_add_(&self.meanings.f_index_select(0, &meanings)?)?
            .f_view([prompts.len() as i64, -1, self.meanings.size2()?.1])
    }

    /// The encoding of each place of the embedding, `[grid · grid, embedding]`.
    pub(crate) fn grid_places(&self, grid: i64) -> TorchResult<Tensor> {
        let options = (Kind::Float, self.meanings.device());
        let centers = Tensor::f_arange(grid, options)?
            .f_add_scalar(0.5)?
            .f_div_scalar(grid as f64)?;
        let columns = centers.f_view([1, grid])?.f_expand([grid, grid], false)?;
        let rows = centers.f_view([grid, 1])?.f_expand([grid, grid], false)?;
        self.encode_places(&Tensor::f_stack(&[columns, rows], -1)?.f_view([grid * grid, 2])?)
    }

    /// Logits `[low, low]` of a mask to embeddings `[grid · grid, embedding]`.
    pub(crate) fn embed_mask(&self, logits: &Tensor) -> TorchResult<Tensor> {
        self.masks
            .forward(&logits.f_unsqueeze(-1)?)?
            .f_flatten(0, 1)
    }

    /// Fractions `[count, 2]` of the input's side to random Fourier features `[count, embedding]`.
    ///
    /// Tancik et al., *Fourier Features Let Networks Learn High Frequency Functions in Low
    /// Dimensional Domains*, 2020 (arXiv 2006.10739).
    fn encode_places(&self, places: &Tensor) -> TorchResult<Tensor> {
        let phases = places
            .f_mul_scalar(2.0)?
            .f_sub_scalar(1.0)?
            .f_mm(&self.frequencies)?
            .f_mul_scalar(std::f64::consts::TAU)?;
        Tensor::f_cat(&[phases.f_sin()?, phases.f_cos()?], -1)
    }
}

/// Mask prompts to the size of the embedding.
#[derive(Clone, Debug)]
struct MaskEncoder {
    halve1: PatchConv,
    norm1: LayerNorm,
    halve2: PatchConv,
    norm2: LayerNorm,
    project: Linear,
}

impl MaskEncoder {
    fn load(scope: &Scope<'_>, channels: i64, embedding: i64) -> TorchResult<Self> {
        let weight = scope.weight("6.weight", &[embedding, channels, 1, 1]);
        Ok(Self {
            halve1: PatchConv::load(&scope.at("0"), 1, channels / 4, 2)?,
            norm1: LayerNorm::load(&scope.at("1"), channels / 4, 1e-6),
            halve2: PatchConv::load(&scope.at("3"), channels / 4, channels, 2)?,
            norm2: LayerNorm::load(&scope.at("4"), channels, 1e-6),
            project: Linear {
                weight: weight.map(|weight| weight.f_flatten(1, -1))?,
                bias: Some(scope.weight("6.bias", &[embedding])),
            },
        })
    }

    fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let x = self
            .norm1
            .forward(&self.halve1.forward(x)?)?
            .f_gelu_("none")?;
        let x = self
            .norm2
            .forward(&self.halve2.forward(&x)?)?
            .f_gelu_("none")?;
        self.project.forward(&x)
    }
}
