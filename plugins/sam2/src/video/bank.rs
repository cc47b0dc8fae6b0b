//! Which memories a frame sees.
//!
//! `_prepare_memory_conditioned_features` of `sam2/modeling/sam2_base.py`.

use som_torch::TorchResult;
use tch::{Kind, Tensor};

use super::{
    Session,
    object::{Kept, Object},
};
use crate::network::Bank;

/// The longest wave by which ages are told, as a multiple of the shortest.
const TEMPERATURE: f32 = 10_000.0;

/// Frames that people pointed at, as frame `index` sees them.
struct Pointed<'a> {
    /// The nearest, as many as are seen.
    seen: Vec<&'a (usize, Kept)>,
    /// The others: seen like any frame.
    others: Vec<&'a (usize, Kept)>,
}

impl Session {
    /// What frame `index` sees of an object, when the video runs forwards or backwards.
    pub(crate) fn bank(
        &self,
        object: &Object,
        index: usize,
        is_backward: bool,
    ) -> TorchResult<Bank> {
        let memory = &self.predictor.sam2.memory;
        let pointed = Pointed::of(object, index, self.settings.max_cond_frames_in_attn);
        let frames = memory.sizes.frames;
        let mut memories: Vec<(i64, &Kept)> = Vec::new();
        memories.extend(pointed.seen.iter().map(|(_, kept)| (frames - 1, kept)));
        // From the oldest to the newest.
        for back in (1..frames).rev() {
            let stride = self.settings.memory_temporal_stride_for_eval;
            let frame = frame_back(index, back, stride, is_backward);
            let kept = frame.and_then(|frame| pointed.like_any(object, frame));
            memories.extend(kept.map(|kept| (back - 1, kept)));
        }
        let pointers = self.pointers(object, &pointed, index, is_backward);
        assemble(self, &memories, &pointers)
    }

    /// How many pointers are seen at most.
    fn most_pointers(&self) -> usize {
        let frames = self.frames.unwrap_or(usize::MAX);
        self.settings.max_obj_ptrs_in_encoder.min(frames)
    }

    /// Pointers to the object in other frames, with how long ago that was.
    fn pointers<'a>(
        &self,
        object: &'a Object,
        pointed: &Pointed<'a>,
        index: usize,
        is_backward: bool,
    ) -> Vec<(i64, &'a Kept)> {
        let settings = &self.settings;
        let ago = |frame: usize| {
            let ago = index as i64 - frame as i64;
            if is_backward { -ago } else { ago }
        };
        let seen = pointed.seen.iter();
        let seen = seen
            .filter(|(frame, _)| !settings.only_obj_ptrs_in_the_past_for_eval || ago(*frame) >= 0);
        let age = |frame: usize| match settings.use_signed_tpos_enc_to_obj_ptrs {
            true => ago(frame),
            false => ago(frame).abs(),
        };
        let mut pointers: Vec<(i64, &Kept)> =
            seen.map(|(frame, kept)| (age(*frame), kept)).collect();
        for back in 1..self.most_pointers() {
            let frame = match is_backward {
                true => index.checked_add(back),
                false => index.checked_sub(back),
            };
            let in_video = |frame: &usize| self.frames.is_none_or(|frames| *frame < frames);
            let Some(frame) = frame.filter(in_video) else {
                break;
            };
            let kept = pointed.like_any(object, frame);
            pointers.extend(kept.map(|kept| (back as i64, kept)));
        }
        pointers
    }
}

impl<'a> Pointed<'a> {
    fn of(object: &'a Object, index: usize, limit: Option<usize>) -> Self {
        let all = object.pointed.iter();
        let limit = limit.unwrap_or(usize::MAX);
        if object.pointed.len() <= limit {
            return Self {
                seen: all.collect(),
                others: Vec::new(),
            };
        }
        let before = all.clone().filter(|(frame, _)| *frame < index);
        let after = all.clone().filter(|(frame, _)| *frame >= index);
        let mut seen: Vec<&(usize, Kept)> = Vec::new();
        seen.extend(before.max_by_key(|(frame, _)| *frame));
        seen.extend(after.min_by_key(|(frame, _)| *frame));
        let is_seen = |seen: &[&(usize, Kept)], it: &(usize, Kept)| {
            seen.iter().any(|(frame, _)| *frame == it.0)
        };
        let mut rest: Vec<_> = all.clone().filter(|it| !is_seen(&seen, it)).collect();
        rest.sort_by_key(|(frame, _)| frame.abs_diff(index));
        rest.truncate(limit.saturating_sub(seen.len()));
        seen.extend(rest);
        Self {
            others: all.filter(|it| !is_seen(&seen, it)).collect(),
            seen,
        }
    }

    /// What is kept of a frame, unless it is one that is seen as people pointed at it.
    fn like_any(&self, object: &'a Object, frame: usize) -> Option<&'a Kept> {
        let others = self.others.iter().find(|(index, _)| *index == frame);
        let others = others.map(|(_, kept)| kept);
        object.recent.get(&frame).or(others)
    }
}

/// The frame that is the memory `back` before frame `index`: the last one, then every `stride`-th. `None`
/// before the video began.
fn frame_back(index: usize, back: i64, stride: usize, is_backward: bool) -> Option<usize> {
    let (index, stride) = (index as i64, stride as i64);
    let frame = match (back, is_backward) {
        (1, false) => index - 1,
        (1, true) => index + 1,
        (_, false) => (index - 2).div_euclid(stride) * stride - (back - 2) * stride,
        (_, true) => -(-(index + 2)).div_euclid(stride) * stride + (back - 2) * stride,
    };
    usize::try_from(frame).ok()
}

/// Memories, each with the place of its age in the table, then pointers, each with its age.
fn assemble(
    session: &Session,
    memories: &[(i64, &Kept)],
    pointers: &[(i64, &Kept)],
) -> TorchResult<Bank> {
    let memory = &session.predictor.sam2.memory;
    let (mut tokens, mut positions) = (Vec::new(), Vec::new());
    for (age, kept) in memories {
        tokens.push(kept.memory.0.f_to_kind(Kind::Float)?);
        positions.push(memory.places.f_add(&memory.ages.f_select(0, *age)?)?);
    }
    let channels = memory.sizes.channels;
    let each = memory.sizes.hidden_channels / channels;
    if !pointers.is_empty() {
        let all: Vec<&Tensor> = pointers
            .iter()
            .map(|(_, kept)| &kept.found.pointer.0)
            .collect();
        // A pointer is as wide as several tokens.
        tokens.push(Tensor::f_stack(&all, 0)?.f_view([-1, channels])?);
        let ages: Vec<i64> = pointers.iter().map(|(age, _)| *age).collect();
        let ages = pointer_ages(session, &ages)?;
        positions.push(ages.f_repeat_interleave_self_int(each, Some(0), None)?);
    }
    Ok(Bank {
        tokens: Tensor::f_cat(&tokens, 0)?,
        positions: Tensor::f_cat(&positions, 0)?,
        pointers: pointers.len() as i64 * each,
    })
}

/// The encoding of each age, `[ages, channels]`.
fn pointer_ages(session: &Session, ages: &[i64]) -> TorchResult<Tensor> {
    let memory = &session.predictor.sam2.memory;
    let channels = memory.sizes.channels;
    let device = memory.places.device();
    if !session.settings.add_tpos_enc_to_obj_ptrs {
        return Tensor::f_zeros([ages.len() as i64, channels], (Kind::Float, device));
    }
    // The oldest is 1.
    let whole = session.most_pointers().saturating_sub(1).max(1) as f32;
    let width = match &memory.pointer_age {
        Some(_) => memory.sizes.hidden_channels,
        None => channels,
    };
    let half = width / 2;
    let mut numbers = Vec::new();
    for &age in ages {
        let place = age as f32 / whole;
        let wave = |index: i64| place / TEMPERATURE.powf((2 * (index / 2)) as f32 / half as f32);
        numbers.extend((0..half).map(|index| wave(index).sin()));
        numbers.extend((0..half).map(|index| wave(index).cos()));
    }
    let codes = Tensor::f_from_slice(&numbers)?
        .f_view([-1, width])?
        .f_to_device(device)?;
    match &memory.pointer_age {
        Some(project) => project.forward(&codes),
        None => Ok(codes),
    }
}

#[cfg(test)]
mod tests {
    use super::frame_back;

    #[test]
    fn the_last_frame_is_seen_and_then_every_so_manyth() {
        let seen = |index, stride, is_backward| -> Vec<Option<usize>> {
            let back = (1..5).map(|back| frame_back(index, back, stride, is_backward));
            back.collect()
        };
        assert_eq!(seen(6, 1, false), [5, 4, 3, 2].map(Some));
        assert_eq!(seen(7, 2, false), [6, 4, 2, 0].map(Some));
        assert_eq!(seen(8, 3, false), [Some(7), Some(6), Some(3), Some(0)]);
        assert_eq!(seen(1, 2, false), [Some(0), None, None, None]);
        assert_eq!(seen(2, 2, true), [3, 4, 6, 8].map(Some));
        assert_eq!(seen(3, 2, true), [4, 6, 8, 10].map(Some));
    }
}
