//! The decoder: tokens to the pixels that are painted.

use som_torch::{
    Scope, TorchResult,
    nn::{Conv, LayerNorm, Linear},
};
use tch::Tensor;

use super::config::Config;

/// What the layers saw, to a painting.
#[derive(Clone, Debug)]
pub(crate) struct Decoder {
    embed: Linear,
    conv: Conv,
    norm: LayerNorm,
    head: Linear,
    patch: i64,
    channels: i64,
}

impl Decoder {
    pub(crate) fn load(scope: &Scope<'_>, config: &Config) -> TorchResult<Self> {
        let Config {
            patch,
            decoder,
            width,
            ..
        } = *config;
        let seen = width * config.seen.len() as i64;
        let predict = scope.at("decoder_pred");
        Ok(Self {
            embed: Linear::load(&scope.at("decoder_embed"), seen, patch * patch * decoder),
            conv: Conv::load(&predict.at("conv"), [decoder, decoder, 3], 1, true)?,
            norm: LayerNorm::load(&predict.at("layernorm"), decoder, config.epsilon),
            head: Linear::pointwise(&predict.at("head"), decoder, 3)?,
            patch,
            channels: decoder,
        })
    }

    /// `[rows, columns, layers · width]` of one prompt to a normalised painting
    /// `[rows · patch, columns · patch, 3]`, of the example above the image.
    pub(crate) fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let (rows, columns, _) = x.size3()?;
        let Self {
            patch, channels, ..
        } = *self;
        let pixels = self
            .embed
            .forward(x)?
            .f_view([rows, columns, patch, patch, channels])?
            .f_permute([0, 2, 1, 3, 4])?
            .f_reshape([rows * patch, columns * patch, channels])?;
        let pixels = self.norm.forward(&self.conv.forward(&pixels)?)?;
        self.head.forward(&pixels.f_gelu("none")?)
    }
}
