//! Attention from the image to the text, and from the text to the image, by the same likeness.
//!
//! Li et al., *Grounded Language-Image Pre-training*, 2021 (arXiv 2112.03857), section 3.2; official
//! files `maskrcnn_benchmark/utils/fuse_helper.py` of `microsoft/GLIP`, `BiAttentionBlockForCheckpoint`,
//! and `groundingdino/models/GroundingDINO/fuse_modules.py` of `IDEA-Research/GroundingDINO`,
//! `BiAttentionBlock`.
//!
//! A text has few tokens, an image many cells. So what the official projects compute for each cell and
//! multiply with each token is multiplied with the tokens first: keys with the map to the cells'
//! queries, values with the map of what cells find, and what tokens find in the image before the map to
//! the cells' values. (There, texts are filled up with tokens that are not looked at, and likenesses are
//! kept within 50 000 of 0, beyond which nothing of the smaller ones is left either way.)

use tch::Tensor;

use crate::{
    Scope, TorchResult,
    nn::{LayerNorm, Linear, Weight},
};

/// Of both norms.
const EPSILON: f64 = 1e-5;

/// One exchange between image and text.
#[derive(Clone, Debug)]
pub struct Fusion {
    image_norm: LayerNorm,
    text_norm: LayerNorm,
    /// Cells to queries.
    queries: Linear,
    /// Tokens to keys.
    keys: Linear,
    /// Cells to what tokens find.
    image_values: Linear,
    /// Tokens to what cells find.
    text_values: Linear,
    image_output: Linear,
    text_output: Linear,
    /// How much of what is found counts, for each channel.
    image_scale: Weight,
    text_scale: Weight,
    heads: i64,
    /// Channels of all heads together.
    inner: i64,
}

impl Fusion {
    /// `layer_norm_v`, `layer_norm_l`, `attn`, `gamma_v` and `gamma_l` of `scope`, for cells of `image`
    /// channels and tokens of `text` channels; `inner` channels in so many heads.
    pub fn load(scope: &Scope<'_>, [image, text]: [i64; 2], inner: i64, heads: i64) -> Self {
        let attention = scope.at("attn");
        let to = |name: &str, channels: i64| Linear::load(&attention.at(name), channels, inner);
        let back = |name: &str, channels: i64| Linear::load(&attention.at(name), inner, channels);
        let norm = |name: &str, channels: i64| LayerNorm::load(&scope.at(name), channels, EPSILON);
        Self {
            image_norm: norm("layer_norm_v", image),
            text_norm: norm("layer_norm_l", text),
            queries: to("v_proj", image),
            keys: to("l_proj", text),
            image_values: to("values_v_proj", image),
            text_values: to("values_l_proj", text),
            image_output: back("out_v_proj", image),
            text_output: back("out_l_proj", text),
            image_scale: scope.weight("gamma_v", &[image]),
            text_scale: scope.weight("gamma_l", &[text]),
            heads,
            inner,
        }
    }

    /// Cells `[cells, image channels]` and tokens `[tokens, text channels]` to the same. What is found is added to
    /// what the norms give, not to what came in.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, image: &Tensor, text: &Tensor) -> TorchResult<(Tensor, Tensor)> {
        let image = self.image_norm.forward(image)?;
        let text = self.text_norm.forward(text)?;
        let logits = self.likeness(&image, &text)?;
        let for_text = self.found_by_text(&image, &logits)?;
        let for_image = self.found_by_image(&text, logits)?;
        Ok((
            image.f_addcmul(&for_image, &self.image_scale)?,
            text.f_addcmul(&for_text, &self.text_scale)?,
        ))
    }

    /// How much each cell is like each token, in each head: `[cells, heads, tokens]`.
    fn likeness(&self, image: &Tensor, text: &Tensor) -> TorchResult<Tensor> {
        let tokens = text.size2()?.0;
        let scale = ((self.inner / self.heads) as f64).powf(-0.5);
        // [heads, tokens, channels of a head]
        let keys = self
            .by_head(&self.keys.forward(text)?)?
            .f_mul_scalar(scale)?;
        let asked = keys.f_bmm(&self.rows_by_head(&self.queries.weight)?)?;
        let asked = asked.f_flatten(0, 1)?;
        let offset = match &self.queries.bias {
            Some(bias) => Some(
                keys.f_bmm(&bias.f_view([self.heads, -1, 1])?)?
                    .f_flatten(0, -1)?,
            ),
            None => None,
        };
        let logits = image.f_linear(&asked, offset.as_ref())?;
        logits.f_view([-1, self.heads, tokens])
    }

    /// What cells find in the text: `[cells, image channels]`.
    fn found_by_image(&self, text: &Tensor, logits: Tensor) -> TorchResult<Tensor> {
        let shares = logits.f_softmax(-1, None)?.f_flatten(1, 2)?;
        drop(logits);
        let values = self.by_head(&self.text_values.forward(text)?)?;
        // [heads, channels of a head, image channels]
        let output = self.rows_by_head(&self.image_output.weight.f_tr()?)?;
        // [image channels, heads · tokens]
        let found = values.f_bmm(&output)?.f_flatten(0, 1)?.f_tr()?;
        shares.f_linear(&found, self.image_output.bias.as_deref())
    }

    /// What tokens find in the image: `[tokens, text channels]`.
    fn found_by_text(&self, image: &Tensor, logits: &Tensor) -> TorchResult<Tensor> {
        let (_, _, tokens) = logits.size3()?;
        let shares = logits.f_softmax(0, None)?.f_flatten(1, 2)?;
        let seen = shares.f_tr()?.f_mm(image)?;
        let seen = seen.f_view([self.heads, tokens, -1])?;
        // [heads, image channels, channels of a head]
        let values = self
            .rows_by_head(&self.image_values.weight)?
            .f_transpose(1, 2)?;
        let found = seen.f_bmm(&values)?.f_transpose(0, 1)?;
        let mut found = found.f_reshape([tokens, self.inner])?;
        if let Some(bias) = &self.image_values.bias {
            // The shares of all cells add up to one.
            found = found.f_add_(bias)?;
        }
        self.text_output.forward(&found)
    }

    /// `[tokens, inner]` as `[heads, tokens, inner / heads]`.
    fn by_head(&self, x: &Tensor) -> TorchResult<Tensor> {
        let (tokens, inner) = x.size2()?;
        x.f_view([tokens, self.heads, inner / self.heads])?
            .f_transpose(0, 1)
    }

    /// `[inner, …]` as `[heads, inner / heads, …]`.
    fn rows_by_head(&self, weight: &Tensor) -> TorchResult<Tensor> {
        weight.f_reshape([self.heads, self.inner / self.heads, -1])
    }
}
