//! The prompt encoder of Segment Anything: points, box corners and masks as embeddings.
//!
//! Kirillov et al., *Segment Anything*, 2023 (arXiv 2304.02643);
//! `segment_anything/modeling/prompt_encoder.py` of the official project, and the same in SAM 2.

use som_core::Result;
use tch::{Kind, Tensor};

use crate::{
    Scope, TorchResult,
    checkpoint::Shapes,
    nn::{LayerNorm, Linear, PatchConv, Weight},
};

/// One token of a prompt: a place in the square input, as fractions of its side, and its meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PromptToken {
    /// From the left.
    pub x: f32,
    /// From the top.
    pub y: f32,
    /// What it says.
    pub meaning: Meaning,
}

/// What a token says; the numbers are rows of the table of learned embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A place outside the thing.
    Background = 0,
    /// A place in the thing.
    Foreground = 1,
    /// A corner of a box around the thing.
    TopLeft = 2,
    /// The other corner.
    BottomRight = 3,
    /// No point; stands where the network expects one.
    Padding = 4,
}

impl PromptToken {
    /// No point.
    pub const PADDING: Self = Self {
        x: 0.0,
        y: 0.0,
        meaning: Meaning::Padding,
    };
}

/// The sizes of a [`PromptEncoder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PromptEncoderSizes {
    /// Channels of what comes out.
    pub channels: i64,
    /// Channels inside the encoding of mask prompts.
    pub mask_channels: i64,
}

impl PromptEncoderSizes {
    /// The sizes of the encoder whose tensors are below `prefix`, such as `prompt_encoder`.
    ///
    /// # Errors
    /// Invalid, if there is no such encoder.
    pub fn of(shapes: &Shapes<'_>, prefix: &str) -> Result<Self> {
        let project = shapes.get(&format!("{prefix}.mask_downscaling.6.weight"))?;
        let [channels, mask_channels, _, _] = project;
        Ok(Self {
            channels,
            mask_channels,
        })
    }
}

/// Prompts to embeddings.
#[derive(Clone, Debug)]
pub struct PromptEncoder {
    /// `[2, channels / 2]`
    frequencies: Weight,
    /// `[5, channels]`, indexed by [`Meaning`].
    meanings: Weight,
    /// `[channels]`: stands for "no mask" at each place.
    pub no_mask: Weight,
    masks: MaskEncoder,
}

impl PromptEncoder {
    /// The encoder at `scope`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(scope: &Scope<'_>, sizes: PromptEncoderSizes) -> TorchResult<Self> {
        let PromptEncoderSizes {
            channels: embedding,
            mask_channels,
        } = sizes;
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

    /// Prompts of equally many tokens to embeddings `[prompts, tokens, channels]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn embed_tokens(&self, prompts: &[Vec<PromptToken>]) -> TorchResult<Tensor> {
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

    /// The encoding of each place of an embedding of `grid` x `grid`, `[grid · grid, channels]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn grid_places(&self, grid: i64) -> TorchResult<Tensor> {
        let options = (Kind::Float, self.meanings.device());
        let centers = Tensor::f_arange(grid, options)?
            .f_add_scalar(0.5)?
            .f_div_scalar(grid as f64)?;
        let columns = centers.f_view([1, grid])?.f_expand([grid, grid], false)?;
        let rows = centers.f_view([grid, 1])?.f_expand([grid, grid], false)?;
        self.encode_places(&Tensor::f_stack(&[columns, rows], -1)?.f_view([grid * grid, 2])?)
    }

    /// Logits `[4 · grid, 4 · grid]` of a mask to embeddings `[grid · grid, channels]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn embed_mask(&self, logits: &Tensor) -> TorchResult<Tensor> {
        self.masks
            .forward(&logits.f_unsqueeze(-1)?)?
            .f_flatten(0, 1)
    }

    /// Fractions `[count, 2]` of the input's side to random Fourier features `[count, channels]`.
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
