//! What is kept of an object.

use std::{collections::BTreeMap, sync::Arc};

use som_torch::decoder::PromptToken;
use tch::Tensor;

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

    /// Takes away what no frame after `oldest` can see, where at most `limit` frames are seen for good.
    pub(super) fn forget(&mut self, oldest: usize, limit: Option<usize>) {
        self.recent = self.recent.split_off(&oldest);
        self.points = self.points.split_off(&oldest);
        self.followed = self.followed.split_off(&oldest);
        let Some(limit) = limit else {
            return;
        };
        let mut frames: Vec<usize> = self.pointed.iter().map(|(index, _)| *index).collect();
        frames.sort_unstable_by(|a, b| b.cmp(a));
        let last = frames.get(limit.saturating_sub(1)).copied();
        let last = last.unwrap_or_default().min(oldest);
        self.pointed.retain(|(index, _)| *index >= last);
    }
}
