//! What the mask decoder finds of an object in a frame.
//!
//! `_forward_sam_heads` and `_use_mask_as_output` of `sam2/modeling/sam2_base.py`.

use som_core::{Mask, Result};
use som_torch::{TorchResult, decoder::PromptToken, numbers, stages::stage, torch_error};
use tch::{Kind, Tensor};

use super::{
    Session,
    frame::Frame,
    object::{Found, SharedTensor},
};
use crate::predictor::best_of_others;

/// Logits of frames in which the object is not seen.
const NOT_THERE: f32 = -1024.0;

/// Logits, and scores, of masks that people draw.
const DRAWN: f32 = 10.0;

/// What the decoder is told of an object in a frame.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// `[places, hidden]`
    pub image: &'a Tensor,
    pub points: &'a [PromptToken],
    /// Logits `[low, low]`.
    pub mask: Option<&'a Tensor>,
    /// Whether the best of three masks is taken.
    pub is_ambiguous: bool,
}

impl Session {
    /// Runs the mask decoder, and takes one mask.
    pub(super) fn ask(&self, frame: &Frame, asked: &Asked<'_>) -> Result<Found> {
        let predictor = &self.predictor;
        let (sam2, decoder) = (&predictor.sam2, &predictor.sam2.mask_decoder);
        let side = || {
            let mask = match asked.mask {
                Some(logits) => &sam2.prompt_encoder.embed_mask(logits)?,
                None => &*sam2.prompt_encoder.no_mask,
            };
            let fine = frame.features.fine.clone();
            decoder.prepare(asked.image, mask, &predictor.places, fine)
        };
        let side = side().map_err(torch_error)?;
        let mut tokens = asked.points.to_vec();
        if tokens.is_empty() {
            tokens.push(PromptToken::PADDING);
        }
        tokens.push(PromptToken::PADDING);
        let decoded = stage("decoder", || predictor.run_decoder(&side, &[tokens]))?;
        let take = || {
            let ious = decoded.ious.first().map_or(&[][..], Vec::as_slice);
            let best = best_of_others(ious).filter(|_| asked.is_ambiguous);
            let (mask, iou, logits) = match best {
                Some((mask, iou)) => {
                    let logits = predictor.logits(&decoded, &[0], mask, 1)?;
                    (mask, iou, logits.numbers().to_vec())
                }
                None => {
                    let single = predictor.singles(&decoded)?.pop();
                    let (iou, logits) = single.map(|it| (it.iou, it.logits)).unwrap_or_default();
                    (0, iou, logits)
                }
            };
            let token = match self.settings.use_multimask_token_for_obj_ptr {
                true => mask,
                false => 0,
            };
            let token = decoder.mask_tokens(&decoded.decoded, token, 1)?;
            let score = match decoder.object_scores(&decoded.decoded)? {
                Some(score) => f32::try_from(score.f_flatten(0, -1)?.f_get(0)?)?,
                None => DRAWN,
            };
            let pointer = match score > 0.0 {
                true => sam2.memory.pointer.forward(&token.f_flatten(0, -1)?)?,
                false => sam2.memory.no_object_pointer.f_flatten(0, -1)?,
            };
            Ok((iou, logits, score, pointer))
        };
        let (iou, mut logits, score, pointer) = take().map_err(torch_error)?;
        if !score.is_finite() {
            return Err(numbers::none_of("mask decoder"));
        }
        if score <= 0.0 {
            logits.fill(NOT_THERE);
        }
        Ok(Found {
            logits: logits.into(),
            pointer: SharedTensor(pointer),
            score,
            iou,
        })
    }

    /// An object that is where people drew it. Only what further frames see of it is asked for.
    pub(super) fn drawn(&self, frame: &Frame, mask: &Mask) -> Result<Found> {
        let (side, low) = (
            self.predictor.sam2.config.side,
            i64::from(self.predictor.low()),
        );
        let memory = &self.predictor.sam2.memory;
        let prepare = || {
            let size = mask.size();
            let pixels = mask.to_dense(size.bbox());
            let extents = [1, 1, i64::from(size.height), i64::from(size.width)];
            let pixels = Tensor::f_from_slice(&pixels)?
                .f_view(extents)?
                .f_gt(0.0)?
                .f_to_kind(Kind::Float)?
                .f_to_device(self.predictor.compute.device)?;
            let whole = match [i64::from(size.height), i64::from(size.width)] == [side, side] {
                true => pixels,
                false => pixels
                    .f_internal_upsample_bilinear2d_aa([side, side], false, None, None)?
                    .f_ge(0.5)?
                    .f_to_kind(Kind::Float)?,
            };
            let scaled = whole
                .f_mul_scalar(2.0 * f64::from(DRAWN))?
                .f_sub_scalar(f64::from(DRAWN))?;
            let logits = scaled.f_internal_upsample_bilinear2d_aa([low, low], false, None, None)?;
            let is_there = f64::try_from(whole.f_max()?)? > 0.0;
            let whole = whole.f_view([side, side, 1])?;
            let prompt = memory.shrink_mask.forward(&whole)?.f_squeeze_dim(-1)?;
            Ok((numbers::of(&logits)?, prompt, is_there))
        };
        let (logits, prompt, is_there) = prepare().map_err(torch_error)?;
        let asked = Asked {
            image: &frame.features.embedding,
            points: &[],
            mask: Some(&prompt),
            is_ambiguous: false,
        };
        let asked = self.ask(frame, &asked)?;
        let pointer = match is_there {
            true => asked.pointer,
            false => {
                let nothing = memory.no_object_pointer.f_flatten(0, -1);
                SharedTensor(nothing.map_err(torch_error)?)
            }
        };
        Ok(Found {
            logits: logits.into(),
            pointer,
            score: if is_there { DRAWN } else { -DRAWN },
            iou: 1.0,
        })
    }

    /// Low-resolution logits as `[low, low]`.
    pub(super) fn logits(&self, found: &Found) -> TorchResult<Tensor> {
        let low = i64::from(self.predictor.low());
        Tensor::f_from_slice(&found.logits)?
            .f_view([low, low])?
            .f_to_device(self.predictor.compute.device)
    }
}
