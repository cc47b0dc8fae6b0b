//! What is kept of an object.

use std::{collections::BTreeMap, sync::Arc};

use som_torch::decoder::PromptToken;
use tch::Tensor;

use super::Place;

/// An object that is followed. Clones share the numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object {
    pub id: u64,
    /// Frames that people pointed at, in the order in which they did: seen for good.
    pub pointed: Vec<(usize, Kept)>,
    /// Other frames.
    pub recent: BTreeMap<usize, Kept>,
    /// What prompts gave, before it is remembered: frame, whether for good, and what.
    pub pending: Vec<(usize, bool, Found)>,
    /// The points of each frame, with a box's corners first.
    pub points: BTreeMap<usize, Vec<PromptToken>>,
    /// Frames in which it was followed, and whether backwards.
    pub followed: BTreeMap<usize, bool>,
}

/// An object in a frame, as it was found there.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Low-resolution logits, row by row.
    pub logits: Arc<[f32]>,
    /// What further frames see of it, `[hidden]`.
    pub pointer: SharedTensor,
    /// Above 0, if the object is there.
    pub score: f32,
    /// What the network thinks of the mask.
    pub iou: f32,
}

/// The same, remembered.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub found: Found,
    /// `[places, channels]`, in 16 bits.
    pub memory: SharedTensor,
}

/// A tensor that nobody changes. Clones share the numbers.
#[derive(Debug)]
pub(crate) struct SharedTensor(pub Tensor);

impl Clone for SharedTensor {
    fn clone(&self) -> Self {
        Self(self.0.shallow_clone())
    }
}

impl Object {
    pub(super) fn new(id: u64) -> Self {
        Self {
            id,
            ..Self::default()
        }
    }

    /// What was found in a frame: by the latest prompt, of those that are, or are not, `for_good` if that
    /// is given; else as it is kept.
    pub(crate) fn found(&self, frame: usize, for_good: Option<bool>) -> Option<&Found> {
        let is_meant = |good: bool| for_good.is_none_or(|for_good| for_good == good);
        let pending = self.pending.iter().rev();
        let pending = pending.filter(|(index, good, _)| *index == frame && is_meant(*good));
        let pending = pending.map(|(_, _, found)| found);
        let pointed = self.pointed.iter();
        let pointed = pointed.filter(|(index, _)| *index == frame);
        let kept = pointed.map(|(_, kept)| kept);
        let kept = kept.chain(self.recent.get(&frame));
        pending.chain(kept.map(|kept| &kept.found)).next()
    }

    /// What a prompt gave, until it is remembered. An earlier one of the same kind no longer counts.
    pub(super) fn wait(&mut self, frame: usize, for_good: bool, found: Found) {
        let is_same = |it: &(usize, bool, Found)| (it.0, it.1) == (frame, for_good);
        self.pending.retain(|it| !is_same(it));
        self.pending.push((frame, for_good, found));
    }

    /// Remembers a frame that people pointed at for good.
    pub(super) fn point_at(&mut self, frame: usize, kept: Kept) {
        self.recent.remove(&frame);
        match self.pointed.iter_mut().find(|(index, _)| *index == frame) {
            Some((_, before)) => *before = kept,
            None => self.pointed.push((frame, kept)),
        }
    }

    /// Whether it was seen in the frame from which it is followed into that of `place`.
    pub(super) fn is_beside(&self, place: Place) -> bool {
        let before = match place.is_backward {
            true => place.index.checked_add(1),
            false => place.index.checked_sub(1),
        };
        let is_before = |index: &usize| Some(*index) == before;
        self.recent.keys().any(is_before) || self.pointed.iter().any(|(at, _)| is_before(at))
    }

    /// Takes away frames until there are `most` of each kind, the farthest from frame `index` first. Of
    /// those that people pointed at all stay, unless only `limit` are seen at a time.
    pub(super) fn forget(&mut self, index: usize, most: usize, limit: Option<usize>) {
        while self.recent.len() > most {
            let first = self.recent.keys().next().copied().unwrap_or_default();
            let last = self.recent.keys().next_back().copied().unwrap_or_default();
            let is_first = first.abs_diff(index) > last.abs_diff(index);
            self.recent.remove(if is_first { &first } else { &last });
        }
        while limit.is_some_and(|limit| self.pointed.len() > limit.max(most)) {
            let places = self.pointed.iter().enumerate();
            let farthest = places.max_by_key(|(_, (frame, _))| frame.abs_diff(index));
            let Some(farthest) = farthest.map(|(place, _)| place) else {
                return;
            };
            self.pointed.remove(farthest);
        }
    }
}
