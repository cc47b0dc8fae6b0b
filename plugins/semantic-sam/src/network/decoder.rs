//! From points and boxes to masks: six for each, one for each level of detail.
//!
//! `IMaskDINODecoder` in the official `semantic_sam/body/decoder/interactive_mask_dino.py`, as it
//! runs in inference (`prepare_for_dn_mo_infer`).

use som_core::{Call, Result, Size};
use som_torch::{
    Scope, TorchResult,
    attention::{DeformableValues, Levels},
    decoder::{Queries, QueryDecoder, boxes::inverse_sigmoid},
    nn::{Mlp, Weight},
    torch_error,
};
use tch::{Device, Kind, Tensor};

use super::config::Config;

/// What a query is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Prompt {
    /// Centre x and y, width and height, in 0..1 of the image.
    pub place: [f32; 4],
    pub kind: PromptKind,
}

/// Width and height of a point, in parts of the image's.
const POINT: f32 = 0.005;

impl Prompt {
    /// A click at x and y, in 0..1 of the image.
    pub(crate) const fn point(x: f32, y: f32) -> Self {
        Self {
            place: [x, y, POINT, POINT],
            kind: PromptKind::Point,
        }
    }
}

/// Whether the place is a click or goes around the thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PromptKind {
    Point,
    Box,
}

/// Prompts to masks. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct PromptDecoder {
    pub(super) decoder: QueryDecoder,
    /// What a query for a point and one for a box is about, for each mask:
    /// `[2, masks, channels]`.
    pub(super) contents: Weight,
    mask_embedding: Mlp,
    iou_head: Mlp,
    device: Device,
    masks: i64,
}

/// Prompts after the decoder: what their masks are worth, before they are made.
#[derive(Debug)]
pub(crate) struct DecodedPrompts {
    /// What the heads see, `[prompts · masks, channels]`.
    content: Tensor,
    /// Of the image, `[cells, mask channels]`.
    mask_features: Tensor,
    /// Prompt by prompt, the predicted IoU of each mask.
    pub ious: Vec<f32>,
}

impl PromptDecoder {
    /// The decoder at `scope`.
    pub(super) fn load(scope: &Scope<'_>, config: &Config) -> TorchResult<Self> {
        let (channels, masks) = (config.queries.channels, config.masks);
        let label = scope.weight("label_enc.weight", &[2, channels]);
        let kind = scope.weight("pb_embedding.weight", &[2, channels]);
        let mask = scope.weight("mask_tokens.weight", &[masks, channels]);
        let contents = kind.map(|kind| {
            let known = label.f_narrow(0, 0, 1)?.f_add(kind)?;
            known.f_unsqueeze(1)?.f_add(&mask.f_unsqueeze(0)?)
        })?;
        // Classes are for training alone: nothing here looks at words.
        for name in ["lang_mapper", "class_embed", "class_embed_part"] {
            scope.leave(name);
        }
        let widths = |last| [channels, channels, channels, last];
        let mask_channels = config.pixel_decoder.mask_channels;
        Ok(Self {
            decoder: QueryDecoder::load(scope, &config.queries)?,
            contents,
            mask_embedding: Mlp::load(&scope.at("mask_embed"), &widths(mask_channels)),
            iou_head: Mlp::load(&scope.at("iou_prediction_head"), &widths(1)),
            device: scope.device(),
            masks,
        })
    }

    /// What the layers see of a memory, for any number of prompts.
    pub(crate) fn values(
        &self,
        memory: &Tensor,
        levels: &Levels,
    ) -> TorchResult<Vec<DeformableValues>> {
        let memory = self.decoder.project(memory, levels)?;
        self.decoder.values(&memory, levels)
    }

    /// Prompts as queries, all masks of one after the other, for an image of the size `inside` in an
    /// input of the size `padded`.
    pub(crate) fn queries(
        &self,
        prompts: &[Prompt],
        inside: Size,
        padded: Size,
    ) -> TorchResult<Queries> {
        let kind = |prompt: &Prompt| i64::from(prompt.kind == PromptKind::Box);
        let kinds: Vec<i64> = prompts.iter().map(kind).collect();
        let kinds = Tensor::f_from_slice(&kinds)?.f_to_device(self.device)?;
        let content = self.contents.f_index_select(0, &kinds)?.f_flatten(0, 1)?;
        let across = |part: f32| part * inside.width as f32 / padded.width as f32;
        let down = |part: f32| part * inside.height as f32 / padded.height as f32;
        let places = prompts.iter().flat_map(|prompt| {
            let [x, y, width, height] = prompt.place;
            [across(x), down(y), across(width), down(height)]
        });
        let places: Vec<f32> = places.collect();
        let boxes = Tensor::f_from_slice(&places)?
            .f_view([-1, 1, 4])?
            .f_expand([-1, self.masks, 4], false)?
            .f_reshape([-1, 4])?
            .f_to_device(self.device)?;
        Ok(Queries {
            content,
            boxes: inverse_sigmoid(&boxes)?.f_sigmoid()?,
        })
    }

    /// Queries, all of which know of each other, through the layers to the heads: about an image of
    /// which it is known what the layers [see](Self::values), and its map for masks
    /// `[cells, mask channels]`.
    ///
    /// # Errors
    /// Cancelled; what libtorch reports.
    pub(crate) fn forward(
        &self,
        queries: Queries,
        values: &[DeformableValues],
        mask_features: &Tensor,
        call: &Call<'_>,
    ) -> Result<DecodedPrompts> {
        let objects = self.decoder.forward_in(queries, values, call)?;
        let finish = || {
            // The official heads see what was normed already, normed once more.
            let content = self.decoder.normed(&objects.content)?;
            let ious = self.iou_head.forward(&content)?.f_flatten(0, 1)?;
            let ious = ious.f_to_device(Device::Cpu)?;
            Ok(DecodedPrompts {
                content,
                mask_features: mask_features.shallow_clone(),
                ious: Vec::try_from(ious)?,
            })
        };
        finish().map_err(torch_error)
    }

    /// The logits of some masks, given as `prompt · masks + mask`: `[chosen, cells]`, on the CPU.
    pub(crate) fn masks(&self, decoded: &DecodedPrompts, chosen: &[i64]) -> TorchResult<Tensor> {
        let chosen = Tensor::f_from_slice(chosen)?.f_to_device(self.device)?;
        let content = decoded.content.f_index_select(0, &chosen)?;
        self.mask_embedding
            .forward(&content)?
            .f_mm(&decoded.mask_features.f_tr()?)?
            .f_to_kind(Kind::Float)?
            .f_to_device(Device::Cpu)
    }
}
