//! The encoder: a vision transformer over the pictures and their paintings, stream by stream until the
//! two are made one.

use som_core::{Call, Result};
use som_torch::{
    Scope, TorchResult,
    attention::RelativeAttention,
    nn::{FeedForward, LayerNorm, Linear, PatchConv, Weight, Windows},
    torch_error,
};
use tch::Tensor;

use super::config::Config;
use crate::{params::EmbeddingType, prompt::Prompt};

/// Pictures and paintings to tokens.
#[derive(Clone, Debug)]
pub(crate) struct Embeddings {
    patches: PatchConv,
    /// `[rows, columns, width]`
    positions: Weight,
    /// Each `[width]`.
    of_picture: Weight,
    of_painting: Weight,
    instance: Weight,
    semantic: Weight,
    mask: Weight,
}

/// The layers.
#[derive(Clone, Debug)]
pub(crate) struct Encoder {
    pub layers: Vec<Layer>,
    norm: LayerNorm,
    merge: i64,
    seen: Vec<i64>,
}

/// Attention, then an MLP, both added to what came in.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    before: LayerNorm,
    attention: RelativeAttention,
    after: LayerNorm,
    mlp: FeedForward,
}

/// Between which of a batch the half of the image is averaged after attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ensemble {
    /// Between none.
    None,
    /// Between the pictures, and between the paintings.
    Streams,
    /// Between all.
    All,
}

impl Embeddings {
    pub(crate) fn load(scope: &Scope<'_>, config: &Config) -> TorchResult<Self> {
        let Config {
            width,
            rows,
            columns,
            pretrained,
            ..
        } = *config;
        let patches = scope.at("patch_embeddings.projection");
        let token = |name: &str| {
            let token = scope.weight(name, &[1, 1, 1, width]);
            token.map(|token| token.f_flatten(0, -1))
        };
        let positions = scope.weight(
            "position_embeddings",
            &[1, pretrained * pretrained + 1, width],
        );
        let positions = positions.map(|positions| {
            let square = positions
                .f_narrow(1, 1, pretrained * pretrained)?
                .f_view([pretrained, pretrained, width])?;
            if (rows, columns) == (pretrained, pretrained) {
                return Ok(square);
            }
            square
                .f_permute([2, 0, 1])?
                .f_unsqueeze(0)?
                .f_upsample_bicubic2d([rows, columns], false, None, None)?
                .f_squeeze_dim(0)?
                .f_permute([1, 2, 0])?
                .f_contiguous()
        });
        Ok(Self {
            patches: PatchConv::load(&patches, 3, width, config.patch)?,
            positions: positions?,
            of_picture: token("segment_token_input")?,
            of_painting: token("segment_token_prompt")?,
            instance: token("type_token_instance")?,
            semantic: token("type_token_semantic")?,
            mask: token("mask_token")?,
        })
    }

    /// Tokens `[2 · prompts, rows, columns, width]`: of each prompt its picture above `picture`
    /// `[side, side, 3]`, then of each its painting above what is to be painted.
    pub(crate) fn forward(
        &self,
        picture: &Tensor,
        prompts: &[Prompt],
        kind: EmbeddingType,
    ) -> TorchResult<Tensor> {
        let number = self.positions.kind();
        let embed = |x: &Tensor| self.patches.forward(&x.f_to_kind(number)?);
        let kind = match kind {
            EmbeddingType::Instance => &self.instance,
            EmbeddingType::Semantic => &self.semantic,
        };
        let place = |mut tokens: Tensor, stream: &Weight| {
            tokens.f_add_(stream)?.f_add_(&self.positions)?.f_add_(kind)
        };
        let image = embed(picture)?;
        let mask = self.mask.f_expand_as(&image)?;
        let pictures = prompts.iter().map(|prompt| {
            let both = Tensor::f_cat(&[&embed(&prompt.picture)?, &image], 0)?;
            place(both, &self.of_picture)
        });
        let paintings = prompts.iter().map(|prompt| {
            let both = Tensor::f_cat(&[&embed(&prompt.painted)?, &mask], 0)?;
            place(both, &self.of_painting)
        });
        let all = pictures.chain(paintings).collect::<TorchResult<Vec<_>>>()?;
        Tensor::f_stack(&all, 0)
    }
}

impl Encoder {
    pub(crate) fn load(scope: &Scope<'_>, config: &Config) -> TorchResult<Self> {
        let layers = scope.at("layers");
        let layers = (0..config.layers).map(|index| Layer::load(&layers.at(index), config));
        Ok(Self {
            layers: layers.collect::<TorchResult<_>>()?,
            norm: LayerNorm::load(&scope.at("layernorm"), config.width, config.epsilon),
            merge: config.merge,
            seen: config.seen.clone(),
        })
    }

    /// Tokens of [`Embeddings::forward`] to what the decoder looks at,
    /// `[prompts, rows, columns, layers · width]`.
    ///
    /// # Errors
    /// Cancelled; what libtorch reports.
    pub(crate) fn forward(&self, tokens: Tensor, call: &Call<'_>) -> Result<Tensor> {
        let mut x = tokens;
        let mut seen = Vec::new();
        for (index, layer) in (0..).zip(&self.layers) {
            call.check()?;
            x = layer
                .forward(&x, self.ensemble(index, &x))
                .map_err(torch_error)?;
            if index == self.merge {
                x = merged(&x).map_err(torch_error)?;
            }
            if self.seen.contains(&index) {
                seen.push(self.norm.forward(&x).map_err(torch_error)?);
            }
        }
        Tensor::f_cat(&seen, -1).map_err(torch_error)
    }

    /// How several prompts are taken together in a layer: as Hugging Face's form does, the streams are
    /// apart before the layer that merges them (in the original project, in that layer as well).
    pub(crate) fn ensemble(&self, index: i64, x: &Tensor) -> Ensemble {
        let count = x.size().first().copied().unwrap_or_default();
        let is_apart = index <= self.merge;
        let prompts = if is_apart { count / 2 } else { count };
        match prompts {
            ..=1 => Ensemble::None,
            _ if index < self.merge => Ensemble::Streams,
            _ => Ensemble::All,
        }
    }
}

impl Layer {
    fn load(scope: &Scope<'_>, config: &Config) -> TorchResult<Self> {
        let Config {
            width,
            rows,
            columns,
            heads,
            hidden,
            epsilon,
            ..
        } = *config;
        let norm = |name: &str| LayerNorm::load(&scope.at(name), width, epsilon);
        let linear = |name: &str, input, output| Linear::load(&scope.at(name), input, output);
        let table = |name: &str, extent: i64| -> TorchResult<Weight> {
            let attention = scope.at("attention");
            let found = attention.shape(name).and_then(|shape| shape.first());
            let found = found.copied().unwrap_or(2 * extent - 1);
            let table = attention.weight(name, &[found, width / heads]);
            if found == 2 * extent - 1 {
                return Ok(table);
            }
            table.map(|table| {
                table
                    .f_tr()?
                    .f_unsqueeze(0)?
                    .f_upsample_linear1d([2 * extent - 1], false, None)?
                    .f_squeeze_dim(0)?
                    .f_tr()?
                    .f_contiguous()
            })
        };
        let tables = [table("rel_pos_h", rows)?, table("rel_pos_w", columns)?];
        Ok(Self {
            before: norm("layernorm_before"),
            attention: RelativeAttention::new(
                &linear("attention.qkv", width, 3 * width),
                linear("attention.proj", width, width),
                [&tables[0], &tables[1]],
                Windows::whole(rows, columns),
                heads,
            )?,
            after: norm("layernorm_after"),
            mlp: FeedForward {
                expand: linear("mlp.lin1", width, hidden),
                contract: linear("mlp.lin2", hidden, width),
            },
        })
    }

    /// Tokens `[batch, rows, columns, width]` to the same.
    pub(crate) fn forward(&self, x: &Tensor, ensemble: Ensemble) -> TorchResult<Tensor> {
        let mut x = averaged(&self.attend(x)?, ensemble)?.f_add_(x)?;
        let thought = self.mlp.forward(&self.after.forward(&x)?)?;
        x.f_add_(&thought)
    }

    /// What attention finds for each of the batch by itself.
    pub(crate) fn attend(&self, x: &Tensor) -> TorchResult<Tensor> {
        let normed = self.before.forward(x)?;
        let each = normed.f_unbind(0)?;
        let each = each.iter().map(|tokens| self.attention.forward(tokens));
        Tensor::f_stack(&each.collect::<TorchResult<Vec<_>>>()?, 0)
    }
}

/// `x` `[batch, rows, columns, width]` with the half of the image averaged.
fn averaged(x: &Tensor, ensemble: Ensemble) -> TorchResult<Tensor> {
    let streams = match ensemble {
        Ensemble::None => return Ok(x.shallow_clone()),
        Ensemble::Streams => 2,
        Ensemble::All => 1,
    };
    let (_, rows, ..) = x.size4()?;
    let examples = x.f_narrow(1, 0, rows / 2)?;
    let images = x.f_narrow(1, rows / 2, rows - rows / 2)?;
    let apart = images.f_unflatten(0, [streams, -1])?;
    let mean = apart.f_mean_dim([1].as_slice(), true, None)?;
    let images = mean.f_expand_as(&apart)?.f_flatten(0, 1)?;
    Tensor::f_cat(&[examples, images], 1)
}

/// Pictures and paintings as one: their mean.
pub(crate) fn merged(x: &Tensor) -> TorchResult<Tensor> {
    let count = x.size4()?.0 / 2;
    let (pictures, paintings) = (x.f_narrow(0, 0, count)?, x.f_narrow(0, count, count)?);
    pictures.f_add(&paintings)?.f_mul_scalar(0.5)
}
