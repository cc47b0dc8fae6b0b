//! The mask decoder: a transformer between prompt tokens and image, then masks and their IoUs.
//!
//! Nearly all its work is products with the image side, `places` x `channels` for each prompt.
//! Three things keep that small, with the same results as the official arrangement:
//!
//! - What the first layer computes of the image alone is computed once per image ([`ImageSide`]).
//! - A prompt has few tokens. So keys, values and queries of the image are never projected:
//!   `(x · W) · t` is computed as `x · (W · t)`, head by head.
//! - The IoU of a prompt's masks needs its IoU token only. Masks are made in a second step, for
//!   the prompts the caller still wants.

mod attention;
mod image_side;
mod layer;

use som_torch::{
    Scope, TorchResult,
    nn::{LayerNorm, Mlp, UpConv, Weight},
};
use tch::Tensor;

pub(crate) use self::image_side::ImageSide;
use self::{attention::Attention, layer::Layer};
use super::config::{Config, Decoder as DecoderConfig};

/// Of the transformer's norms.
const EPSILON: f64 = 1e-5;

/// Embedding and prompts to masks.
#[derive(Clone, Debug)]
pub(crate) struct MaskDecoder {
    /// `[1 + masks, channels]`: the IoU token, then one for each mask.
    tokens: Weight,
    first: Layer,
    later: Vec<Layer>,
    last_attention: Attention,
    last_norm: LayerNorm,
    enlarge1: UpConv,
    enlarge_norm: LayerNorm,
    enlarge2: UpConv,
    /// Per mask token, what weighs the enlarged channels.
    weigh: Vec<Mlp>,
    iou_head: Mlp,
    grid: i64,
}

/// Prompts after the transformer.
#[derive(Debug)]
pub(crate) struct Decoded {
    /// `[prompts, tokens, channels]`, before the last attention.
    tokens: Tensor,
    /// What they were at first.
    origin: Tensor,
    /// `[prompts, places, channels]`
    image: Tensor,
    /// The encodings of the places, `[places, channels]`.
    places: Tensor,
}

impl MaskDecoder {
    pub(crate) fn load(scope: &Scope<'_>, config: &Config) -> TorchResult<Self> {
        let channels = config.embedding;
        let DecoderConfig {
            layers,
            heads,
            inner,
            hidden,
            masks,
            ref iou_widths,
        } = config.decoder;
        let transformer = scope.at("transformer");
        let layer = |index: i64| {
            let scope = transformer.at("layers").at(index);
            Layer::load(&scope, channels, heads, inner, hidden)
        };
        let enlarge = scope.at("output_upscaling");
        let weigh = scope.at("output_hypernetworks_mlps");
        let weigh_widths = [channels, channels, channels, channels / 8];
        Ok(Self {
            tokens: Weight::concatenate(&[
                scope.weight("iou_token.weight", &[1, channels]),
                scope.weight("mask_tokens.weight", &[masks, channels]),
            ])?,
            first: layer(0)?,
            later: (1..layers).map(layer).collect::<TorchResult<_>>()?,
            last_attention: Attention::load(
                &transformer.at("final_attn_token_to_image"),
                channels,
                inner,
                heads,
            )?,
            last_norm: LayerNorm::load(&transformer.at("norm_final_attn"), channels, EPSILON),
            enlarge1: UpConv::load(&enlarge.at(0), channels, channels / 4)?,
            enlarge_norm: LayerNorm::load(&enlarge.at(1), channels / 4, 1e-6),
            enlarge2: UpConv::load(&enlarge.at(3), channels / 4, channels / 8)?,
            weigh: (0..masks)
                .map(|index| Mlp::load(&weigh.at(index), &weigh_widths))
                .collect(),
            iou_head: Mlp::load(&scope.at("iou_prediction_head"), iou_widths),
            grid: config.grid,
        })
    }

    /// Prepares an image for any number of prompts: its embedding `[places, channels]`, the
    /// embedding of a mask prompt `[places or 1, channels]`, and the encodings of the places.
    pub(crate) fn prepare(
        &self,
        embedding: &Tensor,
        mask: &Tensor,
        places: &Tensor,
    ) -> TorchResult<ImageSide> {
        let image = embedding.f_add(mask)?;
        let placed = image.f_add(places)?;
        Ok(ImageSide {
            key: self.first.to_image.keys_of_image(&placed)?,
            value: self.first.to_image.values_of_image(&image)?,
            query: self.first.to_tokens.queries_of_image(&placed)?,
            places: places.shallow_clone(),
            image,
        })
    }

    /// Runs prompts `[prompts, tokens, channels]` (tokens may be 0) against an image.
    pub(crate) fn decode(&self, side: &ImageSide, prompts: &Tensor) -> TorchResult<Decoded> {
        let (count, _, channels) = prompts.size3()?;
        let outputs = self
            .tokens
            .f_unsqueeze(0)?
            .f_expand([count, -1, channels], false)?;
        let origin = Tensor::f_cat(&[&outputs, prompts], 1)?;
        let (mut tokens, mut image) = self.first.forward_first(&origin, side)?;
        for layer in &self.later {
            (tokens, image) = layer.forward(&tokens, &origin, image, &side.places)?;
        }
        Ok(Decoded {
            tokens,
            origin,
            image,
            places: side.places.shallow_clone(),
        })
    }

    /// The predicted IoU `[prompts, masks]` of every mask the decoder can give.
    pub(crate) fn ious(&self, decoded: &Decoded) -> TorchResult<Tensor> {
        let token = self.finish(decoded, &decoded.image, 0, 1)?;
        self.iou_head.forward(&token.f_squeeze_dim(1)?)
    }

    /// The logits `[chosen, count, low, low]` of `count` masks from mask `first` on, for the
    /// prompts of the given indices.
    pub(crate) fn masks(
        &self,
        decoded: &Decoded,
        chosen: &[i64],
        first: usize,
        count: usize,
    ) -> TorchResult<Tensor> {
        let index = Tensor::f_from_slice(chosen)?.f_to_device(decoded.image.device())?;
        let select = |x: &Tensor| x.f_index_select(0, &index);
        let image = select(&decoded.image)?;
        let decoded = Decoded {
            tokens: select(&decoded.tokens)?,
            origin: select(&decoded.origin)?,
            places: decoded.places.shallow_clone(),
            image,
        };
        let tokens = self.finish(&decoded, &decoded.image, 1 + first as i64, count as i64)?;
        let weights = self.weigh.iter().skip(first).take(count).zip(0..);
        let weights = weights
            .map(|(mlp, index)| mlp.forward(&tokens.f_select(1, index)?))
            .collect::<TorchResult<Vec<_>>>()?;
        let weights = Tensor::f_stack(&weights, -1)?;
        let (chosen, grid, count) = (chosen.len() as i64, self.grid, count as i64);
        let enlarged = self
            .enlarge(&decoded.image)?
            .f_view([chosen, 16 * grid * grid, -1])?;
        // Each place has become 2x2 and each of these 2x2: only now put them in order.
        let logits = enlarged.f_bmm(&weights)?;
        logits
            .f_view(&[chosen, grid, grid, 2, 2, 2, 2, count] as &[i64])?
            .f_permute([0, 7, 1, 3, 5, 2, 4, 6])?
            .f_reshape([chosen, count, 4 * grid, 4 * grid])
    }

    /// `[prompts, places, channels]` to `[prompts, places, 4, 4, channels / 8]`.
    pub(crate) fn enlarge(&self, image: &Tensor) -> TorchResult<Tensor> {
        let x = self
            .enlarge_norm
            .forward(&self.enlarge1.forward(image)?)?
            .f_gelu_("none")?;
        self.enlarge2.forward(&x)?.f_gelu_("none")
    }

    /// The last attention to the image, for `count` tokens from token `first` on.
    fn finish(
        &self,
        decoded: &Decoded,
        image: &Tensor,
        first: i64,
        count: i64,
    ) -> TorchResult<Tensor> {
        let tokens = decoded.tokens.f_narrow(1, first, count)?;
        let query = tokens.f_add(&decoded.origin.f_narrow(1, first, count)?)?;
        let found =
            self.last_attention
                .tokens_to_image(&query, image, image, Some(&decoded.places))?;
        self.last_norm.forward(&tokens.f_add(&found)?)
    }

    /// Both sides after the whole transformer, for comparison with the official project.
    #[cfg(test)]
    pub(crate) fn transformed(&self, decoded: &Decoded) -> TorchResult<(Tensor, Tensor)> {
        let tokens = decoded.tokens.size3()?.1;
        Ok((
            self.finish(decoded, &decoded.image, 0, tokens)?,
            decoded.image.shallow_clone(),
        ))
    }
}
