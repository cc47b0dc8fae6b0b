//! One layer of the transformer between prompt tokens and image.

use tch::Tensor;

use super::{EPSILON, ImageSide, attention::Attention, sizes::MaskDecoderSizes};
use crate::{
    Scope, TorchResult,
    nn::{LayerNorm, Linear, Mlp},
};

/// Attention among tokens, of tokens to image, an MLP, and attention of image to tokens.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    among_tokens: Attention,
    norm1: LayerNorm,
    pub(super) to_image: Attention,
    norm2: LayerNorm,
    mlp: Mlp,
    norm3: LayerNorm,
    pub(super) to_tokens: Attention,
    norm4: LayerNorm,
}

impl Layer {
    pub(super) fn load(scope: &Scope<'_>, sizes: &MaskDecoderSizes) -> TorchResult<Self> {
        let MaskDecoderSizes {
            channels,
            heads,
            inner,
            hidden,
            mlp: [expand, contract],
            ..
        } = *sizes;
        let mlp = scope.at("mlp");
        let norm = |name| LayerNorm::load(&scope.at(name), channels, EPSILON);
        Ok(Self {
            among_tokens: Attention::load(&scope.at("self_attn"), channels, channels, heads)?,
            norm1: norm("norm1"),
            to_image: Attention::load(
                &scope.at("cross_attn_token_to_image"),
                channels,
                inner,
                heads,
            )?,
            norm2: norm("norm2"),
            mlp: Mlp::new(vec![
                Linear::load(&mlp.at(expand), channels, hidden),
                Linear::load(&mlp.at(contract), hidden, channels),
            ]),
            norm3: norm("norm3"),
            to_tokens: Attention::load(
                &scope.at("cross_attn_image_to_token"),
                channels,
                inner,
                heads,
            )?,
            norm4: norm("norm4"),
        })
    }

    /// The first layer, where all prompts see the same image. What attention among the tokens
    /// finds replaces them here.
    pub(super) fn forward_first(
        &self,
        origin: &Tensor,
        side: &ImageSide,
    ) -> TorchResult<(Tensor, Tensor)> {
        let tokens = self
            .norm1
            .forward(&self.among_tokens.among_tokens(origin, origin)?)?;
        let found =
            self.to_image
                .tokens_to_shared_image(&tokens.f_add(origin)?, &side.key, &side.value)?;
        let tokens = self.after_image(&tokens, &found)?;
        let weights = self
            .to_tokens
            .weights_of_shared_image(&side.query, &tokens.f_add(origin)?)?;
        let image = side
            .image
            .f_unsqueeze(0)?
            .f_expand([tokens.size3()?.0, -1, -1], false)?;
        let image = image.f_baddbmm(
            &weights.f_transpose(1, 2)?,
            &self.to_tokens.answers(&tokens)?,
            1,
            1,
        )?;
        Ok((tokens, self.norm4.forward(&image)?))
    }

    /// A later layer: tokens and image of each prompt are its own.
    pub(super) fn forward(
        &self,
        tokens: &Tensor,
        origin: &Tensor,
        mut image: Tensor,
        places: &Tensor,
    ) -> TorchResult<(Tensor, Tensor)> {
        let found = self
            .among_tokens
            .among_tokens(&tokens.f_add(origin)?, tokens)?;
        let tokens = self.norm1.forward(&tokens.f_add(&found)?)?;
        let placed = image.f_add(places)?;
        let found = self
            .to_image
            .tokens_to_image(&tokens.f_add(origin)?, &placed, &image, None)?;
        let tokens = self.after_image(&tokens, &found)?;
        let weights = self
            .to_tokens
            .weights_of_image(&placed, &tokens.f_add(origin)?)?;
        let image = image.f_baddbmm_(
            &weights.f_transpose(1, 2)?,
            &self.to_tokens.answers(&tokens)?,
        )?;
        Ok((tokens, self.norm4.forward(&image)?))
    }

    fn after_image(&self, tokens: &Tensor, found: &Tensor) -> TorchResult<Tensor> {
        let tokens = self.norm2.forward(&tokens.f_add(found)?)?;
        self.norm3
            .forward(&tokens.f_add(&self.mlp.forward(&tokens)?)?)
    }
}
