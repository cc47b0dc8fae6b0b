//! One step of a video: an object is followed into a frame, or pointed at there, and that is remembered.
//!
//! `track_step` of `sam2/modeling/sam2_base.py`, and the steps of `sam2/sam2_video_predictor.py`.

use som_core::{Error, Result, Size};
use som_torch::{decoder::PromptToken, interactive::Prompt, stages::stage, torch_error};
use tch::{Kind, Tensor};

use super::{
    Session,
    decode::Asked,
    frame::Frame,
    object::{Found, Kept, Object, SharedTensor},
};
use crate::predictor::{MOST_LOGIT, fill_barely, tokens};

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
