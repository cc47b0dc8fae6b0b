//! The mask decoder of Segment Anything and SAM 2: a transformer between prompt tokens and image, then
//! masks and their IoUs.
//!
//! Kirillov et al., *Segment Anything*, 2023 (arXiv 2304.02643),
//! `segment_anything/modeling/{mask_decoder,transformer}.py`; Ravi et al., *SAM 2: Segment Anything in
//! Images and Videos*, 2024 (arXiv 2408.00714), `sam2/modeling/sam/{mask_decoder,transformer}.py`. The
//! second one tells whether there is an object at all, and may see finer maps of the image.
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
mod fine;
mod image_side;
mod layer;
mod sizes;

use tch::Tensor;

use self::{attention::Attention, fine::FineProjections, layer::Layer};
pub use self::{fine::FineFeatures, image_side::ImageSide, sizes::MaskDecoderSizes};
use crate::{
    Scope, TorchResult,
    nn::{LayerNorm, Mlp, UpConv, Weight},
};

/// Of the transformer's norms.
const EPSILON: f64 = 1e-5;

/// Embedding and prompts to masks.
#[derive(Clone, Debug)]
pub struct MaskDecoder {
    /// `[iou_token + 1 + masks, channels]`: the object's token, if there is one, the IoU token, then
    /// one for each mask.
    tokens: Weight,
    /// Which of them is the IoU's.
    iou_token: i64,
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
    has_iou_sigmoid: bool,
    object_head: Option<Mlp>,
    fine: Option<FineProjections>,
    grid: i64,
}

/// Prompts after the transformer.
#[derive(Debug)]
pub struct Decoded {
    /// `[prompts, tokens, channels]`, before the last attention.
    tokens: Tensor,
    /// What they were at first.
    origin: Tensor,
    /// `[prompts, places, channels]`
    image: Tensor,
    /// The encodings of the places, `[places, channels]`.
    places: Tensor,
    fine: Option<FineFeatures>,
}

impl Decoded {
    /// The image after the transformer, `[prompts, places, channels]`.
    pub const fn image(&self) -> &Tensor {
        &self.image
    }
}

impl MaskDecoder {
    /// The decoder at `scope`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(scope: &Scope<'_>, sizes: &MaskDecoderSizes) -> TorchResult<Self> {
        let MaskDecoderSizes {
            grid,
            channels,
            layers,
            heads,
            inner,
            masks,
            ref iou_widths,
            ref object_widths,
            has_fine,
            has_iou_sigmoid,
            ..
        } = *sizes;
        let transformer = scope.at("transformer");
        let layer = |index: i64| Layer::load(&transformer.at("layers").at(index), sizes);
        let enlarge = scope.at("output_upscaling");
        let weigh = scope.at("output_hypernetworks_mlps");
        let weigh_widths = [channels, channels, channels, channels / 8];
        let has_object = !object_widths.is_empty();
        let object = has_object.then(|| scope.weight("obj_score_token.weight", &[1, channels]));
        let last_attention = transformer.at("final_attn_token_to_image");
        let tokens = object.into_iter().chain([
            scope.weight("iou_token.weight", &[1, channels]),
            scope.weight("mask_tokens.weight", &[masks, channels]),
        ]);
        Ok(Self {
            tokens: Weight::concatenate(&tokens.collect::<Vec<_>>())?,
            iou_token: i64::from(has_object),
            first: layer(0)?,
            later: (1..layers).map(layer).collect::<TorchResult<_>>()?,
            last_attention: Attention::load(&last_attention, channels, inner, heads)?,
            last_norm: LayerNorm::load(&transformer.at("norm_final_attn"), channels, EPSILON),
            enlarge1: UpConv::load(&enlarge.at(0), channels, channels / 4)?,
            enlarge_norm: LayerNorm::load(&enlarge.at(1), channels / 4, 1e-6),
            enlarge2: UpConv::load(&enlarge.at(3), channels / 4, channels / 8)?,
            weigh: (0..masks)
                .map(|index| Mlp::load(&weigh.at(index), &weigh_widths))
                .collect(),
            iou_head: Mlp::load(&scope.at("iou_prediction_head"), iou_widths),
            has_iou_sigmoid,
            object_head: has_object
                .then(|| Mlp::load(&scope.at("pred_obj_score_head"), object_widths)),
            fine: has_fine
                .then(|| FineProjections::load(scope, sizes))
                .transpose()?,
            grid,
        })
    }

    /// Prepares finer maps of an image, `[4 · grid, 4 · grid, channels]` and
    /// `[2 · grid, 2 · grid, channels]`; `None` for a decoder that sees none.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn prepare_fine(&self, maps: [&Tensor; 2]) -> TorchResult<Option<FineFeatures>> {
        let fine = self.fine.as_ref();
        fine.map(|fine| fine.forward(maps)).transpose()
    }

    /// Prepares an image for any number of prompts: its embedding `[places, channels]`, the
    /// embedding of a mask prompt `[places or 1, channels]`, the encodings of the places, and finer
    /// maps of it where the decoder sees some.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn prepare(
        &self,
        embedding: &Tensor,
        mask: &Tensor,
        places: &Tensor,
        fine: Option<FineFeatures>,
    ) -> TorchResult<ImageSide> {
        let image = embedding.f_add(mask)?;
        let placed = image.f_add(places)?;
        Ok(ImageSide {
            key: self.first.to_image.keys_of_image(&placed)?,
            value: self.first.to_image.values_of_image(&image)?,
            query: self.first.to_tokens.queries_of_image(&placed)?,
            places: places.shallow_clone(),
            image,
            fine,
        })
    }

    /// Runs prompts `[prompts, tokens, channels]` (tokens may be 0) against an image.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn decode(&self, side: &ImageSide, prompts: &Tensor) -> TorchResult<Decoded> {
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
            fine: side.fine.clone(),
        })
    }

    /// The predicted IoU `[prompts, masks]` of every mask the decoder can give.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn ious(&self, decoded: &Decoded) -> TorchResult<Tensor> {
        let token = self.tokens(decoded, self.iou_token, 1)?;
        let ious = self.iou_head.forward(&token.f_squeeze_dim(1)?)?;
        match self.has_iou_sigmoid {
            true => ious.f_sigmoid(),
            false => Ok(ious),
        }
    }

    /// By how much each prompt shows an object at all, as logits `[prompts, 1]`; `None` for a decoder
    /// that does not tell.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn object_scores(&self, decoded: &Decoded) -> TorchResult<Option<Tensor>> {
        let score = |head: &Mlp| head.forward(&self.tokens(decoded, 0, 1)?.f_squeeze_dim(1)?);
        self.object_head.as_ref().map(score).transpose()
    }

    /// The tokens `[prompts, count, channels]` of `count` masks from mask `first` on, as they come out
    /// of the transformer.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn mask_tokens(
        &self,
        decoded: &Decoded,
        first: usize,
        count: usize,
    ) -> TorchResult<Tensor> {
        let first = self.iou_token + 1 + first as i64;
        self.tokens(decoded, first, count as i64)
    }

    /// The logits `[chosen, count, low, low]` of `count` masks from mask `first` on, for the
    /// prompts of the given indices.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn masks(
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
            fine: decoded.fine.clone(),
            image,
        };
        let tokens = self.mask_tokens(&decoded, first, count)?;
        let weights = self.weigh.iter().skip(first).take(count).zip(0..);
        let weights = weights
            .map(|(mlp, index)| mlp.forward(&tokens.f_select(1, index)?))
            .collect::<TorchResult<Vec<_>>>()?;
        let weights = Tensor::f_stack(&weights, -1)?;
        let (chosen, grid, count) = (chosen.len() as i64, self.grid, count as i64);
        let enlarged = self
            .enlarge(&decoded)?
            .f_view([chosen, 16 * grid * grid, -1])?;
        // Each place has become 2x2 and each of these 2x2: only now put them in order.
        let logits = enlarged.f_bmm(&weights)?;
        logits
            .f_view(&[chosen, grid, grid, 2, 2, 2, 2, count] as &[i64])?
            .f_permute([0, 7, 1, 3, 5, 2, 4, 6])?
            .f_reshape([chosen, count, 4 * grid, 4 * grid])
    }

    /// The images `[prompts, places, channels]` as what masks are made of,
    /// `[prompts, places, 4, 4, channels / 8]`: of each place 2x2 parts, and of each of these 2x2.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn enlarge(&self, decoded: &Decoded) -> TorchResult<Tensor> {
        let mut x = self.enlarge1.forward(&decoded.image)?;
        if let Some(fine) = &decoded.fine {
            x = x.f_add_(&fine.halves)?;
        }
        let x = self.enlarge_norm.forward(&x)?.f_gelu_("none")?;
        let mut x = self.enlarge2.forward(&x)?;
        if let Some(fine) = &decoded.fine {
            x = x.f_add_(&fine.quarters)?;
        }
        x.f_gelu_("none")
    }

    /// `count` tokens from token `first` on, of all: those of the decoder, then those of the prompts.
    /// The last attention to the image is theirs alone.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn tokens(&self, decoded: &Decoded, first: i64, count: i64) -> TorchResult<Tensor> {
        let tokens = decoded.tokens.f_narrow(1, first, count)?;
        let query = tokens.f_add(&decoded.origin.f_narrow(1, first, count)?)?;
        let image = &decoded.image;
        let found =
            self.last_attention
                .tokens_to_image(&query, image, image, Some(&decoded.places))?;
        self.last_norm.forward(&tokens.f_add(&found)?)
    }
}
