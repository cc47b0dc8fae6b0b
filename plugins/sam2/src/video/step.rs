//! One step of a video: what is found of an object in a frame, and what is kept of that.
//!
//! `track_step` of `sam2/modeling/sam2_base.py`, and the steps of `sam2/sam2_video_predictor.py`.

use som_core::{Error, Mask, Result, Size};
use som_torch::{
    TorchResult, decoder::PromptToken, interactive::Prompt, numbers, stages::stage, torch_error,
};
use tch::{Kind, Tensor};

use super::{
    Session, Tracked,
    frame::Frame,
    object::{Found, Kept, Object, SharedTensor},
};
use crate::predictor::{MOST_LOGIT, best_of_others, fill_barely, tokens};

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
    /// Follows the object of this place into a frame, unless people pointed at it there.
    pub(super) fn propagate(
        &mut self,
        frame: &Frame,
        place: usize,
        is_backward: bool,
    ) -> Result<()> {
        let object = &self.objects[place];
        let is_pointed = object.pointed.iter().any(|(at, _)| *at == frame.index);
        let kept = match is_pointed {
            true => None,
            false => Some(self.follow(frame, object, is_backward)?),
        };
        let object = &mut self.objects[place];
        object.followed.insert(frame.index, is_backward);
        if let Some(kept) = kept {
            object.recent.insert(frame.index, kept);
        }
        Ok(())
    }

    /// What is found of an object in a frame without a prompt, and kept.
    fn follow(&self, frame: &Frame, object: &Object, is_backward: bool) -> Result<Kept> {
        let image = self.remembering(frame, object, is_backward)?;
        let mut found = self.ask(
            frame,
            &Asked {
                image: &image,
                points: &[],
                mask: None,
                is_ambiguous: self.is_ambiguous(false, 0),
            },
        )?;
        let memory = self.remember(frame, &found, false)?;
        self.fill(&mut found)?;
        Ok(Kept { found, memory })
    }

    /// Points at an object in a frame, by points and box, by a mask, or by a mask and then points.
    /// `clears` tells whether earlier points of the frame no longer count.
    pub(crate) fn add(
        &mut self,
        frame: &Frame,
        id: u64,
        prompt: &Prompt,
        clears: bool,
    ) -> Result<()> {
        let at = self.objects.iter().position(|object| object.id == id);
        let at = at.unwrap_or_else(|| {
            self.objects.push(Object::new(id));
            self.objects.len() - 1
        });
        let followed = self.objects[at].followed.get(&frame.index).copied();
        let for_good = followed.is_none() || self.settings.add_all_frames_to_correct_as_cond;
        if let Some(mask) = &prompt.mask {
            let mut found = self.drawn(frame, mask)?;
            self.fill(&mut found)?;
            let object = &mut self.objects[at];
            object.points.remove(&frame.index);
            object.wait(frame.index, for_good, found);
        }
        let new = tokens(prompt, frame.size, self.predictor.side());
        if new.is_empty() {
            return Ok(());
        }
        let points = &mut self.objects[at].points;
        let mut all = match clears {
            true => Vec::new(),
            false => points.remove(&frame.index).unwrap_or_default(),
        };
        all.extend(new);
        points.insert(frame.index, all.clone());
        let mut found = self.pointed_at(frame, &self.objects[at], &all, followed)?;
        self.fill(&mut found)?;
        self.objects[at].wait(frame.index, for_good, found);
        Ok(())
    }

    /// What points ask for in a frame; `followed` tells whether the object was followed there already,
    /// and whether backwards.
    fn pointed_at(
        &self,
        frame: &Frame,
        object: &Object,
        points: &[PromptToken],
        followed: Option<bool>,
    ) -> Result<Found> {
        let for_good = followed.is_none() || self.settings.add_all_frames_to_correct_as_cond;
        let before = object.found(frame.index, Some(for_good));
        let most = f64::from(MOST_LOGIT);
        let mask = |found: &Found| self.logits(found)?.f_clamp(-most, most);
        let mask = before.map(mask).transpose().map_err(torch_error)?;
        let image = match followed {
            Some(is_backward) => self.remembering(frame, object, is_backward)?,
            None => {
                let embedding = &frame.features.embedding;
                let image = embedding.f_add(&self.predictor.sam2.no_memory);
                image.map_err(torch_error)?
            }
        };
        self.ask(
            frame,
            &Asked {
                image: &image,
                points,
                mask: mask.as_ref(),
                is_ambiguous: self.is_ambiguous(followed.is_none(), points.len()),
            },
        )
    }

    /// The frame as it sees what is remembered of an object.
    fn remembering(&self, frame: &Frame, object: &Object, is_backward: bool) -> Result<Tensor> {
        if object.pointed.is_empty() {
            return Err(Error::internal(format!(
                "nobody pointed at object {} yet",
                object.id
            )));
        }
        let memory = &self.predictor.sam2.memory;
        let see = || {
            let bank = self.bank(object, frame.index, is_backward)?;
            let image = &frame.features.embedding;
            memory.attention.forward(image, &memory.image_places, &bank)
        };
        stage("memory attention", see).map_err(torch_error)
    }

    fn is_ambiguous(&self, is_first: bool, points: usize) -> bool {
        let settings = &self.settings;
        let few = settings.multimask_min_pt_num..=settings.multimask_max_pt_num;
        (is_first || settings.multimask_output_for_tracking) && few.contains(&points)
    }

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
    fn drawn(&self, frame: &Frame, mask: &Mask) -> Result<Found> {
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

    /// What is kept of a frame and of what was found there; `is_pointed` tells whether people pointed at
    /// it.
    pub(crate) fn remember(
        &self,
        frame: &Frame,
        found: &Found,
        is_pointed: bool,
    ) -> Result<SharedTensor> {
        let memory = self.memory(frame, found, is_pointed)?;
        let memory = memory.f_to_kind(Kind::BFloat16).map_err(torch_error)?;
        Ok(SharedTensor(memory))
    }

    /// The same in single precision, `[places, channels]`.
    pub(super) fn memory(&self, frame: &Frame, found: &Found, is_pointed: bool) -> Result<Tensor> {
        let settings = &self.settings;
        let side = self.predictor.sam2.config.side;
        let mask = || {
            let mask = self
                .logits(found)?
                .f_unsqueeze(0)?
                .f_unsqueeze(0)?
                .f_upsample_bilinear2d([side, side], false, None, None)?
                .f_view([side, side])?;
            let mask = match settings.binarize_mask_from_pts_for_mem_enc && is_pointed {
                true => mask.f_gt(0.0)?.f_to_kind(Kind::Float)?,
                false => mask.f_sigmoid()?,
            };
            mask.f_mul_scalar(settings.sigmoid_scale_for_mem_enc)?
                .f_add_scalar(settings.sigmoid_bias_for_mem_enc)
        };
        let mask = mask().map_err(torch_error)?;
        let memory = &self.predictor.sam2.memory;
        let embedding = &frame.features.embedding;
        let remember = || memory.remember(embedding, &mask, found.score > 0.0);
        stage("memory encoder", remember)
    }

    /// Remembers what prompts gave in a frame.
    pub(crate) fn settle(&mut self, frame: &Frame) -> Result<()> {
        for index in 0..self.objects.len() {
            // What is seen for good comes last, and stays.
            for good in [false, true] {
                let pending = &self.objects[index].pending;
                let meant = |it: &&(usize, bool, Found)| (it.0, it.1) == (frame.index, good);
                let Some((_, _, found)) = pending.iter().rev().find(meant) else {
                    continue;
                };
                let found = found.clone();
                let memory = self.remember(frame, &found, true)?;
                let kept = Kept { found, memory };
                let object = &mut self.objects[index];
                match good {
                    true => object.point_at(frame.index, kept),
                    false => drop(object.recent.insert(frame.index, kept)),
                }
            }
            let pending = &mut self.objects[index].pending;
            pending.retain(|(at, ..)| *at != frame.index);
        }
        Ok(())
    }

    /// All objects that were found in a frame.
    pub(crate) fn tracked(&self, frame: &Frame) -> Result<Vec<Tracked>> {
        let found = self.objects.iter();
        let found = found.filter_map(|it| Some((it.id, it.found(frame.index, None)?)));
        let found: Vec<(u64, &Found)> = found.collect();
        let masks = match self.settings.non_overlap_masks && found.len() > 1 {
            true => self.apart(&found, frame.size)?,
            false => {
                let size = frame.size;
                let upsampling = self.predictor.upsampling_of(size.bbox(), size);
                let mask =
                    |(_, found): &(u64, &Found)| upsampling.threshold(&found.logits, 0.0, 0.0).mask;
                found.iter().map(mask).collect()
            }
        };
        let tracked = found.into_iter().zip(masks);
        let tracked = tracked.map(|((object, found), mask)| Tracked {
            object,
            mask,
            score: 1.0 / (1.0 + (-found.score).exp()),
            predicted_iou: found.iou,
        });
        Ok(tracked.collect())
    }

    /// Masks of which each pixel belongs to one at most: to the object of the highest logit.
    fn apart(&self, found: &[(u64, &Found)], size: Size) -> Result<Vec<Mask>> {
        let masks = || {
            let low: Vec<Tensor> = found
                .iter()
                .map(|(_, found)| self.logits(found))
                .collect::<TorchResult<_>>()?;
            let extents = [i64::from(size.height), i64::from(size.width)];
            let whole = Tensor::f_stack(&low, 0)?
                .f_unsqueeze(1)?
                .f_upsample_bilinear2d(extents, false, None, None)?
                .f_squeeze_dim(1)?;
            let highest = whole.f_argmax(0, false)?;
            (0..found.len() as i64)
                .map(|index| {
                    let own = whole.f_select(0, index)?.f_gt(0.0)?;
                    let pixels = own.f_logical_and(&highest.f_eq(index)?)?;
                    let pixels = pixels.f_to_kind(Kind::Uint8)?.f_flatten(0, -1)?;
                    Vec::<u8>::try_from(pixels.f_to_device(tch::Device::Cpu)?)
                })
                .collect::<TorchResult<Vec<_>>>()
        };
        let masks = masks().map_err(torch_error)?;
        let mask = |pixels: &Vec<u8>| Mask::from_dense(size, size.bbox(), pixels);
        masks.iter().map(mask).collect()
    }

    /// Low-resolution logits as `[low, low]`.
    fn logits(&self, found: &Found) -> TorchResult<Tensor> {
        let low = i64::from(self.predictor.low());
        Tensor::f_from_slice(&found.logits)?
            .f_view([low, low])?
            .f_to_device(self.predictor.compute.device)
    }

    fn fill(&self, found: &mut Found) -> Result<()> {
        if self.settings.fill_hole_area == 0 {
            return Ok(());
        }
        let low = self.predictor.low();
        let mut logits = found.logits.to_vec();
        fill_barely(
            &mut logits,
            Size::new(low, low),
            self.settings.fill_hole_area,
        )?;
        found.logits = logits.into();
        Ok(())
    }
}
